"""Addresses of contracts."""

from django.urls import path

from .views import contracts

app_name = "offers"
urlpatterns = [
    path("contracts/", contracts.contracts, name="contracts"),
    path("contracts/new/", contracts.create, name="contract_new"),
    path("contracts/<int:pk>/", contracts.contract, name="contract"),
    path("contracts/<int:pk>/edit/", contracts.edit, name="contract_edit"),
    path("contracts/<int:pk>/fields/<slug:key>/", contracts.field, name="contract_field"),
    path("contracts/<int:pk>/milestones/", contracts.add_milestone, name="milestone_add"),
    path(
        "contracts/<int:pk>/milestones/<int:milestone_id>/",
        contracts.complete_milestone,
        name="milestone_done",
    ),
    path("opportunities/<int:pk>/contracts/", contracts.of_opportunity, name="of_opportunity"),
]

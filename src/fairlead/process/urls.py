from django.urls import path

from fairlead.process import views, views_clocks, views_drafts, views_landing

app_name = "process"
urlpatterns = [
    path("processes/", views.processes, name="processes"),
    path("processes/new/", views_drafts.new, name="new_process"),
    path("processes/<slug:key>/", views.process, name="process"),
    path("processes/<slug:key>/draft/", views_drafts.draft, name="draft"),
    path("processes/<slug:key>/draft/begin", views_drafts.begin, name="draft_begin"),
    path("processes/<slug:key>/draft/edit", views_drafts.edit, name="draft_edit"),
    path("processes/<slug:key>/draft/act", views_drafts.act, name="draft_act"),
    path("processes/<slug:key>/draft/document.yaml", views_drafts.document, name="draft_document"),
    path("processes/<slug:key>/document.yaml", views.document, name="document"),
    path("processes/<slug:key>/mode", views_landing.mode, name="mode"),
    path("processes/<slug:key>/landing/", views_landing.landing, name="landing"),
    path("processes/<slug:key>/thresholds", views_clocks.thresholds, name="thresholds"),
    path("journeys/<int:pk>/clocks", views_clocks.acknowledge, name="acknowledge"),
    path("journeys/<int:pk>/clocks/settle", views_clocks.settle_call, name="settle_call"),
]

from django.urls import path

from fairlead.process import views, views_clocks, views_drafts, views_landing, views_overrides

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
    path("overrides/", views_overrides.requests_list, name="overrides"),
    path("overrides/rules/", views_overrides.rules, name="override_rules"),
    path("overrides/<int:pk>/", views_overrides.one, name="override"),
    path("overrides/<int:pk>/withdraw", views_overrides.withdraw, name="override_withdraw"),
    path("waivers/<int:pk>/revoke", views_overrides.revoke, name="waiver_revoke"),
    path("journeys/<int:pk>/overrides/", views_overrides.of_journey, name="journey_overrides"),
    path("journeys/<int:pk>/force/", views_overrides.force, name="force"),
]

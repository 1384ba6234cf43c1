"""Addresses of records: lists, pages, forms. Included by `urls`."""

from __future__ import annotations

from django.urls import URLPattern, path

from .views import (
    alike,
    deal_people,
    deal_team,
    editing,
    given_process,
    guidance,
    handing,
    journeys,
    lists,
    many,
    merge,
    opportunity,
    plan,
    playbooks,
    records,
    saved,
    scorecard,
    successors,
)
from .views.editing import PLURALS

_PAGES = {
    "opportunity": opportunity.opportunity,
    "account": records.account,
    "contact": records.contact,
    "segment": records.segment,
}

urlpatterns: list[URLPattern] = [
    path("pick/<slug:kind>/", lists.pick_record, name="pick"),
    path("changes/<int:pk>/", many.result, name="many_result"),
    path("changes/<int:pk>/undo/", many.undo, name="many_undo"),
    path("views/save/", saved.save, name="view_save"),
    path("views/<int:pk>/", saved.settings, name="view"),
    path("views/<int:pk>/update/", saved.update, name="view_update"),
    path("views/<int:pk>/delete/", saved.delete, name="view_delete"),
    path("views/<int:pk>/restore/<int:version>/", saved.restore, name="view_restore"),
    path("opportunities/<int:pk>/roles/", deal_people.add_role, name="add_role"),
    path("opportunities/<int:pk>/roles/<int:role_id>/remove/", deal_people.remove_role, name="remove_role"),
    path("opportunities/<int:pk>/team/", deal_people.set_team, name="set_team"),
    path("opportunities/<int:pk>/team/split/", deal_team.split, name="team_split"),
    path("opportunities/<int:pk>/vetoes/", deal_team.veto, name="veto"),
    path(
        "opportunities/<int:pk>/vetoes/<int:veto_id>/withdraw/", deal_team.withdraw_veto, name="veto_withdraw"
    ),
    path(
        "opportunities/<int:pk>/vetoes/<int:veto_id>/accept/",
        deal_team.accept_alternative,
        name="veto_accept",
    ),
    path("opportunities/<int:pk>/vetoes/<int:veto_id>/overrule/", deal_team.overrule, name="veto_overrule"),
    path("opportunities/<int:pk>/hand-overs/", deal_team.offer, name="hand_over_offer"),
    path(
        "opportunities/<int:pk>/hand-overs/<int:handover_id>/", deal_team.answer_hand_over, name="hand_over"
    ),
    path("opportunities/<int:pk>/role-questions/", deal_team.ask, name="role_ask"),
    path(
        "opportunities/<int:pk>/role-questions/<int:question_id>/",
        deal_team.answer_question,
        name="role_question",
    ),
    path("opportunities/<int:pk>/process/", given_process.given_process, name="given_process"),
    path("opportunities/<int:pk>/successor/", successors.successor, name="successor"),
    path("opportunities/<int:pk>/merge/", merge.merge, name="merge"),
    path("opportunities/<int:pk>/unmerge/", merge.unmerge, name="unmerge"),
    path("opportunities/<int:pk>/handbook/", guidance.handbook, name="handbook"),
    path("opportunities/<int:pk>/scorecard/", scorecard.scorecards, name="scorecards"),
    path("opportunities/<int:pk>/scorecard/assess/", scorecard.assess_element, name="assess"),
    path("opportunities/<int:pk>/plan/", plan.plan, name="plan"),
    path("opportunities/<int:pk>/plan/print/", plan.print_plan, name="plan_print"),
    path("opportunities/<int:pk>/plan/steps/", plan.add_step, name="plan_add"),
    path("opportunities/<int:pk>/plan/steps/<int:step_id>/", plan.change_step, name="plan_step"),
    path("opportunities/<int:pk>/handbook/used/", playbooks.used, name="handbook_used"),
    path("opportunities/<int:pk>/playbooks/", playbooks.launch, name="launch"),
    path("opportunities/<int:pk>/playbooks/<int:run_id>/end/", playbooks.end, name="playbook_end"),
    path("opportunities/<int:pk>/answers/", playbooks.answer, name="answer"),
    path("opportunities/<int:pk>/answers/<int:answer_id>/remove/", playbooks.unanswer, name="unanswer"),
    path("contacts/<int:pk>/left/", records.contact_left, name="contact_left"),
    path("accounts/<int:pk>/process/", records.start_view("account"), name="account_start"),
    path("segments/<int:pk>/process/", records.start_view("segment"), name="segment_start"),
    path("accounts/alike/", alike.alike_view("account"), name="account_alike"),
    path("contacts/alike/", alike.alike_view("contact"), name="contact_alike"),
    path("journeys/<int:pk>/", journeys.journey, name="journey"),
    path("journeys/<int:pk>/move/", journeys.move_journey, name="journey_move"),
    path("journeys/<int:pk>/attest/", journeys.attest_journey, name="journey_attest"),
]
for _kind, _plural in PLURALS.items():
    if _kind != "opportunity":  # a new deal has its own short form
        urlpatterns.append(path(f"{_plural}/new/", editing.create_view(_kind), name=f"{_kind}_new"))
    urlpatterns += [
        path(f"{_plural}/change/", many.change_view(_kind), name=f"{_kind}_many"),
        path(f"{_plural}/", lists.list_view(_kind), name=_plural),
        path(f"{_plural}/<int:pk>/", _PAGES[_kind], name=_kind),
        path(f"{_plural}/<int:pk>/edit/", editing.edit_view(_kind), name=f"{_kind}_edit"),
        path(f"{_plural}/<int:pk>/fields/<slug:key>/", editing.field_view(_kind), name=f"{_kind}_field"),
        path(f"{_plural}/<int:pk>/owner/", handing.reassign_view(_kind), name=f"{_kind}_reassign"),
    ]

"""One line for each operation: a call that is right, of a person who may make it.

The tests of forged fields, strangers, keys and anonymous callers all walk this table; a new operation without a
line fails.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any

from django.utils import timezone
from tests.factories.approvals import a_request
from tests.factories.crm import PROCESS, Company, document

from fairlead.config import document as api_document
from fairlead.crm import services as crm
from fairlead.crm.services import plan
from fairlead.fields import services as fields
from fairlead.journal.models import Event
from fairlead.offers import services as offers
from fairlead.organisation import services as organisation
from fairlead.process import services as process
from fairlead.process.models import Migration
from fairlead.process.services.sandboxing import begin_sandbox
from fairlead.work import services as work


def soon(days: int = 3) -> str:
    return (timezone.now() + timedelta(days=days)).isoformat()


def ago(days: int = 1) -> str:
    return (timezone.now() - timedelta(days=days)).isoformat()


@dataclass
class Place:
    """A deal of zhou in the branch of chen, with one of everything about it."""

    where: Company
    deal: Any = None
    ids: dict[str, int] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)


def furnish(where: Company) -> Place:
    place = Place(where, where.deal("车辆段智能运维", stage="needs_analysis"))
    deal, at = place.deal, timezone.now()
    how = where.how()
    where.edit(deal, fr=where.he.pk)
    deal.refresh_from_db()
    contact = where.contact(deal.account)
    segment = crm.create("segment", {"name": "轨道交通"}, **where.how(where.mo))
    subject: tuple[str, int] = ("opportunity", deal.pk)
    ids = place.ids
    ids |= {"opportunity": deal.pk, "account": deal.account_id, "contact": contact.pk, "segment": segment.pk}
    ids |= {"journey": deal.journey_id, "user": where.zhou.pk}
    ids["activity"] = work.plan_activity(
        *subject, kind="call", summary="回电", due_at=at + timedelta(days=1), **how
    ).pk
    ids["comment"] = work.add_comment(*subject, text="注意付款条件", **how).pk
    ids["task"] = work.add_task(*subject, title="准备样品", **how).pk
    ids["event"] = Event.objects.filter(type="task_added").latest("pk").pk
    ids["file"] = work.add_file(*subject, kind="minutes", name="a.txt", content=b"text", **how).pk
    ids["contact_role"] = crm.add_contact_role(deal.pk, contact_id=contact.pk, role="UB", **how).pk
    ids["attestation"] = process.attest(
        deal.journey_id, criterion_key="ati", statement="同意", **where.how(where.chen)).pk  # fmt: skip
    ids["waiver"] = process.grant_waiver(
        deal.journey_id, criterion_key="req_confirmed", reason_code=waiver_reason(), text="客户只给口头确认，已电话核实",
        expires_at=at + timedelta(days=5), **where.how(where.chen)).pk  # fmt: skip
    found = a_request(where, deal.journey_id, owner=where.zhou, approver=where.chen, at=at)
    ids |= {kind: row.pk for kind, row in found.items()}
    ids["override"] = process.request_override(
        deal.journey_id, criterion_key="budget_band", reason_code=waiver_reason(), text="预算下月才批，先做方案",
        compensation="下月十日前补预算批文", expires_at=at + timedelta(days=20), **how).pk  # fmt: skip
    ids["playbook_run"] = process.launch_playbook(deal.journey_id, playbook="slipping_date", **how).pk
    ids["answer"] = process.answer_question(
        deal.journey_id, key="cost_last_year", answer="三百多万", **how
    ).pk
    ids["plan_step"] = plan.add_plan_step(
        deal.pk, side="us", title="寄样品", due=at.date() + timedelta(days=5), **how).pk  # fmt: skip
    contract = offers.create_contract(deal.pk, number="HN-2026-001", amount=100, currency="CNY", **how)
    ids["contract"] = contract.pk
    ids["milestone"] = offers.add_milestone(contract.pk, kind="payment", name="首付", **how).pk
    reached = offers.add_milestone(contract.pk, kind="handover", name="交接", **how)
    ids["reached"] = offers.complete_milestone(reached.pk, on=at.date(), **how).pk
    ids["field"] = fields.add_field(
        subject_type="account",
        key="plant_count",
        type="integer",
        label={"zh": "工厂数"},
        **where.how(where.admin),
    ).pk
    ids["view"] = crm.save_view("opportunity", name="百万以上", state=crm.ViewState(sort="-amount"), **how).pk
    crm_veto = {"domain": "customer", "clause": "独家供货", "alternative": "改为优先供货，期限一年。"}
    ids["veto"] = process.raise_veto(deal.journey_id, **crm_veto, **how).pk
    ids["hand_over"] = crm.offer_hand_over(
        deal.pk, package="fr_ar", there={"acceptance", "open_points", "payments"}, **where.how(where.he)).pk  # fmt: skip
    ids["hand_over_of_mine"] = crm.offer_hand_over(deal.pk, package="sr_fr", there={
        "scope", "configuration", "promises", "dates", "cost"}, **how).pk  # fmt: skip
    ids["role_question"] = crm.ask_role(deal.pk, role="FR", question="二期能提前两周吗？", **how).pk
    ids["calendar"] = organisation.create_calendar(
        name="中东", time_zone="Asia/Dubai", pattern="sun_thu", **where.how(where.admin)).pk  # fmt: skip
    ids["team"] = where.zhou.team_id
    away = at.date() + timedelta(days=30)
    ids["leave"] = organisation.enter_leave(where.zhou, first_day=away, last_day=away, **how).pk
    ids["draft"] = process.begin_draft(PROCESS, **where.how(where.people["tang"])).pk
    ids["sandbox"] = begin_sandbox(PROCESS, by=where.people["tang"], at=at).pk
    ids["migration"] = Migration.objects.create(
        process=where.version.process, target=where.version, created_at=at
    ).pk
    deal.refresh_from_db()
    place.versions = dict.fromkeys(ids, 1) | {
        "opportunity": deal.version,
        "journey": where.journey(deal).version,
    }
    return place


def waiver_reason() -> str:
    return str(next(iter(document()["lists"]["waiver"]))["key"])


@dataclass(frozen=True)
class Line:
    """`of`: whose id stands in the address. `body` may look at the place."""

    by: str
    of: str = ""
    body: Callable[[Place], Any] | None = None
    query: Callable[[Place], Mapping[str, Any]] | None = None
    path: Mapping[str, str] = field(default_factory=dict)
    status: int = 200
    form: bool = False


def about(**more: Any) -> Callable[[Place], dict[str, Any]]:
    return lambda p: {"subject_type": "opportunity", "subject_id": p.ids["opportunity"], **more}


def _next_version() -> dict[str, Any]:
    return {**document(), "version": document()["version"] + 1}


LINES: Mapping[str, Line] = {
    "me": Line("zhou"),
    "users_list": Line("zhou"),
    "users_get": Line("zhou", "user"),
    "teams_list": Line("zhou"),
    "keys_list": Line("zhou"),
    "keys_create": Line("zhou", body=lambda p: {"name": "ERP", "scopes": ["read"], "expires_at": soon()}, status=201),
    "keys_revoke": Line("zhou", "key"),
    "fields_list": Line("zhou", query=lambda p: {"subject": "opportunity"}),
    "first_steps_list": Line("zhou"),
    "first_steps_set": Line("zhou", body=lambda p: {"passed": "mail"}),
    "favourites_list": Line("zhou"),
    "favourites_set": Line("zhou", body=about(starred=True), status=204),
    "recent_list": Line("zhou"),
    "fields_uses": Line("admin", query=lambda p: {"subject": "opportunity", "key": "amount"}),
    "fields_create": Line("admin", body=lambda p: {
        "subject": "account", "key": "line_count", "type": "integer", "label": {"zh": "产线数"}}, status=201),
    "fields_change": Line("admin", "field", lambda p: {"label": {"zh": "厂房数"}}),
    "segments_list": Line("zhou"),
    "segments_get": Line("zhou", "segment"),
    "segments_create": Line("mo", body=lambda p: {"name": "新能源"}, status=201),
    "segments_edit": Line("mo", "segment", lambda p: {"growth": "12.5"}),
    "segments_reassign": Line("mo", "segment", lambda p: {"owner": p.where.chen.pk}),
    "segments_start": Line("mo", "segment", lambda p: {"process": "market_segment"}, status=422),
    "accounts_list": Line("zhou"),
    "accounts_get": Line("zhou", "account"),
    "accounts_strength": Line("zhou", "account"),
    "accounts_create": Line("zhou", body=lambda p: {"name": "启晨半导体"}, status=201),
    "accounts_edit": Line("zhou", "account", lambda p: {"city": "无锡"}),
    "accounts_reassign": Line("chen", "account", lambda p: {"owner": p.where.lin.pk}),
    "accounts_start": Line("zhou", "account", lambda p: {"process": "account_care"}, status=422),
    "contacts_list": Line("zhou"),
    "contacts_get": Line("zhou", "contact"),
    "contacts_strength": Line("zhou", "contact"),
    "contacts_create": Line("zhou", body=lambda p: {"name": "王工", "account": p.ids["account"]}, status=201),
    "contacts_edit": Line("zhou", "contact", lambda p: {"title": "设备经理"}),
    "contacts_reassign": Line("chen", "contact", lambda p: {"owner": p.where.lin.pk}),
    "contacts_left": Line("zhou", "contact"),
    "opportunities_list": Line("zhou"),
    "opportunities_get": Line("zhou", "opportunity"),
    "opportunities_create": Line("zhou", body=lambda p: {"name": "产线预测性维护", "account": p.ids["account"]}, status=201),
    "opportunities_edit": Line("zhou", "opportunity", lambda p: {"amount": "5000000"}),
    "opportunities_reassign": Line("chen", "opportunity", lambda p: {"owner": p.where.lin.pk}),
    "opportunities_successor": Line("zhou", "opportunity", status=201),
    "opportunities_move": Line("zhou", "opportunity", lambda p: {
        "kind": "hold", "reason": hold_reason(), "form": {"resume_date": "2099-01-01"}}),
    "opportunities_doubles": Line("zhou", "opportunity"),
    "opportunities_merge": Line("zhou", "opportunity", lambda p: {
        "other": p.ids["opportunity"], "version": 1, "journey_version": 1, "other_version": 1,
        "other_journey_version": 1}, status=422),
    "opportunities_unmerge": Line("zhou", "opportunity", status=404),
    "opportunities_give_process": Line("zhou", "opportunity", lambda p: {"process": PROCESS}, status=422),  # it has not left
    "opportunities_checklist": Line("zhou", "opportunity"),
    "opportunities_moves": Line("zhou", "opportunity"),
    "opportunities_visits": Line("zhou", "opportunity"),
    "opportunities_evaluations": Line("zhou", "opportunity"),
    "opportunities_team": Line("zhou", "opportunity"),
    "opportunities_team_set": Line("zhou", "opportunity", lambda p: {"person": p.where.sun.pk}, path={"slot": "SR"}),
    "opportunities_as_of": Line("zhou", "opportunity", query=lambda p: {"date": timezone.localdate().isoformat()}),
    "opportunities_timeline": Line("zhou", "opportunity"),
    "contact_roles_list": Line("zhou", "opportunity"),
    "contact_roles_add": Line("zhou", "opportunity", lambda p: {"contact": p.ids["contact"], "role": "EB"}, status=201),
    "contact_roles_remove": Line("zhou", "contact_role", status=204),
    "views_list": Line("zhou"),
    "views_get": Line("zhou", "view"),
    "views_create": Line("zhou", body=lambda p: {"kind": "account", "name": "上海的客户", "q": "上海"}, status=201),
    "views_change": Line("zhou", "view", lambda p: {"name": "大单"}),
    "views_delete": Line("zhou", "view", status=204),
    "views_first": Line("zhou", body=lambda p: {"kind": "opportunity", "view": p.ids["view"]}, status=204),
    "activities_list": Line("zhou", query=about()),
    "activities_get": Line("zhou", "activity"),
    "activities_log": Line("zhou", body=lambda p: about(
        kind="visit", summary="走访", outcome="talked", done_at=ago())(p), status=201),
    "activities_plan": Line("zhou", body=lambda p: about(kind="call", summary="回电", due_at=soon())(p), status=201),
    "activities_complete": Line("zhou", "activity", lambda p: {"outcome": "talked"}),
    "activities_cancel": Line("zhou", "activity"),
    "comments_list": Line("zhou", query=about()),
    "comments_create": Line("zhou", body=about(text="客户周五回话"), status=201),
    "comments_remove": Line("zhou", "comment", status=204),
    "comments_edit": Line("zhou", "comment", lambda p: {"text": "客户周四回话"}),
    "comments_react": Line("zhou", "comment", lambda p: {"kind": "agree"}, status=204),
    "notifications_list": Line("zhou"),
    "notifications_read": Line("zhou", body=lambda p: {}, status=204),
    "notification_settings_get": Line("zhou"),
    "notification_settings_set": Line("zhou", body=lambda p: {"weekly": False}),
    "attention_set": Line("zhou", body=about(attention="followed"), status=204),
    "tasks_list": Line("zhou", query=about()),
    "tasks_get": Line("zhou", "task"),
    "tasks_create": Line("zhou", body=about(title="寄样品"), status=201),
    "tasks_edit": Line("zhou", "task", lambda p: {"title": "寄两件样品"}),
    "tasks_complete": Line("zhou", "task"),
    "tasks_reopen": Line("zhou", "task"),
    "tasks_remove": Line("zhou", "task", status=204),
    "files_list": Line("zhou", query=about()),
    "files_upload": Line("zhou", body=about(kind="minutes", reference="档案柜 3-12", name="纪要"), status=201, form=True),
    "files_get": Line("zhou", "file"),
    "files_download": Line("zhou", "file"),
    "files_withdraw": Line("zhou", "file"),
    "processes_list": Line("zhou"),
    "processes_get": Line("zhou", path={"key": PROCESS}),
    "processes_validate": Line("tang", body=lambda p: {"document": _next_version()}),
    "processes_publish": Line("tang", body=lambda p: {"document": _next_version()}),
    "processes_replay": Line("tang", body=lambda p: {"version": 1}, path={"key": PROCESS}),
    "processes_landing": Line("zhou", path={"key": PROCESS}),
    "processes_set_mode": Line("tang", body=lambda p: {"mode": "soft"}, path={"key": PROCESS}),
    "assignment_get": Line("zhou", path={"key": "opportunity"}),
    "assignment_set": Line("tang", body=lambda p: {"rules": [
        {"condition": {"field": "is_tender", "op": "eq", "value": True}, "process": PROCESS}]}, path={"key": "opportunity"}),
    "journeys_better_process": Line("zhou", "journey"),
    "journeys_switch": Line("zhou", "journey", lambda p: {"process": PROCESS}, status=422),
    "journeys_leave_fit": Line("zhou", "journey", status=422),
    "migrations_get": Line("tang", path={"key": PROCESS}),
    "migrations_plan": Line("tang", path={"key": PROCESS}, status=201),
    "migrations_edit": Line("tang", "migration", lambda p: {"grace_days": 5}, path={"key": PROCESS}),
    "migrations_do": Line("tang", "migration", lambda p: {"do": "try"}, path={"key": PROCESS}),
    "migrations_rows": Line("tang", path={"key": PROCESS}),
    "drafts_list": Line("tang"),
    "drafts_get": Line("tang", path={"key": PROCESS}),
    "sandbox_get": Line("tang", "sandbox", path={"key": PROCESS}),
    "sandbox_begin": Line("tang", body=lambda p: {}, path={"key": PROCESS}),
    "sandbox_act": Line("tang", "sandbox", lambda p: {"do": "wait", "days": 1}, path={"key": PROCESS}),
    "sandbox_end": Line("tang", path={"key": PROCESS}, status=204),
    "drafts_begin": Line(
        "tang", body=lambda p: {"template": "blank", "name": {"zh": "渠道", "en": "Channel"}},
        path={"key": "channel"}, status=201),
    "drafts_edit": Line(
        "tang", "draft", lambda p: {"op": "stage_move", "stage": "needs_analysis", "by": -1}, path={"key": PROCESS}),
    "drafts_replace": Line("tang", "draft", lambda p: {"document": document()}, path={"key": PROCESS}),
    "drafts_rebase": Line("tang", "draft", path={"key": PROCESS}),
    "drafts_publish": Line("tang", "draft", path={"key": PROCESS}),
    "drafts_ask": Line("tang", "draft", lambda p: {"comment": "请看"}, path={"key": PROCESS}, status=201),
    "drafts_decide": Line("tang", body=lambda p: {"grant": True}, path={"key": PROCESS}, status=404),
    "drafts_discard": Line("tang", "draft", path={"key": PROCESS}, status=204),
    "journeys_list": Line("zhou"),
    "journeys_get": Line("zhou", "journey"),
    "journeys_checklist": Line("zhou", "journey"),
    "journeys_moves": Line("zhou", "journey"),
    "journeys_move": Line("zhou", "journey", lambda p: {
        "kind": "hold", "reason": hold_reason(), "form": {"resume_date": "2099-01-01"}}),
    "journeys_visits": Line("zhou", "journey"),
    "journeys_evaluations": Line("zhou", "journey"),
    "journeys_category": Line("zhou", "journey", lambda p: {"category": "commit"}),
    "calendar_get": Line("zhou"),
    "calendar_set_week": Line("admin", body=lambda p: {"weekly": {"1": [["09:00", "12:00"]]}}),
    "calendar_set_day": Line("admin", body=lambda p: {"kind": "holiday", "zh": "司庆"}, path={"day": "2026-12-24"}),
    "calendar_remove_day": Line("admin", path={"day": "2026-12-24"}),
    "leave_list": Line("zhou"),
    "leave_enter": Line("zhou", body=lambda p: {"first_day": soon(1)[:10], "last_day": soon(3)[:10]}, status=201),
    "leave_change": Line("zhou", "leave", lambda p: {"first_day": soon(5)[:10], "last_day": soon(6)[:10]}),
    "leave_remove": Line("zhou", "leave", status=204),
    "calendars_list": Line("zhou"),
    "calendars_create": Line("admin", body=lambda p: {
        "name": "新加坡", "time_zone": "Asia/Singapore", "pattern": "mon_fri"}, status=201),
    "calendars_get": Line("zhou", "calendar"),
    "calendars_change": Line("admin", "calendar", lambda p: {"name": "海湾"}),
    "calendars_remove": Line("admin", "calendar", status=204),
    "calendars_set_week": Line("admin", "calendar", lambda p: {"weekly": {"7": [["09:00", "12:00"]]}}),
    "calendars_set_day": Line("admin", "calendar", lambda p: {"kind": "holiday"}, path={"day": "2026-12-24"}),
    "calendars_remove_day": Line("admin", "calendar", path={"day": "2026-12-24"}),
    "users_set_calendar": Line("admin", "user", lambda p: {"calendar": p.ids["calendar"]}),
    "teams_set_calendar": Line("admin", "team", lambda p: {"calendar": p.ids["calendar"]}),
    "approvals_list": Line("zhou", "journey"),
    "approvals_inbox": Line("chen"),
    "approvals_screen": Line("chen", "approval"),
    "approvals_easier": Line("zhou", "journey", lambda p: {"kind": "moon"}, status=404),
    "approvals_together": Line("chen", "", lambda p: {"requests": [1]}),
    "approvals_nudge": Line("zhou", "approval", status=422),
    "precedents_list": Line("chen"),
    "precedents_settle": Line("tang", "precedent", lambda p: {"state": "refused", "note": "这类让步不再批准，改走配置方案"}),
    "processes_decisions": Line("chen", path={"key": PROCESS}),
    "processes_criterion_quality": Line("chen", path={"key": PROCESS}),
    "processes_criterion_rows": Line("chen", path={"key": PROCESS}, query=lambda p: {"part": "through"}),
    "approvals_preview": Line("zhou", "journey", query=lambda p: {"kind": "moon"}, status=422),
    "approvals_submit": Line("zhou", "journey", lambda p: {"kind": "moon"}, status=422),
    "approvals_get": Line("zhou", "approval"),
    "approvals_decide": Line("chen", "approval", lambda p: {"decision": "approve", "comment": "可以"}),
    "approvals_recall": Line("zhou", "approval", lambda p: {"comment": "再想想"}),
    "approvals_return": Line("chen", "approval", lambda p: {"comment": "补充预算"}),
    "approvals_transfer": Line("chen", "approval", lambda p: {"to": p.where.luo.pk, "comment": "我出差"}),
    "approvals_add_approver": Line("chen", "approval", lambda p: {"person": p.where.fang.pk, "place": "after"}),
    "approvals_copy": Line("zhou", "approval", lambda p: {"people": [p.where.lin.pk]}),
    "approvals_ask": Line("chen", "approval", lambda p: {"to": p.where.zhou.pk, "text": "预算多少？"}, status=201),
    "approval_questions_answer": Line("zhou", "approval_question", lambda p: {"text": "三百万"}),
    "approval_conditions_meet": Line("chen", "approval_condition", lambda p: {"comment": "已见"}),
    "delegations_list": Line("zhou"),
    "delegations_create": Line("zhou", body=lambda p: {
        "delegate": p.where.wu.pk, "from_date": soon()[:10], "to_date": soon(5)[:10]}, status=201),
    "delegations_revoke": Line("zhou", "delegation"),
    "clocks_list": Line("zhou", "journey"),
    "clocks_acknowledge": Line("zhou", "journey", lambda p: {"clock": "visit"}, status=422),
    "clocks_settle": Line("zhou", "journey", lambda p: {"clock": "visit", "act": "look_again"}, status=404),
    "breaches_list": Line("zhou", "journey"),
    "processes_compliance": Line("chen", path={"key": PROCESS}),
    "processes_take_over": Line("tang", path={"key": PROCESS}),
    "playbooks_list": Line("zhou", "journey"),
    "playbooks_launch": Line("zhou", "journey", lambda p: {"playbook": "reach_decider"}, status=201),
    "playbooks_end": Line("zhou", "playbook_run", lambda p: {"outcome": "successful"}),
    "answers_list": Line("zhou", "journey"),
    "answers_keep": Line("zhou", "journey", lambda p: {"key": "drags_down", "answer": "质检和排产"}, status=201),
    "answers_remove": Line("zhou", "answer", status=204),
    "scorecards_list": Line("zhou", "opportunity"),
    "scorecards_assess": Line("zhou", "opportunity", lambda p: {
        "score": "meddpicc", "element": "meddpicc_pain", "value": 1, "text": "李工 3 月 2 日说每次停机二十万"}),
    "bonus_split_get": Line("zhou", "opportunity"),
    "bonus_split_agree": Line("zhou", "opportunity", lambda p: {"ar": 40, "sr": 30, "fr": 30}),
    "vetoes_list": Line("zhou", "opportunity"),
    "vetoes_raise": Line("he", "opportunity", lambda p: {
        "domain": "delivery_date", "clause": "6 周交货", "alternative": "9 周交货，或分两期。"}, status=201),
    "vetoes_settle": Line("zhou", "veto", lambda p: {"how": "withdrawn"}),
    "hand_overs_list": Line("zhou", "opportunity"),
    "hand_overs_offer": Line("zhou", "opportunity", lambda p: {"package": "ar_sr", "there": []}, status=422),
    "hand_overs_answer": Line("zhou", "hand_over", lambda p: {"accept": True}),
    "hand_overs_withdraw": Line("zhou", "hand_over_of_mine", status=204),
    "role_questions_list": Line("zhou", "opportunity"),
    "role_questions_ask": Line("zhou", "opportunity", lambda p: {"role": "FR", "question": "几周？"}, status=201),
    "role_questions_answer": Line("he", "role_question", lambda p: {"answer": "可以提前一周。"}),
    "role_questions_withdraw": Line("zhou", "role_question", status=204),
    "plan_get": Line("zhou", "opportunity"),
    "plan_add": Line("zhou", "opportunity", lambda p: {
        "side": "customer", "title": "法务看合同", "due": "2026-12-20", "contact": p.ids["contact"]}, status=201),
    "plan_change": Line("zhou", "plan_step", lambda p: {"done": True}),
    "plan_remove": Line("zhou", "plan_step", status=204),
    "attestations_list": Line("zhou", "journey"),
    "attestations_create": Line("chen", "journey", lambda p: {"criterion": "ati"}, status=201),
    "attestations_withdraw": Line("chen", "attestation"),
    "waivers_list": Line("zhou", "journey"),
    "waivers_grant": Line("chen", "journey", lambda p: {
        "criterion": "eb_identified", "reason": waiver_reason(), "text": "决策人下周到任，由总经理代为确认",
        "expires_at": soon()}, status=201),
    "waivers_revoke": Line("chen", "waiver"),
    "overrides_list": Line("zhou"),
    "overrides_get": Line("zhou", "override"),
    "overrides_request": Line("zhou", "journey", lambda p: {
        "criterion": "ati", "reason": waiver_reason(), "text": "决策人下周到任，先推进方案",
        "compensation": "下周补拜访", "expires_at": soon()}, status=201),
    "overrides_decide": Line("chen", "override", lambda p: {"decision": "grant"}),
    "overrides_withdraw": Line("zhou", "override"),
    "override_rules": Line("chen"),
    "override_rules_set": Line("tang", body=lambda p: {"budget": 4, "review_percent": 25}),
    "journeys_force": Line("admin", "journey", lambda p: {
        "criterion": "eb_identified", "expires_at": soon(), "text": "客户系统停机，按总经理要求放行"}),
    "contracts_list": Line("zhou"),
    "contracts_get": Line("zhou", "contract"),
    "contracts_create": Line("zhou", body=lambda p: {
        "opportunity": p.ids["opportunity"], "number": "HN-2026-002", "amount": "5", "currency": "CNY"}, status=201),
    "shared_figures_of": Line("zhou", "opportunity"),
    "contracts_edit": Line("zhou", "contract", lambda p: {"amount": "120"}),
    "milestones_add": Line("zhou", "contract", lambda p: {"kind": "payment", "name": "尾款"}, status=201),
    "milestones_complete": Line("zhou", "milestone", lambda p: {"on": "2026-01-05"}),
    "milestones_reopen": Line("zhou", "reached"),
    "milestones_remove": Line("zhou", "milestone", status=204),
    "adoption": Line("zhou"),
    "adoption_burden": Line("zhou", query=lambda p: {"process": PROCESS}),
    "clean_up_get": Line("zhou"),
    "clean_up_close": Line("zhou", body=lambda p: {"ids": [1], "reason": ""}, status=422),
    "pulse_get": Line("zhou"),
    "pulse_answer": Line("zhou", body=lambda p: {
        "awareness": 4, "desire": 3, "knowledge": 4, "ability": 3, "reinforcement": 2}),
    "week": Line("zhou"),
    "rollout_get": Line("zhou"),
    "rollout_change": Line("admin", body=lambda p: {"amnesty_day": 20}),
    "hand_overs_figures": Line("chen"),
    "deal_team_figures": Line("chen"),
    "funnel_stock": Line("zhou"),
    "funnel_period": Line("zhou"),
    "funnel_cohort": Line("zhou"),
    "funnel_path": Line("zhou"),
    "funnel_time_in_stage": Line("zhou"),
    "funnel_win_rate": Line("zhou"),
    "figures": Line("admin"),
    "events_list": Line("shen"),
    "journal_seal": Line("shen"),
    "journal_verify": Line("shen", body=lambda p: {}),
    "event_undo": Line("zhou", "event", status=204),
    "imports_list": Line("chen"),
    "imports_upload": Line("chen", body=lambda p: {"kind": "account", "content": FILE}, status=201, form=True),
    "imports_get": Line("chen", "import"),
    "imports_map": Line("chen", "import", lambda p: {"columns": {}}),
    "imports_check": Line("chen", "import", status=202),
    "imports_run": Line("chen", "import", status=409),
    "imports_undo": Line("chen", "import", status=409),
    "imports_rows": Line("chen", "import"),
    "sample_data_get": Line("admin"),
    "sample_data_load": Line("admin", status=409),
    "sample_data_clear": Line("admin", status=409),
}  # fmt: skip
FILE = ("accounts.csv", "客户名称,城市\n启晨半导体,无锡\n".encode())
SESSION_ONLY = {"keys_list", "keys_create", "keys_revoke"}


def hold_reason() -> str:
    return str(document()["lists"]["hold"][0]["key"])


@cache
def built() -> dict[str, Any]:
    """The document, made once for the process; nobody changes it."""
    return api_document.build()


@cache
def operations() -> dict[str, tuple[str, str, dict[str, Any]]]:
    """method, path below /api/v1, details; by operation id."""
    return {
        details["operationId"]: (method.upper(), path.removeprefix("/api/v1"), details)
        for path, methods in built()["paths"].items()
        for method, details in methods.items()
    }


@cache
def components() -> dict[str, Any]:
    found: dict[str, Any] = built()["components"]["schemas"]
    return found


def bodies() -> list[str]:
    """Operations that read JSON."""
    return [name for name, (_m, _p, details) in operations().items()
            if "application/json" in details.get("requestBody", {}).get("content", {})]  # fmt: skip

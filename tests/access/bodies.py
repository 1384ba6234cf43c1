"""What a person would send: a valid body for each door that takes one.

`BODIES[route, method]` makes it from the objects and the side (own or foreign) that the address names.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.utils import timezone
from tests.access.objects import API, FOREIGN, MINE, PROCESS, Objects
from tests.factories.crm import PASSWORD

Body = dict[str, Any]
Make = Callable[[Objects, str], Body]


def fixed(**values: Any) -> Make:
    return lambda objects, which: dict(values)


def person(objects: Objects, which: str) -> int:
    return objects.ids["user"][which == FOREIGN]


def side(which: str) -> str:
    """Bodies speak of objects that are there, also where the address names none."""
    return FOREIGN if which != MINE else MINE


def reassign(objects: Objects, which: str) -> Body:
    """To a colleague of the same branch."""
    return {"owner": objects.where.people["luo" if which == FOREIGN else "chen"].pk, "reason": "接手"}


def about(**values: Any) -> Make:
    return lambda objects, which: {
        "subject_type": "opportunity", "subject_id": objects.of("opportunity", side(which)), **values,
    }  # fmt: skip


def soon(days: int = 3) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


def today() -> str:
    return timezone.localdate().isoformat()


def contact(objects: Objects, which: str) -> Body:
    return {"name": "张工", "account": objects.of("account", side(which))}


def contact_role(objects: Objects, which: str) -> Body:
    return {"contact": objects.of("contact", side(which)), "role": "TB"}


def merging(objects: Objects, which: str) -> Body:
    """With a second deal of the same owner, at another account: that alone stops it."""
    return {
        "other": objects.of("double", side(which)), "version": 1, "journey_version": 1, "other_version": 1,
        "other_journey_version": 1,
    }  # fmt: skip


def contract(objects: Objects, which: str) -> Body:
    return {
        "opportunity": objects.of("opportunity", side(which)), "number": "HT-9", "amount": "1.00",
        "currency": "CNY",
    }  # fmt: skip


MOVE: Final = fixed(kind="hold", reason="other", form={})
WAIVER: Final = "客户下周才盖章，先走流程，已经说定。"

OF_API: Final[Mapping[tuple[str, str], Make]] = {
    ("keys", "POST"): lambda o, w: {"name": "x", "scopes": ["read"], "expires_at": soon()},
    ("fields", "POST"): fixed(subject="opportunity", key="k1", type="text", label={"zh": "甲", "en": "A"}),
    ("fields/<id:pk>", "PATCH"): fixed(label={"zh": "乙", "en": "B"}),
    ("activities/log", "POST"): lambda o, w: about(
        kind="call", summary="电话", outcome="talked", done_at=soon(-1))(o, w),
    ("activities/plan", "POST"): lambda o, w: about(kind="call", summary="电话", due_at=soon())(o, w),
    ("activities/<id:pk>/complete", "POST"): fixed(outcome="talked"),
    ("comments", "POST"): about(text="一句话"),
    ("comments/<id:pk>", "PATCH"): fixed(text="另一句话"),
    ("comments/<id:pk>/react", "POST"): fixed(kind="agree"),
    ("notifications/read", "POST"): fixed(),
    ("notifications/settings", "PATCH"): fixed(weekly=False),
    ("attention", "PUT"): about(attention="followed"),
    ("favourites", "PUT"): about(starred=True),
    ("first-steps", "POST"): fixed(passed="mail"),
    ("tasks", "POST"): about(title="一件事"),
    ("tasks/<id:pk>", "PATCH"): fixed(title="另一件事"),
    ("processes/validate", "POST"): fixed(document={}),
    ("processes/publish", "POST"): fixed(document={}),
    ("processes/<key>/mode", "POST"): fixed(mode="soft"),
    ("assignment/<key>", "PUT"): fixed(rules=[]),
    ("journeys/<id:pk>/process", "POST"): fixed(process=PROCESS),
    ("processes/<key>/draft", "POST"): fixed(),
    ("processes/<key>/migration", "PATCH"): fixed(grace_days=5),
    ("processes/<key>/migration/do", "POST"): fixed(do="try"),
    ("processes/<key>/draft/sandbox", "PUT"): fixed(),
    ("processes/<key>/draft/sandbox", "POST"): fixed(do="wait", days=1),
    ("processes/<key>/draft", "PUT"): fixed(document={}),
    ("processes/<key>/draft/edits", "POST"): fixed(op="stage_remove", stage="no_such"),
    ("processes/<key>/draft/request", "POST"): fixed(comment=""),
    ("processes/<key>/draft/decision", "POST"): fixed(grant=True),
    ("processes/<key>/replay", "POST"): fixed(version=1),
    ("clean-up", "POST"): lambda o, w: {"ids": [o.of("opportunity", side(w))], "reason": ""},
    ("adoption/pulse", "POST"): fixed(awareness=1, desire=2, knowledge=3, ability=4, reinforcement=5),
    ("rollout", "PUT"): fixed(amnesty_day=20),
    ("journeys/<id:pk>/move", "POST"): MOVE,
    ("journeys/<id:pk>/category", "PUT"): fixed(category="pipeline"),
    ("journeys/<id:pk>/approvals", "POST"): fixed(kind="ati"),
    ("approvals/together", "POST"): fixed(requests=[1]),
    ("journeys/<id:pk>/approvals/easier", "POST"): fixed(kind="ati"),
    ("approvals/<id:pk>/decide", "POST"): fixed(decision="approve"),
    ("approvals/<id:pk>/recall", "POST"): fixed(comment="再想想"),
    ("approval-conditions/<id:pk>/meet", "POST"): fixed(comment="已见"),
    ("journal/verify", "POST"): fixed(),
    ("approvals/<id:pk>/return", "POST"): fixed(comment="补充预算"),
    ("approvals/<id:pk>/transfer", "POST"): lambda o, w: {"to": o.where.people["fang"].pk, "comment": "我出差"},
    ("approvals/<id:pk>/approvers", "POST"): lambda o, w: {"person": o.where.people["fang"].pk, "place": "after"},
    ("approvals/<id:pk>/copies", "POST"): lambda o, w: {"people": [o.where.people["fang"].pk]},
    ("approvals/<id:pk>/questions", "POST"): lambda o, w: {"to": o.where.people["fang"].pk, "text": "预算多少？"},
    ("approval-questions/<id:pk>/answer", "POST"): fixed(text="三百万"),
    ("precedents/<id:pk>/settle", "POST"): fixed(state="refused", note="这类让步不再批准，改走配置方案"),
    ("delegations", "POST"): lambda o, w: {
        "delegate": o.where.people["wu"].pk, "from_date": soon(1)[:10], "to_date": soon(5)[:10]},
    ("journeys/<id:pk>/clocks/acknowledge", "POST"): fixed(clock="visit"),
    ("journeys/<id:pk>/clocks/settle", "POST"): fixed(clock="visit", act="silent"),
    ("calendar/week", "PUT"): fixed(weekly={"1": [["09:00", "12:00"]]}),
    ("calendar/days/<day>", "PUT"): fixed(kind="holiday"),
    ("leave", "POST"): lambda o, w: {"first_day": soon(1)[:10], "last_day": soon(3)[:10]},
    ("leave/<id:pk>", "PATCH"): lambda o, w: {"first_day": soon(5)[:10], "last_day": soon(6)[:10]},
    ("calendars", "POST"): fixed(name="新加坡", time_zone="Asia/Singapore", pattern="mon_fri"),
    ("calendars/<id:pk>", "PATCH"): fixed(name="海湾"),
    ("calendars/<id:pk>/week", "PUT"): fixed(weekly={"7": [["09:00", "12:00"]]}),
    ("calendars/<id:pk>/days/<day>", "PUT"): fixed(kind="holiday"),
    ("users/<id:pk>/calendar", "PUT"): lambda o, w: {"calendar": o.of("calendar", MINE)},
    ("teams/<id:pk>/calendar", "PUT"): lambda o, w: {"calendar": o.of("calendar", MINE)},
    ("journeys/<id:pk>/attestations", "POST"): fixed(criterion="ati", statement="同意"),
    ("journeys/<id:pk>/overrides", "POST"): lambda o, w: {
        "criterion": "problem_stated", "reason": "management", "text": WAIVER, "compensation": "下周补上", "expires_at": soon()},
    ("journeys/<id:pk>/force", "POST"): lambda o, w: {
        "criterion": "problem_stated", "text": WAIVER, "expires_at": soon()},
    ("overrides/<id:pk>/decide", "POST"): fixed(decision="refuse", text="先见客户"),
    ("override-rules", "PUT"): fixed(budget=4, review_percent=25),
    ("journeys/<id:pk>/waivers", "POST"): lambda o, w: {
        "criterion": "bant", "reason": "other", "text": WAIVER, "expires_at": soon(10)},
    ("journeys/<id:pk>/playbooks", "POST"): fixed(playbook="reach_decider"),
    ("playbook-runs/<id:pk>/end", "POST"): fixed(outcome="successful"),
    ("journeys/<id:pk>/answers", "POST"): fixed(key="today_how", answer="每天手抄"),
    ("opportunities/<id:pk>/scorecards", "POST"): fixed(
        score="bant", element="bant_need", value="claimed", text="李工说的"),
    ("opportunities/<id:pk>/plan", "POST"): fixed(side="us", title="寄样品", due="2027-01-05"),
    ("plan-steps/<id:pk>", "PATCH"): fixed(done=True),
    ("opportunities/<id:pk>/merge", "POST"): merging,
    ("opportunities/<id:pk>/process", "POST"): fixed(process="key_account_opportunity"),
    ("opportunities/<id:pk>/bonus-split", "PUT"): fixed(ar=40, sr=30, fr=30),
    ("opportunities/<id:pk>/vetoes", "POST"): fixed(
        domain="customer", clause="最惠条款", alternative="改为年度返利，按量计算。"),
    ("vetoes/<id:pk>/settle", "POST"): fixed(how="accepted"),
    ("opportunities/<id:pk>/hand-overs", "POST"): fixed(package="ar_sr"),
    ("hand-overs/<id:pk>/answer", "POST"): fixed(accept=True),
    ("opportunities/<id:pk>/role-questions", "POST"): fixed(role="SR", question="几周？"),
    ("role-questions/<id:pk>/answer", "POST"): fixed(answer="可以。"),
    ("segments", "POST"): fixed(name="细分"),
    ("segments/<id:pk>", "PATCH"): fixed(description="一句话"),
    ("segments/<id:pk>/reassign", "POST"): reassign,
    ("segments/<id:pk>/journeys", "POST"): fixed(process=PROCESS),
    ("accounts", "POST"): fixed(name="新客户"),
    ("accounts/<id:pk>", "PATCH"): fixed(city="上海"),
    ("accounts/<id:pk>/reassign", "POST"): reassign,
    ("accounts/<id:pk>/journeys", "POST"): fixed(process=PROCESS),
    ("contacts", "POST"): contact,
    ("contacts/<id:pk>", "PATCH"): fixed(title="主任"),
    ("contacts/<id:pk>/reassign", "POST"): reassign,
    ("opportunities", "POST"): lambda o, w: {"name": "新商机", "account": o.of("account", side(w))},
    ("opportunities/<id:pk>", "PATCH"): fixed(description="一句话"),
    ("opportunities/<id:pk>/reassign", "POST"): reassign,
    ("opportunities/<id:pk>/move", "POST"): MOVE,
    ("opportunities/<id:pk>/team/<slot>", "PUT"): lambda o, w: {"person": o.where.people["he"].pk},
    ("opportunities/<id:pk>/contact-roles", "POST"): contact_role,
    ("views", "POST"): fixed(kind="account", name="一个视图"),
    ("views/<id:pk>", "PATCH"): fixed(name="另一个"),
    ("views/first", "PUT"): fixed(kind="opportunity"),
    ("contracts", "POST"): contract,
    ("contracts/<id:pk>", "PATCH"): fixed(number="HT-8"),
    ("contracts/<id:pk>/milestones", "POST"): fixed(kind="acceptance", name="终验"),
    ("milestones/<id:pk>/complete", "POST"): lambda o, w: {"on": today()},
    ("imports/<id:pk>/mapping", "PUT"): fixed(columns={}),
}  # fmt: skip
FIELD: Final = {
    "subject_type": "opportunity", "type": "text", "label_zh": "甲", "label_en": "A", "key": "k1", "unit": "",
    "options": "", "read_right": "",
}  # fmt: skip
USER: Final = {"name": "新人甲", "email": "", "language": "en", "time_zone": "Asia/Shanghai"}
OF_PAGES: Final[Mapping[tuple[str, str], Make]] = {
    ("journeys/<int:pk>/overrides/", "POST"): lambda o, w: {
        "what": "item:problem_stated", "reason": "management", "text": WAIVER, "compensation": "下周补上",
        "expires": soon()[:10]},
    ("processes/assignment/", "POST"): fixed(kind="opportunity", do="remove", number="1"),
    ("journeys/<int:pk>/switch/", "POST"): fixed(do="leave"),
    ("journeys/<int:pk>/force/", "POST"): lambda o, w: {
        "what": "item:problem_stated", "text": WAIVER, "expires": soon()[:10]},
    ("overrides/<int:pk>/", "POST"): fixed(decision="refuse", text="先见客户"),
    ("overrides/<int:pk>/decide", "POST"): fixed(act="reject", comment="先见客户"),
    ("overrides/rules/", "POST"): fixed(budget="4", review_percent="25", version="1"),
    ("adoption/pulse/", "POST"): fixed(awareness="1", desire="2", knowledge="3", ability="4", reinforcement="5"),
    ("settings/fields/new/", "POST"): fixed(**FIELD),
    ("settings/fields/<int:pk>/", "POST"): fixed(
        label_zh="乙", label_en="B", options="", read_right="", version=1
    ),
    ("settings/fields/<int:pk>/place/", "POST"): fixed(to="down", version=1),
    ("settings/fields/<int:pk>/retire/", "POST"): fixed(retired="1", version=1),
    ("settings/soft-landing/", "POST"): fixed(
        version="1", weight_active="1", weight_timely="1", weight_planned="1", amnesty_day="20", amnesty_length="2",
        amnesty_idle_days="45",
    ),
    ("settings/organisation/", "POST"): fixed(
        name="海纳", currency="EUR", time_zone="Asia/Shanghai", version=1),
    ("profile", "POST"): lambda o, w: {
        "language": "en", "theme": "dark", "time_zone": "Asia/Shanghai", "version": 1},
    ("profile/password", "POST"): fixed(current=PASSWORD, password="another-horse-battery"),
    ("profile/second-step", "POST"): fixed(act="begin"),
    ("people/<int:pk>/second-step", "POST"): fixed(),
    ("sign-in/code", "POST"): fixed(code="000000"),
    ("profile/keys", "POST"): fixed(name="x", scopes=["read"], days="90"),
    ("profile/keys/<int:pk>/revoke", "POST"): fixed(),
    ("people/new", "POST"): lambda o, w: {
        **USER, "username": "new", "team": o.of("team", MINE), "roles": ["AR"], "password": PASSWORD},
    ("people/<int:pk>", "POST"): lambda o, w: {
        **USER, "team": o.of("team", MINE), "roles": ["AR"], "version": 1},
    ("leave", "POST"): lambda o, w: {"first_day": soon(1)[:10], "last_day": soon(3)[:10]},
    ("leave/<int:pk>", "POST"): lambda o, w: {
        "first_day": soon(5)[:10], "last_day": soon(6)[:10], "version": "1"},
    ("people/<int:pk>/password", "POST"): fixed(password="another-horse-battery"),
    ("people/<int:pk>/active", "POST"): fixed(active="0"),
    ("teams/new", "POST"): lambda o, w: {"name": "三组", "parent": o.of("team", MINE)},
    ("teams/<int:pk>", "POST"): lambda o, w: {"name": "四组", "parent": "", "version": 1},
    ("language", "POST"): fixed(language="zh-hans"),
    ("theme", "POST"): fixed(theme="dark"),
    ("accounts/change/", "POST"): lambda o, w: {
        "id": o.of("account", MINE), "what": "city", "value": "上海"},
    ("contacts/change/", "POST"): lambda o, w: {
        "id": o.of("contact", MINE), "what": "title", "value": "主任"},
    ("segments/change/", "POST"): lambda o, w: {
        "id": o.of("segment", MINE), "what": "growth", "value": "5"},
    ("opportunities/change/", "POST"): lambda o, w: {
        "id": o.of("opportunity", MINE), "what": "source", "value": "web"},
    ("views/save/", "POST"): fixed(kind="account", name="一个视图", sort="name"),
    ("views/<int:pk>/", "POST"): fixed(name="另一个", version=1),
    ("views/<int:pk>/update/", "POST"): fixed(sort="name", version=1),
    ("views/<int:pk>/delete/", "POST"): fixed(version=1),
    ("approvals/<int:pk>/act", "POST"): fixed(act="reject", comment="补充预算"),
    ("approvals/<int:pk>/recall", "POST"): fixed(comment="再想想"),
    ("approval-questions/<int:pk>/answer", "POST"): fixed(text="三百万"),
    ("approval-conditions/<int:pk>/meet", "POST"): fixed(comment="已见"),
    ("opportunities/<int:pk>/meet-condition/", "POST"): lambda o, w: {
        "condition": o.of("approval_condition", side(w)), "comment": "已见"},
    ("approvals/precedents/<int:pk>/settle", "POST"): fixed(state="refused", note="这类让步不再批准，改走配置方案"),
    ("approvals/delegations/", "POST"): lambda o, w: {
        "delegate": o.where.people["wu"].pk, "from_date": today(), "to_date": today()},
    ("journeys/<int:pk>/clocks", "POST"): fixed(kind="visit"),
    ("journeys/<int:pk>/clocks/settle", "POST"): fixed(kind="visit", act="silent"),
    ("tasks/<int:pk>/edit/", "POST"): fixed(title="另一件事"),
    ("opportunities/<int:pk>/handbook/used/", "POST"): fixed(stage="customer_contact"),
    ("opportunities/<int:pk>/playbooks/", "POST"): fixed(playbook="reach_decider"),
    ("opportunities/<int:pk>/playbooks/<int:run_id>/end/", "POST"): fixed(outcome="partially", version=1),
    ("opportunities/<int:pk>/scorecard/assess/", "POST"): fixed(
        score="bant", element="bant_need", value="claimed", text="李工说的", version=1),
    ("opportunities/<int:pk>/plan/steps/", "POST"): fixed(side="us", title="寄样品", due="2027-01-05"),
    ("opportunities/<int:pk>/plan/steps/<int:step_id>/", "POST"): fixed(act="done", version=1),
    ("opportunities/<int:pk>/merge/", "POST"): merging,
    ("opportunities/<int:pk>/process/", "POST"): fixed(process="key_account_opportunity", version=1),
    ("opportunities/<int:pk>/team/split/", "POST"): fixed(ar="40", sr="30", fr="30"),
    ("opportunities/<int:pk>/vetoes/", "POST"): fixed(
        domain="customer", clause="最惠条款", alternative="改为年度返利，按量计算。"),
    ("opportunities/<int:pk>/vetoes/<int:veto_id>/withdraw/", "POST"): fixed(version=1),
    ("opportunities/<int:pk>/vetoes/<int:veto_id>/accept/", "POST"): fixed(version=1),
    ("opportunities/<int:pk>/vetoes/<int:veto_id>/overrule/", "POST"): fixed(
        version=1, reason="客户已经书面同意这一条。"),
    ("opportunities/<int:pk>/hand-overs/", "POST"): fixed(package="ar_sr"),
    ("opportunities/<int:pk>/hand-overs/<int:handover_id>/", "POST"): fixed(act="accept", version=1),
    ("opportunities/<int:pk>/role-questions/", "POST"): fixed(role="SR", question="几周？"),
    ("opportunities/<int:pk>/role-questions/<int:question_id>/", "POST"): fixed(answer="可以。", version=1),
    ("opportunities/<int:pk>/answers/", "POST"): fixed(key="today_how", answer="每天手抄"),
    ("settings/calendar/new/", "POST"): fixed(new_name="新加坡", new_zone="Asia/Singapore", base="week:mon_fri"),
    ("settings/calendar/change/", "POST"): fixed(name="公司", time_zone="Asia/Shanghai", notices="1", version=1),
    ("settings/calendar/week/", "POST"): fixed(weekday_1="09:00-12:00", version=1),
    ("settings/calendar/day/", "POST"): lambda o, w: {"date": today(), "kind": "holiday", "version": 1},
    ("opportunities/new/", "POST"): lambda o, w: {
        "name": "新商机", "account": o.of("account", side(w)), "amount": "100"},
    ("accounts/new/", "POST"): fixed(name="新客户"),
    ("contacts/new/", "POST"): contact,
    ("segments/new/", "POST"): fixed(name="细分"),
    ("about/<slug:kind>/<int:pk>/comment/", "POST"): fixed(text="一句话"),
    ("about/<slug:kind>/<int:pk>/line/", "POST"): fixed(text="电话 明天10点 报价"),
    ("about/<slug:kind>/<int:pk>/line/preview/", "POST"): fixed(text="电话 明天10点 报价"),
    ("about/<slug:kind>/<int:pk>/next/", "POST"): fixed(kind="call", summary="回访"),
    ("activities/<int:pk>/later/", "POST"): fixed(to="day", version=1),
    ("comments/<int:pk>/edit/", "POST"): fixed(text="另一句话", version=1),
    ("comments/<int:pk>/react/", "POST"): fixed(kind="agree"),
    ("about/<slug:kind>/<int:pk>/star/", "POST"): fixed(on="1"),
    ("about/<slug:kind>/<int:pk>/attention/", "POST"): fixed(attention="followed"),
    ("inbox/settings/", "POST"): fixed(digest="soon", daily_at="08:30", version=1),
    ("about/<slug:kind>/<int:pk>/task/", "POST"): fixed(title="一件事"),
}  # fmt: skip
BODIES: Final[Mapping[tuple[str, str], Make]] = {
    **{(API + route, method): make for (route, method), make in OF_API.items()},
    **OF_PAGES,
}

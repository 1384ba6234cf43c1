"""What stands at the addresses: one object of the seller 周敏, one of somebody in another branch.

A route with an argument that this file does not know fails the tests: add its line here.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from django.utils import timezone
from tests.factories.approvals import a_request
from tests.factories.crm import PROCESS, Company

from fairlead.common import records
from fairlead.crm import services as crm
from fairlead.crm.services import changing_many, plan
from fairlead.exchange import services as exchange
from fairlead.fields.services import add_field
from fairlead.journal.enums import Channel
from fairlead.journal.models import Event
from fairlead.offers import services as offers
from fairlead.organisation import services as organisation
from fairlead.organisation.models import User
from fairlead.process import services as process
from fairlead.process.models import Evaluation, Journey
from fairlead.process.refusals import GateRefused
from fairlead.work import services as work
from fairlead.work.models import Notification

MINE, FOREIGN, UNUSED = "mine", "foreign", "unused"
NEVER_USED: Final = 987_654_321
ARGUMENT: Final = re.compile(r"<(?:\w+:)?(\w+)>")
API: Final = "api/v1/"

#: Beginning of a route (without the prefix of the API) → the kind of object that its first argument names.
KINDS: Final[Mapping[str, str]] = {
    "opportunities/": "opportunity",
    "accounts/": "account",
    "contacts/": "contact",
    "segments/": "segment",
    "journeys/": "journey",
    "contracts/": "contract",
    "milestones/": "milestone",
    "contact-roles/": "contact_role",
    "about/": "opportunity",
    "activities/": "activity",
    "comments/": "comment",
    "tasks/": "task",
    "inbox/": "notification",
    "files/": "file",
    "people/": "user",
    "users/": "user",
    "teams/": "team",
    "calendars/": "calendar",
    "leave/": "leave",
    "profile/keys/": "key",
    "keys/": "key",
    "attestations/": "attestation",
    "waivers/": "waiver",
    "overrides/": "override",
    "audit/evaluations/": "evaluation",
    "value-chain/accounts/": "account",
    "imports/": "import",
    "views/": "view",
    "changes/": "many_change",
    "settings/fields/": "field",
    "fields/": "field",
    "undo/": "event",
    "events/": "event",
    "playbook-runs/": "playbook_run",
    "answers/": "answer",
    "plan-steps/": "plan_step",
    "approvals/": "approval",
    "approvals/delegations/": "delegation",
    "approvals/precedents/": "precedent",
    "precedents/": "precedent",
    "approval-questions/": "approval_question",
    "approval-conditions/": "approval_condition",
    "opportunities/<int:pk>/meet-condition/": "double",  # whose gate it stands at
    "delegations/": "delegation",
    "vetoes/": "veto",
    "hand-overs/": "hand_over",
    "role-questions/": "role_question",
}
#: Arguments that are words: the same for every object.
WORDS: Final[Mapping[str, Any]] = {
    "kind": "opportunity", "subject_type": "opportunity", "key": "name", "slot": "SR", "version": 1,
    "number": 2, "day": "2026-12-24",
}  # fmt: skip
#: Routes whose words are others.
WORDS_OF: Final[Mapping[str, Mapping[str, Any]]] = {
    "help/<slug:key>/": {"key": "clocks"},
    "processes/<slug:key>/": {"key": PROCESS},
    "processes/<slug:key>/usage/": {"key": PROCESS},
    "processes/<slug:key>/replay/": {"key": PROCESS},
    "processes/<slug:key>/decisions/": {"key": PROCESS},
    "api/v1/processes/<key>/decisions": {"key": PROCESS},
    "processes/<slug:key>/criteria/": {"key": PROCESS},
    "processes/<slug:key>/criteria/rows/": {"key": PROCESS},
    "processes/<slug:key>/hand-overs/": {"key": PROCESS},
    "processes/<slug:key>/hand-overs/rows/": {"key": PROCESS},
    "processes/<slug:key>/team-figures/": {"key": PROCESS},
    "processes/<slug:key>/team-figures/rows/": {"key": PROCESS},
    "api/v1/processes/<key>/criteria": {"key": PROCESS},
    "api/v1/processes/<key>/criteria/rows": {"key": PROCESS},
    "processes/<slug:key>/document.yaml": {"key": PROCESS},
    "processes/<slug:key>/mode": {"key": PROCESS},
    "processes/<slug:key>/draft/": {"key": PROCESS},
    "processes/<slug:key>/draft/begin": {"key": PROCESS},
    "processes/<slug:key>/draft/sandbox/": {"key": PROCESS},
    "api/v1/processes/<key>/draft/sandbox": {"key": PROCESS},
    "processes/<slug:key>/draft/edit": {"key": PROCESS},
    "processes/<slug:key>/draft/act": {"key": PROCESS},
    "processes/<slug:key>/draft/document.yaml": {"key": PROCESS},
    "processes/<slug:key>/thresholds": {"key": PROCESS},
    "processes/<slug:key>/landing/": {"key": PROCESS},
    "processes/<slug:key>/migrate/": {"key": PROCESS},
    "processes/<slug:key>/migrate/plan.csv": {"key": PROCESS},
    "api/v1/processes/<key>/migration": {"key": PROCESS},
    "api/v1/processes/<key>/migration/do": {"key": PROCESS},
    "api/v1/processes/<key>/migration/rows": {"key": PROCESS},
    "api/v1/processes/<key>": {"key": PROCESS},
    "api/v1/processes/<key>/mode": {"key": PROCESS},
    "api/v1/assignment/<key>": {"key": "opportunity"},
    "api/v1/processes/<key>/draft": {"key": PROCESS},
    "api/v1/processes/<key>/draft/edits": {"key": PROCESS},
    "api/v1/processes/<key>/draft/rebase": {"key": PROCESS},
    "api/v1/processes/<key>/draft/publish": {"key": PROCESS},
    "api/v1/processes/<key>/draft/request": {"key": PROCESS},
    "api/v1/processes/<key>/draft/decision": {"key": PROCESS},
    "api/v1/processes/<key>/landing": {"key": PROCESS},
    "api/v1/processes/<key>/replay": {"key": PROCESS},
    "api/v1/processes/<key>/compliance": {"key": PROCESS},
    "api/v1/processes/<key>/thresholds/take-over": {"key": PROCESS},
}
#: What an address asks for after the question mark: without it nobody would get as far as the object.
QUERIES: Final[Mapping[str, str]] = {
    "api/v1/journeys/<id:pk>/approvals/preview": "?kind=moon",
    "api/v1/opportunities/<id:pk>/as-of": "?date={today}",
    "processes/<slug:key>/criteria/rows/": "?part=through",
    "api/v1/processes/<key>/criteria/rows": "?part=through",
}
#: Arguments after the first one that name an object of their own.
SECOND: Final[Mapping[str, str]] = {
    "role_id": "contact_role", "milestone_id": "milestone", "run_id": "playbook_run", "answer_id": "answer",
    "step_id": "plan_step", "veto_id": "veto", "handover_id": "hand_over", "question_id": "role_question",
}  # fmt: skip
#: Objects that everybody with the right may see, whoever made them.
SHARED: Final = frozenset({"user", "team", "calendar", "field", "segment"})


@dataclass
class Objects:
    """Ids by kind: (mine, foreign)."""

    where: Company
    ids: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add(self, kind: str, mine: Any, foreign: Any) -> None:
        self.ids[kind] = (mine.pk, foreign.pk)

    def of(self, kind: str, which: str) -> int:
        return NEVER_USED if which == UNUSED else self.ids[kind][which == FOREIGN]


def kind_of(pattern: str) -> str:
    """The kind of the object at this address, or nothing where the address names none."""
    if not any(name not in WORDS for name in ARGUMENT.findall(pattern)):
        return ""
    start = pattern.removeprefix(API)
    fitting = [prefix for prefix in KINDS if start.startswith(prefix)]
    if not fitting:
        raise LookupError(f"Say in tests/access/objects.py which object stands at /{pattern}")
    return KINDS[max(fitting, key=len)]


def address(pattern: str, objects: Objects, which: str) -> str:
    """The path of the route with the object in its place."""
    kind = kind_of(pattern)
    words = {**WORDS, **WORDS_OF.get(pattern, {})}

    def put(match: re.Match[str]) -> str:
        name = match.group(1)
        if name in words:
            return str(words[name])
        return str(objects.of(SECOND.get(name, kind), which))

    return "/" + ARGUMENT.sub(put, pattern) + QUERIES.get(pattern, "").format(today=timezone.localdate())


def sees(user: User | None, kind: str, pk: int) -> bool | None:
    """Whether this person sees the object; None where this file does not know."""
    if user is None:
        return False
    if kind in {one.subject_type for one in records.record_types()}:
        return records.record_type(kind).sees(user, pk)
    return None


def build(where: Company) -> Objects:
    """Two of everything."""
    made = Objects(where)
    seller, stranger = where.people["zhou"], where.people["qi"]
    pairs = list(
        zip(
            _of(where, seller, sr=where.people["sun"].pk),
            _of(where, stranger, sr=where.people["luo"].pk),
            strict=True,
        )
    )
    for (kind, mine), (_kind, foreign) in pairs:
        made.add(kind, mine, foreign)
    made.add("user", seller, stranger)
    made.add("team", where.teams["east_one"], where.teams["south_one"])
    abroad = organisation.create_calendar(
        name="中东", time_zone="Asia/Dubai", pattern="sun_thu", **where.how(where.people["admin"])
    )
    made.add("calendar", abroad, abroad)
    runs = [
        exchange.stage_file(
            ["客户\n启晨\n".encode()], file_name="a.csv", kind="account", **where.how(manager)
        )
        for manager in (where.people["chen"], where.people["luo"])
    ]
    made.add("import", *runs)
    row = add_field(
        subject_type="opportunity", key="project_code", type="text", label={"zh": "代号", "en": "Code"},
        **where.how(where.people["admin"]),
    )  # fmt: skip
    made.add("field", row, row)
    process.begin_draft(PROCESS, **where.how(where.people["tang"]))
    return made


def _of(where: Company, owner: User, **slots: Any) -> Iterator[tuple[str, Any]]:
    now = timezone.now()
    how: dict[str, Any] = {"by": owner, "at": now, "channel": Channel.UI}
    account = where.account(f"{owner.name} 的客户", owner=owner)
    contact = where.contact(account)
    deal = where.deal(f"{owner.name} 的商机", owner=owner, account=account, **slots)
    chief = where.people["admin"]
    segment = crm.create("segment", {"name": f"{owner.name} 的细分市场"}, **where.how(chief))
    yield from (("account", account), ("contact", contact), ("opportunity", deal), ("segment", segment))
    yield "journey", Journey.objects.get(subject_type="opportunity", subject_id=deal.pk)
    role = crm.add_contact_role(deal.pk, contact_id=contact.pk, role="UB", **how)
    yield "contact_role", role
    due = now + timedelta(days=1)
    yield (
        "activity",
        work.plan_activity("opportunity", deal.pk, kind="call", summary="回电", due_at=due, **how),
    )
    yield "comment", work.add_comment("opportunity", deal.pk, text="一句话", **how)
    yield "task", work.add_task("opportunity", deal.pk, title="整理资料", **how)
    yield "event", Event.objects.filter(type="task_added", actor_id=owner.pk).latest("pk")
    yield "file", work.add_file("opportunity", deal.pk, kind="note", name="note.txt", content=b"text", **how)
    yield (
        "notification",
        Notification.objects.create(
            recipient=owner,
            subject_type="opportunity",
            subject_id=deal.pk,
            reason="owner",
            unread=1,
            last_at=now,
        ),
    )
    contract = offers.create_contract(
        deal.pk, number=f"HT-{owner.username}", amount=Decimal("1000"), currency="CNY", **how
    )
    yield "contract", contract
    yield "milestone", offers.add_milestone(contract.pk, kind="acceptance", name="验收", **how)
    yield "playbook_run", process.launch_playbook(deal.journey_id, playbook="first_visit", **how)
    yield (
        "plan_step",
        plan.add_plan_step(
            deal.pk, side="customer", title="评审会", due=now.date(), contact_id=contact.pk, **how
        ),
    )
    veto = {"domain": "customer", "clause": "独家供货", "alternative": "改为优先供货，期限一年。"}
    yield "veto", process.raise_veto(deal.journey_id, **veto, **how)
    there = {"problem", "people", "dates", "budget"}
    yield "hand_over", crm.offer_hand_over(deal.pk, package="ar_sr", there=there, **how)
    yield "role_question", crm.ask_role(deal.pk, role="SR", question="能接旧的系统吗？", **how)
    yield "answer", process.answer_question(deal.journey_id, key="today_how", answer="人工记录", **how)
    with suppress(GateRefused):
        where.move(deal)
    yield "evaluation", Evaluation.objects.get(journey_id=deal.journey_id)
    yield from _decisions(where, owner)
    day = now.date() + timedelta(days=30)
    yield "leave", organisation.enter_leave(owner, first_day=day, last_day=day, **how)
    key, _text = organisation.create_api_key(
        owner, name="own", scopes=["read"], expires_at=now + timedelta(days=30), **how
    )
    yield "key", key
    state = crm.ViewState(sort="-amount")
    yield "many_change", changing_many.begin("account", [account.pk], what="tier", raw="A", by=owner, at=now)
    yield "view", crm.save_view("opportunity", name="百万以上", state=state, **how)


def _decisions(where: Company, owner: User) -> Iterator[tuple[str, Any]]:
    """A word and a waiver of the owner's manager, on a deal that is one stage further."""
    manager = where.people["chen" if owner.username == "zhou" else "luo"]
    deal = where.deal(f"{owner.name} 的第二个商机", owner=owner, stage="needs_analysis")
    yield "double", deal
    how = where.how(manager)
    yield "attestation", process.attest(deal.journey_id, criterion_key="ati", statement="同意", **how)
    yield from a_request(where, deal.journey_id, owner=owner, approver=manager, at=how["at"]).items()
    reason = where.version.document["lists"]["waiver"][0]["key"]
    yield "waiver", process.grant_waiver(
        deal.journey_id, criterion_key="req_confirmed", reason_code=reason,
        text="客户下周才盖章，先走流程，已经说定。", expires_at=how["at"] + timedelta(days=10), **how,
    )  # fmt: skip
    yield "override", process.request_override(
        deal.journey_id, criterion_key="budget_band", reason_code=reason, text="预算下月才批，先做方案",
        compensation="下月十日前补预算批文", expires_at=how["at"] + timedelta(days=20), **where.how(owner),
    )  # fmt: skip


__all__ = ["FOREIGN", "MINE", "PROCESS", "UNUSED", "Objects", "address", "build", "kind_of", "sees"]

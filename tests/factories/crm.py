"""`company()`: an industrial supplier with two branches, its key-account process enforced, and people in every role.

    where = company()
    deal = where.deal("车辆段智能运维", stage="needs_analysis", amount=3_860_000)
    where.fulfil(deal)                      # whatever its next gate asks for
    client.force_login(where.zhou)

Everything goes through the services, so journals, gates and mirrors stand as in life. Only `stage=` puts a deal
into a stage as imported history, which asks no gate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from itertools import count
from typing import Any

from django.utils import timezone
from tests.factories.kept import kept
from tests.kit.documents import read_document

from fairlead.crm import services as crm
from fairlead.crm.models import Account, Contact, Opportunity
from fairlead.fields import catalogue
from fairlead.journal.enums import Channel, Fidelity
from fairlead.organisation import services as organisation
from fairlead.organisation.enums import Role, TeamKind
from fairlead.organisation.models import Organisation, Team, User, WorkingCalendar
from fairlead.organisation.services.setup import OFFICE_HOURS
from fairlead.process import definitions
from fairlead.process import services as process
from fairlead.process.models import Journey, ProcessVersion
from fairlead.process.services import NewJourney, Step
from fairlead.work import services as work

PROCESS = "key_account_opportunity"
STAGES = ("customer_contact", "needs_analysis", "solution_design", "quote_negotiation", "signing")
PASSWORD = "correct-horse-battery"
# key: name, kind, parent
TEAMS: Mapping[str, tuple[str, TeamKind, str]] = {
    "head": ("总部", TeamKind.BRANCH, ""),
    "east": ("华东", TeamKind.BRANCH, "head"),
    "south": ("华南", TeamKind.BRANCH, "head"),
    "east_one": ("华东一组", TeamKind.TEAM, "east"),
    "east_two": ("华东二组", TeamKind.TEAM, "east"),
    "south_one": ("华南一组", TeamKind.TEAM, "south"),
}
# username: name, team, roles
PEOPLE: Mapping[str, tuple[str, str, tuple[Role, ...]]] = {
    "zhou": ("周敏", "east_one", (Role.AR,)),
    "lin": ("林芷若", "east_one", (Role.AR,)),
    "wu": ("吴婧怡", "east_two", (Role.AR,)),
    "qi": ("齐远", "south_one", (Role.AR,)),
    "sun": ("孙启航", "east_one", (Role.SR,)),
    "he": ("何佳", "east_one", (Role.FR,)),
    "chen": ("陈立新", "east", (Role.MGR,)),
    "luo": ("罗成", "south", (Role.MGR,)),
    "tang": ("唐宁", "head", (Role.PROCESS_OWNER,)),
    "admin": ("管理员", "head", (Role.ADMIN,)),
    "fang": ("方雅", "head", (Role.FIN,)),
    "lu": ("陆法", "head", (Role.LEG,)),
    "shen": ("沈计", "head", (Role.AUDITOR,)),
    "mo": ("莫凡", "head", (Role.MKT,)),
    "newcomer": ("新人", "", ()),
}


@cache
def document(key: str = PROCESS) -> dict[str, Any]:
    """A shipped process document."""
    text = files("fairlead.process").joinpath("content", f"{key}.yaml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = read_document(text)
    return loaded


@dataclass
class Company:
    """People by user name as attributes too: `where.zhou`. `chen` leads the branch of `zhou`, `lin` and `wu`."""

    at: datetime
    people: dict[str, User]
    teams: dict[str, Team]
    version: ProcessVersion
    numbers: Any = field(default_factory=lambda: count(1))

    def __getattr__(self, name: str) -> User:
        try:
            return self.__dict__["people"][name]  # type: ignore[no-any-return]
        except KeyError:
            raise AttributeError(name) from None

    def how(self, by: User | None = None, at: datetime | None = None) -> dict[str, Any]:
        """What every service wants to know."""
        return {"by": by or self.people["zhou"], "at": at or timezone.now(), "channel": Channel.UI}

    def account(self, name: str = "", *, owner: User | None = None, **values: Any) -> Account:
        name = name or f"启晨半导体 {next(self.numbers)}"
        row: Account = crm.create("account", {"name": name, **values}, **self.how(owner))
        return row

    def contact(
        self, account: Account, name: str = "李工", *, department: str = "设备部", **values: Any
    ) -> Contact:
        values = {"name": name, "account": account.pk, "department": department} | values
        row: Contact = crm.create("contact", values, **self.how(account.owner))
        return row

    def deal(
        self,
        name: str = "",
        *,
        owner: User | None = None,
        account: Account | None = None,
        stage: str = STAGES[0],
        days_ago: int = 5,
        amount: int | None = 1_200_000,
        at: datetime | None = None,
        **values: Any,
    ) -> Opportunity:
        """A deal of `owner` (default: zhou) that came into `stage` `days_ago`; other fields as the catalogue says."""
        at = at or self.at
        by = owner or self.people["zhou"]
        account = account or self.account(owner=by)
        entered = at - timedelta(days=days_ago)
        wanted = crm.NewRecord(
            values={
                "name": name or f"厂务系统预测性维护 {next(self.numbers)}",
                "account": account.pk,
                "amount": amount,
                "expected_close_date": timezone.localdate(at) + timedelta(days=90),
                **values,
            },
            created_at=entered,
            journey=NewJourney(
                subject_type="opportunity",
                subject_id=0,
                process_key=PROCESS,
                opened_at=entered,
                steps=tuple(Step(key, entered) for key in STAGES[: STAGES.index(stage) + 1]),
                fidelity=Fidelity.STAGE_DATES_ONLY,
            ),
        )
        row: Opportunity = crm.create_many("opportunity", [wanted], by=by, at=at, channel=Channel.UI)[0]
        return row

    def edit(
        self, deal: Opportunity, *, by: User | None = None, at: datetime | None = None, **values: Any
    ) -> Opportunity:
        deal.refresh_from_db()
        row: Opportunity = crm.edit(
            "opportunity", deal.pk, values, version=deal.version, **self.how(by or deal.owner, at)
        )
        return row

    def journey(self, deal: Opportunity) -> Journey:
        """As it stands now, with its stage."""
        return (
            Journey.objects.current()
            .select_related("stage", "process_version")
            .get(subject_type="opportunity", subject_id=deal.pk)
        )

    def next_step(
        self, deal: Opportunity, *, days: int = 1, kind: str = "call", summary: str = "回电"
    ) -> Any:
        """Planned `days` from now (negative: overdue)."""
        at = timezone.now()
        return work.plan_activity(
            "opportunity",
            deal.pk,
            kind=kind,
            summary=summary,
            due_at=at + timedelta(days=days),
            **self.how(deal.owner, at),
        )

    def fulfil(
        self, deal: Opportunity, *, but: tuple[str, ...] = (), at: datetime | None = None
    ) -> Opportunity:
        """Settle every required item of the stage the deal is in, except those named in `but`."""
        deal.refresh_from_db()
        at = at or timezone.now()
        stage = self.journey(deal).stage.key
        for key, settle in _REQUIRED[stage].items():
            if key not in but:
                settle(self, deal, at)
        deal.refresh_from_db()
        return deal

    def move(
        self, deal: Opportunity, kind: str = "advance", to: str = "", *, by: User | None = None, **wish: Any
    ) -> Any:
        from fairlead.process.enums import Kind
        from fairlead.process.verdicts import Wish

        deal.refresh_from_db()
        return process.move(
            deal.journey_id, Wish(kind=Kind(kind), to=to, **wish), **self.how(by or deal.owner)
        )


def company(*, at: datetime | None = None, mode: str = "enforced", language: str = "zh-hans") -> Company:
    """Organisation, calendar, two branches, people in every role, and the key-account process published."""
    catalogue.forget()
    definitions.forget()
    began = at or timezone.now()
    kept(("company", at, mode, language), lambda: _found(began, mode, language))
    people = {u.username: u for u in User.objects.select_related("team").filter(username__in=PEOPLE)}
    named = {team.name: team for team in Team.objects.all()}
    return Company(
        at=began,
        people={username: people[username] for username in PEOPLE},
        teams={key: named[name] for key, (name, _kind, _parent) in TEAMS.items()},
        version=ProcessVersion.objects.select_related("process").get(process__key=PROCESS),
    )


def _found(at: datetime, mode: str, language: str) -> None:
    """Write the company, 800 days before `at`."""
    Organisation.objects.update_or_create(
        pk=1,
        defaults={
            "name": "海纳工业",
            "soft_mode": mode == "soft",
            "default_processes": {"opportunity": PROCESS},
        },
    )
    WorkingCalendar.objects.get_or_create(
        is_default=True, defaults={"name": "办公时间", "weekly": OFFICE_HOURS}
    )
    how: dict[str, Any] = {"by": None, "at": at - timedelta(days=800), "channel": Channel.SYSTEM}
    teams: dict[str, Team] = {}
    for key, (name, kind, parent) in TEAMS.items():
        teams[key] = organisation.create_team(name=name, kind=kind, parent=teams.get(parent), **how)
    for username, (name, team, roles) in PEOPLE.items():
        organisation.create_user(
            username=username,
            name=name,
            password=PASSWORD,
            team=teams.get(team),
            roles=roles,
            language=language,
            **how,
        )
    process.publish(document(), mode=mode, **how)


# --- what the required items of each stage ask for ---


def _fields(**values: Any) -> Any:
    return lambda where, deal, at: where.edit(deal, at=at, **values)


def _two_departments(where: Company, deal: Opportunity, at: datetime) -> None:
    for name, department in (("李工", "设备部"), ("王经理", "采购部")):
        contact = where.contact(deal.account, name, department=department)
        work.log_activity(
            "opportunity",
            deal.pk,
            kind="visit",
            summary="现场走访",
            outcome="talked",
            done_at=at,
            contact_ids=[contact.pk],
            **where.how(deal.owner, at),
        )


def _file(kind: str) -> Any:
    def settle(where: Company, deal: Opportunity, at: datetime) -> None:
        work.add_file(
            "opportunity",
            deal.pk,
            kind=kind,
            name=f"{kind}.pdf",
            reference="档案柜 3-12",
            by_customer=True,
            **where.how(deal.owner, at),
        )

    return settle


def _decision_maker(where: Company, deal: Opportunity, at: datetime) -> None:
    contact = where.contact(deal.account, "赵总", department="总经办")
    crm.add_contact_role(
        deal.pk, contact_id=contact.pk, role="EB", depth=2, stance=1, **where.how(deal.owner, at)
    )


def _word(key: str, by: str) -> Any:
    def settle(where: Company, deal: Opportunity, at: datetime) -> None:
        if by == "he":
            where.edit(deal, at=at, fr=where.people["he"].pk)
        deal.refresh_from_db()
        process.attest(
            deal.journey_id, criterion_key=key, statement="同意", **where.how(where.people[by], at)
        )

    return settle


def _slots(**slots: str) -> Any:
    def settle(where: Company, deal: Opportunity, at: datetime) -> None:
        where.edit(deal, at=at, **{slot: where.people[name].pk for slot, name in slots.items()})

    return settle


_REQUIRED: Mapping[str, Mapping[str, Any]] = {
    "customer_contact": {
        "contact_two_way": _two_departments,
        "problem_stated": _fields(customer_problem="停机一次损失二十万，李工 3 月 2 日说"),
        "bant": _fields(
            bant_budget="claimed", bant_authority="claimed", bant_need="verified", bant_timing="claimed"
        ),
        "slots": _slots(sr="sun"),
    },
    "needs_analysis": {
        "req_confirmed": _file("requirement_confirmation"),
        "eb_identified": _decision_maker,
        "ati": _word("ati", "chen"),
        "slots": _slots(sr="sun", fr="he"),
    },
    "solution_design": {
        "internal_review": _word("internal_review", "chen"),
        "fr_deliverability": _word("fr_deliverability", "he"),
        "evaluator_endorses": _file("solution_endorsement"),
        "slots": _slots(sr="sun", fr="he"),
    },
    "quote_negotiation": {
        "customer_response": _file("customer_response"),
        "payment_milestones": _fields(payment_plan="首付 30 %，合同生效后 10 日内"),
        "atc": _word("atc", "chen"),
        "slots": _slots(sr="sun", fr="he"),
    },
    "signing": {},
}

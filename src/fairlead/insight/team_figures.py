"""The figures that the three roles of a deal share, over deals whose contract both sides signed in a period (IT-6).

Only of deals that the reader sees; profit only for whoever may see margins. A contract counts for whoever holds AR, SR
or FR of its deal today.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlencode

from django.utils import timezone
from django.utils.translation import gettext as _

from fairlead.analytics.intervals import Rate
from fairlead.crm.enums import TeamRole
from fairlead.crm.models import BonusSplit, Opportunity
from fairlead.crm.services.deal_team import USUAL_SPLIT
from fairlead.offers.models import Contract
from fairlead.offers.shared_figures import KINDS, Shared, all_met, shared_of
from fairlead.offers.shared_reading import MASK, signed_of
from fairlead.organisation.models import Organisation, Team, User

from .questions import BadQuestion, Question

PERIOD: Final = timedelta(days=365)  # where no beginning is named
MOST: Final = 5_000  # newest contracts that are counted
PARTS: Final = ("all", "met", "missed", "open")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The filter. `since` and `until` are days of the countersignature, both included; `person` holds `role`, or any."""

    process: str = ""
    since: date | None = None
    until: date | None = None
    team: int | None = None
    role: str = ""
    person: int | None = None

    @classmethod
    def read(cls, query: Mapping[str, Any]) -> Asked:
        """Raises BadQuestion naming the parameter."""
        common = Question.read({name: query.get(name, "") for name in ("process", "from", "to", "team")})
        role = str(query.get("role") or "").strip().upper()
        if role and role not in TeamRole.values:
            said = _("One of these is expected: %(words)s") % {"words": ", ".join(TeamRole.values)}
            raise BadQuestion("role", said)
        person = str(query.get("person") or "").strip()
        if person and not (person.isascii() and person.isdigit() and len(person) < 19):
            raise BadQuestion("person", _("A whole number is expected."))
        return cls(
            process=common.process,
            since=common.since,
            until=common.until,
            team=common.team,
            role=role,
            person=int(person) if person else None,
        )

    def query(self, **changes: Any) -> str:
        """As the query of an address; what is not asked is left out."""
        other = replace(self, **changes) if changes else self
        pairs = {
            "from": other.since, "to": other.until, "team": other.team, "role": other.role, "person": other.person,
        }  # fmt: skip
        return urlencode({name: str(value) for name, value in pairs.items() if value})


@dataclass(frozen=True, slots=True)
class Line:
    """One contract with its figures, who holds which role of its deal, and how the bonus is shared, in percent."""

    contract: Contract
    figures: tuple[Shared, ...]
    holders: Mapping[str, int]
    split: Mapping[str, int]
    is_agreed: bool  # false: nobody has agreed on a split, the usual one is shown

    @property
    def all_met(self) -> bool | None:
        return all_met(self.figures)

    def figure(self, kind: str) -> Shared | None:
        return next((one for one in self.figures if one.kind == kind), None)


@dataclass(frozen=True, slots=True)
class Summary:
    """One figure over some contracts. `met`: of those that were measured against a target. `value` and `target`: the mean
    score, the profit in the company's currency, or the mean share paid in time; None where nothing was measured.
    `elsewhere`: contracts in other currencies, which the sum leaves out."""

    kind: str
    met: Rate
    value: Decimal | None
    target: Decimal | None
    n: int
    elsewhere: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    lines: Sequence[Line]
    currency: str
    kinds: tuple[str, ...]
    is_all: bool

    def of(self, fits: Callable[[Line], bool]) -> Found:
        return replace(self, lines=[line for line in self.lines if fits(line)])

    @property
    def together(self) -> Rate:
        """Contracts on which all three were met, of those that are decided: one that failed fails all."""
        decided = [line.all_met for line in self.lines if line.all_met is not None]
        return Rate.of(sum(decided), len(decided))

    def summary(self, kind: str) -> Summary:
        rows = [(line, one) for line in self.lines if (one := line.figure(kind)) is not None and one.n]
        judged = [one.met for _line, one in rows if one.met is not None]
        counted = rows
        if kind == "profit":
            counted = [(line, one) for line, one in rows if line.contract.currency == self.currency]
        values = [one.value for _line, one in counted if one.value is not None]
        targets = [one.target for _line, one in counted if one.target is not None]
        add = _sum if kind == "profit" else _mean
        return Summary(
            kind,
            Rate.of(sum(judged), len(judged)),
            add(values) if values else None,
            add(targets) if targets and len(targets) == len(values) else None,
            len(rows),
            len(rows) - len(counted),
        )

    def people(self) -> list[tuple[str, User]]:
        """Everybody who holds a role of one of these deals, by role and name."""
        pairs = {(role, pk) for line in self.lines for role, pk in line.holders.items()}
        names = User.objects.in_bulk({pk for _role, pk in pairs})
        order = list(TeamRole.values)
        return [
            (role, names[pk])
            for role, pk in sorted(pairs, key=lambda one: (order.index(one[0]), names[one[1]].name, one[1]))
        ]

    def held_by(self, role: str, person: int) -> Found:
        return self.of(lambda line: line.holders.get(role) == person)

    def of_part(self, part: str) -> list[Line]:
        wanted = {"met": True, "missed": False, "open": None}
        return [line for line in self.lines if part == "all" or line.all_met is wanted[part]]


def _sum(values: Sequence[Decimal]) -> Decimal:
    return sum(values, Decimal(0))


def _mean(values: Sequence[Decimal]) -> Decimal:
    return (sum(values, Decimal(0)) / len(values)).quantize(Decimal("0.1"))


def find(reader: Any, asked: Asked, *, at: datetime) -> Found:
    """Raises BadQuestion for a team that does not exist."""
    today = timezone.localdate(at)
    deals = Opportunity.objects.visible_to(reader, "funnel.view")
    if asked.process:
        deals = deals.filter(journey__process_key=asked.process)
    if asked.team is not None:
        team = Team.objects.filter(pk=asked.team).first()
        if team is None:
            raise BadQuestion("team", _("There is no such team."))
        deals = deals.filter(team__in=[team.pk, *team.branch_ids])
    rows = (
        Contract.objects.visible_to(reader)
        .filter(
            opportunity__in=deals.values("pk"),
            countersigned_date__gte=asked.since or today - PERIOD,
            countersigned_date__lte=asked.until or today,
        )
        .select_related("opportunity")
        .defer("opportunity__description", "opportunity__custom", "opportunity__search_key")
        .prefetch_related("milestones")
        .order_by("-countersigned_date", "-pk")
    )
    read = list(rows[:MOST])
    splits = {
        row.opportunity_id: {"AR": row.ar, "SR": row.sr, "FR": row.fr}
        for row in BonusSplit.objects.filter(opportunity__in={r.opportunity_id for r in read}, ended_at=None)
    }
    usual = {role.upper(): share for role, share in USUAL_SPLIT.items()}
    with_profit = reader.may(MASK)
    lines = [
        Line(
            row,
            shared_of(signed, today=today, with_profit=with_profit),
            _holders(row.opportunity),
            splits.get(row.opportunity_id, usual),
            row.opportunity_id in splits,
        )
        for row, signed in zip(read, signed_of(read), strict=True)
    ]
    found = Found(
        [line for line in lines if _is_asked(line, asked)],
        Organisation.objects.current().currency,
        tuple(kind for kind in KINDS if with_profit or kind != "profit"),
        len(read) < MOST,
    )
    return found


def _holders(deal: Opportunity) -> dict[str, int]:
    """The AR is the owner where nobody else is named."""
    held = {"AR": deal.ar_id or deal.owner_id, "SR": deal.sr_id, "FR": deal.fr_id}
    return {role: pk for role, pk in held.items() if pk is not None}


def _is_asked(line: Line, asked: Asked) -> bool:
    held = {role: pk for role, pk in line.holders.items() if not asked.role or role == asked.role}
    if asked.person is not None:
        return asked.person in held.values()
    return bool(held) or not asked.role

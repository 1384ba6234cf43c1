"""What a merge of two deals would do, before anybody does it: the fields side by side, what goes over, what stops it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from fairlead.common.text import matches
from fairlead.fields.catalogue import FieldSpec, catalogue
from fairlead.process.models import Finding, PlaybookRun, QuestionAnswer
from fairlead.work.services.hanging_over import counts

from ..models import ContactRole, Opportunity, PlanStep, RoleQuestion
from ..services.merge import KIND, TOGETHER, Obstacle, choosable, obstacles, taken_by_default
from ..services.values import value_of
from .alike import core_of
from .lineage import RUNNING
from .references import names_of, text_of

MOST: Final = 12
WORDS: Final[Mapping[str, Any]] = {
    "activity": gettext_lazy("Activities"),
    "task": gettext_lazy("Tasks"),
    "comment": gettext_lazy("Comments"),
    "file": gettext_lazy("Files"),
    "follow": gettext_lazy("Followers"),
    "favourite": gettext_lazy("Stars"),
    "contact_role": gettext_lazy("Buying roles of contacts"),
    "plan_step": gettext_lazy("Steps of the mutual plan"),
    "role_question": gettext_lazy("Questions to roles"),
    "run": gettext_lazy("Playbooks"),
    "answer": gettext_lazy("Answers of the customer"),
    "finding": gettext_lazy("Findings for scores"),
}


@dataclass(frozen=True, slots=True)
class Side:
    """A field that differs. `is_free`: the other deal says something, so that there is a choice."""

    key: str
    label: str
    kept: str
    other: str
    takes_other: bool
    is_free: bool


@dataclass(frozen=True, slots=True)
class Compared:
    kept: Opportunity
    other: Opportunity
    fields: list[Side]
    same: int  # fields in which they agree
    goes_over: list[tuple[str, int]]
    stops: list[Obstacle]
    other_account: bool  # they differ, and somebody has to say that this is meant


def compare(
    kept: Opportunity,
    other: Opportunity,
    user: Any,
    *,
    take: Collection[str] | None = None,
    other_account: bool = False,
) -> Compared:
    """`take`: what somebody has chosen already; None: what is taken when nobody chooses."""
    fields = catalogue(KIND)
    specs = choosable(fields, user)
    taken = taken_by_default(kept, other, specs) if take is None else set(take)
    differing = [spec for spec in specs if _differ(kept, other, spec)]
    pairs = [
        (spec, value_of(row, spec))
        for spec in [*differing, *(fields[key] for key in ("currency",) if key in fields)]
        for row in (kept, other)
    ]
    names = names_of(pairs, reader=user)

    def words(row: Opportunity, spec: FieldSpec) -> str:
        text = text_of(spec, value_of(row, spec), names)
        also = [fields[key] for key in TOGETHER.get(spec.key, ()) if key != spec.key]
        return " ".join([text, *(text_of(one, value_of(row, one), names) for one in also)]) if text else ""

    sides = [
        Side(
            spec.key,
            spec.name(),
            words(kept, spec),
            words(other, spec),
            spec.key in taken,
            value_of(other, spec) is not None,
        )
        for spec in differing
    ]
    accounts = {kept.account_id, other.account_id} - {None}
    return Compared(
        kept,
        other,
        sides,
        len(specs) - len(differing),
        going_over(other),
        obstacles(kept, other, other_account=other_account or len(accounts) < 2),
        len(accounts) > 1,
    )


def _differ(kept: Opportunity, other: Opportunity, spec: FieldSpec) -> bool:
    together = TOGETHER.get(spec.key, (spec.key,))
    fields = catalogue(KIND)
    return any(value_of(kept, fields[key]) != value_of(other, fields[key]) for key in together)


def going_over(other: Opportunity) -> list[tuple[str, int]]:
    """What would change the deal, in words with its number; kinds of which there is nothing are left out."""
    about = {"subject_type": KIND, "subject_id": other.pk}
    found = {
        **counts(KIND, other.pk),
        "contact_role": ContactRole.objects.filter(opportunity=other, removed_at=None).count(),
        "plan_step": PlanStep.objects.filter(opportunity=other, removed_at=None).count(),
        "role_question": RoleQuestion.objects.filter(opportunity=other).count(),
        "run": PlaybookRun.objects.filter(journey=other.journey_id).count(),
        "answer": QuestionAnswer.objects.filter(**about).count(),
        "finding": Finding.objects.filter(**about).count(),
    }
    return [(str(WORDS[key]), number) for key, number in found.items() if number]


# --- which deal it may be a double of ---


@dataclass(frozen=True, slots=True)
class Double:
    deal: Opportunity
    why: str | Promise


def doubles_of(
    deal: Opportunity, user: Any, *, q: str = "", most: int = MOST, right: str = "opportunity.edit"
) -> list[Double]:
    """Running deals that `deal` may be one with and that the person reaches with `right`, the surest first; with `q`
    those so named.

    By the rules for duplicates: the same name at the same account, the same product there, then whatever else runs
    there, then the same name elsewhere.
    """
    assert deal.journey is not None
    rows = (
        Opportunity.objects.visible_to(user, right)
        .filter(journey__state__in=RUNNING, journey__process_key=deal.journey.process_key)
        .exclude(pk=deal.pk)
        .select_related("account", "owner", "journey__stage")
        .order_by("-created_at", "-pk")
    )
    if text := matches(q[:100]):
        found = rows.filter(Q(search_key__contains=text) | Q(account__search_key__contains=text))
        return [Double(row, _why(deal, row)) for row in found[:most]]
    name = matches(deal.name)
    asked = Q(search_key__contains=name) if len(name) > 1 else Q(pk__in=[])
    if deal.account_id is not None:
        asked |= Q(account=deal.account_id)
    known = [(rank, row) for row in rows.filter(asked)[:100] if (rank := _rank(deal, row)) < len(_WHYS)]
    known.sort(key=lambda pair: pair[0])
    return [Double(row, _WHYS[rank]) for rank, row in known[:most]]


_WHYS: Final = (
    gettext_lazy("the same name at the same account"),
    gettext_lazy("the same product at the same account"),
    gettext_lazy("the same account"),
    gettext_lazy("the same name"),
)


def _rank(deal: Opportunity, row: Opportunity) -> int:
    same_name = core_of(deal.name) == core_of(row.name)
    if deal.account_id is not None and deal.account_id == row.account_id:
        if same_name:
            return 0
        return 1 if deal.product_id is not None and deal.product_id == row.product_id else 2
    return 3 if same_name else len(_WHYS)


def _why(deal: Opportunity, row: Opportunity) -> str | Promise:
    rank = _rank(deal, row)
    return _WHYS[rank] if rank < len(_WHYS) else ""

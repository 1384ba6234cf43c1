"""Requests for overrides as their readers see them, and what may be asked for a journey."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Count, Q, QuerySet, Value

from fairlead.common.questions import Question

from ..engine import decide, forward_move, legal_moves
from ..enums import FORWARD, JourneyState, Kind, OverrideState
from ..models import Journey, OverrideRequest, Waiver
from ..subjects import visible_subjects
from ..verdicts import CriterionResult, LegalMove
from .gathering import Situation


def requests() -> QuerySet[OverrideRequest]:
    return OverrideRequest.objects.select_related(
        "journey__process_version__process", "requested_by", "decided_by", "waiver"
    )


def seen_by(user: Any, *, kinds: Collection[str] | None = None) -> QuerySet[OverrideRequest]:
    """Requests about records that the person sees. `kinds`: only those about these kinds of records."""
    seen = Q(pk__in=[])
    for kind, ids in visible_subjects(user, kinds=kinds).items():
        seen |= Q(journey__subject_type=kind, journey__subject_id__in=ids)
    return requests().filter(seen)


#: Which rights the open requests need, and for which kinds of records: few, whatever there could be.
_open_rights = Question(
    lambda: (
        OverrideRequest.objects.open()
        .order_by()
        .values_list("needs_right", "journey__subject_type")
        .distinct()
    )
)


#: The rights that open requests need as a rule; a process may name others.
USUAL_RIGHTS: Final = ("waiver.grant", "regress.confirm")


def unusual_ones() -> QuerySet[OverrideRequest]:
    """Open requests that need another right."""
    return OverrideRequest.objects.open().exclude(needs_right__in=USUAL_RIGHTS).order_by()


def to_decide(user: Any) -> QuerySet[OverrideRequest]:
    """Open requests that the person has the right to decide, without the own ones; the oldest first."""
    return _decided_by(user, _open_rights())


def usual_count_of(user: Any) -> Any:
    """How many wait for the person by the usual rights, as a question inside another one."""
    rows = _decided_by(user, [(right, "") for right in USUAL_RIGHTS if user.may(right)]).order_by()
    return rows.annotate(_all=Value(1)).values("_all").annotate(n=Count("pk")).values("n")


def _decided_by(user: Any, rights: Iterable[tuple[str, str]]) -> QuerySet[OverrideRequest]:
    """`rights`: each with the kind of record that it is needed for, blank for all kinds."""
    may, kinds = Q(pk__in=[]), set()
    for right, kind in rights:
        if not user.reach(right):
            continue
        for seen, ids in visible_subjects(user, right, kinds=[kind] if kind else None).items():
            kinds.add(seen)
            may |= Q(needs_right=right, journey__subject_type=seen, journey__subject_id__in=ids)
    found = seen_by(user, kinds=kinds).filter(may, state=OverrideState.OPEN)
    return found.exclude(requested_by=user).exclude(journey__owner=user).order_by("requested_at", "pk")


@dataclass(frozen=True, slots=True)
class Askable:
    """What somebody may ask for: items of the next gate that are not met and can be waived; moves that need leave."""

    items: tuple[CriterionResult, ...] = ()
    moves: tuple[LegalMove, ...] = ()


def askable(situation: Situation) -> Askable:
    facts, definition = situation.facts, situation.definition
    if facts.journey.state != JourneyState.OPEN:
        return Askable()
    wish = forward_move(definition, facts)
    results: Sequence[CriterionResult] = ()
    if wish is not None:
        results = decide(definition, facts, wish).results
    items = []
    for result in results:
        found = definition.criterion(result.key)
        if found is not None and found[2].waivable and (result.blocks or result.open_flag):
            items.append(result)
    moves = [m for m in legal_moves(definition, facts) if m.needs_right and m.kind != Kind.REOPEN]
    return Askable(tuple(items), tuple(moves))


def forcible(situation: Situation) -> tuple[LegalMove, ...]:
    """Moves ahead and back that the process knows from here."""
    if situation.facts.journey.state != JourneyState.OPEN:
        return ()
    kinds = {*FORWARD, Kind.CLOSE_WON, Kind.REGRESS}
    return tuple(m for m in legal_moves(situation.definition, situation.facts) if m.kind in kinds)


def running_waivers(journey: Journey, at: datetime) -> QuerySet[Waiver]:
    return Waiver.objects.live(at).filter(journey=journey).select_related("granted_by").order_by("expires_at")

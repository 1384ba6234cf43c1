"""The activities of a deal: whole where a page shows them, and as no more than a gate asks where there are many."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

from django.db.models import Case, TextField, When
from django.db.models.functions import Cast

from fairlead.common.questions import Question
from fairlead.process.facts import ActivityFact
from fairlead.work.enums import TWO_WAY, ActivityState
from fairlead.work.models import Activity

from ..models import ContactRole

SUBJECT: Final = "opportunity"


class Done(NamedTuple):
    """What a gate asks about an activity; of a long story the older part is read as no more than this."""

    pk: int
    kind: str
    done_at: datetime
    outcome: str
    contact_ids: Sequence[int]


#: Activities that are read whole: what is planned, and the newest of what was done.
RECENT: Final = 80


def _newest_first(deal: int) -> Any:
    rank = Case(When(state=ActivityState.PLANNED, then=0), When(state=ActivityState.DONE, then=1), default=2)
    return (
        Activity.objects.filter(subject_type=SUBJECT, subject_id=deal)
        .alias(rank=rank)
        .order_by("rank", "-done_at", "-pk")
    )


_activities: Question[Activity] = Question(lambda deal: _newest_first(deal)[:RECENT])
#: All that was done, the oldest first; instants and lists as text, which is read here at a fifth of the time.
_all_done: Question[tuple[Any, ...]] = Question(
    lambda deal: (
        Activity.objects.filter(subject_type=SUBJECT, subject_id=deal, state=ActivityState.DONE)
        .exclude(done_at=None)
        .order_by("done_at", "pk")
        .values_list(
            "pk",
            "kind",
            Cast("done_at", TextField()),
            "outcome",
            Cast("contact_ids", TextField()),
        )
    )
)


def _instant(text: str) -> datetime:
    """As the database writes it: SQLite without a zone, which is always UTC."""
    at = datetime.fromisoformat(text)
    return at.astimezone(UTC) if at.tzinfo is not None else at.replace(tzinfo=UTC)


@lru_cache(maxsize=1024)
def _ids(text: str) -> tuple[int, ...]:
    """The same few people again and again."""
    return tuple(json.loads(text))


def activity_facts(
    done: Sequence[Done], roles: Sequence[ContactRole], departments: Mapping[int, str]
) -> list[ActivityFact]:
    parts: dict[int, set[str]] = defaultdict(set)
    for role in roles:
        parts[role.contact_id].add(role.role)
    met: dict[
        tuple[int, ...], tuple[frozenset[str], frozenset[str]]
    ] = {}  # the same few people again and again

    def people(ids: tuple[int, ...]) -> tuple[frozenset[str], frozenset[str]]:
        if ids not in met:
            places = frozenset(place for c in ids if (place := departments.get(c, "")))
            met[ids] = places, frozenset(role for c in ids for role in parts.get(c, ()))
        return met[ids]

    return [
        ActivityFact(a.pk, a.kind, a.done_at, a.outcome, a.outcome in TWO_WAY, *people(tuple(a.contact_ids)))
        for a in done
    ]


def activities_of(deal: int) -> tuple[list[Activity], list[Done]]:
    """The activities that a page shows, and everything done in the order in which it was done."""
    shown = _activities(deal)
    done = [
        Done(a.pk, a.kind, a.done_at, a.outcome, a.contact_ids)
        for a in reversed(shown)
        if a.state == ActivityState.DONE and a.done_at is not None
    ]
    if len(shown) == RECENT:
        done = [
            Done(pk, kind, _instant(at), outcome, _ids(ids)) for pk, kind, at, outcome, ids in _all_done(deal)
        ]
    return shown, done

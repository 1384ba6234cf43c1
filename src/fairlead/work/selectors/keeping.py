"""Starred and lately opened records, as far as the person sees them still."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fairlead.common import records
from fairlead.common.names import localized
from fairlead.common.questions import Question

from ..models import Favourite, Seen
from ..services.keeping import MOST_SEEN, MOST_STARS


def star_of(person: int, kind: str, pk: int) -> Any:
    return Favourite.objects.filter(person_id=person, subject_type=kind, subject_id=pk)


_star: Question[int] = Question(
    lambda person, kind, pk: star_of(person, kind, pk).values_list("pk", flat=True)
)


@dataclass(frozen=True, slots=True)
class Kept:
    subject_type: str
    subject_id: int
    kind: str
    title: str
    url: str
    at: datetime
    starred: bool


def is_starred(person: Any, subject_type: str, subject_id: int) -> bool:
    known = getattr(person, "star_here", None)
    if known is not None and known[:2] == (subject_type, subject_id):
        return bool(known[2])
    return _star.first(person.pk, subject_type, subject_id) is not None


def remember_star(person: Any, subject_type: str, subject_id: int, *, starred: bool) -> None:
    """For the rest of this request: whoever asked for it together with something else spares the question."""
    person.star_here = (subject_type, subject_id, starred)


def favourites_of(person: Any, *, most: int = MOST_STARS) -> list[Kept]:
    """The latest star first."""
    rows = Favourite.objects.filter(person_id=person.pk).order_by("-at", "-pk")
    found = list(rows.values_list("subject_type", "subject_id", "at")[:most])
    return _shown(person, found, {row[:2] for row in found})


def seen_of(person: Any, *, most: int = MOST_SEEN) -> list[Kept]:
    """What was opened last first."""
    rows = Seen.objects.filter(person_id=person.pk).order_by("-at", "-pk")
    stars = set(Favourite.objects.filter(person_id=person.pk).values_list("subject_type", "subject_id"))
    return _shown(person, list(rows.values_list("subject_type", "subject_id", "at")[:most]), stars)


def _shown(
    person: Any, rows: list[tuple[str, int, datetime]], stars: Iterable[tuple[str, int]]
) -> list[Kept]:
    """Two questions for each kind, however many rows; what is seen no more is left out."""
    kinds = {kind.subject_type: kind for kind in records.record_types()}
    titles: dict[tuple[str, int], str] = {}
    for name in {row[0] for row in rows} & kinds.keys():
        ids = [pk for kind, pk, _at in rows if kind == name]
        visible = kinds[name].visible_ids(person, ids, kinds[name].view_right)
        for pk, title in kinds[name].title(sorted(visible)).items():
            titles[name, pk] = title
    starred = set(stars)
    return [
        Kept(name, pk, localized(kinds[name].label), titles[name, pk], kinds[name].url(pk), at, (name, pk) in starred)
        for name, pk, at in rows
        if (name, pk) in titles
    ]  # fmt: skip

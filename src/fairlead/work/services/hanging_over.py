"""What is done and filed about one record, hung on another of its kind: for records that were one and the same.

The rows keep their ids, people and times. The caller has checked the rights, holds both records, and tells the
journal what went where.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import CharField, Count, Max, Model, Value

from ..models import Activity, Comment, Favourite, File, Follow, Task

#: Rows that only change the record they are about, by the word under which they are kept.
PLAIN: Mapping[str, type[Model]] = {"activity": Activity, "task": Task, "comment": Comment}
#: One a person and record: who has one there already keeps that.
PERSONAL: Mapping[str, type[Model]] = {"follow": Follow, "favourite": Favourite}


def counts(subject_type: str, subject_id: int) -> dict[str, int]:
    """How many rows of each kind would go over, in one question."""
    models: dict[str, type[Model]] = {**PLAIN, "file": File, **PERSONAL}
    found = dict.fromkeys(models, 0)
    first, *others = [
        model._default_manager.order_by()
        .filter(subject_type=subject_type, subject_id=subject_id)
        .annotate(what=Value(name, output_field=CharField()))
        .values_list("what")
        .annotate(count=Count("pk"))
        for name, model in models.items()
    ]
    return found | dict(first.union(*others, all=True))


def hang_over(subject_type: str, from_id: int, to_id: int) -> dict[str, list[Any]]:
    """By kind the ids that went over; of files with the numbers that they had (`[id, number, edition]`)."""
    about = {"subject_type": subject_type, "subject_id": from_id}
    moved: dict[str, list[Any]] = {}
    for name, model in PLAIN.items():
        rows = model._default_manager.filter(**about)
        moved[name] = sorted(rows.values_list("pk", flat=True))
        rows.update(subject_id=to_id)
    moved["file"] = _files_over(subject_type, from_id, to_id)
    for name, model in PERSONAL.items():
        there = model._default_manager.filter(subject_type=subject_type, subject_id=to_id)
        rows = model._default_manager.filter(**about).exclude(person__in=there.values("person"))
        moved[name] = sorted(rows.values_list("pk", flat=True))
        model._default_manager.filter(pk__in=moved[name]).update(subject_id=to_id)
    return moved


def hang_back(subject_type: str, from_id: int, to_id: int, moved: Mapping[str, Iterable[Any]]) -> None:
    """What `hang_over` moved, back where it was, as far as it still hangs there."""
    there = {"subject_type": subject_type, "subject_id": to_id}
    for name, model in {**PLAIN, **PERSONAL}.items():
        model._default_manager.filter(**there, pk__in=list(moved.get(name, ()))).update(subject_id=from_id)
    for pk, number, edition in moved.get("file", ()):
        File.objects.filter(**there, pk=pk).update(subject_id=from_id, number=number, edition=edition)


def _files_over(subject_type: str, from_id: int, to_id: int) -> list[list[int]]:
    """Behind those that are there: versions of a kind, and of a name, count on."""
    there = File.objects.filter(subject_type=subject_type, subject_id=to_id)
    numbers = dict(there.order_by().values_list("kind").annotate(last=Max("number")))
    editions = dict(there.order_by().values_list("name").annotate(last=Max("edition")))
    kept = []
    for row in File.objects.filter(subject_type=subject_type, subject_id=from_id).order_by("number", "pk"):
        kept.append([row.pk, row.number, row.edition])
        row.number = numbers[row.kind] = numbers.get(row.kind, 0) + 1
        row.edition = editions[row.name] = editions.get(row.name, 0) + 1
        row.subject_id = to_id
        row.save(update_fields=["subject_id", "number", "edition"])
    return kept

"""A process as something that people can be told of: who wrote, asks and decides what is published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any, Final

from django.urls import reverse

from fairlead.common import records
from fairlead.common.names import localized

from .models import Process, ProcessDraft

KIND: Final = "process"


def register_record() -> None:
    records.register(
        records.RecordType(
            subject_type=KIND,
            label={"zh": "流程", "en": "Process"},
            plural={"zh": "流程", "en": "Processes"},
            view_right="process.view",
            edit_right="process.publish",
            visible_ids=_visible,
            title=_titles,
            url=_url,
            changing=_changing,
        ),
        listed=False,
    )


def _visible(user: Any, ids: Sequence[int], right: str) -> set[int]:
    if not user.may(right or "process.view"):
        return set()
    rows = Process.objects.filter(pk__in=list(ids))
    if not user.may("process.publish"):  # what was never published is seen by those who write it
        rows = rows.filter(versions__isnull=False).distinct()
    return set(rows.values_list("pk", flat=True))


def _titles(ids: Sequence[int]) -> Mapping[int, str]:
    return {row.pk: localized(row.name) for row in Process.objects.filter(pk__in=list(ids))}


def _url(pk: int) -> str:
    """The draft where there is one: whoever is told of a process is asked about it or answered."""
    key = Process.objects.filter(pk=pk).values_list("key", flat=True).first() or ""
    has_draft = ProcessDraft.objects.filter(process=pk).exists()
    return reverse("process:draft" if has_draft else "process:process", args=[key])


def _changing(ids: Sequence[int], at: datetime) -> AbstractContextManager[Any]:
    return nullcontext()

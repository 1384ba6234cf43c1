"""A line of typing, written down: what happened, and what comes next, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from ..models import Activity
from ..phrases import Line, Phrase
from .activities import log_activity, plan_activity


@transaction.atomic
def save_line(
    subject_type: str,
    subject_id: int,
    line: Line,
    *,
    summaries: Mapping[str, str],
    by: Any,
    at: datetime,
    channel: str,
    outcome: str = "",
    contact_ids: tuple[int, ...] = (),
) -> list[Activity]:
    """Both parts or neither. `summaries`: for `now` and `then`, what to call a part that says no more than its kind.

    `outcome` and `contact_ids` are what the person corrected. Raises NotFound, NotPermitted, Invalid.
    """
    how: dict[str, Any] = {"by": by, "at": at, "channel": channel}
    about = (subject_type, subject_id)
    saved = [_save(about, line.now, summaries["now"], outcome, contact_ids, how)]
    if line.then is not None:
        saved.append(_save(about, line.then, summaries["then"], "", (), how))
    return saved


def _save(
    about: tuple[str, int],
    phrase: Phrase,
    summary: str,
    outcome: str,
    contact_ids: tuple[int, ...],
    how: dict[str, Any],
) -> Activity:
    parts: dict[str, Any] = {
        "kind": phrase.kind,
        "summary": phrase.summary or summary,
        "contact_ids": sorted({*phrase.people, *contact_ids}),
        "place": phrase.place,
        **how,
    }
    if phrase.planned:
        assert phrase.at is not None
        return plan_activity(*about, due_at=phrase.at, **parts)
    happened = phrase.at if phrase.at is not None and phrase.at <= how["at"] else how["at"]
    return log_activity(*about, outcome=outcome or phrase.outcome, done_at=happened, **parts)

"""From the dates of a row to a path: which stage was entered when, and how well that is known (EV-5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fairlead.journal.enums import Fidelity
from fairlead.process.enums import JourneyState

CLOSED = (JourneyState.WON, JourneyState.LOST, JourneyState.CANCELLED)


@dataclass(frozen=True, slots=True)
class Past:
    """The path of one record. `steps`: (stage, instant, known)."""

    steps: tuple[tuple[str, datetime, bool], ...]
    opened_at: datetime
    closed_at: datetime | None
    fidelity: str


def past_of(
    *,
    stages: Sequence[str],
    current: str,
    state: str,
    dated: Mapping[str, datetime],
    opened_at: datetime | None,
    entered_at: datetime | None,
    closed_at: datetime | None,
    now: datetime,
    closed_from: str = "",
    has_dates: bool = True,
) -> Past:
    """`stages` in order; `current` may be empty for a record that is over. Undated steps are left out: only
    the last one stands there without a date, with the instant of the import (or of the end) in its place.

    `has_dates`: whether the file has any column of dates that tells when a stage was entered.
    """
    over = state in CLOSED
    steps = sorted(((key, at, True) for key, at in dated.items()), key=lambda s: (s[1], stages.index(s[0])))
    last = (
        current
        or (closed_from if over else "")
        or (steps[-1][0] if steps else (stages[-1] if over else stages[0]))
    )
    if entered_at is not None and last not in dated:
        steps.append((last, entered_at, True))
        steps.sort(key=lambda s: s[1])
    if not steps or steps[-1][0] != last:
        known_until = steps[-1][1] if steps else None
        at = (closed_at or opened_at or now) if over else now
        steps.append((last, max(at, known_until) if known_until else at, False))
    end = (closed_at or now) if over else None
    known = {key for key, _at, is_known in steps if is_known}
    up_to = stages[: stages.index(last) + 1]
    full = all(key in known for key in up_to)
    fidelity = Fidelity.FULL if full else Fidelity.STAGE_DATES_ONLY if has_dates else Fidelity.FINAL_ONLY
    first = steps[0][1] if steps[0][2] else None
    begun = opened_at or first or (min(now, end) if end else now)
    return Past(tuple(steps), begun, end, str(fidelity))


def history_of(text: str, stages: Sequence[str], current: str, state: str) -> Past | None:
    """The path that another system wrote down step by step: `stage@instant|stage@instant|won@instant`.

    None where it does not begin in a stage of the process, or does not end where the record stands.
    """
    entries = _entries(text)
    steps: list[tuple[str, datetime, bool]] = []
    end: datetime | None = None
    for key, at in entries:
        if key in CLOSED:
            end = end or at
        elif key in stages and (not steps or steps[-1][0] != key or end is not None):
            steps.append((key, at, True))
            end = None
    if not steps or not entries or steps[0][1] != entries[0][1] or (state in CLOSED) != (end is not None):
        return None
    if state not in CLOSED and current and steps[-1][0] != current:
        return None
    return Past(tuple(steps), steps[0][1], end, str(Fidelity.FULL))


def end_of(text: str) -> datetime | None:
    """When it was over, as that path says."""
    return next((at for key, at in _entries(text) if key in CLOSED), None)


def _entries(text: str) -> list[tuple[str, datetime]]:
    """Only what is dated with a zone counts: a file may say anything here."""
    found = []
    for part in text.split("|"):
        key, _sign, at = part.rpartition("@")
        try:
            instant = datetime.fromisoformat(at)
        except ValueError:
            continue
        if instant.tzinfo is not None:
            found.append((key, instant))
    return found

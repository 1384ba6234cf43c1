"""The horizon of the page where nobody has chosen one: days within which half of what was won had been won.

Ninety days after the first meeting nearly nothing is won where a deal takes half a year: the page would show a
process that never wins, and trends of nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from fairlead.analytics import duration

from . import words
from .asked import Asked
from .memory import digest

CHOICES: Final = (90, 180, 365)


def with_usual_days(asked: Asked) -> Asked:
    """`asked` with the days that fit the whole of what its reader sees, whatever team or person they look at."""
    if asked.question.days_said:
        return asked
    answers = asked.loaded.answers
    key = ("usual days", digest(asked.whole), asked.loaded.history.day(asked.as_of))
    if key not in answers:
        answers[key] = _days(asked)
    return replace(asked, question=replace(asked.question, days=answers[key]))


def said(asked: Asked) -> str:
    """Why the page follows them for longer than ninety days, where it chose that itself."""
    q = asked.question
    if q.reading != "cohort" or q.days_said or q.days == CHOICES[0]:
        return ""
    return words.horizon(q.days, CHOICES[CHOICES.index(q.days) - 1])


def _days(asked: Asked) -> int:
    won = duration.cycle_length(asked.loaded.history, scope=asked.whole, as_of=asked.as_of).won
    if not won.enough or won.median.value is None:
        return CHOICES[0]
    return next((days for days in CHOICES if won.median.value <= days), CHOICES[-1])

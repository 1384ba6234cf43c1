"""A question with everything its answers share: the history, whose rows, as of when, names and addresses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from django.urls import reverse

from fairlead.analytics.days import ALWAYS, Instants, Measure, Numbers, Window, date_of, local_days
from fairlead.analytics.intervals import Rate
from fairlead.analytics.tables import Scope
from fairlead.common.money import format_amount
from fairlead.common.names import localized
from fairlead.common.refusals import NotFound
from fairlead.organisation.calendars import Calendar
from fairlead.organisation.models import Organisation, User
from fairlead.organisation.selectors import default_calendar
from fairlead.process.models import Process

from ..history import FunnelStage, Loaded, funnel_processes, load
from ..questions import BadQuestion, Question
from ..scopes import FUNNEL, narrowed, scope_for
from . import words

Cell = Mapping[str, Any]
"""A cell of a table: `text`, and where wanted `url`, `class`, `raw` (the value for a CSV)."""


@dataclass(frozen=True, slots=True)
class Table:
    """The figures of a chart as a table; the same rows are the CSV."""

    columns: list[dict[str, Any]]
    rows: list[list[Any]]
    caption: str


@dataclass(frozen=True)
class Asked:
    """See `ask`. `whole` is the scope without the filter for team and person."""

    question: Question
    process: Process
    processes: list[Process]
    loaded: Loaded
    whole: Scope
    scope: Scope
    as_of: datetime
    currency: str
    calendar: Calendar
    is_individual: bool  # of one person: an owner is asked for, or the asker counts the own deals alone

    @property
    def given(self) -> dict[str, Any]:
        """What every metric wants."""
        return {"scope": self.scope, "as_of": self.as_of}

    @property
    def zone(self) -> ZoneInfo:
        return self.loaded.history.zone  # type: ignore[return-value]

    @cached_property
    def stages(self) -> tuple[FunnelStage, ...]:
        return tuple(stage for stage in self.loaded.stages if stage.shown)

    @cached_property
    def window(self) -> Window:
        q = self.question
        if q.since is None and q.until is None:
            return ALWAYS
        return Window(q.since, q.until + timedelta(days=1) if q.until else None)

    @cached_property
    def window_before(self) -> Window | None:
        found = self.question.previous()
        return Window(found[0], found[1] + timedelta(days=1)) if found else None

    @cached_property
    def names(self) -> dict[str, str]:
        return {stage.axis_key: localized(stage.name) for stage in self.loaded.stages} | {"won": words.won()}

    def tone(self, axis_key: str) -> int:
        """The place on the stage ramp: a short process takes neighbours from the middle."""
        keys = [stage.axis_key for stage in self.stages]
        first = max(1, (8 - len(keys)) // 2 + 2) if len(keys) < 7 else 1
        return min(first + keys.index(axis_key), 8)

    def stage(self, axis_key: str) -> FunnelStage:
        return next(stage for stage in self.loaded.stages if stage.axis_key == axis_key)

    def page_url(self, **changes: Any) -> str:
        return f"{reverse('insight:funnel')}?{self.question.query(**changes)}"

    def rows_url(self, *cell: Any) -> str:
        query = self.question.query()
        return (
            f"{reverse('insight:funnel_rows')}?{query}{'&' if query else ''}cell={'.'.join(map(str, cell))}"
        )

    def counted(self, number: int, *cell: Any) -> Cell:
        """A count that opens its rows."""
        return {"text": f"{number:,}", "url": self.rows_url(*cell) if number else "", "raw": number}

    def money(self, amount: float) -> str:
        return format_amount(Decimal(str(round(amount, 2))), self.currency)

    def calendar_days(self, working: int) -> float:
        """What so many working days come to on this calendar: the ratio of the year up to the day asked about."""
        last = self.as_of.astimezone(self.zone).date()
        worked = self.calendar.count_working_days(last - timedelta(days=364), last)
        return round(working * 365 / worked, 1) if worked else float(working)

    @cached_property
    def working_days(self) -> Measure:
        return measure_of(self.calendar, self.zone)


def ask(user: User, question: Question, *, now: datetime) -> Asked:
    """Raises BadQuestion for a process, team or stage that is not there, NotFound where no process has a funnel."""
    processes = funnel_processes()
    if not processes:
        raise NotFound
    chosen = [p for p in processes if p.key == question.process] if question.process else processes[:1]
    if not chosen:
        raise BadQuestion("process", words.no_such_process())
    loaded = load(chosen[0].key)
    for name in ("start", "stage"):
        if (key := getattr(question, name)) and key not in loaded.axis_keys:
            raise BadQuestion(name, words.no_such_stage())
    whole = scope_for(user, loaded)
    as_of = question.instant(loaded.history.zone, now)
    reach = user.reach(FUNNEL)
    return Asked(
        question,
        chosen[0],
        processes,
        loaded,
        whole,
        narrowed(whole, loaded, question),
        as_of,
        Organisation.objects.current().currency,
        default_calendar(),
        question.owner is not None or not (reach.all or reach.team_ids),
    )


# --- how figures are written ---


def percent(value: float | None, digits: int = 2) -> str:
    return "—" if value is None else f"{value * 100:.{digits}f}%"


def interval(low: float | None, high: float | None, digits: int = 2) -> str:
    return "—" if low is None or high is None else f"{low * 100:.{digits}f}–{high * 100:.{digits}f}%"


def rate_cells(rate: Rate) -> list[Cell]:
    """A share and its interval; below the floor the words for it, and no number."""
    if not rate.enough or rate.value is None:
        return [
            {"text": words.too_few(), "class": "fl-3rd", "raw": ""},
            {"text": "—", "class": "fl-3rd", "raw": ""},
        ]
    return [
        {"text": percent(rate.value), "class": "fl-b", "raw": f"{rate.value:.4f}"},
        {"text": interval(rate.low, rate.high), "class": "fl-2nd", "raw": f"{rate.low:.4f}–{rate.high:.4f}"},
    ]


def short(rate: Rate) -> tuple[str, str]:
    """For the thread: 56 % and 43–67."""
    if not rate.enough or rate.value is None or rate.low is None or rate.high is None:
        return words.too_few(), ""
    return f"{rate.value * 100:.0f}%", f"{rate.low * 100:.0f}–{rate.high * 100:.0f}"


def columns(*labels: str) -> list[dict[str, Any]]:
    """The first column holds names, all others figures."""
    return [{"label": label, "num": number > 0} for number, label in enumerate(labels)]


def in_brackets(share: str, spread: str) -> str:
    """“56% (43–67)” for readers; below the floor the words alone."""
    return f"{share} ({spread})" if spread else share


# --- working days, all at once ---


def measure_of(calendar: Calendar, zone: ZoneInfo) -> Measure:
    """`measure(entered, left)` in working days between two local dates, by sums over the calendar."""

    def measure(entered: Instants, left: Instants) -> Numbers:
        start, end = local_days(entered, zone), local_days(left, zone)
        if not len(start):
            return start
        low, high = int(min(start.min(), end.min())), int(max(start.max(), end.max()))
        until = _workdays_until(calendar, low, high)
        return np.maximum(until[end - low] - until[start - low], 0)

    return measure


@lru_cache(maxsize=8)
def _workdays_until(calendar: Calendar, low: int, high: int) -> Any:
    """For each day from `low` to `high` how many working days lie in (low, day]."""
    flags = [calendar.is_workday(date_of(day)) for day in range(low, high + 1)]
    flags[0] = False
    return np.cumsum(np.array(flags, np.int64))

"""Reads of the organisation that other rooms ask for often."""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from hashlib import sha256
from typing import Any

from django.db.models import Q

from fairlead.common.questions import Question
from fairlead.organisation.calendars import (
    OFFICE_WEEK,
    Calendar,
    Exceptional,
    Hours,
    Notices,
    mainland_china,
    parse_hours,
)
from fairlead.organisation.enums import DaySource
from fairlead.organisation.models import Leave, Organisation, Team, User, WorkingCalendar
from fairlead.organisation.querysets import kept_by

#: Of each calendar its id, its stamp, and of the company's own that of the people; that one comes first.
_states = Question(
    lambda: WorkingCalendar.objects.order_by("-is_default", "pk").values_list(
        "pk", "stamp", "is_default", "people_stamp"
    )
)


Spans = tuple[tuple[date, date], ...]


class Calendars:
    """By which calendar the time of each person is counted: their own, their team's, or the company's (CA-1)."""

    __slots__ = ("_leave", "_own", "default", "marks", "people_stamp", "stamp")

    def __init__(
        self, default: Calendar, own: Mapping[int, Calendar], marks: Mapping[int, str], stamp: str,
        leave: Mapping[int, Spans] | None = None,
    ) -> None:  # fmt: skip
        self.default, self._own, self._leave = default, own, leave or {}
        #: What makes a person's calendar what it is, for those whose calendar is not simply the company's.
        self.marks = marks
        self.stamp = stamp  # of the company's calendar
        told = ";".join(f"{pk}={mark}" for pk, mark in sorted(marks.items()))
        self.people_stamp = sha256(told.encode()).hexdigest() if told else ""  # of all marks

    def of(self, person_id: int | None) -> Calendar:
        """The calendar of a person; of nobody the company's."""
        return self.default if person_id is None else self._own.get(person_id, self.default)

    def days_until(self, day: date, starts: Sequence[int], people: Sequence[int | None]) -> list[int]:
        """Working days from each of `starts` (ordinals) to `day`, by the calendar of the person in the same place.

        In one pass for each calendar.
        """
        end = day.toordinal()
        if self.is_plain:
            return self.default.working_days_between_many(starts, [end] * len(starts))
        alike: dict[Calendar, list[int]] = {}
        for place, person in enumerate(people):
            alike.setdefault(self.of(person), []).append(place)
        found = [0] * len(starts)
        for calendar, places in alike.items():
            some = [starts[place] for place in places]
            counted = calendar.working_days_between_many(some, [end] * len(some))
            for place, days in zip(places, counted, strict=True):
                found[place] = days
        return found

    def away(self, day: date) -> dict[int, date]:
        """Who is on leave on `day`, and until when."""
        return {person: last for person, _first, last in self.leave_between(day, day)}

    def leave_between(self, since: date, until: date) -> list[tuple[int, date, date]]:
        """Leave that has a day from `since` through `until`: whose, its first and its last day."""
        return [
            (person, first, last)
            for person, spans in self._leave.items()
            for first, last in spans
            if first <= until and since <= last
        ]

    @property
    def is_plain(self) -> bool:
        """Whether everybody works by one and the same calendar."""
        return not self._own


def default_calendar() -> Calendar:
    """The organisation's working calendar; office hours with the official notices before one is set.

    Built once for each state of its row (`stamp`): one small query a call, never an outdated answer.
    """
    pk, stamp, is_default, _people = _states.first() or (0, "", False, "")
    return _built(pk, stamp) if is_default else _plain(Organisation.objects.current().time_zone)


def calendars() -> Calendars:
    """The calendars of everybody: one small query a call, for who has which is kept for each state of it."""
    states = _states()
    pk, stamp, is_default, people = states[0] if states else (0, "", False, "")
    if not is_default:
        return Calendars(_plain(Organisation.objects.current().time_zone), {}, {}, "")
    if not people:
        return Calendars(_built(pk, stamp), {}, {}, stamp)
    return _book(pk, people, tuple((pk, stamp) for pk, stamp, *_more in states))


@lru_cache(maxsize=8)
def _book(default_pk: int, _people_stamp: str, stamps: tuple[tuple[int, str], ...]) -> Calendars:
    by_pk = dict(stamps)
    own: dict[int, Calendar] = {}
    marks: dict[int, str] = {}
    for person, pk in _chosen().items():
        if pk != default_pk and pk in by_pk:
            own[person] = _built(pk, by_pk[pk])
            marks[person] = by_pk[pk]
    default = _built(default_pk, by_pk[default_pk])
    leave = _leave()
    for person, spans in leave.items():
        own[person] = _away(own.get(person, default), spans)
        told = ";".join(f"{first}/{last}" for first, last in spans)
        marks[person] = f"{marks.get(person, by_pk[default_pk])} {sha256(told.encode()).hexdigest()[:16]}"
    return Calendars(default, own, marks, by_pk[default_pk], leave)


def colleagues_away(user: Any, book: Calendars, since: date, until: date) -> list[tuple[str, date, date]]:
    """Leave of one's team and of people whose leave one keeps, by name; a question only where somebody is away."""
    leave = [row for row in book.leave_between(since, until) if row[0] != user.pk]
    if not leave:
        return []
    near = kept_by(user) if user.team_id is None else kept_by(user) | Q(team_id=user.team_id)
    people = User.objects.active().filter(near).filter(pk__in={person for person, *_days in leave})
    names = dict(people.by_name().values_list("pk", "name"))
    return [
        (name, first, last)
        for pk, name in names.items()
        for person, first, last in sorted(leave)
        if person == pk
    ]


def _leave() -> dict[int, Spans]:
    found: dict[int, list[tuple[date, date]]] = {}
    rows = Leave.objects.order_by("user", "first_day").values_list("user_id", "first_day", "last_day")
    for person, first, last in rows:
        found.setdefault(person, []).append((first, last))
    return {person: tuple(spans) for person, spans in found.items()}


@lru_cache(maxsize=4096)
def _away(calendar: Calendar, spans: Spans) -> Calendar:
    """One calendar for the same leave: what it has summed up stays good when somebody else's leave changes."""
    return calendar.away(spans)


def _chosen() -> dict[int, int]:
    """By person the calendar that is nearest to them, where there is any: their own, or that of a team upward."""
    parents: dict[int, int | None] = {}
    of_team: dict[int, int | None] = {}
    for pk, parent, chosen in Team.objects.values_list("pk", "parent_id", "calendar_id"):
        parents[pk], of_team[pk] = parent, chosen

    def nearest(team: int | None) -> int | None:
        while team is not None:
            if (found := of_team.get(team)) is not None:
                return found
            team = parents.get(team)
        return None

    by_team = {team: nearest(team) for team in parents}
    found: dict[int, int] = {}
    for person, team, chosen in User.objects.values_list("pk", "team_id", "calendar_id"):
        nearest_one = chosen if chosen is not None else by_team.get(team)
        if nearest_one is not None:
            found[person] = nearest_one
    return found


def calendar_of(row: WorkingCalendar) -> Calendar:
    return _built(row.pk, row.stamp)


@lru_cache(maxsize=8)
def _plain(time_zone: str) -> Calendar:
    return Calendar(time_zone=time_zone, notices=mainland_china())


@lru_cache(maxsize=32)
def _built(pk: int, stamp: str) -> Calendar:
    row = WorkingCalendar.objects.get(pk=pk)
    days: dict[date, Exceptional] = {}
    official: dict[date, Exceptional] = {}
    for day in row.days.all():
        hours = parse_hours(day.intervals) if day.intervals else None
        exceptional = Exceptional(day.kind, day.name.get("zh", ""), day.name.get("en", ""), hours)
        (official if day.source == DaySource.OFFICIAL else days)[day.date] = exceptional
    weekly = {int(weekday): parse_hours(pairs) for weekday, pairs in row.weekly.items()} or OFFICE_WEEK
    return _alike(
        row.time_zone,
        tuple(sorted(weekly.items())),
        tuple(sorted(days.items())),
        tuple(sorted(official.items())),
        row.country == "CN",
    )


@lru_cache(maxsize=32)
def _alike(
    time_zone: str,
    weekly: tuple[tuple[int, Hours], ...],
    days: tuple[tuple[date, Exceptional], ...],
    official: tuple[tuple[date, Exceptional], ...],
    takes_notices: bool,
) -> Calendar:
    """One calendar for rows that say the same: what it has summed up stays good for the next state of a row."""
    notices, own = None, dict(days)
    if takes_notices:
        shipped = mainland_china()
        years = shipped.published | {day.year for day, _exceptional in official}
        notices = Notices({**shipped.days, **dict(official)}, years, shipped.statutory)
    else:
        own = {**dict(official), **own}
    return Calendar(time_zone=time_zone, weekly=dict(weekly), days=own, notices=notices)

"""Calendars beside the company's own, and who works by which (CA-1): nearest wins, person before team."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from fairlead.common import bulk
from fairlead.common.refusals import Invalid, Refusal
from fairlead.common.text import clean_text
from fairlead.organisation.enums import WeekPattern
from fairlead.organisation.models import CalendarDay, Team, User, WorkingCalendar
from fairlead.organisation.services._base import changed_fields, journal, locked, require
from fairlead.organisation.services.calendars import fresh_stamp, tell_of_change, touch_people
from fairlead.organisation.services.people import clean_time_zone

_HOURS: Final = [["09:00", "12:00"], ["13:30", "18:00"]]
#: A week to begin with, by its pattern: the ISO weekdays on which people work.
_WEEKS: Final[Mapping[str, tuple[int, ...]]] = {
    WeekPattern.MON_FRI: (1, 2, 3, 4, 5),
    WeekPattern.SUN_THU: (7, 1, 2, 3, 4),
    WeekPattern.MON_SAT: (1, 2, 3, 4, 5, 6),
}
MOST_CALENDARS: Final = 100


class CalendarInUse(Refusal):
    """A calendar by which somebody's time is counted does not go away."""

    code = "calendar-in-use"


@transaction.atomic
def create_calendar(
    *, name: str, time_zone: str, by: User | None, at: datetime, channel: str,
    pattern: str = "", copy_of: WorkingCalendar | None = None,
) -> WorkingCalendar:  # fmt: skip
    """Add a calendar: a copy of another with its days, or a plain week. Needs `settings.manage`.

    A plain week takes no official notices; a copy takes those that its original takes. Raises NotPermitted, Invalid.
    """
    require(by, "settings.manage", channel)
    if (copy_of is None) == (pattern not in _WEEKS):
        raise Invalid.field("base", _("Choose one of the list."))
    if WorkingCalendar.objects.count() >= MOST_CALENDARS:
        raise Invalid.field(
            "name", _("There are %(most)s calendars. Delete one first.") % {"most": MOST_CALENDARS}
        )
    row = WorkingCalendar(
        **_clean({"name": name, "time_zone": time_zone}),
        weekly=copy_of.weekly
        if copy_of is not None
        else {str(day): _HOURS for day in sorted(_WEEKS[pattern])},
        country=copy_of.country if copy_of is not None else "",
        stamp=fresh_stamp(),
    )
    row.save(force_insert=True)
    if copy_of is not None:
        days = CalendarDay.objects.filter(calendar=copy_of)
        bulk.insert(
            [
                CalendarDay(
                    calendar=row,
                    date=d.date,
                    kind=d.kind,
                    name=d.name,
                    intervals=d.intervals,
                    source=d.source,
                )
                for d in days
            ]
        )
    data = {"copy_of": copy_of.pk if copy_of is not None else None, "pattern": str(pattern)}
    journal(row, "calendar_created", by=by, at=at, channel=channel, data=data, after={"name": row.name})
    return row


@transaction.atomic
def change_calendar(
    calendar: WorkingCalendar, *, by: User | None, at: datetime, channel: str, version: int | None = None,
    **changes: Any,
) -> WorkingCalendar:  # fmt: skip
    """Change `name`, `time_zone` or `notices` (whether the official days of China hold). Needs `settings.manage`."""
    require(by, "settings.manage", channel)
    row = locked(calendar, version)
    values = _clean(changes, but=row)
    before, after = changed_fields(row, values)
    if not after:
        return row
    for field, value in after.items():
        setattr(row, field, value)
    row.version += 1
    counts = {"time_zone", "country"} & after.keys()
    if counts:
        row.stamp = fresh_stamp()
    row.save(update_fields=[*after, "version", "stamp"])
    if counts:
        tell_of_change()
    data = {"fields": sorted(after)}
    journal(row, "calendar_changed", by=by, at=at, channel=channel, data=data, before=before, after=after)
    return row


@transaction.atomic
def remove_calendar(
    calendar: WorkingCalendar, *, by: User | None, at: datetime, channel: str, version: int | None = None
) -> None:
    """Delete a calendar that nobody works by; never the company's own. Raises CalendarInUse naming who does."""
    require(by, "settings.manage", channel)
    row = locked(calendar, version)
    if row.is_default:
        raise CalendarInUse(_("This is the company's calendar. Others are measured by it, so it stays."))
    teams = list(Team.objects.filter(calendar=row).order_by("path").values_list("name", flat=True))
    people = list(User.objects.filter(calendar=row).order_by("name_key").values_list("name", flat=True))
    if teams or people:
        users = [*teams, *people]
        named = _(", ").join(users[:5]) + (" …" if len(users) > 5 else "")
        raise CalendarInUse(_("%(who)s work by this calendar. Give them another one first.") % {"who": named})
    journal(row, "calendar_removed", by=by, at=at, channel=channel, before={"name": row.name})
    row.delete()


@transaction.atomic
def assign_calendar(
    to: Team | User, *, calendar: WorkingCalendar | None, by: User | None, at: datetime, channel: str,
    version: int | None = None,
) -> None:  # fmt: skip
    """Let a team or a person work by `calendar`; None: by that of the team above. Needs `users.manage`.

    Clocks of the deals of all who then work by another calendar are computed anew.
    """
    require(by, "users.manage", channel)
    # Held, so that it is not deleted meanwhile.
    chosen = locked(calendar) if calendar is not None else None
    row = locked(to, version)
    before, after = row.calendar_id, chosen.pk if chosen is not None else None
    if before == after:
        return
    row.calendar = chosen
    row.version += 1
    row.save(update_fields=["calendar", "version"])
    touch_people(first=True)
    data = {"from_calendar_id": before, "to_calendar_id": after}
    journal(row, "calendar_assigned", by=by, at=at, channel=channel, data=data)


def _clean(values: Mapping[str, Any], *, but: WorkingCalendar | None = None) -> dict[str, Any]:
    cleaned: dict[str, Any] = {}
    errors: list[dict[str, str]] = []
    for field, value in values.items():
        try:
            if field == "name":
                cleaned["name"] = _clean_name(value, but)
            elif field == "time_zone":
                cleaned["time_zone"] = clean_time_zone(value)
            elif field == "notices":
                cleaned["country"] = "CN" if value else ""
            else:
                raise TypeError(f"not changed here: {field}")
        except Invalid as refusal:
            errors.extend(refusal.details["errors"])
    if errors:
        raise Invalid(errors=errors)
    return cleaned


def _clean_name(value: str, but: WorkingCalendar | None) -> str:
    name = clean_text(value, limit=100, field="name")
    if not name:
        raise Invalid.field("name", _("Fill in the name."))
    twins = WorkingCalendar.objects.filter(name__iexact=name)
    if but is not None:
        twins = twins.exclude(pk=but.pk)
    if twins.exists():
        raise Invalid.field("name", _("There is a calendar %(name)s already.") % {"name": name})
    return name

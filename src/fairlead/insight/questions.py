"""What is asked of the funnel page: read from the address and written back into it.

The address is the whole state. Whatever cannot be read is refused with 400 and the name of the parameter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, Literal, cast
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from fairlead.common.refusals import Refusal

READINGS = ("cohort", "period", "stock")
MODES = ("reach", "touch")
BASES = ("closed", "full")
TEXT = 60
FIRST, LAST = date(1970, 1, 1), date(9998, 12, 31)
MAX_DAYS = 3650


class BadQuestion(Refusal):
    """A parameter of the address cannot be read."""

    code = "bad-question"
    status = 400

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(f"{parameter}: {message}", details={"parameter": parameter})


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The filter of the page. `since` and `until` are days, both included; None leaves that side open.

    `days_said`: somebody chose them; else the page may take those that fit, see `funnel.usual`.
    """

    process: str = ""
    reading: str = "cohort"
    team: int | None = None
    owner: int | None = None
    since: date | None = None
    until: date | None = None
    days: int = 90
    days_said: bool = False
    at: int = 90
    mode: Literal["reach", "touch"] = "reach"
    basis: Literal["closed", "full"] = "closed"
    start: str = ""
    stage: str = ""
    as_of: date | None = None

    @classmethod
    def read(cls, query: Mapping[str, Any]) -> Question:
        """Raises BadQuestion. Parameters that are not known here are left to the page."""
        question = cls(
            process=_text(query, "process"),
            reading=_word(query, "reading", READINGS),
            team=_id(query, "team"),
            owner=_id(query, "owner"),
            since=_date(query, "from"),
            until=_date(query, "to"),
            days=_number(query, "days", 90),
            days_said=bool(_one(query, "days")),
            at=_number(query, "at", 90),
            mode=cast("Any", _word(query, "mode", MODES)),
            basis=cast("Any", _word(query, "basis", BASES)),
            start=_text(query, "start"),
            stage=_text(query, "stage"),
            as_of=_date(query, "as_of"),
        )
        if question.since and question.until and question.until < question.since:
            raise BadQuestion("to", _("The end lies before the beginning."))
        return question

    def query(self, **changes: Any) -> str:
        """The question as the query of an address, defaults left out; days that somebody chose are never."""
        other = replace(self, **changes) if changes else self
        names = {"since": "from", "until": "to"}
        default = Question()
        pairs = [
            (names.get(name, name), value.isoformat() if isinstance(value, date) else value)
            for name in self.__slots__
            if name != "days_said"
            and (
                (value := getattr(other, name)) != getattr(default, name)
                or (name == "days" and other.days_said)
            )
        ]
        return urlencode(pairs)

    def instant(self, zone: tzinfo, now: datetime) -> datetime:
        """As of: the end of that day, or now."""
        if self.as_of is None:
            return now
        try:
            end = datetime.combine(self.as_of, time.max, zone)
            end.astimezone(UTC)
        except (OverflowError, ValueError):
            return now
        return min(end, now) if self.as_of >= now.astimezone(zone).date() else end

    def previous(self) -> tuple[date, date] | None:
        """The window of equal length just before, where both ends are given."""
        if self.since is None or self.until is None:
            return None
        length = self.until - self.since + timedelta(days=1)
        if (self.since - FIRST) < length:
            return None
        return self.since - length, self.since - timedelta(days=1)


def _one(query: Mapping[str, Any], name: str) -> str:
    return str(query.get(name) or "").strip()


def _text(query: Mapping[str, Any], name: str) -> str:
    value = _one(query, name)
    if len(value) > TEXT or not value.isprintable():
        raise BadQuestion(name, _("This is too long or holds characters that cannot stand here."))
    return value


def _word(query: Mapping[str, Any], name: str, words: tuple[str, ...]) -> str:
    value = _one(query, name) or words[0]
    if value not in words:
        raise BadQuestion(name, _("One of these is expected: %(words)s") % {"words": ", ".join(words)})
    return value


def _id(query: Mapping[str, Any], name: str) -> int | None:
    value = _one(query, name)
    if not value:
        return None
    if not (value.isascii() and value.isdigit() and len(value) <= 18):
        raise BadQuestion(name, _("A number is expected."))
    return int(value)


def _number(query: Mapping[str, Any], name: str, default: int) -> int:
    value = _one(query, name)
    if not value:
        return default
    if not (value.isascii() and value.isdigit() and len(value) <= 5 and 0 < int(value) <= MAX_DAYS):
        raise BadQuestion(name, _("A number of days from 1 to %(most)s is expected.") % {"most": MAX_DAYS})
    return int(value)


def _date(query: Mapping[str, Any], name: str) -> date | None:
    value = _one(query, name)
    if not value:
        return None
    try:
        if len(value) != 10:
            raise ValueError(value)
        day = date.fromisoformat(value)
    except ValueError:
        raise BadQuestion(name, _("A day is expected, such as 2026-03-31.")) from None
    if not FIRST <= day <= LAST:
        raise BadQuestion(name, _("A day is expected, such as 2026-03-31."))
    return day

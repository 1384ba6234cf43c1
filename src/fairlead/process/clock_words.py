"""Clocks as a reader meets them: days of a limit, since when and why, until when it rests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from fairlead.fields.catalogue import pick

from .clocks import BY_KEY, Act, ClockPolicy, Limit
from .definition import Definition
from .enums import ClockAct, ClockCause, ClockKind, ClockStop, EscalateTo, Kind
from .roles import role_name
from .selectors.clocks import Call, ClockState

_ICONS: Mapping[str, str] = {
    ClockKind.VISIT: "hourglass",
    ClockKind.STAGE: "history",
    ClockKind.INACTIVITY: "clock",
    ClockKind.TOTAL: "calendar-event",
    ClockKind.RESPONSE: "user-check",
    ClockKind.TRACK: "users",
}


_PROPOSED: Mapping[str, str] = {ClockAct.PROPOSE_HOLD: Kind.HOLD, ClockAct.PROPOSE_LOST: Kind.CLOSE_LOST}


def clock_name(kind: str, key: str = "") -> str:
    if kind == ClockKind.RESPONSE:
        return _("Answer awaited from %(role)s") % {"role": role_name(key)}
    return str(ClockKind(kind).label)


def track_name(name: Mapping[str, str], role: str) -> str:
    """As the deal team reads it: the track, and whose it is."""
    return f"{pick(name)} ({role})"


def day_of(at: datetime) -> str:
    return date_format(timezone.localtime(at), "Y-m-d")


def panel_rows(
    states: Sequence[ClockState], *, may_acknowledge: bool, at: datetime, move_page: Callable[[str], str]
) -> list[dict[str, Any]]:
    """What the panel of clocks shows, one row a clock. `move_page`: where a kind of move is made."""
    return [_row(state, may_acknowledge, at, move_page) for state in states]


def _row(
    state: ClockState, may_acknowledge: bool, at: datetime, move_page: Callable[[str], str]
) -> dict[str, Any]:
    limit = state.red or state.yellow
    words = {"days": state.days, "limit": limit}
    text = (
        pgettext("days of a limit", "%(days)s / %(limit)s d")
        if limit
        else pgettext("days of a limit", "%(days)s d")
    ) % words
    rests = state.acknowledged_until is not None and state.acknowledged_until > at
    level = "" if state.is_echo else state.level
    shown = {"red": "overdue", "yellow": "due"}.get(level, "")
    return {
        "kind": str(state.kind),
        "key": state.key if state.kind in BY_KEY else "",
        "icon": _ICONS[state.kind],
        "name": track_name(state.name, state.role) if state.name else clock_name(state.kind, state.key),
        "text": text,
        "share": state.days / limit if limit else 0,
        "state": shown or ("hold" if state.is_paused else ""),
        "notes": _notes(state, rests),
        "says": _says(state),
        "calls": [
            {
                "act": call.act,
                "text": call_words(call),
                "url": move_page(_PROPOSED[call.do]) if call.do in _PROPOSED else "",
            }
            for call in state.calls
        ],
        "may_settle": may_acknowledge,
        "may_acknowledge": may_acknowledge and state.is_noted and not rests and not state.is_paused,
    }


def _notes(state: ClockState, rests: bool) -> list[str]:
    notes = []
    since = {"day": day_of(state.started_at)}
    if state.kind == ClockKind.INACTIVITY and state.cause:
        notes.append(_("last on %(day)s: %(cause)s") % {**since, "cause": ClockCause(state.cause).label})
    else:
        notes.append(_("since %(day)s") % since)
    if state.is_echo:
        notes.append(_("the first stay"))
    elif state.is_through:
        notes.append(pgettext("track", "through"))
    elif state.stop is not None and state.stop_until is not None:
        notes.append(stop_words(state.stop, state.stop_until))
    elif state.is_paused:
        notes.append(_("stands still"))
    elif state.red_at is not None:
        notes.append(_("limit on %(day)s") % {"day": day_of(state.red_at)})
    if rests and state.acknowledged_until is not None:
        notes.append(_("reminders rest until %(day)s") % {"day": day_of(state.acknowledged_until)})
    return notes


def stop_words(stop: ClockStop, until: datetime) -> str:
    day = {"day": day_of(until)}
    if stop == ClockStop.WAITING:
        return _("stands still: the customer's answer is awaited, until %(day)s at the latest") % day
    return _("stands still until the talk with the customer on %(day)s") % day


def _stop_lines(policy: ClockPolicy) -> list[str]:
    lines = []
    if policy.waiting is not None:
        lines.append(
            ngettext(
                "while the customer's answer to what was sent is awaited, for at most %(days)s working day: this "
                "visit, and in this stage so far",
                "while the customer's answer to what was sent is awaited, for at most %(days)s working days: this "
                "visit, and in this stage so far",
                policy.waiting,
            )
            % {"days": policy.waiting}
        )
    if policy.planned:
        lines.append(_("until a planned talk with a contact: since anything happened"))
    return lines


def _says(state: ClockState) -> str:
    """For a pointer and for a reader: how it stands in words, not by colour alone."""
    if state.is_echo:
        return _("The same as this visit")
    if state.level == "red":
        return _("Over its limit")
    if state.level == "yellow":
        return _("Past its first threshold")
    if state.is_through:
        return _("Through")
    return _("Stands still") if state.is_paused else _("In time")


# --- a policy in words, for the page that describes a process ---


def policy_words(definition: Definition) -> list[tuple[str, list[str]]]:
    """Headings and lines: limits, what is meaningful, whom the ladder tells, quiet hours."""
    policy = definition.clocks
    limits = [
        _("%(clock)s: %(limit)s") % {"clock": clock_name(kind), "limit": limit_words(limit)}
        for kind, limit in ((ClockKind.INACTIVITY, policy.inactivity), (ClockKind.TOTAL, policy.total))
    ]
    ladder = [_rung_words(rung.to, rung.after_hours, rung.repeat_hours) for rung in policy.ladder]
    ladder.append(_("“I know” rests the reminders for %(hours)s working hours") % {"hours": policy.ack_hours})
    if policy.quiet is not None:
        ladder.append(
            _("nobody is told from %(start)s:00 to %(end)s:00")
            % {"start": policy.quiet[0], "end": policy.quiet[1]}
        )
    return [
        (_("Limits of the whole way"), limits),
        (_("What counts as activity"), [str(cause.label) for cause in policy.meaningful]),
        *([(_("What also stops time limits"), stops)] if (stops := _stop_lines(policy)) else []),
        (_("Who is told when a limit is passed"), ladder),
        *([(_("What time limits do by themselves"), acts)] if (acts := act_lines(definition)) else []),
    ]


def act_lines(definition: Definition) -> list[str]:
    """What each act says: when, what, for whom; those that are off are named as such."""
    return [_act_line(act, definition) for act in definition.clocks.acts]


def _act_line(act: Act, definition: Definition) -> str:
    words = {
        "clock": clock_name(act.clock) if act.clock not in BY_KEY else act.clock.label,
        "level": act.level.label,
        "what": _act_words(act, definition),
    }
    text = _("%(clock)s, %(level)s: %(what)s") % words
    if act.stages:
        names = _(", ").join(pick(definition.stage(key).name) for key in act.stages)
        text = _("%(text)s (in %(stages)s)") % {"text": text, "stages": names}
    return text if act.enabled else _("%(text)s — off") % {"text": text}


def _act_words(act: Act, definition: Definition) -> str:
    if act.do == ClockAct.TASK:
        return _("a task for %(who)s, due in %(days)s working days: %(title)s") % {
            "who": role_name(act.role) if act.role else EscalateTo.OWNER.label,
            "days": act.days,
            "title": pick(act.name),
        }
    if act.do == ClockAct.FLAG:
        return _("a flag: %(title)s") % {"title": pick(act.name)}
    if act.do != ClockAct.MOVE:
        return str(act.do.label)
    move = str(Kind(act.kind).label)
    if act.to:
        move = _("%(move)s to %(stage)s") % {"move": move, "stage": pick(definition.stage(act.to).name)}
    return _("%(move)s; the gate decides, a refusal becomes a task") % {"move": move}


def call_words(call: Call) -> str:
    if call.do == ClockAct.FLAG:
        return pick(call.name) or _("Flag")
    if call.do == ClockAct.PROPOSE_HOLD:
        return _("Proposed: put it on hold")
    return _("Proposed: close it as lost")


def stage_policy_words(policy: ClockPolicy, stage_key: str) -> list[str]:
    """Lines of one stage where its clocks differ from the plain limit, and what a role owes in it."""
    lines = []
    visit, stage = policy.limit(ClockKind.VISIT, stage_key), policy.limit(ClockKind.STAGE, stage_key)
    if visit.is_relative:
        lines.append(
            _("%(clock)s: %(limit)s") % {"clock": clock_name(ClockKind.VISIT), "limit": limit_words(visit)}
        )
    if stage != visit:
        lines.append(
            _("%(clock)s: %(limit)s") % {"clock": clock_name(ClockKind.STAGE), "limit": limit_words(stage)}
        )
    for role, limit in policy.responses.get(stage_key, {}).items():
        lines.append(
            _("%(clock)s: %(limit)s")
            % {"clock": clock_name(ClockKind.RESPONSE, role), "limit": limit_words(limit)}
        )
    for track in policy.tracks.get(stage_key, {}).values():
        named = {"clock": track_name(track.name, track.role), "limit": limit_words(track.limit)}
        lines.append(_("%(clock)s: %(limit)s") % named)
    return lines


def limit_words(limit: Limit) -> str:
    if limit.yellow is None and limit.red is None:
        return _("no limit")
    text = _("%(yellow)s / %(red)s working days") % {
        "yellow": limit.yellow or "—",
        "red": limit.red or "—",
    }
    if limit.is_relative:
        low, high = ("—" if factor is None else f"{factor:g} ×" for factor in limit.factors)
        text = _("%(yellow)s / %(red)s the median; %(days)s until it is known") % {
            "yellow": low,
            "red": high,
            "days": text,
        }
    return text


def _rung_words(to: EscalateTo, after: int, repeat: int | None) -> str:
    text = (
        _("%(who)s after %(hours)s working hours") % {"who": to.label, "hours": after}
        if after
        else _("%(who)s at once") % {"who": to.label}
    )
    if repeat:
        text = _("%(text)s, again every %(hours)s hours") % {"text": text, "hours": repeat}
    return text

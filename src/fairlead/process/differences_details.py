"""What a reader of two versions would otherwise miss: who owes an item and whether it can be passed over, what else a
stage says of itself, the ways back and aside, and the time limits of the process; in words."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from fairlead.fields.catalogue import pick

from .change import Change
from .clocks import ClockPolicy
from .definition import Criterion, Definition, Stage, Transition
from .describing import joined, move_words
from .enums import Kind
from .roles import role_name

#: Ways that a linear process has by itself; they come and go with the stages.
BY_THEMSELVES = (Kind.REGRESS, Kind.HOLD, Kind.CLOSE_LOST)


def asked(one: Criterion) -> tuple[object, ...]:
    """Everything that an item asks for, but for its level and what `item_notes` tells."""
    parts = (one.type, one.params, one.condition, one.operator, one.mode, one.k)
    return (*parts, one.applies_if, one.valid_days, one.name, one.help, one.own_work_of)


def item_notes(old: Criterion, new: Criterion) -> list[str]:
    """Who owes it, and whether it can be waived or skipped, where that is another now."""
    found = []
    if old.role != new.role:
        owes = role_name(new.role) if new.role else _("nobody in particular")
        found.append(_("now owed by %(role)s") % {"role": owes})
    if old.waivable != new.waivable:
        found.append(_("may be waived") if new.waivable else _("cannot be waived"))
    if old.skippable != new.skippable:
        found.append(
            _("not asked where its stage is skipped")
            if new.skippable
            else _("asked even where its stage is skipped")
        )
    return found


def stage_changes(old: Stage, new: Stage) -> Iterator[Change]:
    """Its place on the axis of reports, whether records begin here or may not return, how many at once, the funnel."""
    name = pick(new.name)

    def said(text: str) -> Change:
        return Change("changed", _("%(stage)s: %(what)s") % {"stage": name, "what": text})

    if old.axis_key != new.axis_key or old.kind != new.kind:
        yield said(_("reports count it at another place"))
    if old.start != new.start:
        yield said(_("records may begin here") if new.start else _("records no longer begin here"))
    if old.wip_limit != new.wip_limit:
        text = _("at most %(count)s at once") if new.wip_limit is not None else _("any number at once")
        yield said(text % {"count": new.wip_limit} if new.wip_limit is not None else text)
    if old.show_in_funnel != new.show_in_funnel:
        yield said(_("shown in the funnel") if new.show_in_funnel else _("not shown in the funnel"))
    if old.no_return != new.no_return:
        text = pick(new.no_return) if new.no_return else ""
        yield said(_("no way back: %(why)s") % {"why": text} if text else _("there is a way back again"))


def ways(stage: Stage, definition: Definition, others: Definition) -> dict[tuple[str, str], str]:
    """Its ways out in words. A way back is told of only where both versions have the stage it leads to."""
    return {
        (t.kind, t.to): _move(t, definition)
        for t in stage.transitions
        if t.kind not in BY_THEMSELVES or not t.to or t.to in others.by_key
    }


def _move(move: Transition, definition: Definition) -> str:
    text = move_words(move, definition)
    return _("%(move)s; needs a right of its own") % {"move": text} if move.needs_right else text


def policy_changes(old: Definition, new: Definition) -> Iterator[Change]:
    """How long a lost record may be reopened, and the time limits that no single stage has."""
    if old.reopen_days != new.reopen_days:
        values = {"old": old.reopen_days, "new": new.reopen_days}
        yield Change("changed", _("Reopening within %(old)s → %(new)s days") % values)
    if old.recurring_days != new.recurring_days:
        anew: dict[str, object] = {"old": old.recurring_days or "—", "new": new.recurring_days or "—"}
        yield Change("changed", _("It begins anew after %(old)s → %(new)s days") % anew)
    parts = [*_stays(old, new), *_parts(old.clocks, new.clocks)]
    if parts:
        yield Change("changed", _("Time limits: %(parts)s") % {"parts": joined(parts)})


def _stays(old: Definition, new: Definition) -> Iterator[str]:
    """Limits of a stay that are more than the days of their stage, which are told with it."""
    both = [(s, new.by_key[s.key]) for s in old.stages if s.key in new.by_key]
    same = {s.key for s, now in both if (s.limit_yellow, s.limit_red) == (now.limit_yellow, now.limit_red)}
    for name, words in (("visit", _("one stay in a stage")), ("stage", _("all stays in a stage"))):
        then, now = getattr(old.clocks, name), getattr(new.clocks, name)
        if any(then.get(key) != now.get(key) for key in same):
            yield words


def _parts(old: ClockPolicy, new: ClockPolicy) -> Iterator[str]:
    named = {
        "meaningful": _("what counts as work on it"),
        "inactivity": _("how long without work on it"),
        "total": _("the whole time"),
        "ladder": _("who is told, and when"),
        "quiet": _("quiet hours"),
        "ack_hours": _("how long “I know” holds"),
        "responses": _("how soon roles answer"),
        "acts": _("what happens by itself"),
        "waiting": _("waiting for the customer"),
        "planned": _("a talk that is planned"),
    }
    for attribute, words in named.items():
        if getattr(old, attribute) != getattr(new, attribute):
            yield words

"""The section `clocks` of a process document: checked by path, with defaults from the stages' own limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.utils.translation import gettext as _

from .clocks import LADDER, MEANINGFUL, ClockPolicy, Limit, Rung
from .criteria import ROLES
from .definition import Stage
from .document import Reader
from .enums import ClockCause, EscalateTo

MAX_DAYS: Final = 3650
MAX_HOURS: Final = 2000
MAX_RUNGS: Final = 10
_KEYS = {"meaningful", "inactivity", "total", "stages", "ladder", "quiet", "acknowledge"}


def default_policy(stages: Sequence[Stage]) -> ClockPolicy:
    """What holds where a document says nothing: both stage clocks by the stage's limit, the whole way by their sum."""
    limits = {s.key: Limit(s.limit_yellow, s.limit_red) for s in stages if s.limit_yellow or s.limit_red}
    whole = sum(s.limit_red or s.limit_yellow or 0 for s in stages)
    total = Limit(whole, min(2 * whole, MAX_DAYS)) if 0 < whole <= MAX_DAYS else Limit()
    return ClockPolicy(visit=limits, stage=limits, total=total)


def read_clocks(reader: Reader, value: Any, stages: Sequence[Stage]) -> ClockPolicy:
    """The policy that `value` and the stages make; what is wrong is noted in `reader` with its path."""
    defaults = default_policy(stages)
    if value is None:
        return defaults
    given = reader.mapping(value, "clocks", _KEYS)
    by_stage = reader.mapping(given.get("stages"), "clocks.stages")
    visit, stage = dict(defaults.visit), dict(defaults.stage)
    responses: dict[str, Mapping[str, Limit]] = {}
    known = {s.key for s in stages}
    for key, item in by_stage.items():
        path = f"clocks.stages.{str(key)[:60]}"
        if key not in known:
            reader.bad(path, _("There is no stage “%(stage)s”.") % {"stage": str(key)[:60]})
            continue
        body = reader.mapping(item, path, {"visit", "stage", "responses"})
        if "visit" in body:
            visit[key] = _limit(reader, body["visit"], f"{path}.visit", factors=True)
            stage[key] = visit[key]
        if "stage" in body:
            stage[key] = _limit(reader, body["stage"], f"{path}.stage", factors=True)
        if "responses" in body:
            responses[key] = _responses(reader, body["responses"], f"{path}.responses")
    return ClockPolicy(
        meaningful=_meaningful(reader, given.get("meaningful")),
        visit=visit,
        stage=stage,
        inactivity=_optional(reader, given, "inactivity", defaults.inactivity),
        total=_optional(reader, given, "total", defaults.total),
        ladder=_ladder(reader, given.get("ladder")),
        quiet=_quiet(reader, given.get("quiet")),
        ack_hours=reader.number(given.get("acknowledge", 24), "clocks.acknowledge", 1, MAX_HOURS),
        responses=responses,
    )


def _optional(reader: Reader, given: Mapping[str, Any], name: str, default: Limit) -> Limit:
    return _limit(reader, given[name], f"clocks.{name}") if name in given else default


def _limit(reader: Reader, value: Any, path: str, *, factors: bool = False) -> Limit:
    given = reader.mapping(value, path, {"yellow", "red", "factor"} if factors else {"yellow", "red"})
    yellow, red = (
        reader.optional_number(given.get(n), f"{path}.{n}", 1, MAX_DAYS) for n in ("yellow", "red")
    )
    if yellow is not None and red is not None and yellow > red:
        reader.bad(path, _("yellow ≤ red is expected."))
    found = reader.mapping(given.get("factor"), f"{path}.factor", {"yellow", "red"})
    low, high = (_factor(reader, found.get(n), f"{path}.factor.{n}") for n in ("yellow", "red"))
    if low is not None and high is not None and low > high:
        reader.bad(f"{path}.factor", _("yellow ≤ red is expected."))
    for name, factor, days in (("yellow", low, yellow), ("red", high, red)):
        if factor is not None and days is None:
            reader.bad(
                f"{path}.{name}",
                _("A multiple of the median needs days beside it, for the time until the median is known."),
            )
    return Limit(yellow, red, (low, high))


def _factor(reader: Reader, value: Any, path: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0.1 <= value <= 20:
        reader.bad(path, _("A number from %(low)s to %(high)s is expected.") % {"low": 0.1, "high": 20})
        return None
    return float(value)


def _responses(reader: Reader, value: Any, path: str) -> dict[str, Limit]:
    found = {}
    for role, item in reader.mapping(value, path).items():
        if role not in ROLES:
            reader.bad(path, _("There is no role “%(key)s”.") % {"key": str(role)[:40]})
            continue
        found[str(role)] = _limit(reader, item, f"{path}.{role}")
    return found


def _meaningful(reader: Reader, value: Any) -> tuple[ClockCause, ...]:
    if value is None:
        return MEANINGFUL
    path = "clocks.meaningful"
    named = reader.items(value, path)
    if isinstance(value, (list, tuple)) and not named:
        reader.bad(path, _("At least one kind of event has to count, or the clock never starts anew."))
    known = set(ClockCause.values)
    for item in named:
        if item not in known:
            reader.bad(path, _("There is no kind of event “%(key)s”.") % {"key": str(item)[:40]})
    return tuple(dict.fromkeys(ClockCause(item) for item in named if item in known))


def _ladder(reader: Reader, value: Any) -> tuple[Rung, ...]:
    if value is None:
        return LADDER
    rungs: list[Rung] = []
    items = reader.items(value, "clocks.ladder")
    if len(items) > MAX_RUNGS:
        reader.bad("clocks.ladder", _("A ladder has at most %(most)s rungs.") % {"most": MAX_RUNGS})
        return ()
    for i, item in enumerate(items):
        path = f"clocks.ladder.{i}"
        body = reader.mapping(item, path, {"to", "after", "repeat"})
        if body.get("to") not in EscalateTo.values:
            reader.bad(f"{path}.to", _("Whom to tell: owner, team, manager or next_level."))
            continue
        after = reader.number(body.get("after", 0), f"{path}.after", 0, MAX_HOURS)
        if rungs and after < rungs[-1].after_hours:
            reader.bad(f"{path}.after", _("Rungs follow one another: not before the one above."))
        repeat = reader.optional_number(body.get("repeat"), f"{path}.repeat", 1, MAX_HOURS)
        rungs.append(Rung(EscalateTo(body["to"]), after, repeat))
    return tuple(rungs)


def _quiet(reader: Reader, value: Any) -> tuple[int, int] | None:
    if value is None:
        return None
    given = reader.mapping(value, "clocks.quiet", {"from", "until"})
    start = reader.number(given.get("from"), "clocks.quiet.from", 0, 23)
    end = reader.number(given.get("until"), "clocks.quiet.until", 0, 23)
    if start == end:
        reader.bad("clocks.quiet", _("Quiet hours have to end: from and until are the same hour."))
        return None
    return start, end

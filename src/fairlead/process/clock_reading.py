"""The section `clocks` of a process document: checked by path, with defaults from the stages' own limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.utils.translation import gettext as _

from .clocks import LADDER, MEANINGFUL, Act, ClockPolicy, Limit, Rung, TrackLimit
from .criteria import ROLES
from .definition import Reason, Stage
from .document import Reader
from .enums import ClockAct, ClockCause, ClockKind, ClockLevel, EscalateTo, Kind

MAX_DAYS: Final = 3650
MAX_HOURS: Final = 2000
MAX_RUNGS: Final = 10
MAX_ACTS: Final = 20
MAX_WAITING: Final = 60  # working days
_ACT_KEYS = {
    "key",
    "clock",
    "level",
    "stages",
    "do",
    "name",
    "role",
    "due",
    "kind",
    "to",
    "reason",
    "enabled",
}
#: What only some acts say.
_SAID_BY: Final[Mapping[str, frozenset[ClockAct]]] = {
    "name": frozenset({ClockAct.TASK, ClockAct.FLAG}),
    "role": frozenset({ClockAct.TASK}),
    "due": frozenset({ClockAct.TASK}),
    "kind": frozenset({ClockAct.MOVE}),
    "to": frozenset({ClockAct.MOVE}),
    "reason": frozenset({ClockAct.MOVE}),
}
_MOVES: Final = {Kind.ADVANCE: "", Kind.BRANCH: "", Kind.REGRESS: "regress", Kind.CLOSE_LOST: "lost"}
_KEYS = {"meaningful", "inactivity", "total", "stages", "ladder", "quiet", "acknowledge", "acts", "stops"}


def default_policy(stages: Sequence[Stage]) -> ClockPolicy:
    """What holds where a document says nothing: both stage clocks by the stage's limit, the whole way by their sum."""
    limits = {s.key: Limit(s.limit_yellow, s.limit_red) for s in stages if s.limit_yellow or s.limit_red}
    whole = sum(s.limit_red or s.limit_yellow or 0 for s in stages)
    total = Limit(whole, min(2 * whole, MAX_DAYS)) if 0 < whole <= MAX_DAYS else Limit()
    return ClockPolicy(visit=limits, stage=limits, total=total, tracks=track_limits(stages))


def track_limits(stages: Sequence[Stage]) -> dict[str, dict[str, TrackLimit]]:
    """The tracks that have a limit, by stage (IT-2)."""
    found = {
        stage.key: {
            track.key: TrackLimit(track.role, track.name, Limit(track.limit_yellow, track.limit_red), place)
            for place, track in enumerate(stage.tracks)
            if track.limit_yellow or track.limit_red
        }
        for stage in stages
    }
    return {key: tracks for key, tracks in found.items() if tracks}


def read_clocks(
    reader: Reader, value: Any, stages: Sequence[Stage], lists: Mapping[str, Sequence[Reason]]
) -> ClockPolicy:
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
        tracks=defaults.tracks,
        acts=_acts(reader, given.get("acts"), known, lists),
        **_stops(reader, given.get("stops")),
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


def _acts(
    reader: Reader, value: Any, stages: set[str], lists: Mapping[str, Sequence[Reason]]
) -> tuple[Act, ...]:
    found: list[Act] = []
    items = reader.items(value, "clocks.acts")
    if len(items) > MAX_ACTS:
        reader.bad("clocks.acts", _("Clocks do at most %(most)s things.") % {"most": MAX_ACTS})
        return ()
    for i, item in enumerate(items):
        act = _act(reader, item, f"clocks.acts.{i}", stages, lists)
        if act is None:
            continue
        if any(other.key == act.key for other in found):
            reader.bad(f"clocks.acts.{i}.key", _("“%(key)s” stands here twice.") % {"key": act.key})
        found.append(act)
    return tuple(found)


def _act(
    reader: Reader, item: Any, path: str, stages: set[str], lists: Mapping[str, Sequence[Reason]]
) -> Act | None:
    before = len(reader.problems)
    body = reader.mapping(item, path, _ACT_KEYS)
    key = reader.key(body.get("key"), f"{path}.key")
    if body.get("clock") not in ClockKind.values:
        reader.bad(f"{path}.clock", _("A clock is visit, stage, inactivity, total, response or track."))
    if body.get("level") not in (ClockLevel.YELLOW, ClockLevel.RED):
        reader.bad(f"{path}.level", _("A limit is yellow or red."))
    if body.get("do") not in ClockAct.values:
        reader.bad(
            f"{path}.do",
            _("What to do: task, flag, propose_hold, propose_lost, lower_forecast or move."),
        )
    if len(reader.problems) > before:
        return None
    do = ClockAct(body["do"])
    for name, acts in _SAID_BY.items():
        if name in body and do not in acts:
            reader.bad(
                f"{path}.{name}", _("“%(key)s” is of no use to “%(do)s”.") % {"key": name, "do": do.value}
            )
    missing = _("There is no stage “%(key)s”.")
    in_stages = reader.keys(body.get("stages", []), f"{path}.stages", sorted(stages), missing)
    if body.get("role") is not None and body["role"] not in ROLES:
        reader.bad(f"{path}.role", _("There is no role “%(key)s”.") % {"key": str(body["role"])[:40]})
    kind, to, reason = _movement(reader, body, path, stages, lists) if do == ClockAct.MOVE else ("", "", "")
    act = Act(
        key=key,
        clock=ClockKind(body["clock"]),
        level=ClockLevel(body["level"]),
        do=do,
        stages=in_stages,
        name=reader.name(body.get("name"), f"{path}.name", needed=do in _SAID_BY["name"]),
        role=str(body.get("role") or ""),
        days=reader.number(body.get("due", 1), f"{path}.due", 1, 60),
        kind=kind,
        to=to,
        reason=reason,
        enabled=reader.flag(body.get("enabled", do != ClockAct.MOVE), f"{path}.enabled"),
    )
    return act if len(reader.problems) == before else None


def _movement(
    reader: Reader,
    body: Mapping[str, Any],
    path: str,
    stages: set[str],
    lists: Mapping[str, Sequence[Reason]],
) -> tuple[str, str, str]:
    """Which move, where to and why, as the move itself will ask for it."""
    kind, to, reason = (body.get(name, "") for name in ("kind", "to", "reason"))
    if kind not in _MOVES:
        reader.bad(f"{path}.kind", _("A clock may advance, branch, regress or close_lost."))
        return "", "", ""
    if kind == Kind.CLOSE_LOST:
        if to:
            reader.bad(f"{path}.to", _("“%(key)s” is of no use to “%(do)s”.") % {"key": "to", "do": kind})
    elif to not in stages:
        reader.bad(f"{path}.to", _("There is no stage “%(stage)s”.") % {"stage": str(to)[:60]})
    wanted = _MOVES[kind]
    known = {one.key for one in lists.get(wanted, ())}
    if wanted and reason not in known:
        reader.bad(
            f"{path}.reason",
            _("A reason out of the list “%(list)s” is expected: %(known)s.")
            % {"list": wanted, "known": ", ".join(sorted(known)) or "—"},
        )
    return str(kind), str(to), str(reason)


def _stops(reader: Reader, value: Any) -> dict[str, Any]:
    """Both are off until the document says otherwise."""
    given = reader.mapping(value, "clocks.stops", {"waiting", "planned"})
    return {
        "waiting": reader.optional_number(given.get("waiting"), "clocks.stops.waiting", 1, MAX_WAITING),
        "planned": reader.flag(given.get("planned", False), "clocks.stops.planned"),
    }


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

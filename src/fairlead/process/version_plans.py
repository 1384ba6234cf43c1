"""Versions in flight, planned: where each stage of an earlier version lies in the next one, and what a journey that is
carried over meets there (VR-3 to VR-5). Pure: no clock, no database.

A mapping says for every stage of the earlier version a stage of the later one; several may come to one. A stage that
is split says by which conditions, the last one without, or which stages somebody chooses from by hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from fairlead.fields.catalogue import Catalogue, pick
from fairlead.fields.conditions import Compiled, ConditionError, compile_tree
from fairlead.fields.conditions import verdict as condition_verdict

from .definition import Criterion, Definition, Stage, Trouble
from .engine import decide, forward_move, judge
from .enums import CriterionType, JourneyState, Level
from .facts import Facts, JourneyFact
from .verdicts import CriterionResult

_STRENGTH = {Level.INFO: 0, Level.FLAG: 1, Level.BLOCK: 2}
MOST_WAYS = 12  # into which one stage may be split


@dataclass(frozen=True, slots=True)
class Way:
    """One way out of a stage that is split: the stage, and when it is taken."""

    to: str
    when: Compiled | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """Where a stage leads. More than one way: a split, by condition or (`by_hand`) by somebody's choice."""

    ways: tuple[Way, ...]
    by_hand: bool = False

    @property
    def stages(self) -> tuple[str, ...]:
        return tuple(way.to for way in self.ways)


@dataclass(frozen=True, slots=True)
class StageMap:
    """A mapping as it was read. `troubles` name every hole and every stage that there is not."""

    old: Definition
    new: Definition
    to: Mapping[str, Target]
    troubles: tuple[Trouble, ...] = ()

    def place(self, stage_key: str, facts: Facts | None, picked: str = "") -> str | None:
        """The stage of the later version; None where somebody has to choose."""
        target = self.to.get(stage_key)
        if target is None:
            return None
        if target.by_hand:
            return picked if picked in target.stages else None
        for way in target.ways:
            if way.when is None or (
                facts is not None and condition_verdict(way.when, facts.fields, now=facts.at) is True
            ):
                return way.to
        return None

    def whole(self, facts: Facts | None, picked: str = "") -> dict[str, str]:
        """Every stage of the earlier version as this journey sees it; what it was never asked falls to the first."""
        return {key: self.place(key, facts, picked) or target.stages[0] for key, target in self.to.items()}

    @property
    def breaks(self) -> tuple[tuple[str, str], ...]:
        """Places of the axis that lead to another place: figures before and after cannot be compared there (VR-7)."""
        found = []
        for key, target in self.to.items():
            old = self.old.stage(key)
            found += [
                (old.axis_key, axis)
                for axis in dict.fromkeys(self.new.stage(to).axis_key for to in target.stages)
                if axis != old.axis_key and old.show_in_funnel
            ]
        return tuple(found)


def suggested(old: Definition, new: Definition) -> dict[str, str]:
    """Stages found again by their key, else by their place on the axis; what is left out is a hole."""
    found = {}
    for stage in old.stages:
        same = [s.key for s in new.stages if s.axis_key == stage.axis_key]
        if stage.key in new.by_key:
            found[stage.key] = stage.key
        elif len(same) == 1:
            found[stage.key] = same[0]
    return found


def read_map(old: Definition, new: Definition, raw: Mapping[str, Any], fields: Catalogue) -> StageMap:
    """The mapping typed. It never raises: its troubles name what is missing or wrong, with the place."""
    to: dict[str, Target] = {}
    troubles: list[Trouble] = []
    for stage in old.stages:
        path = f"{old.version}.{stage.key}"
        given = raw.get(stage.key)
        if given in (None, "", {}):
            troubles.append(
                Trouble(
                    path,
                    _("“%(stage)s” has no place in the new version. Say to which stage its records go.")
                    % {"stage": pick(stage.name)},
                )
            )
            continue
        target = _target(given, new, fields, path, stage, troubles)
        if target is not None:
            to[stage.key] = target
    for key in raw.keys() - old.by_key.keys():
        troubles.append(
            Trouble(
                f"{old.version}.{str(key)[:60]}",
                _("The earlier version has no stage “%(stage)s”.") % {"stage": str(key)[:60]},
            )
        )
    return StageMap(old, new, to, tuple(troubles))


def _target(
    given: Any, new: Definition, fields: Catalogue, path: str, stage: Stage, troubles: list[Trouble]
) -> Target | None:
    if isinstance(given, str):
        given = {"split": [{"to": given}]}
    by_hand = isinstance(given, Mapping) and set(given) == {"pick"}
    listed = given.get("pick" if by_hand else "split") if isinstance(given, Mapping) else None
    if not isinstance(listed, list) or not 1 <= len(listed) <= MOST_WAYS:
        troubles.append(Trouble(path, _("A stage is expected, or the stages it is split into.")))
        return None
    ways: list[Way] = []
    for number, one in enumerate(listed):
        to = one if isinstance(one, str) else one.get("to") if isinstance(one, Mapping) else None
        if not isinstance(to, str) or to not in new.by_key:
            troubles.append(
                Trouble(
                    path,
                    _("“%(stage)s” leads to “%(to)s”, which the new version does not have.")
                    % {"stage": pick(stage.name), "to": str(to)[:60]},
                )
            )
            return None
        when = None
        if isinstance(one, Mapping) and one.get("when"):
            try:
                when = compile_tree(one["when"], fields)
            except ConditionError as error:
                troubles += [Trouble(f"{path}.{number}.{p.path}", str(p.message)) for p in error.problems]
                return None
        ways.append(Way(to, when))
    if not by_hand:
        if any(way.when is None for way in ways[:-1]) or ways[-1].when is not None:
            troubles.append(
                Trouble(
                    path,
                    _(
                        "“%(stage)s” is split: each way but the last needs a condition, and the last takes what is left."
                    )
                    % {"stage": pick(stage.name)},
                )
            )
            return None
    elif len({w.to for w in ways}) < 2:
        by_hand = False
    return Target(tuple(ways), by_hand)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What becomes of one journey (VR-4). Without `to_stage` somebody has to choose it by hand.

    `unmet`: required criteria that would newly stop its next move; `due_later`: those that would once their grace is
    over; `exempt`: criterion → stage, of stages already passed; `lost`: words and waivers whose criterion is no more;
    `limits`: yellow and red of the stay, before and after.
    """

    from_stage: str
    to_stage: str | None
    stages: Mapping[str, str] = field(default_factory=dict)
    unmet: tuple[str, ...] = ()
    due_later: tuple[str, ...] = ()
    exempt: Mapping[str, str] = field(default_factory=dict)
    grace: tuple[str, ...] = ()
    approvals: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    limits: tuple[tuple[int | None, int | None], tuple[int | None, int | None]] = ((None, None), (None, None))
    category: tuple[str, str] = ("", "")
    probability: tuple[int, int] = (0, 0)
    choices: tuple[str, ...] = ()

    @property
    def moves_limits(self) -> bool:
        return self.limits[0] != self.limits[1]


def outlook(
    stage_map: StageMap,
    facts: Facts,
    *,
    category: str,
    probability: int,
    pinned: bool,
    grace_until: datetime | None,
    picked: str = "",
) -> Outlook:
    """`facts`: in the words of the earlier version. `grace_until` None: the stage is only just being entered."""
    here = facts.journey.stage_key
    to = stage_map.place(here, facts, picked)
    if to is None:
        target = stage_map.to.get(here)
        return Outlook(from_stage=here, to_stage=None, choices=target.stages if target else ())
    old, new = stage_map.old, stage_map.new
    stages = stage_map.whole(facts, picked)
    stages[here] = to
    then = carried_facts(new, facts, stages, to)
    exempt, fresh = added(old, new, facts.journey, then.journey)
    grace = fresh if grace_until is not None else ()
    until = {key: grace_until for key in grace if grace_until is not None}
    then = replace(then, journey=replace(then.journey, exempt=frozenset(exempt), grace=until))
    before, after = _gaps(old, facts), _gaps(new, then)
    stage = new.stage(to)
    return Outlook(
        from_stage=here,
        to_stage=to,
        stages=stages,
        unmet=tuple(key for key in after if key not in before),
        due_later=tuple(_open_ones(new, then, stage, grace)),
        exempt=exempt,
        grace=grace,
        approvals=tuple(_approvals(new, then, old)),
        lost=tuple(
            sorted(
                ({a.criterion_key for a in facts.attestations} | {w.criterion_key for w in facts.waivers})
                - _all_keys(new)
            )
        ),
        limits=(_limits(old.stage(here)), _limits(stage)),
        category=(category, category if pinned else str(stage.forecast)),
        probability=(probability, stage.probability[1]),
    )


def carried_facts(new: Definition, facts: Facts, stages: Mapping[str, str], to: str) -> Facts:
    """The facts in the words of the later version."""
    journey = facts.journey
    return replace(
        facts,
        journey=replace(
            journey,
            stage_key=to,
            passed=frozenset(stages.get(key, key) for key in journey.passed),
            imported=frozenset(stages.get(key, key) for key in journey.imported),
        ),
    )


def added(
    old: Definition, new: Definition, was: JourneyFact, now: JourneyFact
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Criteria that the later version asks of stages where this journey was never asked them: of those already passed
    (criterion → stage), and of the exit of the one where it stands (VR-5). What was asked more mildly counts as new, and
    so does what other evidence answers now: an approval where a person's word was enough."""
    asked: dict[str, tuple[int, CriterionType]] = {}
    for stage in old.stages:
        if stage.key not in was.passed and stage.key != was.stage_key:
            continue
        for criterion in (*stage.entry, *stage.exit):
            for one in (criterion, *criterion.children):
                if one.key not in was.exempt:
                    asked[one.key] = max(
                        asked.get(one.key, (-1, one.type)), (_STRENGTH[criterion.level], one.type)
                    )
    exempt: dict[str, str] = {}
    here = new.stage(now.stage_key)
    for stage in new.before(now.stage_key):
        if stage.key in now.passed:
            exempt.update((c.key, stage.key) for c in (*stage.entry, *stage.exit) if _is_new(c, asked))
    # It came in already: what entering asks of others is behind it.
    exempt.update((c.key, here.key) for c in here.entry if _is_new(c, asked))
    for key in was.exempt:  # of an earlier migration
        found = new.criterion(key)
        if found is not None and found[0].key in now.passed:
            exempt[key] = found[0].key
    return exempt, tuple(c.key for c in here.exit if _is_new(c, asked))


def _is_new(criterion: Criterion, asked: Mapping[str, tuple[int, CriterionType]]) -> bool:
    strength, type_ = asked.get(criterion.key, (-1, criterion.type))
    return type_ != criterion.type or strength < _STRENGTH[criterion.level]


def _gaps(definition: Definition, facts: Facts) -> tuple[str, ...]:
    wish = forward_move(definition, facts)
    return tuple(r.key for r in decide(definition, facts, wish).gaps) if wish is not None else ()


def _open_ones(definition: Definition, facts: Facts, stage: Stage, keys: Iterable[str]) -> Iterable[str]:
    bare = replace(facts, journey=replace(facts.journey, grace={}))
    wanted = set(keys)
    for criterion in stage.exit:
        if criterion.key in wanted and criterion.level == Level.BLOCK:
            result: CriterionResult = judge(definition, bare, stage, "exit", criterion)
            if not result.settled:
                yield criterion.key


def _approvals(new: Definition, facts: Facts, old: Definition) -> Iterable[str]:
    """Approvals that the gate ahead asks for and the earlier version did not, or the other way round."""
    stage = new.stage(facts.journey.stage_key)
    for criterion in stage.exit:
        if criterion.type == CriterionType.APPROVAL and old.criterion(criterion.key) is None:
            yield criterion.key


def _all_keys(definition: Definition) -> frozenset[str]:
    return frozenset(one.key for _stage, _side, c in definition.criteria() for one in (c, *c.children))


def _limits(stage: Stage) -> tuple[int | None, int | None]:
    return stage.limit_yellow, stage.limit_red


@dataclass(slots=True)
class Totals:
    """Sums over a plan. Weighted amounts are of open journeys alone."""

    journeys: int = 0
    movable: int = 0
    manual: int = 0
    kept: int = 0
    leaving: int = 0
    with_new_gaps: int = 0
    with_grace: int = 0
    with_exempt: int = 0
    limits_moved: int = 0
    forecasts_moved: int = 0
    weighted_before: Decimal = Decimal(0)
    weighted_after: Decimal = Decimal(0)

    def add(
        self,
        one: Outlook | None,
        amount: Decimal | None,
        probability: int,
        state: str,
        *,
        leaves: bool = False,
    ) -> None:
        """`one` None: it keeps its version, or leaves the process and is weighted no more."""
        self.journeys += 1
        share = amount or Decimal(0) if state == JourneyState.OPEN else Decimal(0)
        before = share * probability / 100
        self.weighted_before += before
        if leaves:
            self.leaving += 1
            return
        if one is None or one.to_stage is None:
            self.weighted_after += before
            self.kept += one is None
            self.manual += one is not None
            return
        self.weighted_after += share * one.probability[1] / 100
        self.movable += 1
        self.with_new_gaps += bool(one.unmet)
        self.with_grace += bool(one.due_later)
        self.with_exempt += bool(one.exempt)
        self.limits_moved += one.moves_limits
        self.forecasts_moved += one.category[0] != one.category[1]

    @property
    def weighted_change(self) -> Decimal | None:
        """In per cent, with one decimal; None where nothing was weighted before."""
        if not self.weighted_before:
            return None
        return ((self.weighted_after - self.weighted_before) * 100 / self.weighted_before).quantize(
            Decimal("0.1")
        )

    def as_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            name: getattr(self, name) for name in self.__dataclass_fields__ if not name.startswith("weighted")
        }
        found["weighted_before"] = str(self.weighted_before.quantize(Decimal("0.01")))
        found["weighted_after"] = str(self.weighted_after.quantize(Decimal("0.01")))
        change = self.weighted_change
        found["weighted_change"] = None if change is None else str(change)
        return found


def keep_after(definitions: Sequence[Definition]) -> str:
    """The place on the axis beyond which running journeys keep their version unless somebody says otherwise: where
    prices are quoted (VR-2); blank where no stage is called so."""
    for definition in definitions:
        for stage in definition.stages:
            if "quot" in stage.key or "报价" in str(stage.name.get("zh", "")):
                return stage.axis_key
    return ""


def default_choice(definition: Definition, stage_key: str, after: str) -> str:
    """`keep` for a journey past that place, else `now`."""
    last = next((definition.position(s.key) for s in definition.stages if s.axis_key == after), None)
    return "keep" if last is not None and definition.position(stage_key) > last else "now"

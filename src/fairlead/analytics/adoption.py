"""How far a new way of working is taken up, by what people do and not by how often they sign in (metrics 3.22)."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

ACTIVE, TIMELY, PLANNED = "active", "timely", "planned"
ELEMENTS: Final = (ACTIVE, TIMELY, PLANNED)
EQUAL: Final[Mapping[str, float]] = dict.fromkeys(ELEMENTS, 1.0)

ACTIVE_WITHIN: Final = timedelta(days=7)
TIMELY_WITHIN: Final = timedelta(hours=48)
UPDATES_OF: Final = timedelta(days=28)

FEWEST_PEOPLE: Final = 5
"""Below so many people a distribution would show single persons."""

ADKAR: Final = ("awareness", "desire", "knowledge", "ability", "reinforcement")
BARRIER: Final = 3.0


@dataclass(frozen=True, slots=True)
class Deal:
    """`held_since`: on hold from then on; such a deal asks for nothing and is not counted."""

    id: int
    owner: int | None
    opened_at: datetime
    closed_at: datetime | None = None
    held_since: datetime | None = None

    def stands_at(self, at: datetime) -> bool:
        is_open = self.opened_at <= at and (self.closed_at is None or at < self.closed_at)
        return is_open and (self.held_since is None or at < self.held_since)


@dataclass(frozen=True, slots=True)
class Step:
    """A planned next step: written down, due, and when done or dropped (as written down)."""

    recorded_at: datetime
    due_at: datetime
    ended_at: datetime | None = None

    def is_ahead_at(self, at: datetime) -> bool:
        is_known = self.recorded_at <= at and (self.ended_at is None or at < self.ended_at)
        return is_known and at < self.due_at


@dataclass(frozen=True, slots=True)
class Update:
    """A move of a deal: when it happened in the world, and when it was written down."""

    id: int
    deal: int
    effective_at: datetime
    recorded_at: datetime

    @property
    def is_timely(self) -> bool:
        return self.recorded_at - self.effective_at <= TIMELY_WITHIN


@dataclass(frozen=True, slots=True)
class Share:
    """`hits` of `all`, by id; both open their rows."""

    hits: frozenset[int]
    all: frozenset[int]

    @property
    def value(self) -> float | None:
        return len(self.hits) / len(self.all) if self.all else None

    @property
    def missed(self) -> frozenset[int]:
        return self.all - self.hits


@dataclass(slots=True)
class Behaviour:
    """What a group of people did: their deals, the meaningful events on each (instants, rising), next steps, moves."""

    deals: Sequence[Deal]
    touched: Mapping[int, Sequence[datetime]] = field(default_factory=dict)
    steps: Mapping[int, Sequence[Step]] = field(default_factory=dict)
    updates: Sequence[Update] = ()
    _parts: dict[int | None, Behaviour] | None = field(default=None, init=False, repr=False, compare=False)

    def of(self, owner: int) -> Behaviour:
        """The part of one person: their deals, and what was done on those."""
        if self._parts is None:
            self._parts = self._by_owner()
        return self._parts.get(owner) or Behaviour(())

    def _by_owner(self) -> dict[int | None, Behaviour]:
        """All parts in one walk: a page asks for every person of a branch."""
        deals: dict[int | None, list[Deal]] = defaultdict(list)
        updates: dict[int | None, list[Update]] = defaultdict(list)
        owner_of = {deal.id: deal.owner for deal in self.deals}
        for deal in self.deals:
            deals[deal.owner].append(deal)
        for update in self.updates:
            if update.deal in owner_of:
                updates[owner_of[update.deal]].append(update)
        return {pk: Behaviour(own, self.touched, self.steps, updates[pk]) for pk, own in deals.items()}


@dataclass(frozen=True, slots=True)
class Adoption:
    """`index` is 0–100, None where nothing could be measured; `left_out` names elements without a single case."""

    shares: Mapping[str, Share]
    index: float | None
    left_out: tuple[str, ...]


def adoption(behaviour: Behaviour, *, at: datetime, weights: Mapping[str, float] = EQUAL) -> Adoption:
    """Adoption = 100·Π xⱼ^{wⱼ} over behaviours at `at`, a geometric mean so that one zero is visible.

    Population: deals open at `at`, on hold left out. xⱼ: *active*, those with a meaningful event within 7 days
    (3.22; the events that set the clock of inactivity back); *planned*, those with a next step that was known at
    `at` and lies after it; *timely*, of the moves written down within 28 days before `at` the share written down
    within 48 h of the event. Weights are scaled to the sum 1 over the elements that have a case, so that a team
    without a move in four weeks is not scored on moves; with weight 0 an element is shown and not counted.
    Not in here, for the product does not hold them yet: reviews run in the system, forecasts handed in on time.
    Vector: shares 0.64, 0.81, 1 with equal weights give 100·(0.64·0.81)^(1/3) = 80.33. Spec: docs/metrics.md 3.22.
    """
    every = frozenset(deal.id for deal in behaviour.deals if deal.stands_at(at))
    lately, since = at - ACTIVE_WITHIN, at - UPDATES_OF
    recent = [u for u in behaviour.updates if since < u.recorded_at <= at]
    touched, steps = behaviour.touched, behaviour.steps
    shares = {
        ACTIVE: Share(
            frozenset(i for i in every if i in touched and _is_touched(touched[i], lately, at)), every
        ),
        TIMELY: Share(frozenset(u.id for u in recent if u.is_timely), frozenset(u.id for u in recent)),
        PLANNED: Share(
            frozenset(i for i in every if i in steps and any(s.is_ahead_at(at) for s in steps[i])), every
        ),
    }
    measured = {name: share.value for name, share in shares.items() if share.value is not None}
    left_out = tuple(name for name in ELEMENTS if name not in measured)
    return Adoption(shares, geometric(measured, weights), left_out)


def _is_touched(instants: Sequence[datetime], since: datetime, at: datetime) -> bool:
    """Whether one of the rising instants lies in (since, at]."""
    place = bisect_right(instants, at)
    return place > 0 and instants[place - 1] > since


def geometric(shares: Mapping[str, float], weights: Mapping[str, float]) -> float | None:
    """100·Π xⱼ^{wⱼ} with the weights scaled to the sum 1; None where no weight is left (3.22).

    Vector: (0.25, 1) with weights (1, 1) give 50; any share of 0 with a weight gives 0.
    """
    weighed = [(share, weights.get(name, 0.0)) for name, share in shares.items()]
    total = sum(weight for _share, weight in weighed if weight > 0)
    if total <= 0:
        return None
    if any(share <= 0 and weight > 0 for share, weight in weighed):
        return 0.0
    return 100 * math.exp(sum(w / total * math.log(share) for share, w in weighed if w > 0))


BANDS: Final = (0, 20, 40, 60, 80)


def bands(values: Iterable[float]) -> tuple[int, ...]:
    """How many of `values` (0–100) lie in [0, 20), [20, 40), … [80, 100]: the spread, and no ranking."""
    counts = [0] * len(BANDS)
    for value in values:
        counts[min(bisect_right(BANDS, value) - 1, len(BANDS) - 1)] += 1
    return tuple(counts)


def quartiles(values: Sequence[float]) -> tuple[float, float, float] | None:
    """Lower quartile, median, upper quartile by linear interpolation; None without a value.

    Vector: 10, 20, 30, 40, 50 give 20, 30, 40; 0, 100 give 25, 50, 75.
    """
    if not values:
        return None
    ordered = sorted(values)

    def at(share: float) -> float:
        place = share * (len(ordered) - 1)
        low = math.floor(place)
        high = min(low + 1, len(ordered) - 1)
        return ordered[low] + (ordered[high] - ordered[low]) * (place - low)

    return at(0.25), at(0.5), at(0.75)


def barrier_point(means: Mapping[str, float]) -> str | None:
    """The first element of Awareness, Desire, Knowledge, Ability, Reinforcement scored 3 or less (3.22, ADKAR).

    That one is acted on first, for the later ones rest on it: 4, 2.8, 1.5, 4, 4 give desire. None where all pass.
    """
    return next((name for name in ADKAR if name in means and means[name] <= BARRIER), None)

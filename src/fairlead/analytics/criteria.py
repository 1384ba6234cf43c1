"""Whether the items of a gate are worth asking for (OV-4, metrics 3.26): passed at once, let pass, and won with or without.

Population: records with an attempt to move ahead that asked the item. A record counts once for each item, whatever the
number of its attempts: as it stood at the *first* attempt, at the *last*, and at the last that went *through*.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fairlead.analytics.intervals import FLOOR, Difference, Rate, newcombe, stratified

MISSED = frozenset({"unmet", "expired", "waived"})
BASIS = frozenset({"won", "lost", "no_decision", "walked_away"})
"""Ends that a win rate on the full basis counts; what was cancelled counts neither way."""
HIDDEN_BELOW = 5
"""Cells about people with fewer cases than this are not shown (default): they would tell of one person, not of a way."""


@dataclass(frozen=True, slots=True)
class Cell:
    """`records` that are alike: how the item stood at the first and the last attempt and when it went through (blank:
    it never did), how they ended (blank: not yet), their band of amount (0: no amount)."""

    first: str
    last: str
    passed: str
    outcome: str
    band: int
    records: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Quality:
    """One item. `lift`: P(won | met when last asked) less P(won | not met, expired or waived), within bands of amount.
    `overridden`: P(won | went through by waiver) less P(won | went through with the item met)."""

    attempts: int
    records: int
    first_pass: Rate
    override: Rate
    lift: Difference
    overridden: Difference

    def is_for_review(self, share: float) -> bool:
        """Overridden more often than `share`, with cases enough to say so (OV-4)."""
        value = self.override.value
        return self.override.enough and value is not None and value > share


def quality(cells: Iterable[Cell], *, floor: int = FLOOR) -> Quality:
    """Vector: of 40 records 12 met it at once; of 30 that went through 12 by a waiver: 0.3 and 0.4."""
    rows = list(cells)
    through = [c for c in rows if c.passed]
    return Quality(
        attempts=sum(c.attempts for c in rows),
        records=_sum(rows),
        first_pass=Rate.of(_sum(c for c in rows if c.first == "met"), _sum(rows), floor=floor),
        override=Rate.of(_sum(c for c in through if c.passed == "waived"), _sum(through), floor=floor),
        lift=_lift(rows, floor),
        overridden=newcombe(
            _won([c for c in through if c.passed == "waived"], floor),
            _won([c for c in through if c.passed == "met"], floor),
        ),
    )


def _sum(cells: Iterable[Cell]) -> int:
    return sum(c.records for c in cells)


def _won(cells: Iterable[Cell], floor: int) -> Rate:
    ended = [c for c in cells if c.outcome in BASIS]
    return Rate.of(_sum(c for c in ended if c.outcome == "won"), _sum(ended), floor=floor)


def _lift(rows: Sequence[Cell], floor: int) -> Difference:
    met, missed = [c for c in rows if c.last == "met"], [c for c in rows if c.last in MISSED]
    bands = sorted({c.band for c in rows})
    pairs = [
        (_won([c for c in met if c.band == band], floor), _won([c for c in missed if c.band == band], floor))
        for band in bands
    ]
    return stratified(pairs, _won(met, floor), _won(missed, floor))


@dataclass(frozen=True, slots=True)
class Passing:
    """A record that went through the gate of a stage, and whether an item was let pass there by a waiver."""

    record: int
    stage: str
    team: int | None
    outcome: str
    waived: bool


def override_rates(
    passings: Sequence[Passing], by: str, *, floor: int = FLOOR
) -> dict[str | int | None, Rate]:
    """The share of passings with a waiver, by `stage` or by `team`."""
    counts: dict[str | int | None, list[int]] = defaultdict(lambda: [0, 0])
    for one in passings:
        count = counts[getattr(one, by)]
        count[0] += one.waived
        count[1] += 1
    return {key: Rate.of(*count, floor=floor) for key, count in counts.items()}


def overridden_against_clean(passings: Sequence[Passing], *, floor: int = FLOOR) -> Difference:
    """P(won | an item was let pass at some gate) less P(won | none was), of records that went through one (OV-4).

    Within strata of as many gates: who came further had more gates to be let pass at, and wins more often anyway.
    """
    waived: dict[int, bool] = {}
    outcomes: dict[int, str] = {}
    gates: Counter[int] = Counter()
    for one in passings:
        waived[one.record] = waived.get(one.record, False) or one.waived
        outcomes[one.record] = one.outcome
        gates[one.record] += 1
    ended = [record for record, outcome in outcomes.items() if outcome in BASIS]

    def side(with_waiver: bool, far: int | None = None) -> Rate:
        mine = [r for r in ended if waived[r] == with_waiver and far in (None, gates[r])]
        return Rate.of(sum(1 for r in mine if outcomes[r] == "won"), len(mine), floor=floor)

    pairs = [(side(True, far), side(False, far)) for far in sorted(set(gates.values()))]
    return stratified(pairs, side(True), side(False))

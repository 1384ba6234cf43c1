"""The customer's own steps bear out the close date, or do not (PB-3)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.crm.credibility import Step, credibility

TODAY = date(2026, 11, 24)
CLOSE = date(2026, 12, 31)


def day(n: int) -> date:
    return TODAY + timedelta(days=n)


def step(due: int, *, first: int | None = None, done: int | None = None, ours: bool = False) -> Step:
    first_due = day(due if first is None else first)
    return Step(not ours, day(due), first_due, None if done is None else day(done))


KEPT = [step(-20, done=-20), step(-10, done=-12), step(-5, done=-5), step(10)]

CASES = [
    ("kept", KEPT, CLOSE, "high", None),
    ("one of four slipped", [*KEPT, step(-3, first=-9, done=-3)], CLOSE, "medium", None),
    (
        "most slipped",
        [step(-3, first=-9, done=-3), step(-1, first=-20, done=-1), step(5)],
        CLOSE,
        "low",
        day(37 + 12),
    ),
    ("two late now", [step(-3), step(-2), step(9)], CLOSE, "low", day(37 + 2)),
    ("a step behind the date", [*KEPT, step(60, ours=True)], CLOSE, "low", None),
    ("nothing of the customer's", [step(3, ours=True)], CLOSE, "unknown", None),
    ("too early to say", [step(-5, done=-5), step(9)], CLOSE, "unknown", None),
    ("no date", KEPT, None, "unknown", None),
    ("a date that has passed", KEPT, day(-1), "low", None),
    ("no plan", [], CLOSE, "unknown", None),
]


@pytest.mark.rule("PB-3")
@pytest.mark.parametrize(("name", "steps", "close", "level", "likely"), CASES, ids=[c[0] for c in CASES])
def test_the_date_is_as_good_as_the_record(
    name: str, steps: list[Step], close: date | None, level: str, likely: date | None
) -> None:
    said = credibility(steps, close, today=TODAY)

    assert (said.level, said.likely) == (level, likely)
    assert said.reasons or not steps


@pytest.mark.rule("PB-3")
def test_reasons_name_what_weighs_most_first() -> None:
    steps = [step(-3), step(-1, first=-20, done=-1), step(60)]
    said = credibility(steps, CLOSE, today=TODAY)

    assert [code for code, _params in said.reasons] == [
        "steps_after_date",
        "late_now",
        "record",
        "usual_slip",
    ]
    assert dict(said.reasons)["record"] == {"kept": 0, "count": 2}
    assert dict(said.reasons)["steps_after_date"] == {"count": 1, "day": day(60)}


days = st.integers(-60, 60)


@pytest.mark.rule("PB-3")
@given(st.lists(st.tuples(days, st.integers(0, 40), st.booleans(), st.booleans()), max_size=8))
def test_our_own_steps_never_speak_for_the_customer(rows: list[tuple[int, int, bool, bool]]) -> None:
    steps = [
        step(first + slip, first=first, done=min(first + slip, 0) if done else None, ours=ours)
        for first, slip, done, ours in rows
    ]
    said = credibility(steps, CLOSE, today=TODAY)
    theirs = credibility([s for s in steps if s.of_customer], CLOSE, today=TODAY)

    assert (said.kept, said.counted, said.usual_slip) == (theirs.kept, theirs.counted, theirs.usual_slip)
    assert 0 <= said.kept <= said.counted <= len(rows)

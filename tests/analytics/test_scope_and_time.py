"""What holds for every metric: the scope is obeyed, and what came after `as_of` does not matter."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.analytics.builders import Case, history, on

from fairlead.analytics import duration, funnel, outcomes
from fairlead.analytics.days import ALWAYS
from fairlead.analytics.tables import EVERYTHING, EXIT, OUTCOME, STATE, History

METRICS = {
    "stock": lambda h, **given: funnel.stock(h, **given),
    "period_exit_yield": lambda h, **given: funnel.period_exit_yield(h, **given),
    "reach": lambda h, **given: funnel.cohort_conversion(h, horizon_days=20, mode="reach", **given),
    "touch": lambda h, **given: funnel.cohort_conversion(h, horizon_days=20, mode="touch", **given),
    "path": lambda h, **given: funnel.cohort_path(h, horizon_days=40, mode="reach", start="a", **given),
    "recent": lambda h, **given: funnel.recent_conversion(h, horizon_days=20, **given),
    "time_in_stage": lambda h, **given: funnel.time_in_stage(h, **given),
    "time_in_stage per case": lambda h, **given: funnel.time_in_stage(h, per="case", **given),
    "win_rate": lambda h, **given: outcomes.win_rate(h, basis="full", **given),
    "win_curve": lambda h, **given: outcomes.win_curve(h, **given),
    "criterion_lift": lambda h, **given: outcomes.criterion_lift(
        h, criterion=(h.journeys.journey % 3).astype(np.int8), strata=h.journeys.owner, **given
    ),
    "loss_reason_chart": lambda h, **given: outcomes.loss_reason_chart(
        h, reason=h.journeys.journey % 2, code=1, periods=[ALWAYS], **given
    ),
    "cycle_length": lambda h, **given: duration.cycle_length(h, **given),
    "stage_by_period": lambda h, **given: duration.stage_by_period(h, "b", periods=[ALWAYS], **given),
    "stage_by_group": lambda h, **given: duration.stage_by_group(h, "a", group=h.journeys.owner, **given),
}

cases = st.builds(
    Case,
    path=st.sampled_from(
        [
            "a0", "a0 b5", "a3 b9 a12 b20 c44 won60", "a0 b4* c4 lost30", "a? b8 won25", "a2 won9",
            "b1 c7 nodecision8",
            "a0 merged6", "a5 invalid9", "a0 b? c30 won35", "a9 c10", "a0 b5 migrated9", "a0 b60 lost61",
        ]
    ),
    amount=st.sampled_from([0.0, 10.0, 250.0, float("nan")]),
    fidelity=st.sampled_from(["native", "native", "final_only"]),
    owner=st.integers(0, 2),
)  # fmt: skip


def words(result):
    """Every number of a result, arrays in full."""
    with np.printoptions(threshold=100_000):
        return repr(result)


@pytest.mark.parametrize("name", METRICS)
@settings(max_examples=25)
@given(given_cases=st.lists(cases, max_size=12), flags=st.lists(st.booleans(), min_size=12, max_size=12))
def test_a_scope_gives_what_those_rows_alone_would_give(name, given_cases, flags):
    whole, mask = history(*given_cases), np.array(flags[: len(given_cases)], bool)

    scoped = METRICS[name](whole, scope=mask, as_of=on(50))

    assert words(scoped) == words(METRICS[name](whole.scoped(mask), scope=EVERYTHING, as_of=on(50)))


@pytest.mark.parametrize("name", METRICS)
@settings(max_examples=25)
@given(given_cases=st.lists(cases, max_size=12), day=st.integers(0, 70))
def test_nothing_after_as_of_is_known(name, given_cases, day):
    whole = history(*given_cases)

    found = METRICS[name](whole, scope=EVERYTHING, as_of=on(day))

    assert words(found) == words(METRICS[name](_as_it_was(whole, day), scope=EVERYTHING, as_of=on(day)))


def _as_it_was(whole: History, day: int) -> History:
    """The tables as they stood on that day: later visits gone, later ends not yet there."""
    visits, journeys = whole.visits, whole.journeys
    ended, closed = whole.ended(on(day)), whole.closed(on(day))
    nat = np.datetime64("NaT", "us")
    journeys = dataclasses.replace(
        journeys,
        closed=np.where(closed, journeys.closed, nat),
        outcome=np.where(closed, journeys.outcome, OUTCOME.index("open")),
        state=np.where(closed, journeys.state, STATE.index("open")),
    )
    visits = dataclasses.replace(
        visits,
        left=np.where(ended, visits.left, nat),
        exit=np.where(ended, visits.exit, EXIT.index("open")),
    )
    return History(visits.take(whole.begun(on(day), ended)), journeys, whole.zone)

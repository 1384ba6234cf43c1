"""Scorecards: what is known, how old it is, and the cheapest acts that would be enough (PD-8, §2.13)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.process.test_content import definition

from fairlead.process.definition import Act, Score
from fairlead.process.scorecards import Known, needs_of, scorecard

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
W = {"en": "x", "zh": "甲"}
SCORE = Score(
    "s", W, ("pain", "buyer", "paper"), top=2, fresh_days=30,
    acts={
        "pain": (Act(1, W, 30), Act(2, W, 120)),
        "buyer": (Act(1, W, 60), Act(2, W, 20)),
        "paper": (Act(2, W, 40),),
    },
)  # fmt: skip


def known(value: str = "1", days: int = 3) -> Known:
    return Known(value, "说过", "李工", "周敏", NOW - timedelta(days=days))


@pytest.mark.rule("PD-8")
def test_an_element_shows_its_evidence_its_age_and_whether_it_still_speaks_of_the_value() -> None:
    card = scorecard(SCORE, {"pain": 1, "buyer": 2}, {"pain": known(), "buyer": known("1", 31)}, now=NOW)
    pain, buyer, paper = card.elements

    assert (pain.points, pain.age, pain.is_old, pain.holds) == (1, 3, False, True)
    assert (buyer.points, buyer.age, buyer.is_old, buyer.holds) == (2, 31, True, False)
    assert (paper.points, paper.known, paper.age, paper.is_old) == (0, None, None, False)
    assert card.total == 3


@pytest.mark.rule("PD-8")
def test_what_raises_it_comes_floor_first_then_by_the_time_that_a_point_takes() -> None:
    card = scorecard(SCORE, {}, {}, needed=4, floors={"buyer": 1}, now=NOW)

    steps = [(r.element, r.to, r.points, r.total, r.is_floor) for r in card.raises]
    assert steps == [
        ("buyer", 1, 1, 1, True),  # the floor, though it is dear
        ("buyer", 2, 1, 2, False),  # 20 minutes a point, and before paper in the list
        ("paper", 2, 2, 4, False),
        ("pain", 1, 1, 5, False),
        ("pain", 2, 1, 6, False),
    ]
    assert card.enough == 3 and not card.is_met


@pytest.mark.rule("PD-8", "GT-1")
def test_a_floor_alone_keeps_it_unmet() -> None:
    card = scorecard(SCORE, {"pain": 2, "paper": 2}, {}, needed=4, floors={"buyer": 1}, now=NOW)

    assert card.total == 4 and not card.is_met
    assert [e.key for e in card.below] == ["buyer"]
    assert card.enough == 1 and card.raises[0].element == "buyer"


@pytest.mark.rule("PD-8")
def test_nothing_is_asked_where_no_gate_asks() -> None:
    card = scorecard(SCORE, {}, {}, now=NOW)

    assert card.is_met and card.enough == 0 and card.raises[-1].total == 6


@pytest.mark.rule("PD-8")
@given(
    st.fixed_dictionaries(dict.fromkeys(SCORE.elements, st.one_of(st.none(), st.integers(-3, 9)))),
    st.integers(0, 6),
    st.fixed_dictionaries({}, optional=dict.fromkeys(SCORE.elements, st.integers(0, 2))),
)
def test_the_acts_lead_to_the_top_and_enough_of_them_meets_the_gate(
    values: dict[str, Any], needed: int, floors: dict[str, int]
) -> None:
    card = scorecard(SCORE, values, {}, needed=needed, floors=floors, now=NOW)
    after = {e.key: e.points for e in card.elements} | {r.element: r.to for r in card.raises[: card.enough]}

    assert card.total + sum(r.points for r in card.raises) == SCORE.most
    assert sum(after.values()) >= needed and all(after[k] >= low for k, low in floors.items())
    assert card.is_met == (card.enough == 0)


@pytest.mark.rule("PD-8")
def test_the_shipped_methods_say_what_the_next_gate_asks_and_what_raises_each_element() -> None:
    chain = definition("key_account_opportunity")

    assert needs_of(chain, "needs_analysis", "meddpicc") == (
        8,
        {"meddpicc_pain": 1, "meddpicc_decision_process": 1},
    )
    assert needs_of(chain, "signing", "meddpicc") == (None, {})
    for key in ("key_account_opportunity", "ltc_opportunity"):
        scores = definition(key).scores
        assert set(scores) == {"bant", "meddpicc"}
        assert scores["bant"].worth("claimed") == 1 and scores["bant"].worth("verified") == 2
        for score in scores.values():
            assert [sorted({a.to for a in score.acts[e]}) for e in score.elements] == [[1, 2]] * len(
                score.elements
            )
            assert len(score.words) == 3

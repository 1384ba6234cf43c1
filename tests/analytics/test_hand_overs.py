"""Figures of hand-overs, by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from fairlead.analytics.hand_overs import Attempt, hand_over_figures

START = datetime(2026, 3, 2, 9, tzinfo=UTC)


def attempt(offered: int, answered: int, accepted: bool, deal: int = 1, way: str = "ar_sr") -> Attempt:
    return Attempt(deal, way, START + timedelta(hours=offered), START + timedelta(hours=answered), accepted)


@pytest.mark.rule("IT-5", "AC-31")
def test_returned_twice_then_accepted_is_two_of_three() -> None:
    figures = hand_over_figures([attempt(0, 2, False), attempt(10, 12, False), attempt(20, 30, True)])
    assert (figures.rate, figures.rounds, figures.first_time, figures.hours) == (Fraction(2, 3), 1, 0, 30.0)


@pytest.mark.rule("IT-5")
def test_rounds_deals_and_ways_are_kept_apart() -> None:
    figures = hand_over_figures(
        [
            attempt(0, 4, True),
            attempt(50, 52, True),  # a second round of the same deal
            attempt(0, 1, False, deal=2),
            attempt(0, 8, True, way="sr_fr"),
        ]
    )
    assert (figures.attempts, figures.returned, figures.rounds, figures.first_time) == (4, 1, 3, 3)
    assert figures.hours == 4.0
    assert hand_over_figures([]).rate is None

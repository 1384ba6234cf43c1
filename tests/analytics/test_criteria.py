"""Criterion quality: shares of records, each counted once (OV-4, metrics 3.26)."""

import pytest

from fairlead.analytics.criteria import Cell, Passing, overridden_against_clean, override_rates, quality

pytestmark = pytest.mark.rule("OV-4")


def cell(first: str, last: str, passed: str, outcome: str, records: int, band: int = 1) -> Cell:
    return Cell(first, last, passed, outcome, band, records, attempts=2 * records)


def test_the_vector_of_the_docstring() -> None:
    found = quality(
        [
            cell("met", "met", "met", "", 12),
            cell("unmet", "met", "met", "", 6),
            cell("unmet", "waived", "waived", "", 12),
            cell("unmet", "unmet", "", "", 10),
        ]
    )
    assert (found.attempts, found.records) == (80, 40)
    assert (found.first_pass.k, found.first_pass.n, found.first_pass.value) == (12, 40, 0.3)
    assert (round(found.first_pass.low or 0, 4), round(found.first_pass.high or 0, 4)) == (0.1807, 0.4543)
    assert (found.override.k, found.override.n, found.override.value) == (12, 30, 0.4)
    assert found.is_for_review(0.3) and not found.is_for_review(0.4)


def test_what_was_cancelled_or_runs_counts_in_no_win_rate() -> None:
    found = quality(
        [
            cell("met", "met", "met", "won", 14),
            cell("met", "met", "met", "no_decision", 6),
            cell("met", "met", "met", "duplicate", 50),
            cell("met", "met", "met", "", 50),
            cell("unmet", "waived", "waived", "won", 4),
            cell("unmet", "unmet", "", "lost", 12),
            cell("unknown", "unknown", "", "lost", 9),
        ]
    )
    assert (found.lift.a.k, found.lift.a.n, found.lift.b.k, found.lift.b.n) == (14, 20, 4, 16)
    assert found.lift.enough and found.lift.value == pytest.approx(0.45) and not found.lift.holds_zero
    assert (found.overridden.a.n, found.overridden.b.n, found.overridden.enough) == (4, 20, False)


def test_large_deals_do_not_pass_for_the_item() -> None:
    """Within each band it makes no difference; large deals win and meet it less."""
    cells = []
    for band, won, lost, *other in ((1, 64, 16, 16, 4), (2, 4, 16, 16, 64)):
        cells += [
            cell("met", "met", "met", "won", won, band),
            cell("met", "met", "met", "lost", lost, band),
            cell("unmet", "unmet", "", "won", other[0], band),
            cell("unmet", "unmet", "", "lost", other[1], band),
        ]
    found = quality(cells).lift
    assert found.a.value == pytest.approx(0.68) and found.b.value == pytest.approx(0.32)
    assert found.value == pytest.approx(0.0) and found.holds_zero


def test_few_cases_are_said_to_be_few() -> None:
    found = quality([cell("unmet", "waived", "waived", "won", 9)])
    assert found.override.value == 1.0 and not found.override.enough and not found.is_for_review(0.3)
    assert quality([]).first_pass.value is None


def test_a_record_with_one_waiver_anywhere_is_overridden() -> None:
    rows = [
        Passing(1, "a", 7, "won", False),
        Passing(1, "b", 7, "won", True),
        Passing(2, "a", 7, "lost", False),
        Passing(3, "a", 8, "", True),
        Passing(4, "a", None, "invalid", True),
    ]
    found = overridden_against_clean(rows)
    assert (found.a.k, found.a.n, found.b.k, found.b.n) == (1, 1, 0, 1)
    # Record 1 went through two gates, record 2 through one: nothing to compare within strata.
    assert found.value is None
    by_stage = override_rates(rows, "stage")
    assert {key: (rate.k, rate.n) for key, rate in by_stage.items()} == {"a": (2, 4), "b": (1, 1)}
    by_team = override_rates(rows, "team")
    assert {key: (rate.k, rate.n) for key, rate in by_team.items()} == {7: (1, 3), 8: (1, 1), None: (1, 1)}


def test_who_came_further_is_not_compared_with_who_did_not() -> None:
    """Equally far, the waiver makes no difference; those with one came further, and won more often for that."""
    rows = []
    number = 0
    for gates, waived, won, lost in ((1, False, 5, 45), (1, True, 1, 9), (3, False, 6, 4), (3, True, 30, 20)):
        for outcome in ["won"] * won + ["lost"] * lost:
            number += 1
            rows += [Passing(number, stage, 1, outcome, waived and stage == "a") for stage in "abc"[:gates]]
    found = overridden_against_clean(rows)
    assert found.a.value == pytest.approx(31 / 60) and found.b.value == pytest.approx(11 / 60)
    assert found.value == pytest.approx(0.0) and found.holds_zero

"""`decide` is pure: from the same values the same verdict, without a clock, a question or a trace."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import timezone
from tests.factories.crm import STAGES, Company, company

from fairlead.process.engine import decide, legal_moves
from fairlead.process.enums import Kind
from fairlead.process.recording import results_as_json
from fairlead.process.selectors.gathering import situations
from fairlead.process.verdicts import Wish


@pytest.fixture
def where(db: None) -> Company:
    return company(language="en")


@pytest.mark.rule("GT-4", "GT-2")
def test_no_question_no_clock_and_the_same_answer_twice(
    where: Company, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    journeys = [where.journey(where.fulfil(where.deal(stage=stage))) for stage in STAGES]
    found = situations(journeys, at=timezone.now())
    monkeypatch.setattr("django.utils.timezone.now", lambda: datetime(1999, 1, 1, tzinfo=UTC))
    asked = 0
    with django_assert_num_queries(0):
        for situation in found.values():
            moves = legal_moves(situation.definition, situation.facts)
            for move in moves:
                wish = Wish(kind=move.kind, to=move.to, reason="x", form={"resume_date": "2099-01-01"})
                one, two = (decide(situation.definition, situation.facts, wish) for _ in range(2))
                assert one == two
                assert results_as_json(one.results) == results_as_json(two.results)
                asked += 1
    assert asked >= 3 * len(STAGES)


@pytest.mark.rule("GT-3")
def test_a_move_that_names_no_stage_meets_the_same_gate_as_one_that_does(where: Company) -> None:
    asked_at_entry = 0
    for stage in STAGES[:-1]:
        journey = where.journey(where.deal(stage=stage))
        (found,) = situations([journey], at=timezone.now()).values()
        to = found.definition.next_stage(stage)
        assert to is not None
        named, unnamed = (
            decide(found.definition, found.facts, Wish(kind=Kind.ADVANCE, to=key)).results
            for key in (to.key, "")
        )
        assert results_as_json(named) == results_as_json(unnamed)
        asked_at_entry += sum(1 for r in unnamed if r.side == "entry")
    assert asked_at_entry

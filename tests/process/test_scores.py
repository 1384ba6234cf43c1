"""A score counts each element from 0 to its top, whatever the field holds (PD-8)."""

from types import SimpleNamespace

import pytest

from fairlead.process.checks import _score
from fairlead.process.definition import Criterion, Score
from fairlead.process.enums import CriterionState, CriterionType, Level

BANT = Score("bant", {"en": "BANT"}, ("budget", "need"), top=2)
NEEDED = Criterion(
    key="enough", name={"en": "Enough"}, type=CriterionType.SCORE, level=Level.BLOCK, params={"score": "bant", "min": 3}
)  # fmt: skip


@pytest.mark.rule("PD-8", "GT-1")
@pytest.mark.parametrize(
    ("budget", "need", "total", "state"),
    [(2, 1, 3, "met"), (9, 0, 2, "unmet"), (9, 1, 3, "met"), (-5, 2, 2, "unmet"), (None, 2, 2, "unmet")],
)
def test_an_element_beyond_its_top_makes_up_for_no_other(budget, need, total, state):
    facts = SimpleNamespace(fields={"budget": budget, "need": need})

    judged = _score(NEEDED, facts, SimpleNamespace(scores={"bant": BANT}), False)

    assert judged[0] == CriterionState(state)
    assert judged[2]["total"] == total

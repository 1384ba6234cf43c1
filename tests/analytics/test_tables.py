import dataclasses
import subprocess
import sys

import numpy as np
import pytest
from tests.analytics.builders import Case, history, on

from fairlead.analytics.tables import EVERYTHING, History, codes


def test_the_package_brings_numpy_only_when_a_metric_is_imported():
    code = (
        "import sys, fairlead.analytics; assert 'numpy' not in sys.modules;"
        "import fairlead.analytics.funnel, fairlead.analytics.outcomes, fairlead.analytics.duration;"
        "assert 'numpy' in sys.modules and 'django' not in sys.modules"
    )

    assert (
        subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": "src"}, check=False).returncode == 0
    )


def test_unsorted_rows_are_refused():
    found = history("a0 b1", "a2")

    with pytest.raises(ValueError, match="Visits must be sorted"):
        History(found.visits.take(np.array([2, 0, 1])), found.journeys)
    with pytest.raises(ValueError, match="Journeys must be sorted"):
        History(found.visits, found.journeys.take(np.array([1, 0])))
    with pytest.raises(ValueError, match="no journey"):
        History(found.visits, found.journeys.take(np.array([0])))


def test_columns_of_different_length_are_refused():
    visits = history("a0 b1").visits

    with pytest.raises(ValueError, match="differ in length"):
        dataclasses.replace(visits, axis=visits.axis[:1])


def test_a_word_outside_the_dictionary_is_refused():
    with pytest.raises(KeyError):
        codes(["won", "gone"], ("open", "won"))


def test_scope_keeps_whole_cases_and_refuses_another_length():
    found = history("a0 b1 won2", "a3", "a4 b6")

    kept = found.scoped(np.array([True, False, True]))

    assert kept.visits.journey.tolist() == [0, 0, 2, 2]
    assert kept.journeys.journey.tolist() == [0, 2]
    assert found.scoped(EVERYTHING) is found
    with pytest.raises(ValueError, match="one boolean per journey"):
        found.scoped(np.array([True]))


def test_microseconds_pass_as_instants():
    visits = history("a0 b1").visits

    same = dataclasses.replace(visits, entered=visits.entered.astype(np.int64))

    assert (same.entered == visits.entered).all()


def test_an_undated_visit_has_begun_once_the_one_before_has_ended():
    found = history(Case("a0 b? won20"), Case("a? b10"))
    ended = found.ended(on(5))

    assert found.begun(on(5), ended).tolist() == [True, False, True, False]

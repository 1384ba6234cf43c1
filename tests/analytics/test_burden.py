"""What the method costs, on vectors made by hand (metrics 3.22)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.analytics.burden import Cost, burden, class_median, median
from fairlead.process.burden import BOUNDS, class_of, read_spent

pytestmark = pytest.mark.rule("3.22")


@pytest.mark.parametrize(
    ("counts", "found"),
    [
        ({0: 1, 1: 2, 2: 1}, 3.0),
        ({2: 4}, 6.0),  # halfway between 4 and 8
        ({0: 1, 2: 1}, 2.0),  # half of them took 2 at most
        ({0: 0}, None),
        ({}, None),
    ],
)
def test_the_median_out_of_classes(counts, found):
    assert class_median(counts, (2, 4, 8)) == found


@given(st.lists(st.integers(min_value=1, max_value=600), min_size=1, max_size=60))
def test_the_median_lies_in_the_class_of_the_true_one(seconds):
    counts = {}
    for one in seconds:
        counts[class_of(one)] = counts.get(class_of(one), 0) + 1
    place = class_of(sorted(seconds)[(len(seconds) - 1) // 2])
    low = BOUNDS[place - 1] if place else 0
    assert low <= class_median(counts, BOUNDS) <= BOUNDS[place]


def test_plain_medians():
    assert (median([3, 1, 2]), median([4, 1, 2, 3]), median([])) == (2, 2.5, None)


def test_the_burden_of_a_deal_adds_seconds_and_waiting_spread_over_all_deals():
    costs = [Cost(30, None, 0, 20), Cost(12, 8, 5, 20), Cost(None, None, 0, 0)]
    assert burden(costs) == (42, 2)


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("amount:12,name:3", {"amount": 12, "name": 3}),
        ("f.amount:12", {"amount": 12}),
        ("amount:0,name:601", {}),
        ("amount:99999,amount:-3,amount:1.5,amount", {}),
        ("password:7,__proto__:5", {}),
        ("<script>:1,amount:5", {"amount": 5}),
        (",".join(["x:1"] * 60 + ["amount:5"]), {}),
        ("", {}),
    ],
)
def test_what_a_browser_sends_is_bounded_and_only_of_known_fields(sent, read):
    assert read_spent(sent, {"amount", "name"}) == read

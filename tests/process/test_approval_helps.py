"""What helps before and while deciding, without a database: the change that needs nobody, and cases alike."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.approvals import DISCOUNT, document
from tests.process.test_approval_pure import AT, loaded, values

from fairlead.process.approval_alike import Case, alike, span
from fairlead.process.approval_easing import eases
from fairlead.process.approval_policy import asked_of


def kind(**changes: Any):
    return loaded(document(**changes)).approvals.kinds["discount"]


def easier(**changes: Any) -> dict[str, Any]:
    return {change.spec.key: change.value for change in eases(kind(), values(**changes), at=AT)}


@pytest.mark.rule("AP-1")
def test_the_nearest_value_that_needs_nobody_is_said():
    assert easier(discount=Decimal("12")) == {"discount": Decimal("5")}
    assert easier(discount=Decimal("5.01")) == {"discount": Decimal("5")}
    assert easier(discount=Decimal("5")) == {}
    assert easier(discount=Decimal("12"), payment_days=75) == {"discount": Decimal("5"), "payment_days": 30}
    assert easier(discount=Decimal("5"), clauses=["penalty"]) == {"clauses": []}


@pytest.mark.rule("AP-1")
def test_where_a_row_holds_in_any_case_no_change_is_promised():
    rows = [*DISCOUNT["rows"], {"key": "always", "lever": "price", "tier": 1, "approvers": [{"line": 1}]}]
    rows = [r for r in rows if r["key"] not in ("price_1",)]
    assert eases(kind(rows=rows), values(), at=AT) == ()


@pytest.mark.rule("AP-1")
def test_a_value_that_must_not_fall_is_raised_and_a_row_with_two_conditions_is_left_by_either():
    high, thin = {"field": "discount", "op": "gt", "value": 5}, {"field": "margin", "op": "lt", "value": 20}
    both = {
        "key": "thin",
        "lever": "price",
        "tier": 1,
        "approvers": [{"line": 1}],
        "when": {"all": [high, thin]},
    }
    rows = [both, *[r for r in DISCOUNT["rows"] if r["lever"] != "price"]]
    found = eases(kind(rows=rows), values(discount=Decimal("8"), margin=Decimal("19.5")), at=AT)
    assert [(c.spec.key, c.value) for c in found] == [("discount", Decimal("5"))]
    rows[0] = both | {"when": thin}
    found = eases(kind(rows=rows), values(discount=Decimal("8"), margin=Decimal("19.5")), at=AT)
    assert [(c.spec.key, c.value) for c in found] == [("margin", Decimal("20"))]


@pytest.mark.rule("AP-1")
def test_what_no_tier_approves_is_taken_out_too():
    assert easier(discount=Decimal("3"), clauses=["uncapped"]) == {"clauses": []}


@pytest.mark.rule("AP-1")
@given(
    st.decimals("0", "40", places=2),
    st.integers(0, 120),
    st.sets(st.sampled_from(["penalty", "retention", "uncapped"])),
)
def test_what_is_proposed_needs_nobody_and_concedes_less(discount, days, clauses):
    now = values(discount=discount, payment_days=days, clauses=sorted(clauses))
    found = eases(kind(), now, at=AT)
    after = asked_of(kind(), now | {c.spec.key: c.value for c in found}, at=AT)
    assert not after.lanes
    assert not after.prohibited
    for change in found:
        if change.spec.key != "clauses":
            assert change.value < now[change.spec.key]


DAY = datetime(2026, 1, 5, tzinfo=UTC)


def case(pk: int, discount: str, margin: str, **more: Any) -> Case:
    return Case(id=pk, values={"discount": discount, "margin": margin}, at=DAY + timedelta(days=pk), **more)


@pytest.mark.rule("AP-13")
def test_cases_alike_are_ordered_by_how_near_they_are_and_the_same_customer_comes_nearer():
    cases = [
        case(1, "3", "40"),
        case(2, "12", "25"),
        case(3, "13", "24"),
        case(4, "12", "25"),
        case(5, "20", "10"),
    ]
    now = {"discount": "12", "margin": "25"}
    assert [c.id for c in alike(now, cases)] == [4, 2, 3, 5, 1]
    assert [c.id for c in alike(now, cases, most=2)] == [4, 2]
    near = [*cases[:2], case(6, "12.5", "25", circle="a"), cases[3]]
    assert [c.id for c in alike(now, near, circle="a", most=1)] == [6]
    assert span("discount", cases[1:4]) == (Decimal("12"), Decimal("13"))
    assert span("nothing", cases) is None
    assert alike({}, [], circle="") == []
    lists = [Case(id=n, values={"clauses": v}, at=DAY) for n, v in enumerate([["a"], ["a", "b"], []], 1)]
    assert [c.id for c in alike({"clauses": ["b", "a"]}, lists)] == [2, 1, 3]

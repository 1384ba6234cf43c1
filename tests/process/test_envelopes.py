"""Inside or outside: each direction, at its border, with values that are there, gone, or of another kind (AP-3, AP-4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.factories.approvals import document
from tests.process.test_approval_pure import AT, fact, loaded, values
from tests.process.test_checks import CATALOGUE, DEFINITION, EXPIRED, MET, UNKNOWN, UNMET, criterion, facts

from fairlead.fields.conditions import compile_tree
from fairlead.process.approval_enums import Direction
from fairlead.process.approval_policy import ApprovalKind, ApprovalPolicy, MatrixRow, asked_of
from fairlead.process.checks import CHECKS
from fairlead.process.envelopes import Cover, coverage, envelope, holds, moved, of_lever
from fairlead.process.facts import ApprovalFact, Bound, Facts

AT_MOST, AT_LEAST, EQUAL, SUBSET = Direction.AT_MOST, Direction.AT_LEAST, Direction.EQUAL, Direction.SUBSET
KIND: ApprovalKind = loaded(document()).approvals.kinds["discount"]


@pytest.mark.rule("AP-3", "AP-4")
@pytest.mark.parametrize(
    ("direction", "then", "now", "inside"),
    [
        (AT_MOST, "12", Decimal("12"), True),
        (AT_MOST, "12", Decimal("12.01"), False),
        (AT_MOST, "9", Decimal("10"), False),  # as numbers, not as words
        (AT_MOST, "12", "11.99", True),
        (AT_LEAST, "12", Decimal("12"), True),
        (AT_LEAST, "12", Decimal("11.99"), False),
        (AT_LEAST, "9", 10, True),
        (AT_MOST, "2026-03-02", date(2026, 3, 2), True),
        (AT_MOST, "2026-03-02", date(2026, 3, 3), False),
        (AT_LEAST, "b", "12", False),  # a number and a word are compared as words
        (AT_MOST, "12", "b", False),
        (EQUAL, "12", Decimal("12.00"), True),
        (EQUAL, "12", 12, True),
        (EQUAL, "12", Decimal("12.01"), False),
        (EQUAL, "12.00", "12", False),  # a text is what it is to the letter
        (EQUAL, True, True, True),
        (EQUAL, True, False, False),
        (EQUAL, "1", True, False),
        (EQUAL, ["a", "b"], ["b", "a"], True),
        (EQUAL, ["a", "b"], {"a"}, False),
        (EQUAL, ["a"], frozenset({"a"}), True),
        (EQUAL, ["a"], ("a",), True),
        (SUBSET, ["a", "b"], ["b"], True),
        (SUBSET, ["a"], ["a", "b"], False),
        (SUBSET, ["a"], None, True),
        (SUBSET, None, ["a"], False),
        (SUBSET, None, [], True),
        (AT_MOST, "12", None, False),  # what has gone is outside
        (AT_MOST, "12", "", False),
        (AT_MOST, None, Decimal("1"), False),
        (AT_MOST, None, None, True),
        (AT_MOST, "", None, True),
        (AT_MOST, "", "", True),
        (AT_MOST, None, "", False),
        (EQUAL, None, "x", False),
        (AT_MOST, "1", True, False),  # yes is no number
    ],
)
def test_a_value_is_inside_or_outside(direction: Direction, then: Any, now: Any, inside: bool) -> None:
    assert holds(Bound("price", "f", direction, then), {"f": now}) is inside


@pytest.mark.rule("AP-3")
def test_a_value_that_cannot_be_read_is_neither_inside_nor_outside() -> None:
    bounds = (
        Bound("price", "f", AT_MOST, "1"),
        Bound("legal", "g", EQUAL, "x"),
        Bound("legal", "h", EQUAL, "x"),
    )
    assert holds(bounds[0], {}) is None
    assert moved(bounds, {"g": "y", "h": "x"}) == (bounds[1],)


@pytest.mark.rule("AP-3")
def test_an_amount_binds_its_currency_once_for_each_lever() -> None:
    found = [(b.lever, b.field, b.direction, b.value) for b in envelope(KIND, values())]
    assert found.count(("price", "currency", EQUAL, "CNY")) == 1
    assert ("price", "amount", AT_LEAST, "900000") in found and ("legal", "clauses", SUBSET, []) in found
    without = {key: value for key, value in values().items() if key != "currency"}
    assert "currency" not in {b.field for b in envelope(KIND, without)}
    spec = CATALOGUE.get("currency")
    amount = next(bind for bind in KIND.binds if bind.spec.key == "amount")
    assert spec is not None
    named = replace(KIND, binds=(amount, replace(amount, spec=spec, direction=EQUAL)))
    assert [b.field for b in envelope(named, values())] == ["amount", "currency"]
    twice = replace(KIND, binds=(amount, amount, replace(amount, lever="payment")))
    assert [(b.lever, b.field) for b in envelope(twice, values())] == [
        ("price", "amount"), ("price", "amount"), ("payment", "amount"), ("price", "currency"), ("payment", "currency"),
    ]  # fmt: skip


@pytest.mark.rule("AP-3")
def test_a_decision_as_a_whole_binds_what_no_other_row_decides_about() -> None:
    bounds = envelope(KIND, values())
    assert {b.lever for b in of_lever(KIND, bounds, "price")} == {"price"}
    assert of_lever(KIND, bounds, "decision") == ()
    only_price = replace(KIND, rows=KIND.rows[:3])
    assert {b.lever for b in of_lever(only_price, bounds, "decision")} == {"payment", "legal"}
    assert {b.lever for b in of_lever(only_price, bounds, "payment")} == {"payment"}
    mixed = (*bounds, Bound("decision", "f", EQUAL, "1"))
    assert {b.lever for b in of_lever(only_price, mixed, "decision")} == {"payment", "legal", "decision"}


@pytest.mark.rule("AP-3", "AP-14")
def test_of_several_approvals_the_newest_that_holds_covers() -> None:
    def cover(*given: ApprovalFact, **more: Any) -> Any:
        return coverage(KIND, values(**more), given, at=AT)

    old = fact(KIND, values(), id=1, granted_at=AT - timedelta(days=9))
    new = fact(KIND, values(discount=Decimal("11")), id=2)  # 12 % is outside of this one
    assert cover(old, new).by == (old,)
    assert (
        cover(fact(KIND, values(), id=1), fact(KIND, values(), id=3), fact(KIND, values(), id=2)).by[0].id
        == 3
    )
    assert cover(old, fact(KIND, values(), id=2)).by[0].id == 2
    assert cover(fact(KIND, values(), id=5, is_pending=True), old).by == (old,)
    assert cover(replace(old, kind="other")).cover == Cover.MISSING
    assert cover(fact(KIND, values(), lever="legal")).cover == Cover.MISSING
    assert cover(fact(KIND, values(), tier=3)).cover == Cover.COVERED
    assert (
        cover(new, fact(KIND, values(), id=3, expires_at=AT, granted_at=AT - timedelta(days=1))).cover
        == Cover.EXPIRED
    )
    assert (
        cover(fact(KIND, values(), id=3, expires_at=AT), fact(KIND, values(), id=2, tier=1)).cover
        == Cover.EXPIRED
    )
    unread = replace(old, bounds=(*old.bounds, Bound("price", "gone", EQUAL, "1")))
    assert cover(unread).cover == Cover.UNKNOWN
    assert cover(replace(unread, was_outside=True)).cover == Cover.OUTSIDE


@pytest.mark.rule("AP-14")
def test_it_is_covered_until_the_first_of_its_approvals_runs_out() -> None:
    given = values(payment_days=75)
    soon, late = AT + timedelta(days=2), AT + timedelta(days=5)
    price = fact(KIND, given, expires_at=late)
    both = coverage(KIND, given, [price, fact(KIND, given, "payment", expires_at=soon)], at=AT)
    assert (both.cover, both.ends_at, both.open_levers) == (Cover.COVERED, soon, ())
    assert coverage(KIND, given, [price, fact(KIND, given, "payment")], at=AT).ends_at == late
    assert coverage(KIND, values(), [fact(KIND, values())], at=AT).ends_at is None
    open_ = coverage(
        KIND, given, [fact(KIND, given, expires_at=AT), fact(KIND, given, "payment", tier=0)], at=AT
    )
    assert (open_.cover, open_.open_levers) == (Cover.OUTSIDE, ("price", "payment"))
    asked = coverage(KIND, given, [price, fact(KIND, given, "legal", is_pending=True)], at=AT)
    assert (asked.cover, asked.open_levers) == (Cover.PENDING, ("payment",))


# --- which rows fire ---


def matrix(*rows: MatrixRow) -> ApprovalKind:
    return ApprovalKind(key="k", name={}, rows=rows)


@pytest.mark.rule("AP-1")
def test_the_highest_tier_of_each_lever_wins_whatever_the_order() -> None:
    large = compile_tree({"field": "amount", "op": "gt", "value": 100}, CATALOGUE)
    low, high = (MatrixRow(key=k, lever="price", tier=t, approvers=()) for k, t in (("low", 1), ("high", 2)))
    same = MatrixRow(key="same", lever="price", tier=2, approvers=())
    for rows in ((low, high), (high, low)):
        assert asked_of(matrix(*rows), {}, at=AT).lanes == {"price": high}
    assert asked_of(matrix(high, same), {}, at=AT).lanes == {"price": high}  # the first of one tier
    only_large = matrix(replace(high, when=large), low)
    assert asked_of(only_large, {"amount": 101}, at=AT).lanes["price"].key == "high"
    assert asked_of(only_large, {"amount": 100}, at=AT).lanes == {"price": low}
    unknown = asked_of(only_large, {}, at=AT)
    assert unknown.is_unknown and unknown.lanes == {"price": low}
    assert not asked_of(only_large, {"amount": 1}, at=AT).is_unknown
    assert (only_large.levers, only_large.row("low"), only_large.row("moon")) == (("price",), low, None)
    assert KIND.levers == ("price", "payment", "legal") and "payer" in KIND.fields


# --- as an item of a gate ---


def approval(given: Facts, kind: str = "discount") -> tuple[Any, ...]:
    definition = replace(DEFINITION, approvals=ApprovalPolicy(kinds={"discount": KIND}))
    one = criterion("approval", params={"approval": kind})
    return CHECKS[one.type](one, replace(given, at=AT), definition, False)


def said(rows: list[str], *levers: str, **more: Any) -> dict[str, Any]:
    return {"approval": "discount", "levers": list(levers), "rows": rows, **more}


@pytest.mark.rule("AP-3", "AP-14", "GT-4")
def test_an_item_of_a_gate_says_how_far_the_approvals_cover() -> None:
    mend = {"approval": "discount"}
    given = facts(fields=values())
    ends = AT + timedelta(days=3)
    old = fact(KIND, values(), id=4, granted_at=AT - timedelta(days=1), expires_at=ends)
    newest = fact(KIND, values(payment_days=75), "payment", id=3)

    assert approval(replace(given, approvals=(old,))) == (
        MET, "approval_met", said(["price_2"], at=old.granted_at.isoformat()), "approval", mend, "approval:4", ends,
    )  # fmt: skip
    two = approval(facts(fields=values(payment_days=75), approvals=(old, newest)))
    assert two[5] == "approval:3" and two[2]["at"] == AT.isoformat()
    assert approval(given) == (
        UNMET,
        "approval_missing",
        said(["price_2"], "price"),
        "approval",
        mend,
        "",
        None,
    )
    assert approval(replace(given, approvals=(replace(old, about="skip:three"),)))[1] == "approval_missing"
    assert approval(replace(given, approvals=(replace(old, expires_at=AT),))) == (
        EXPIRED, "approval_expired", said(["price_2"], "price"), "approval", mend, "", None,
    )  # fmt: skip
    assert approval(facts(fields=values(discount=Decimal("5")))) == (
        MET, "approval_not_needed", said([]), "approval", mend, "", None,
    )  # fmt: skip
    assert approval(facts(fields=values(clauses=["uncapped"]))) == (
        UNMET, "approval_prohibited", said(["price_2", "clauses"], prohibited=["uncapped"]), "approval", mend, "", None,
    )  # fmt: skip


@pytest.mark.rule("GT-4")
def test_approvals_that_cannot_be_read_are_unknown() -> None:
    unknown = (UNKNOWN, "evidence_unknown", {}, "approval", {"approval": "discount"}, "", None)
    assert approval(facts()) == unknown
    for gone in ("approvals", "approval:discount"):
        assert approval(facts(fields=values(discount=Decimal("5")), unknown=frozenset({gone}))) == unknown
    other = facts(fields=values(discount=Decimal("5")), unknown=frozenset({"approval:ati"}))
    assert approval(other)[0] == MET
    assert approval(facts(), "moon") == (
        UNKNOWN,
        "approval_unknown",
        {"approval": "moon"},
        "none",
        {},
        "",
        None,
    )

"""Rows that meet, values without a row, and the nearest change that would need nobody, on plain values (PD-3, AP-1)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from tests.process.test_checks import CATALOGUE

from fairlead.fields.catalogue import Catalogue, FieldSpec, Option
from fairlead.fields.conditions import Compiled, compile_tree
from fairlead.fields.enums import FieldType
from fairlead.process.approval_easing import Change, eases
from fairlead.process.approval_enums import Direction
from fairlead.process.approval_policy import ApprovalKind, Bind, MatrixRow, Prohibition
from fairlead.process.approval_rows import Span, boxes, holes, overlap

AT = datetime(2026, 3, 2, tzinfo=UTC)
CLAUSES = FieldSpec(
    key="clauses", type=FieldType.MULTI_CHOICE, label={"zh": "c", "en": "Clauses"},
    options=tuple(Option(v, {"zh": v, "en": v}) for v in ("delay", "uncapped", "plain")),
)  # fmt: skip
DAYS = FieldSpec(key="payment_days", type=FieldType.INTEGER, label={"zh": "d", "en": "Payment days"})
FIELDS = Catalogue("opportunity", [*CATALOGUE, CLAUSES, DAYS])


def tree(field: str, op: str, value: Any = None) -> dict[str, Any]:
    return {"field": field, "op": op, **({} if value is None else {"value": value})}


def when(given: dict[str, Any]) -> Compiled:
    return compile_tree(given, FIELDS)


def row(key: str, given: dict[str, Any] | None = None, *, lever: str = "price", tier: int = 1) -> MatrixRow:
    return MatrixRow(key=key, lever=lever, tier=tier, approvers=(), when=when(given) if given else None)


def between(
    low: tuple[str, Any] | None, high: tuple[str, Any] | None, field: str = "discount"
) -> dict[str, Any]:
    parts = [tree(field, op, value) for op, value in (p for p in (low, high) if p)]
    return {"all": parts} if len(parts) > 1 else parts[0]


def meets(one: dict[str, Any] | None, other: dict[str, Any] | None) -> bool:
    return [(a.key, b.key) for a, b in overlap([row("a", one), row("b", other)])] == [("a", "b")]


# --- rows that meet ---


@pytest.mark.rule("PD-3", "AP-1")
@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        (between(("gt", 5), ("lte", 10)), between(("gt", 10), None), False),
        (between(("gt", 5), ("lte", 10)), between(("gte", 10), None), True),
        (between(("gt", 5), ("lt", 10)), between(("gte", 10), None), False),
        (between(("gt", 5), ("lt", 10)), between(("gt", 9), None), True),
        (between(None, ("lt", 5)), between(("gt", 5), None), False),
        (between(None, ("lte", 5)), tree("discount", "eq", 5), True),
        (between(None, ("lt", 5)), tree("discount", "eq", 5), False),
        (tree("discount", "eq", 5), tree("discount", "eq", 5), True),
        (tree("discount", "eq", 5), tree("discount", "eq", 6), False),
        (between(("gt", 5), None), tree("margin", "lt", 5), True),  # of another field: both may hold
        (
            tree("discount", "gt", 10),
            {"all": [tree("margin", "lt", 5), tree("discount", "lte", 10)]},
            False,
        ),
        (None, between(("gt", 5), None), True),
        (tree("deal_type", "eq", "new"), tree("deal_type", "in", ["new", "renewal"]), True),
        (tree("deal_type", "eq", "new"), tree("deal_type", "in", ["renewal"]), False),
        (
            tree("deal_type", "ne", "new"),
            tree("deal_type", "eq", "new"),
            True,
        ),  # what cannot be told apart meets
        ({"not": tree("deal_type", "eq", "new")}, tree("deal_type", "eq", "new"), True),
        (tree("discount", "ne", 5), tree("discount", "eq", 5), True),
        (
            {"any": [between(("gt", 20), None), between(None, ("lt", 5))]},
            between(("gt", 5), ("lt", 10)),
            False,
        ),
        (
            {"any": [between(("gt", 20), None), between(None, ("lt", 6))]},
            between(("gt", 5), ("lt", 10)),
            True,
        ),
        ({"all": [between(("gt", 20), None), between(None, ("lt", 5))]}, between(("gt", 1), None), False),
    ],
)
def test_rows_of_one_tier_meet_where_both_may_hold(one: Any, other: Any, found: bool) -> None:
    assert meets(one, other) is found and meets(other, one) is found


@pytest.mark.rule("PD-3")
def test_only_rows_of_the_same_lever_and_tier_are_compared() -> None:
    a, b = row("a"), row("b")
    assert (a.response_hours, a.decision_hours, a.mode, a.k) == (8, 24, "sequential", 0)
    assert (
        list(overlap([a, replace(b, tier=2)])) == [] and list(overlap([a, replace(b, lever="legal")])) == []
    )
    c = row("c")
    assert [(x.key, y.key) for x, y in overlap([a, b, c])] == [("a", "b"), ("a", "c"), ("b", "c")]


@pytest.mark.rule("PD-3")
def test_a_condition_is_read_as_boxes_and_one_too_wild_as_anything() -> None:
    span = Span(Decimal(5), Decimal(10), False, True)
    assert boxes(when(between(("gt", 5), ("lte", 10)))) == [{"discount": span}]
    assert boxes(when(tree("discount", "eq", 5))) == [{"discount": Span(Decimal(5), Decimal(5), True, True)}]
    assert boxes(when(tree("discount", "gte", 5))) == [{"discount": Span(low=Decimal(5), low_in=True)}]
    assert boxes(when(tree("discount", "lt", 5))) == [{"discount": Span(high=Decimal(5))}]
    assert boxes(None) == boxes(when(tree("discount", "present"))) == [{}]
    assert boxes(when(tree("description", "eq", "x"))) == [{}] and boxes(
        when(tree("competitor", "eq", "x"))
    ) == [{"competitor": {"x"}}]
    two = {"any": [tree("deal_type", "eq", "new"), tree("deal_type", "eq", "renewal")]}
    three = {"any": [tree("account_tier", "eq", v) for v in ("A", "B", "C")]}
    assert len(boxes(when({"all": [two, three]}))) == 6
    four = {"any": [tree("discount", "eq", n) for n in range(4)]}
    margins, amounts = ({"any": [tree(f, "eq", n) for n in range(4)]} for f in ("margin", "amount"))
    assert len(boxes(when({"all": [four, margins, amounts]}))) == 64
    assert boxes(when({"all": [four, margins, amounts, two]})) == [{}]


# --- values without a row ---


def gaps(
    *given: dict[str, Any] | None, direction: Direction = Direction.AT_MOST, spec: FieldSpec | None = None
) -> list[tuple[str, str]]:
    bind = Bind(lever="price", spec=spec or CATALOGUE["discount"], direction=direction)
    return [(r.key, said) for r, said in holes([row(f"r{n}", one) for n, one in enumerate(given)], [bind])]


@pytest.mark.rule("PD-3")
def test_values_between_two_rows_and_beyond_the_last_are_named() -> None:
    name = CATALOGUE["discount"].name()
    low, high = between(("gt", 5), ("lte", 10)), between(("gt", 10), None)
    assert gaps(low, high) == [] == gaps(high, low)
    assert gaps(low, between(("gte", 12), None)) == [("r1", f"10 < {name} < 12")]
    assert gaps(between(("gt", 5), ("lt", 10)), between(("gt", 12), None)) == [("r1", f"10 ≤ {name} ≤ 12")]
    assert gaps(between(("gt", 5), ("lt", 10)), between(("gt", 10), None)) == [("r1", f"10 ≤ {name} ≤ 10")]
    assert gaps(between(("gt", 5), ("lt", 10)), between(("gte", 10), None)) == []
    assert gaps(low) == [("r0", f"{name} > 10")] and gaps(between(("gt", 5), ("lt", 1000))) == [
        ("r0", f"{name} ≥ 1,000")
    ]
    assert (
        gaps(between(("gt", 5), ("lte", 20)), between(("gt", 6), ("lte", 8)), between(("gt", 20), None)) == []
    )
    assert gaps(between(("gt", 5), ("lte", 20)), between(("gt", 6), ("lt", 20))) == [("r0", f"{name} > 20")]
    assert (
        gaps(low, None) == gaps(None, low) == []
        and gaps() == []
        and gaps({"all": [low, tree("margin", "gt", 1)]}) == []
    )
    mixed = {"any": [low, tree("margin", "gt", 1)]}
    assert gaps(mixed) == [("r0", f"{name} > 10")]


@pytest.mark.rule("PD-3")
def test_the_open_side_is_the_one_that_concedes_more() -> None:
    name = CATALOGUE["discount"].name()
    low, high = between(("gt", 5), ("lte", 10)), between(("gt", 10), None)
    assert gaps(low, high, direction=Direction.AT_LEAST) == [("r0", f"{name} ≤ 5")]
    assert gaps(between(("gte", 5), None), direction=Direction.AT_LEAST) == [("r0", f"{name} < 5")]
    assert gaps(between(None, ("lt", 5)), direction=Direction.AT_LEAST) == []
    assert (
        gaps(low, between(("gte", 12), None), direction=Direction.EQUAL) == []
        and gaps(low, spec=CATALOGUE["source"]) == []
    )
    other = Bind(lever="legal", spec=CATALOGUE["discount"], direction=Direction.AT_MOST)
    assert list(holes([row("a", low)], [other])) == []
    words = Bind(lever="price", spec=CATALOGUE["competitor"], direction=Direction.EQUAL)
    both = [words, other, Bind(lever="price", spec=CATALOGUE["discount"], direction=Direction.AT_MOST)]
    assert [r.key for r, _said in holes([row("z", low, lever="moon"), row("a", low)], both)] == ["a"]


# --- what would need nobody ---


def bind(field: str, direction: Direction, lever: str = "price") -> Bind:
    spec = {"clauses": CLAUSES, "payment_days": DAYS}.get(field) or CATALOGUE[field]
    return Bind(lever=lever, spec=spec, direction=direction)


def kind(*rows: MatrixRow, binds: tuple[Bind, ...], prohibited: tuple[Prohibition, ...] = ()) -> ApprovalKind:
    return ApprovalKind(key="k", name={}, rows=rows, binds=binds, prohibited=prohibited)


def eased(given: ApprovalKind, **values: Any) -> dict[str, Any]:
    found = eases(given, values, at=AT)
    assert all(isinstance(change, Change) for change in found)
    return {change.spec.key: change.value for change in found}


@pytest.mark.rule("AP-1")
def test_the_nearest_value_on_the_good_side_is_proposed() -> None:
    at_most = kind(row("a", tree("discount", "gt", Decimal(5))), binds=(bind("discount", Direction.AT_MOST),))
    assert eased(at_most, discount=Decimal(12)) == {"discount": Decimal(5)}
    assert eased(at_most, discount=Decimal(5)) == {}
    gte = kind(row("a", tree("discount", "gte", Decimal(5))), binds=(bind("discount", Direction.AT_MOST),))
    assert eased(gte, discount=Decimal(5)) == {"discount": Decimal("4.99")}
    zero = kind(row("a", tree("discount", "gt", 0)), binds=(bind("discount", Direction.AT_MOST),))
    assert eased(zero, discount=Decimal(3)) == {"discount": Decimal(0)}
    at_least = kind(row("a", tree("margin", "lt", Decimal(20))), binds=(bind("margin", Direction.AT_LEAST),))
    assert eased(at_least, margin=Decimal(12)) == {"margin": Decimal(20)}
    lte = kind(row("a", tree("margin", "lte", Decimal(20))), binds=(bind("margin", Direction.AT_LEAST),))
    assert eased(lte, margin=Decimal(20)) == {"margin": Decimal("20.01")}
    days = kind(row("a", tree("payment_days", "gte", 31)), binds=(bind("payment_days", Direction.AT_MOST),))
    assert eased(days, payment_days=45) == {"payment_days": 30}
    assert eased(at_most, discount=None) == {}
    exact = kind(row("a", tree("discount", "gt", 5)), binds=(bind("discount", Direction.EQUAL),))
    assert eased(exact, discount=Decimal(12)) == {}
    listed = kind(row("a", tree("discount", "in", [12, 13])), binds=(bind("discount", Direction.AT_MOST),))
    assert eased(listed, discount=Decimal(12)) == {}  # no edge is named


@pytest.mark.rule("AP-1")
def test_a_row_is_not_left_by_falling_into_another() -> None:
    two = kind(
        row("a", between(("gt", 5), ("lte", 10))), row("b", between(("gt", 10), None), tier=2),
        binds=(bind("discount", Direction.AT_MOST),),
    )  # fmt: skip
    assert eased(two, discount=Decimal(12)) == {"discount": Decimal(5)}
    always = kind(row("a"), binds=(bind("discount", Direction.AT_MOST),))
    assert eased(always, discount=Decimal(12)) == {}
    unknown = kind(
        row("a", tree("discount", "gt", 5)),
        row("b", tree("margin", "lt", 5)),
        binds=(bind("discount", Direction.AT_MOST),),
    )
    assert eased(unknown, discount=Decimal(12)) == {}


@pytest.mark.rule("AP-1")
def test_each_lever_is_eased_by_what_it_binds() -> None:
    levers = kind(
        row("a", tree("discount", "gt", Decimal(5))), row("b", tree("payment_days", "gt", 30), lever="payment"),
        binds=(bind("discount", Direction.AT_MOST), bind("payment_days", Direction.AT_MOST, "payment")),
    )  # fmt: skip
    assert eased(levers, discount=Decimal(12), payment_days=45) == {
        "discount": Decimal(5),
        "payment_days": 30,
    }
    assert eased(levers, discount=Decimal(12), payment_days=30) == {"discount": Decimal(5)}
    half = replace(levers, binds=levers.binds[:1])
    assert eased(half, discount=Decimal(12), payment_days=45) == {}
    whole = kind(row("a", tree("payment_days", "gt", 30), lever="decision"), binds=levers.binds)
    assert eased(whole, discount=Decimal(12), payment_days=45) == {"payment_days": 30}


@pytest.mark.rule("AP-1")
def test_what_eases_one_lever_and_burdens_another_is_not_proposed() -> None:
    burdens = kind(
        row("a", tree("discount", "gt", Decimal(5))),
        row(
            "b",
            {"all": [tree("payment_days", "gt", 30), tree("discount", "lte", Decimal(5))]},
            lever="payment",
        ),
        binds=(bind("discount", Direction.AT_MOST),),
    )
    assert eased(burdens, discount=Decimal(12), payment_days=45) == {}
    assert eased(burdens, discount=Decimal(12), payment_days=30) == {"discount": Decimal(5)}
    ban = Prohibition(key="p", name={}, when=when(tree("discount", "lte", Decimal(5))))
    assert eased(replace(burdens, prohibited=(ban,)), discount=Decimal(12), payment_days=30) == {}


@pytest.mark.rule("AP-1")
def test_choices_are_given_up_one_or_all() -> None:
    subset = (bind("clauses", Direction.SUBSET),)
    delay, uncapped = tree("clauses", "contains", "delay"), tree("clauses", "contains", "uncapped")
    one = kind(row("a", delay), binds=subset)
    assert eased(one, clauses=["plain", "delay", "uncapped"]) == {"clauses": ["plain", "uncapped"]}
    both = kind(row("a", {"any": [delay, uncapped]}), binds=subset)
    assert eased(both, clauses=["plain", "delay", "uncapped"]) == {"clauses": ["plain"]}
    some = kind(row("a", tree("clauses", "present")), binds=subset)
    assert eased(some, clauses=["plain"]) == {"clauses": []} and eased(some, clauses=None) == {}
    ban = Prohibition(key="p", name={}, when=when(uncapped))
    assert eased(kind(binds=subset, prohibited=(ban,)), clauses=["uncapped", "plain"]) == {
        "clauses": ["plain"]
    }
    numbers_first = kind(
        row("a", {"all": [tree("discount", "gt", Decimal(5)), delay]}),
        binds=(bind("clauses", Direction.SUBSET), bind("discount", Direction.AT_MOST)),
    )
    assert eased(numbers_first, discount=Decimal(12), clauses=["delay"]) == {"discount": Decimal(5)}

"""Conditions without a database: every operator at its border, what a tree may say, and how it reads."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import translation

from fairlead.fields.catalogue import Catalogue, FieldSpec, Option
from fairlead.fields.conditions import check, compile_tree, fields_of, value_words, verdict, words
from fairlead.fields.enums import FieldType

NOW = datetime(2026, 3, 10, 4, tzinfo=UTC)  # noon in Shanghai


def spec(key: str, type_: FieldType, **more: Any) -> FieldSpec:
    return FieldSpec(key=key, type=type_, label={"zh": key, "en": key.title()}, **more)


COLOURS = tuple(Option(v, {"zh": v, "en": v.title()}) for v in ("red", "green", "blue"))
FIELDS = Catalogue(
    "opportunity",
    [
        spec("name", FieldType.TEXT),
        spec("amount", FieldType.MONEY),
        spec("days", FieldType.INTEGER, unit="d"),
        spec("tender", FieldType.BOOLEAN),
        spec("colour", FieldType.CHOICE, options=COLOURS),
        spec("many", FieldType.MULTI_CHOICE, options=COLOURS),
        spec("close", FieldType.DATE),
        spec("seen", FieldType.DATETIME),
    ],
)


def leaf(field: str, op: str, value: Any = None) -> dict[str, Any]:
    return {"field": field, "op": op, **({} if value is None else {"value": value})}


def says(tree: dict[str, Any], **values: Any) -> bool | None:
    return verdict(compile_tree(tree, FIELDS), values, now=NOW)


@pytest.mark.rule("GT-9", "PD-6")
@pytest.mark.parametrize(
    ("op", "below", "at", "above", "empty"),
    [
        ("eq", False, True, False, False),
        ("ne", True, False, True, True),
        ("gt", False, False, True, False),
        ("gte", False, True, True, False),
        ("lt", True, False, False, False),
        ("lte", True, True, False, False),
        ("present", True, True, True, False),
        ("absent", False, False, False, True),
    ],
)
def test_numbers_at_the_border(op: str, below: bool, at: bool, above: bool, empty: bool) -> None:
    tree = leaf("amount", op, None if op in ("present", "absent") else "5")
    seen = [says(tree, amount=Decimal(n)) for n in ("4.99", "5.00", "5.01")]
    assert seen == [below, at, above]
    assert says(tree, amount=None) is empty and says(tree, amount="") is empty
    assert says(tree) is None


@pytest.mark.rule("GT-9")
def test_lists_words_and_choices() -> None:
    assert [says(leaf("colour", "in", ["red", "blue"]), colour=c) for c in ("red", "green", None, "")] == [
        True, False, False, False,
    ]  # fmt: skip
    assert [says(leaf("colour", "not_in", ["red", "blue"]), colour=c) for c in ("red", "green", None, "")] == [
        False, True, True, True,
    ]  # fmt: skip
    assert [says(leaf("name", "contains", "SIEM"), name=n) for n in ("Siemens", "x siem", "sie", None)] == [
        True, True, False, False,
    ]  # fmt: skip
    assert not says(leaf("name", "contains", "ä"), name="Ä")  # lower case of A to Z alone
    assert [says(leaf("many", "contains", "red"), many=m) for m in (["red", "blue"], ["blue"], [], None)] == [
        True, False, False, False,
    ]  # fmt: skip
    assert says(leaf("many", "absent"), many=[]) and not says(leaf("many", "present"), many=[])
    assert says(leaf("tender", "eq", False), tender=False) and not says(
        leaf("tender", "eq", True), tender=False
    )


@pytest.mark.rule("GT-9")
def test_days_are_days_of_the_house() -> None:
    today = date(2026, 3, 10)
    old, soon = leaf("close", "older_than_days", 7), leaf("close", "within_days", 7)
    assert [says(old, close=today - timedelta(days=n)) for n in (7, 8)] == [False, True]
    assert [says(soon, close=today + timedelta(days=n)) for n in (-1, 0, 7, 8)] == [False, True, True, False]
    assert [says(leaf("close", "within_days", 0), close=today + timedelta(days=n)) for n in (-1, 0, 1)] == [
        False,
        True,
        False,
    ]
    evening = datetime(2026, 3, 9, 17, tzinfo=UTC)  # the tenth in Shanghai
    assert says(leaf("seen", "within_days", 0), seen=evening) is True
    assert says(leaf("seen", "within_days", 0), seen=evening - timedelta(hours=2)) is False
    assert says(old, close=None) is False and says(soon, close=None) is False and says(old) is None


@pytest.mark.rule("GT-9", "GT-4")
def test_what_is_not_known_is_decided_by_what_is() -> None:
    yes, no, unknown = leaf("tender", "eq", True), leaf("tender", "eq", False), leaf("amount", "gt", 5)

    def of(mode: str, *parts: dict[str, Any]) -> bool | None:
        return says({mode: list(parts)}, tender=True)

    assert (of("all", yes, yes), of("all", yes, no), of("all", unknown, no), of("all", unknown, yes)) == (
        True, False, False, None,
    )  # fmt: skip
    assert (of("any", no, no), of("any", no, yes), of("any", unknown, yes), of("any", unknown, no)) == (
        False, True, True, None,
    )  # fmt: skip
    assert of("all", yes, unknown) is None and of("any", no, unknown) is None
    assert (says({"not": yes}, tender=True), says({"not": no}, tender=True), says({"not": unknown})) == (
        False,
        True,
        None,
    )
    both = compile_tree({"all": [yes, {"not": unknown}]}, FIELDS)
    assert fields_of(both) == {"tender", "amount"}


@pytest.mark.rule("T33")
@pytest.mark.parametrize(
    ("tree", "problems"),
    [
        (leaf("amount", "gt", "5"), []),
        ({"all": [leaf("amount", "present")] * 20}, []),
        ({"all": [leaf("amount", "present")] * 21}, [("", "At most 20 conditions in one tree.")]),
        ({"not": {"not": {"not": {"not": leaf("name", "present")}}}}, []),
        (
            {"not": leaf("name", "present"), "all": []},
            [("", "“all” holds a list of at least one condition and nothing beside it.")],
        ),
        ({"not": leaf("name", "present"), "x": 1}, [("", "“not” stands alone.")]),
        ({"any": leaf("name", "present")}, [("", "“any” holds a list of at least one condition and nothing beside it.")]),
        ({"any": (leaf("name", "present"),)}, []),
        (
            {"all": [5, leaf("moon", "eq", 1)]},
            [
                ("all.0", "A condition is an object with all, any, not or field."),
                ("all.1.field", "There is no field “moon”."),
            ],
        ),
        ({"not": leaf("moon", "eq", 1)}, [("not.field", "There is no field “moon”.")]),
        ({**leaf("amount", "gt", 1), "z": 1, "b": 2}, [("", "Unknown key “b”.")]),
        ({"op": "eq"}, [("field", "There is no field “”.")]),
        (leaf("amount", "moon", 1), [("op", "“moon” cannot be asked of “Amount”.")]),
        (leaf("amount", "m" * 41, 1), [("op", f"“{'m' * 40}” cannot be asked of “Amount”.")]),
        (leaf("tender", "gt", 1), [("op", "“gt” cannot be asked of “Tender”.")]),
        (leaf("close", "within_days", "7"), []),
        (leaf("close", "within_days", 36500), []),
        (leaf("close", "within_days", 36501), [("value", "A number of days is expected.")]),
        (leaf("close", "within_days", -1), [("value", "A number of days is expected.")]),
        (leaf("close", "within_days", 1.5), [("value", "A number of days is expected.")]),
        (leaf("close", "within_days", True), [("value", "A number of days is expected.")]),
        (leaf("close", "within_days", "soon"), [("value", "A number of days is expected.")]),
        (leaf("colour", "in", ["red"]), []),
        (leaf("days", "in", list(range(1, 51))), []),
        (leaf("days", "in", list(range(1, 52))), [("value", "A list of one to 50 values is expected.")]),
        (leaf("colour", "in", []), [("value", "A list of one to 50 values is expected.")]),
        (leaf("colour", "in", "red"), [("value", "A list of one to 50 values is expected.")]),
        (leaf("name", "contains", "x" * 100), []),
        (leaf("name", "contains", "x" * 101), [("value", "One to 100 characters are expected.")]),
        (leaf("name", "contains", "  "), [("value", "One to 100 characters are expected.")]),
        (leaf("name", "contains"), [("value", "One to 100 characters are expected.")]),
        (leaf("many", "contains", ["red", "blue"]), [("value", "One choice is expected.")]),
        (leaf("many", "contains", ["red"]), []),
        (leaf("amount", "gt"), [("value", "A value is expected.")]),
        (leaf("name", "present", "whatever"), []),
    ],
)  # fmt: skip
def test_what_a_tree_may_say(tree: Any, problems: list[tuple[str, str]]) -> None:
    with translation.override("en"):
        assert [(p.path, p.message) for p in check(tree, FIELDS)] == problems


@pytest.mark.rule("T33")
def test_a_tree_may_be_five_levels_deep() -> None:
    deep: dict[str, Any] = leaf("name", "present")
    for _level in range(4):
        deep = {"all": [deep]}
    assert check(deep, FIELDS) == []
    with translation.override("en"):
        (problem,) = check({"all": [deep]}, FIELDS)
    assert (problem.path, problem.message) == (
        "all.0.all.0.all.0.all.0.all.0",
        "Nested too deep: at most 5 levels.",
    )


@pytest.mark.rule("PD-6")
@pytest.mark.parametrize(
    ("tree", "said"),
    [
        (leaf("amount", "gt", "1234.50"), "Amount > 1,234.5"),
        (leaf("amount", "gte", "1200"), "Amount ≥ 1,200"),
        (leaf("amount", "lt", 5), "Amount < 5"),
        (leaf("amount", "lte", "0.10"), "Amount ≤ 0.1"),
        (leaf("days", "gt", 1000), "Days > 1,000 days"),
        (leaf("days", "present"), "Days is filled"),
        (leaf("tender", "eq", True), "Tender: yes"),
        (leaf("tender", "eq", False), "Tender: no"),
        (leaf("colour", "eq", "red"), "Colour is Red"),
        (leaf("colour", "in", ["red", "blue"]), "Colour is one of Red, Blue"),
        (leaf("close", "older_than_days", 7), "Close is more than 7 days ago"),
        (leaf("close", "within_days", 7), "Close is within 7 days from now"),
        (leaf("close", "eq", "2026-03-10"), "Close is 2026-03-10"),
        ({"not": leaf("tender", "eq", True)}, "not (Tender: yes)"),
        (
            {
                "all": [
                    leaf("amount", "gt", 1),
                    {"any": [leaf("amount", "lt", 5), leaf("tender", "eq", True)]},
                ]
            },
            "Amount > 1 and (Amount < 5 or Tender: yes)",
        ),
        ({"all": [{"any": [leaf("amount", "gt", 1)]}, leaf("amount", "lt", 5)]}, "Amount > 1 and Amount < 5"),
    ],
)
def test_a_condition_reads_as_a_sentence(tree: Any, said: str) -> None:
    with translation.override("en"):
        assert words(compile_tree(tree, FIELDS)) == said


def test_a_value_reads_as_a_person_writes_it() -> None:
    plain = spec("x", FieldType.TEXT)
    with translation.override("en"):
        assert [value_words(plain, v) for v in (None, "", [], "a", 1200, Decimal("0"), Decimal("1E+3"))] == [
            "—", "—", "—", "a", "1,200", "0", "1,000",
        ]  # fmt: skip
        assert value_words(spec("c", FieldType.CHOICE, options=COLOURS), "gone") == "gone"
        assert value_words(plain, "red") == "red"
        assert value_words(plain, datetime(2026, 3, 9, 17, 5, tzinfo=UTC)) == "2026-03-10 01:05"

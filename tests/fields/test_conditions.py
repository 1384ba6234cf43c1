"""One condition, three back ends: a verdict, a filter and words (idea 5 of the design)."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.kit.isolation import undone

from fairlead.crm.facts import field_values
from fairlead.crm.models import Account, Opportunity
from fairlead.fields import conditions
from fairlead.fields.catalogue import PLACEHOLDER_TEXTS, Catalogue, FieldSpec, Option, catalogue
from fairlead.fields.conditions import ConditionError, check, compile_tree, narrow, narrowed, verdict, words
from fairlead.fields.enums import FieldType, Operator, operators_for
from fairlead.fields.models import CustomField
from fairlead.fields.values import to_json

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 10, 4, tzinfo=UTC)  # noon in Shanghai

TEXTS = st.sampled_from(
    ["", "  ", "待定", "N/A", "n/a ", "0", "Siemens", "siemens AG", "%", "_", "'", "西门子", "Ä", None]
)
NUMBERS = st.one_of(
    st.none(),
    st.sampled_from([Decimal(0), Decimal("0.10"), Decimal("100.00"), Decimal("1E+9")]),
    st.decimals(min_value=0, max_value=10**9, places=2),
)
DAYS = st.one_of(
    st.none(), st.sampled_from([date(1900, 1, 1)]), st.dates(date(2026, 2, 20), date(2026, 3, 31))
)

CUSTOM = {
    "c_text": FieldType.TEXT,
    "c_number": FieldType.DECIMAL,
    "c_money": FieldType.MONEY,
    "c_int": FieldType.INTEGER,
    "c_date": FieldType.DATE,
    "c_bool": FieldType.BOOLEAN,
    "c_choice": FieldType.CHOICE,
    "c_many": FieldType.MULTI_CHOICE,
}
OPTIONS = ["red", "green", "blue"]


@pytest.fixture
def custom_fields(db):
    for i, (key, kind) in enumerate(CUSTOM.items()):
        CustomField.objects.create(
            subject_type="opportunity",
            key=key,
            type=kind,
            label={"zh": key, "en": key},
            position=i,
            options=[{"value": o, "label": {"zh": o, "en": o}} for o in OPTIONS] if "choice" in kind else [],
        )
    from fairlead.fields.catalogue import forget

    forget()
    yield
    forget()


def rows():
    return st.lists(
        st.fixed_dictionaries(
            {
                "competitor": TEXTS,
                "amount": NUMBERS,
                "discount": st.one_of(st.none(), st.decimals(0, 100, places=2)),
                "expected_close_date": DAYS,
                "is_tender": st.booleans(),
                "source": st.sampled_from(["", "web", "tender"]),
                "tier": st.sampled_from(["", "key", "A"]),
                "c_text": TEXTS,
                "c_number": NUMBERS,
                "c_money": NUMBERS,
                "c_int": st.one_of(st.none(), st.integers(-5, 5)),
                "c_date": DAYS,
                "c_bool": st.one_of(st.none(), st.booleans()),
                "c_choice": st.one_of(st.none(), st.sampled_from(OPTIONS)),
                "c_many": st.one_of(
                    st.none(), st.lists(st.sampled_from(OPTIONS), unique=True, max_size=2).map(sorted)
                ),
            }
        ),
        min_size=1,
        max_size=4,
    )


FIELDS = [
    "competitor",
    "amount",
    "discount",
    "expected_close_date",
    "is_tender",
    "source",
    "account_tier",
    *CUSTOM,
]


def value_for(spec: FieldSpec, op: Operator):
    if op in (Operator.PRESENT, Operator.ABSENT):
        return st.none()
    if op in (Operator.OLDER_THAN, Operator.WITHIN):
        return st.integers(0, 30)
    one = {
        FieldType.TEXT: TEXTS.filter(lambda t: bool(t and t.strip())),
        FieldType.CHOICE: st.sampled_from([o.value for o in spec.options] or ["x"]),
        FieldType.MULTI_CHOICE: st.sampled_from(OPTIONS),
        FieldType.INTEGER: st.integers(-5, 5),
        FieldType.BOOLEAN: st.booleans(),
        FieldType.DATE: DAYS.filter(bool).map(lambda d: d.isoformat()),
    }.get(spec.type, NUMBERS.filter(lambda n: n is not None).map(str))
    return st.lists(one, min_size=1, max_size=3) if op in (Operator.IN, Operator.NOT_IN) else one


@st.composite
def trees(draw, depth=3):
    if depth > 1 and draw(st.booleans()):
        mode = draw(st.sampled_from(["all", "any", "not"]))
        if mode == "not":
            return {"not": draw(trees(depth=depth - 1))}
        return {mode: draw(st.lists(trees(depth=depth - 1), min_size=1, max_size=3))}
    spec = catalogue("opportunity")[draw(st.sampled_from(FIELDS))]
    op = draw(st.sampled_from(sorted(operators_for(spec.type))))
    value = draw(value_for(spec, op))
    return {"field": spec.key, "op": op.value, **({} if value is None else {"value": value})}


def store(row) -> int:
    account = Account.objects.create(name="a", tier=row["tier"], created_at=NOW, updated_at=NOW)
    return Opportunity.objects.create(
        name="deal",
        account=account,
        competitor=row["competitor"] or "",
        amount=row["amount"],
        discount=row["discount"],
        expected_close_date=row["expected_close_date"],
        is_tender=row["is_tender"],
        source=row["source"],
        custom={k: to_json(row[k]) for k in CUSTOM if row[k] is not None},
        created_at=NOW,
        updated_at=NOW,
    ).pk


@pytest.mark.rule("GT-9", "PD-6")
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_verdict_and_filter_agree_on_every_row(custom_fields, data):
    with undone():
        ids = [store(row) for row in data.draw(rows())]
        tree = compile_tree(data.draw(trees()), catalogue("opportunity"))
        queryset = Opportunity.objects.filter(pk__in=ids)
        kept = set(narrow(queryset, tree, now=NOW).values_list("pk", flat=True))
        values = field_values(Opportunity, ids, "opportunity")
        told = {pk for pk in ids if verdict(tree, values[pk], now=NOW) is True}
        assert kept == told
        with translation.override("en"):
            assert words(tree)
        with translation.override("zh-hans"):
            assert words(tree)


ROWS = [
    {"competitor": text, "amount": amount, "discount": None, "expected_close_date": day, "is_tender": text is None,
     "source": "", "tier": "key", "c_text": text, "c_number": amount, "c_money": amount, "c_int": number, "c_date": day,
     "c_bool": flag, "c_choice": choice, "c_many": many}
    for text, amount, day, number, flag, choice, many in [
        (None, None, None, None, None, None, None),
        ("Siemens AG", Decimal("5.00"), date(2026, 3, 10), 5, True, "red", ["blue", "red"]),
        ("待定", Decimal(0), date(2026, 3, 2), 0, False, "blue", []),
        (" n/a ", Decimal("4.99"), date(2026, 3, 3), -5, None, None, ["blue"]),
        ("x", Decimal("5.01"), date(1900, 1, 1), 4, True, "green", None),
        ("siemens", Decimal(100), date(2026, 3, 17), 6, False, "red", ["green"]),
        ("", None, date(2026, 3, 18), 1, True, "blue", ["red"]),
    ]
]  # fmt: skip
ASKED = [
    *({"field": f, "op": op} for f in FIELDS for op in ("present", "absent")),
    *(
        {"field": f, "op": op, "value": 5}
        for f in ("amount", "c_money", "c_int", "c_number")
        for op in ("eq", "ne", "gt", "gte", "lt", "lte")
    ),
    *({"field": f, "op": op, "value": [5, "100"]} for f in ("amount", "c_number") for op in ("in", "not_in")),
    *(
        {"field": f, "op": op, "value": 7}
        for f in ("expected_close_date", "c_date")
        for op in ("older_than_days", "within_days")
    ),
    *(
        {"field": f, "op": op, "value": "2026-03-10"}
        for f in ("expected_close_date", "c_date")
        for op in ("gt", "lte")
    ),
    *({"field": f, "op": "contains", "value": "SIEMENS"} for f in ("competitor", "c_text")),
    {"field": "c_many", "op": "contains", "value": "red"},
    *({"field": "c_choice", "op": op, "value": ["red", "blue"]} for op in ("in", "not_in")),
    *(
        {"field": f, "op": op, "value": v}
        for f in ("is_tender", "c_bool")
        for op in ("eq", "ne")
        for v in (True, False)
    ),
    {"not": {"field": "c_many", "op": "contains", "value": "red"}},
    {
        "all": [
            {"field": "c_choice", "op": "in", "value": ["red", "blue"]},
            {"field": "c_text", "op": "present"},
        ]
    },
    {
        "all": [
            {"field": "amount", "op": "gte", "value": 5},
            {"field": "c_choice", "op": "eq", "value": "red"},
        ]
    },
    {"field": "amount", "op": "eq", "value": "5.00"},
    {
        "not": {
            "all": [
                {"field": "amount", "op": "gt", "value": 5},
                {"field": "c_bool", "op": "eq", "value": True},
            ]
        }
    },
    {"any": [{"field": "amount", "op": "lt", "value": 5}, {"field": "c_choice", "op": "eq", "value": "red"}]},
]


@pytest.mark.rule("GT-9", "PD-6")
def test_verdict_and_filter_agree_at_every_border(custom_fields):
    ids = [store(row) for row in ROWS]
    values = field_values(Opportunity, ids, "opportunity")
    queryset = Opportunity.objects.filter(pk__in=ids)
    told_apart = 0
    for asked in ASKED:
        tree = compile_tree(asked, catalogue("opportunity"))
        told = {pk for pk in ids if verdict(tree, values[pk], now=NOW) is True}
        for found in (narrow(queryset, tree, now=NOW), narrowed(queryset, tree, at=NOW)):
            assert set(found.values_list("pk", flat=True)) == told, asked
        told_apart += 0 < len(told) < len(ids)
    assert told_apart > len(ASKED) * 3 // 4


@pytest.mark.rule("GT-9")
def test_instants_are_filtered_by_days_of_the_house(db):
    made = FieldSpec(key="made", type=FieldType.DATETIME, label={"zh": "建", "en": "Made"}, path="created_at")
    told = FieldSpec(key="told", type=FieldType.DATETIME, label={"zh": "说", "en": "Told"}, custom=True)
    fields = Catalogue("opportunity", [made, told])
    midnight = datetime(2026, 3, 9, 16, tzinfo=UTC)  # of the tenth in Shanghai
    instants = [midnight + timedelta(days=d, seconds=s) for d in (-8, -7, -1, 0, 1, 7, 8) for s in (-1, 0)]
    ids = {store(ROWS[0]): at for at in instants}
    for pk, at in ids.items():
        Opportunity.objects.filter(pk=pk).update(created_at=at, custom={"told": to_json(at)})
    for op, days in (("older_than_days", 7), ("older_than_days", 0), ("within_days", 7), ("within_days", 0)):
        for spec in (made, told):
            tree = compile_tree({"field": spec.key, "op": op, "value": days}, fields)
            right = {pk for pk, at in ids.items() if verdict(tree, {spec.key: at}, now=NOW)}
            found = narrow(Opportunity.objects.filter(pk__in=ids), tree, now=NOW)
            assert set(found.values_list("pk", flat=True)) == right, (op, days, spec.key)
            assert 0 < len(right) < len(ids)


@pytest.mark.rule("GT-9")
def test_unknown_never_becomes_true():
    tree = compile_tree(
        {"all": [{"field": "amount", "op": "gt", "value": 5}, {"field": "name", "op": "present"}]},
        catalogue("opportunity"),
    )
    assert verdict(tree, {"name": "x"}, now=NOW) is None
    assert verdict(tree, {"name": ""}, now=NOW) is False
    assert (
        verdict(
            compile_tree({"not": {"field": "amount", "op": "gt", "value": 5}}, catalogue("opportunity")),
            {},
            now=NOW,
        )
        is None
    )
    either = compile_tree(
        {"any": [{"field": "amount", "op": "gt", "value": 5}, {"field": "name", "op": "present"}]},
        catalogue("opportunity"),
    )
    assert verdict(either, {"name": "x"}, now=NOW) is True


@pytest.mark.rule("T33")
@pytest.mark.parametrize(
    ("tree", "path"),
    [
        ({"field": "nothing", "op": "eq", "value": 1}, "field"),
        ({"field": "amount", "op": "contains", "value": "1"}, "op"),
        ({"all": [{"field": "amount", "op": "gt", "value": "many"}]}, "all.0.value"),
        ({"all": []}, ""),
        ({"all": [{"field": "amount", "op": "gt", "value": 1}], "any": []}, ""),
        ({"field": "amount", "op": "gt", "value": 1, "sql": "1=1"}, ""),
        (
            {"not": {"not": {"not": {"not": {"not": {"field": "name", "op": "present"}}}}}},
            "not.not.not.not.not",
        ),
        ([], ""),
        ({"any": [{"field": "name", "op": "present"}] * 21}, ""),
    ],
)
def test_a_bad_tree_is_refused_with_its_path(tree, path):
    problems = check(tree, catalogue("opportunity"))
    assert problems
    assert problems[0].path == path


@pytest.mark.rule("GT-2", "AC-5")
@pytest.mark.parametrize("text", [*sorted(PLACEHOLDER_TEXTS), "待定 ", " N/A", ""])
def test_a_placeholder_is_not_a_value(text):
    spec = catalogue("opportunity")["competitor"]
    assert not spec.is_filled(text)


@pytest.mark.rule("GT-9")
def test_time_operators_count_days_of_the_house():
    spec = FieldSpec(key="d", type=FieldType.DATE, label={"zh": "日", "en": "Day"})
    fields = Catalogue(
        "opportunity",
        [
            spec,
            FieldSpec(
                key="o",
                type=FieldType.CHOICE,
                label={"zh": "选", "en": "o"},
                options=(Option("r", {"zh": "红", "en": "red"}),),
            ),
        ],
    )
    old = compile_tree({"field": "d", "op": "older_than_days", "value": 7}, fields)
    assert verdict(old, {"d": date(2026, 3, 3)}, now=NOW) is False
    assert verdict(old, {"d": date(2026, 3, 2)}, now=NOW) is True
    late = NOW + timedelta(hours=13)  # 1:00 on 11 March in Shanghai
    assert verdict(old, {"d": date(2026, 3, 3)}, now=late) is True
    with translation.override("zh-hans"):
        assert "红" in words(compile_tree({"field": "o", "op": "eq", "value": "r"}, fields))


def test_compiling_reports_every_problem_at_once():
    with pytest.raises(ConditionError) as caught:
        compile_tree(
            {"all": [{"field": "x", "op": "eq"}, {"field": "y", "op": "eq"}]}, catalogue("opportunity")
        )
    assert [p.path for p in caught.value.problems] == ["all.0.field", "all.1.field"]
    assert conditions.MAX_DEPTH == 5

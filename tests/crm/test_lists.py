"""Lists: filters as sentences, named sorts, pages, masks, export; and what must never get through."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.factories.crm import Company, company

from fairlead.crm import lists
from fairlead.crm import services as crm
from fairlead.crm.lists import list_fields, read_tree
from fairlead.crm.models import Opportunity
from fairlead.fields import catalogue
from fairlead.fields.conditions import compile_tree, narrow, narrowed
from fairlead.fields.services import add_field
from fairlead.offers import services as offers

PLURALS = ("opportunities", "accounts", "contacts", "segments")
PROBES = (
    "'",
    '"',
    ")--",
    ";",
    "/**/",
    "_connector",
    "__",
    "owner__password__startswith",
    "’",
    "＇",
    "' OR '1'='1",
    "1)) OR 1=1",
    "\\",
    "%",
    "%%",
    "`",
    "--",
    "#",
    "0x27",
    "char(39)",
    "|| '",
    "CASE WHEN",
    "pg_sleep(1)",
    "sqlite_master",
    "{",
    "[",
    "null",
    "\u202e",
    "\x00",
    "\ud800",
    "😀",
    "9" * 400,
    "x" * 20_000,
    "-1",
    "1e999",
    "NaN",
    "$ne",
    "{{7*7}}",
    "${7*7}",
    "../..",
)


@pytest.fixture(autouse=True)
def _steady_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "RECHECK_SECONDS", 3600.0)


@pytest.fixture
def where(db: None) -> Company:
    return company(language="en")


def get(client: Client, tree: Any = None, *, plural: str = "opportunities", **params: Any) -> Any:
    query = dict(params)
    if tree is not None:
        query["filter"] = json.dumps(tree)
    return client.get(reverse(f"crm:{plural}"), query)


def names(response: Any) -> list[str]:
    assert response.status_code == 200, response.content.decode()[:400]
    return re.findall(r'<th scope="row"><a href="[^"]+">([^<]+)</a>', response.content.decode())


# --- filters ---


@pytest.mark.rule("U11")
def test_three_conditions_are_built_step_by_step_and_read_as_a_sentence(
    where: Company, client: Client
) -> None:
    where.deal("Small", amount=100)
    where.deal("Big", amount=900_000, stage="needs_analysis")
    client.force_login(where.zhou)
    address = reverse("crm:opportunities")
    for step in (
        {"field": "amount", "op": "gte", "value": "500000"},
        {"field": "stage", "op": "eq", "value": "needs_analysis"},
        {"field": "owner", "op": "eq", "value": str(where.zhou.pk)},
    ):
        kept = dict(
            re.findall(r'name="(filter|sort|q)" value="([^"]*)"', client.get(address).content.decode())
        )
        kept = {k: v.replace("&#34;", '"') for k, v in kept.items() if v}
        response = client.get(reverse("crm:opportunities"), kept | step)
        assert response.status_code == 302, response.content.decode()[:600]
        address = response.headers["Location"]
    page = client.get(address).content.decode()
    assert names(client.get(address)) == ["Big"]
    said = re.findall(r'<span class="fl-filter"><span><b>([^<]+)</b>', page)
    assert said == ["Amount ≥ ¥500K", "Stage is Needs analysis", "Owner is 周敏"]
    first = re.search(r'<span class="fl-filter">.*?<a href="([^"]+)"', page, re.S)
    assert first is not None
    less = client.get(first.group(1).replace("&amp;", "&")).content.decode()
    assert less.count('class="fl-filter"') == 2


@pytest.mark.rule("U10", "U11")
def test_the_address_is_the_state_and_or_is_a_click_away(where: Company, client: Client) -> None:
    where.deal("A", amount=1)
    where.deal("B", amount=5)
    where.deal("C", amount=9)
    client.force_login(where.zhou)
    tree = {
        "any": [{"field": "amount", "op": "eq", "value": "1"}, {"field": "amount", "op": "gte", "value": "9"}]
    }
    response = get(client, tree, sort="amount")
    assert names(response) == ["A", "C"] == names(get(client, tree, sort="amount"))
    joint = re.search(r'<a class="crm-joint" href="([^"]+)"[^>]*>or</a>', response.content.decode())
    assert joint is not None
    assert names(client.get(joint.group(1).replace("&amp;", "&"))) == []


@pytest.mark.rule("U15")
def test_empty_and_filtered_empty_differ(where: Company, client: Client) -> None:
    client.force_login(where.zhou)
    empty = get(client).content.decode()
    assert "Nothing here yet" in empty and "Clear the filter" not in empty
    where.deal("A", amount=1)
    filtered = get(client, {"field": "amount", "op": "gt", "value": 5}).content.decode()
    assert "Clear the filter" in filtered and "Nothing here yet" not in filtered


@pytest.mark.rule("FLD-2")
def test_a_custom_field_is_a_column_a_filter_and_an_export_at_once(where: Company, client: Client) -> None:
    add_field(
        subject_type="opportunity",
        key="grid",
        type="choice",
        label={"en": "Grid", "zh": "电网"},
        options=[{"value": "n", "label": {"en": "North", "zh": "北"}}],
        **where.how(where.admin),
    )
    where.deal("With", grid="n")
    where.deal("Without")
    client.force_login(where.zhou)
    response = get(client, {"field": "grid", "op": "eq", "value": "n"}, cols="name,grid")
    assert names(response) == ["With"] and "North" in response.content.decode()


@pytest.mark.rule("U01")
@pytest.mark.parametrize("text", ["hwjs", "huawei", "华为", "ＨＷＪＳ"])
def test_a_name_is_found_by_pinyin_and_initials(where: Company, client: Client, text: str) -> None:
    where.account("华为技术")
    where.account("启晨")
    client.force_login(where.zhou)
    assert names(get(client, plural="accounts", q=text)) == ["华为技术"]


@pytest.mark.rule("T15")
@pytest.mark.django_db(transaction=False)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_the_short_way_to_the_index_means_the_same(where: Company, data: st.DataObject) -> None:
    """Plain conditions skip `narrow`'s flags: the rows must be those that `narrow` finds."""
    if not Opportunity.objects.exists():
        for n in range(12):
            where.deal(
                f"D{n}",
                amount=None if n % 3 == 0 else n * 10,
                is_tender=bool(n % 2),
                source="web" if n % 4 else None,
            )
    fields = list_fields(lists.kind_of("opportunity"), where.zhou)
    leaf = st.sampled_from(
        [
            {"field": "amount", "op": op, "value": v}
            for op in ("eq", "ne", "gt", "gte", "lt", "lte")
            for v in (0, 40, 50)
        ]
        + [
            {"field": "amount", "op": "present"},
            {"field": "source", "op": "in", "value": ["web"]},
            {"field": "source", "op": "ne", "value": "web"},
            {"field": "is_tender", "op": "eq", "value": True},
            {"field": "is_tender", "op": "ne", "value": True},
            {"field": "state", "op": "eq", "value": "open"},
            {"field": "sr", "op": "ne", "value": 1},
            {"field": "owner", "op": "in", "value": [where.zhou.pk]},
        ]
    )
    tree = data.draw(
        st.recursive(
            leaf,
            lambda inner: st.one_of(
                st.fixed_dictionaries({"all": st.lists(inner, min_size=1, max_size=3)}),
                st.fixed_dictionaries({"any": st.lists(inner, min_size=1, max_size=3)}),
                st.fixed_dictionaries({"not": inner}),
            ),
            max_leaves=4,
        )
    )
    compiled, now = compile_tree(tree, fields), timezone.now()
    rows = Opportunity.objects.all()
    short = set(narrowed(rows, compiled, at=now).values_list("pk", flat=True))
    assert short == set(narrow(rows, compiled, now=now).values_list("pk", flat=True))


# --- order and pages ---


@pytest.mark.rule("U10")
@pytest.mark.parametrize(
    "sort", ["amount", "-amount", "name", "-name", "created", "-created", "expected_close_date"]
)
def test_pages_cover_every_row_once_and_empty_values_come_last(
    where: Company, client: Client, sort: str, monkeypatch: Any
) -> None:
    monkeypatch.setattr(lists, "PER_PAGE", 4)
    account = where.account()
    for n in range(11):
        where.deal(f"D{n:02}", account=account, amount=None if n in (0, 5, 6) else (n % 3) * 10)
    client.force_login(where.zhou)
    seen = [name for page in range(1, 4) for name in names(get(client, sort=sort, page=page))]
    assert sorted(seen) == [f"D{n:02}" for n in range(11)]
    if "amount" in sort:
        assert set(seen[-3:]) == {"D00", "D05", "D06"}
        amounts = [int(name[1:]) % 3 for name in seen[:-3]]
        assert amounts == sorted(amounts, reverse=sort.startswith("-"))
    assert get(client, sort=sort, page="999").status_code == 200


@pytest.mark.rule("B-LIST-1")
def test_a_list_asks_the_same_few_questions_for_one_and_for_fifty_rows(
    where: Company, client: Client
) -> None:
    client.force_login(where.zhou)
    counts: dict[str, list[int]] = {}
    for rows in (1, 49):
        for n in range(rows):
            deal = where.deal(f"D{rows}-{n}")
            where.contact(deal.account)
            offers.create_contract(
                deal.pk, number=f"C{rows}-{n}", amount=1, currency="CNY", **where.how(where.zhou)
            )
            crm.create("segment", {"name": f"S{rows}-{n}"}, **where.how(where.chen))
        for name in (*(f"crm:{p}" for p in PLURALS), "offers:contracts"):
            address = reverse(name)
            client.get(address)
            with CaptureQueriesContext(connection) as queries:
                assert client.get(address).status_code == 200
            counts.setdefault(name, []).append(len(queries))
    assert counts == {
        "crm:opportunities": [7, 7],
        "crm:accounts": [7, 7],
        "crm:contacts": [7, 7],
        "crm:segments": [7, 7],
        "offers:contracts": [7, 7],
    }


# --- who sees what ---


@pytest.mark.rule("T04")
def test_margin_cannot_be_shown_sorted_filtered_or_exported_without_its_right(
    where: Company, client: Client
) -> None:
    deal = where.deal("A")
    where.edit(deal, margin="34.27")
    client.force_login(where.mo)
    leaf = {"field": "margin", "op": "gte", "value": 30}
    unknown = {"field": "no_such", "op": "gte", "value": 30}
    for forbidden, missing in (
        (get(client, leaf), get(client, unknown)),
        (get(client, {"not": leaf}), get(client, {"not": unknown})),
        (get(client, sort="margin"), get(client, sort="no_such")),
        (get(client, cols="name,margin"), get(client, cols="name,no_such")),
        (get(client, field="margin"), get(client, field="no_such")),
    ):
        assert forbidden.status_code == missing.status_code == 400
        said = [_message(r).replace("margin", "…").replace("no_such", "…") for r in (forbidden, missing)]
        assert said[0] == said[1]
    exported = b"".join(get(client, export="csv")).decode()
    assert "34.27" not in exported and "Gross margin" not in exported and "A" in exported
    assert "34.27" not in get(client).content.decode() and "Gross margin" not in get(client).content.decode()
    client.force_login(where.fang)
    assert names(get(client, leaf)) == ["A"]
    assert "34.27" in b"".join(get(client, export="csv")).decode()


@pytest.mark.rule("AC-40", "T01", "T04")
def test_a_seller_meets_the_margin_of_another_branch_nowhere(where: Company, client: Client) -> None:
    """Who may read margins of the own deals: list, filter, export, aggregates and API hold none of the others."""
    mine, theirs = where.deal("Mine", amount=100_000), where.deal("Theirs", owner=where.qi, amount=654_321)
    where.edit(mine, margin="21.43")
    where.edit(theirs, by=where.qi, margin="34.27")
    secrets = ("34.27", "654,321", "654321", "754,321", "754321", "Theirs")
    leaf = {"field": "margin", "op": "gte", "value": 10}
    api = "/api/v1/opportunities"
    client.force_login(where.zhou)
    told = {
        "list": get(client, leaf, cols="name,margin,amount"),
        "export": get(client, cols="name,margin,amount", export="csv"),
        "api list": client.get(api),
        "funnel": client.get("/api/v1/funnel/stock"),
        "board": client.get("/board/"),
        "shared figures": client.get("/api/v1/figures/deal-team"),
    }
    for name, answer in told.items():
        text = b"".join(answer).decode() if answer.streaming else answer.content.decode()
        assert answer.status_code == 200 and not [secret for secret in secrets if secret in text], name
    exported = b"".join(get(client, cols="name,margin,amount", export="csv")).decode()
    assert "21.43" in exported and "21.43" in told["api list"].content.decode()
    assert names(told["list"]) == ["Mine"]
    for path in (
        f"{api}/{theirs.pk}",
        f"/opportunities/{theirs.pk}/",
        f"{api}/{theirs.pk}/as-of?date=2026-01-01",
    ):
        assert client.get(path).status_code == 404, path
    client.force_login(where.qi)
    assert "34.27" in b"".join(get(client, cols="name,margin", export="csv")).decode()


@pytest.mark.rule("T01", "T03")
def test_a_list_and_its_count_and_export_hold_only_what_one_sees(where: Company, client: Client) -> None:
    where.deal("Mine", description="=1+1")
    where.deal("Theirs", owner=where.qi)
    client.force_login(where.zhou)
    response = get(client)
    assert names(response) == ["Mine"] and "1 record" in response.content.decode()
    rows = list(csv.reader(io.StringIO(b"".join(get(client, export="csv")).decode("utf-8-sig"))))
    assert [row[0] for row in rows[1:]] == ["Mine"]
    assert "'=1+1" in rows[1] and "=1+1" not in rows[1]  # a spreadsheet runs nothing of it
    client.force_login(where.newcomer)
    for plural in PLURALS:
        assert client.get(reverse(f"crm:{plural}")).status_code == 403


def _message(response: Any) -> str:
    found = re.search(r"<p data-message>(.*?)</p>", response.content.decode(), re.S)
    assert found is not None
    return found.group(1)


@pytest.mark.rule("T10")
def test_names_of_records_outside_my_reach_stay_unnamed(where: Company, client: Client) -> None:
    hidden = where.account("Secret Ltd", owner=where.qi)
    mine = where.account("Mine")
    type(mine).objects.filter(pk=mine.pk).update(parent=hidden)
    client.force_login(where.zhou)
    page = get(client, plural="accounts", cols="name,parent").content.decode()
    assert "Mine" in page and "Secret Ltd" not in page
    picked = client.get(reverse("crm:pick", args=["account"]), {"q": "secret"}).content.decode()
    assert "Secret" not in picked
    assert client.get(reverse("crm:pick", args=["user"]), {"q": "a"}).status_code == 404


# --- what must never get through ---


@pytest.mark.rule("T08")
def test_a_probe_is_refused_or_changes_nothing(where: Company, client: Client) -> None:
    where.deal("A", amount=5)
    client.force_login(where.zhou)
    for probe in PROBES:
        _try(client, where.zhou, probe, names(get(client)))


def _try(client: Client, user: Any, probe: str, normal: list[str]) -> None:
    leaves = [
        {"field": probe, "op": "eq", "value": "x"},
        {"field": "name", "op": probe, "value": "x"},
        {"field": "name", "op": "contains", "value": probe},
        {"field": "name", "op": "eq", "value": probe},
        {"field": "amount", "op": "gte", "value": probe},
        {"field": "owner", "op": "eq", "value": probe},
        {"field": "owner", "op": "in", "value": [probe]},
        {"field": "state", "op": "in", "value": [probe, "open"]},
        {"field": "created", "op": "gte", "value": probe},
        {"field": "is_tender", "op": "eq", "value": probe},
        {"field": "bant_need", "op": "contains", "value": probe},
        {"field": "stage", "op": "eq", "value": probe},
        {"not": {"field": "name", "op": "contains", "value": probe}},
        {probe: []},
        {"all": [probe]},
        {"all": {"x": probe}},
    ]
    fields, rows = list_fields(lists.kind_of("opportunity"), user), Opportunity.objects.visible_to(user)
    for leaf in leaves:
        try:
            _tree, compiled = read_tree(json.dumps(leaf), fields)
        except lists.BadList as refusal:
            assert refusal.status == 400
        else:
            assert narrowed(rows, compiled, at=timezone.now()).count() in (0, 1)
    asked: list[dict[str, Any]] = [
        {"filter": json.dumps(leaves[2])},
        {"filter": probe},
        {"sort": probe},
        {"sort": f"-{probe}"},
        {"page": probe},
        {"cols": probe},
        {"q": probe},
        {"field": probe},
        {"field": "name", "op": probe, "value": "x"},
        {"field": "amount", "op": "eq", "value": probe},
        {"field": "account", "op": "eq", "value": probe},
        {"export": probe},
        {"_connector": probe},
    ]
    for params in asked:
        encoded = "&".join(
            f"{quote(k)}={quote(str(v).encode('utf-8', 'surrogatepass'))}" for k, v in params.items()
        )
        response = client.get(f"{reverse('crm:opportunities')}?{encoded}")
        assert response.status_code in (200, 302, 400), (params, response.status_code)
        if response.status_code == 200 and set(params) <= {"page", "export", "_connector"}:
            assert names(response) == normal


@pytest.mark.rule("T08")
@pytest.mark.one_engine("sqlite", "its cursor shows the statement apart from its values")
def test_statements_hold_placeholders_where_a_probe_was(where: Company, client: Client) -> None:
    client.force_login(where.zhou)
    texts: list[str] = []

    def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        texts.append(sql)
        return execute(sql, params, many, context)

    mark = "zqxj'\")--;"
    with connection.execute_wrapper(watch):
        for params in (
            {"q": mark},
            {"filter": json.dumps({"field": "name", "op": "contains", "value": mark})},
            {"filter": json.dumps({"field": "bant_need", "op": "ne", "value": "claimed"})},
            {"filter": json.dumps({"field": "customer_problem", "op": "contains", "value": mark})},
            {"filter": json.dumps({"not": {"field": "stage", "op": "eq", "value": mark}})},
        ):
            assert client.get(reverse("crm:opportunities"), params).status_code == 200
    assert texts and not [text for text in texts if "zqxj" in text]


@pytest.mark.rule("T08", "T15")
def test_a_filter_is_bounded(where: Company) -> None:
    fields = list_fields(lists.kind_of("opportunity"), where.zhou)
    deep: Any = {"field": "name", "op": "present"}
    for _ in range(40):
        deep = {"not": deep}
    for raw in (
        "[" * 100_000,
        json.dumps(deep),
        "9" * 9000,
        "[]",
        "1",
        '"x"',
        '{"all": []}',
        "NaN",
        '{"field":"name","op":"eq","value":"\\u0000"}',
        '{"field":"name","op":"contains","value":"\\ud800"}',
        json.dumps({"field": "owner", "op": "eq", "value": 10**30}),
    ):
        with pytest.raises(lists.BadList):
            read_tree(raw, fields)

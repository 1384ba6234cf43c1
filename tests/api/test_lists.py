"""Pages by cursor, filters, named sorts, masks, and how many questions a list asks."""

import json
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.factories.crm import PROCESS

from fairlead.fields import catalogue
from fairlead.offers import services as offers


def ids(answer) -> list[int]:
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["items"]]


def test_pages_follow_one_another_without_a_gap_and_nothing_twice(where, key_of):
    deals = [where.deal(amount=amount) for amount in (300, None, 100, 200, 200, None, 100)]
    where.edit(deals[0], expected_close_date=None)
    door = key_of(where.zhou)
    for sort in (
        "amount",
        "-amount",
        "name",
        "-created_at",
        "expected_close_date",
        "-expected_close_date",
        "-id",
    ):
        whole = ids(door.get("/opportunities", sort=sort))
        assert sorted(whole) == sorted(d.pk for d in deals)
        assert walked(door, sort) == whole, sort


def walked(door, sort: str) -> list[int]:
    found: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = door.get("/opportunities", sort=sort, limit=2, cursor=cursor)
        found += ids(answer)
        cursor = answer.json()["next"]
    return found


def test_amounts_come_in_their_order(where, key_of):
    for amount in (300, 100, 200):
        where.deal(amount=amount)
    rows = key_of(where.zhou).get("/opportunities", sort="-amount").json()["items"]
    assert [Decimal(row["amount"]) for row in rows] == [300, 200, 100]


UNREADABLE = [
    {"sort": "owner__password"}, {"sort": "discount"}, {"sort": "-"}, {"sort": "amount; --"}, {"limit": "201"},
    {"limit": "0"}, {"cursor": "AAAA"}, {"cursor": "WyIiXQ"}, {"cursor": "é"}, {"cursor": "W10="}, {"filter": "{"},
    {"filter": "[]"}, {"filter": '{"field": "owner__password", "op": "present"}'}, {"filter": '{"all": []}'},
    {"filter": '{"field": "amount", "op": "gt", "value": "much"}'}, {"filter": '{"field": "amount", "op": "like"}'},
    {"filter": "1e999"}, {"filter": "NaN"}, {"filter": '{"field": "name", "op": "eq", "value": "\\ud800"}'},
    {"filter": "[" * 5000}, {"q": "x" * 101}, {"q": "\x00"}, {"stat": "open"}, {"stage": "a b"}, {"owner": "1"},
    {"filter": '{"field": "account", "op": "eq", "value": ' + "9" * 30 + "}"},
]  # fmt: skip


@pytest.mark.rule("T08")
def test_what_a_list_cannot_read_it_refuses(where, key_of):
    where.deal()
    door = key_of(where.zhou, "read")
    for query in UNREADABLE:
        answer = door.get("/opportunities", **query)
        assert answer.status_code == 400, (query, answer.content)
        assert json.loads(answer.content)["code"] == "bad-input"


def test_filters_and_search_find_what_they_say(where, key_of):
    big, small = (
        where.deal("车辆段智能运维", amount=5_000_000),
        where.deal(amount=100, stage="needs_analysis"),
    )
    door = key_of(where.zhou)
    tree = {
        "all": [
            {"field": "amount", "op": "gte", "value": 500000},
            {"field": "is_tender", "op": "ne", "value": True},
        ]
    }
    assert ids(door.get("/opportunities", filter=json.dumps(tree))) == [big.pk]
    assert ids(door.get("/opportunities", q="cld")) == [big.pk]
    assert ids(door.get("/opportunities", process=PROCESS, stage="needs_analysis", state="open")) == [
        small.pk
    ]
    where.edit(small, customer_problem="停机一次损失二十万")
    custom = {"field": "customer_problem", "op": "contains", "value": "停机"}
    assert ids(door.get("/opportunities", filter=json.dumps(custom))) == [small.pk]
    assert ids(
        door.get(
            "/opportunities", filter=json.dumps({"field": "account", "op": "eq", "value": big.account_id})
        )
    ) == [big.pk]


@pytest.mark.rule("T04")
def test_a_field_that_one_may_not_read_is_nowhere(where, key_of):
    """Legal sees deals, not their margin; there the field does not exist."""
    deal = where.deal()
    where.edit(deal, margin="31.57")
    where.deal(stage="needs_analysis")
    key_of(where.zhou).post(f"/opportunities/{deal.pk}/move", {})
    legal, owner = key_of(where.lu, "read"), key_of(where.zhou)
    for path in (
        "",
        f"/{deal.pk}",
        f"/{deal.pk}/timeline",
        f"/{deal.pk}/evaluations",
        f"/{deal.pk}/checklist",
    ):
        answer = legal.get(f"/opportunities{path}")
        assert answer.status_code == 200
        assert b"31.57" not in answer.content, path
        assert b'"margin"' not in answer.content, path
    assert key_of(where.shen, "read").get("/events").status_code == 200
    keys = [f["key"] for f in legal.get("/fields", subject="opportunity").json()["items"]]
    assert "margin" not in keys and "amount" in keys
    tree = json.dumps({"field": "margin", "op": "gt", "value": 1})
    refused = [
        legal.get("/opportunities", filter=tree),
        legal.get("/opportunities", filter=tree.replace("margin", "nothing")),
    ]
    margin, nothing = (json.loads(a.content.replace(b"nothing", b"margin"))["errors"] for a in refused)
    assert [a.status_code for a in refused] == [400, 400]
    assert margin == nothing
    seen = owner.get(f"/opportunities/{deal.pk}").json()
    assert seen["margin"] == "31.57"
    assert ids(owner.get("/opportunities", filter=tree)) == [deal.pk]
    changes = [
        row["changes"]
        for row in owner.get(f"/opportunities/{deal.pk}/timeline").json()["items"]
        if row.get("changes")
    ]
    assert {"before": None, "after": "31.57"} in [c.get("margin") for c in changes]


@pytest.mark.rule("T23")
def test_a_list_asks_as_much_for_many_rows_as_for_one(where, key_of, monkeypatch):
    monkeypatch.setattr(catalogue, "RECHECK_SECONDS", 3600.0)
    door = key_of(where.zhou)
    counted: list[dict[str, int]] = []
    for rows in (1, 19):
        for number in range(rows):
            deal = where.deal()
            where.contact(deal.account)
            offers.create_contract(
                deal.pk, number=f"N-{rows}-{number}", amount=1, currency="CNY", **where.how()
            )
        counted.append({path: questions(door, path) for path in QUESTIONS})
    assert counted == [QUESTIONS, QUESTIONS]


#: The key, its owner, the roles of its owner, the keys of a page whose rows are joined, and the rows; nothing more
#: for twenty than for one.
QUESTIONS = {
    "/opportunities": 5, "/accounts": 5, "/contacts": 5, "/journeys": 5, "/users": 4, "/processes": 6, "/contracts": 6,
}  # fmt: skip


def questions(door, path: str) -> int:
    door.get(path)
    with CaptureQueriesContext(connection) as asked:
        assert door.get(path, limit=200).status_code == 200
    return sum(not q["sql"].startswith(("SAVEPOINT", "RELEASE")) for q in asked.captured_queries)

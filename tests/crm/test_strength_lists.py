"""Relationship strength as a column and a condition of lists: what the pages say, and only what one sees."""

from __future__ import annotations

import csv
import io
import json
import random
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from tests.factories.crm import Company, company

from fairlead.crm import lists
from fairlead.crm import services as crm
from fairlead.crm.models import Account, Contact
from fairlead.crm.selectors.strength import relationship
from fairlead.crm.selectors.strengths import account_strengths, contact_strengths
from fairlead.fields import catalogue
from fairlead.work import services as work

pytestmark = pytest.mark.rule("U20")
STRONG = {"field": "strength", "op": "eq", "value": "strong"}


@pytest.fixture(autouse=True)
def _steady_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "RECHECK_SECONDS", 3600.0)


@pytest.fixture
def where(db: None) -> Company:
    return company(language="en")


def log(
    where: Company, kind: str, pk: int, days: int, *contacts: int, by: Any = None, outcome: str = "talked"
) -> None:
    at = timezone.now()
    work.log_activity(
        kind, pk, kind="call", summary="A word", outcome=outcome, done_at=at - timedelta(days=days),
        contact_ids=contacts, by=by or where.zhou, at=at, channel="ui",
    )  # fmt: skip


def strong(where: Company, account: Account) -> None:
    for days in range(6):
        log(where, "account", account.pk, days)


def handed_over(where: Company, deal: Any) -> None:
    """To a colleague of another branch: what happens there is not seen here any more."""
    deal.refresh_from_db()
    crm.reassign("opportunity", deal.pk, owner=where.qi, version=deal.version, **where.how(where.chen))
    deal.refresh_from_db()


def get(client: Client, plural: str, tree: Any = None, **params: Any) -> Any:
    if tree is not None:
        params["filter"] = json.dumps(tree)
    answer = client.get(reverse(f"crm:{plural}"), params)
    assert answer.status_code == 200, answer.content.decode()[:300]
    return answer


def names(answer: Any) -> list[str]:
    return re.findall(r'<th scope="row"><a href="[^"]+">([^<]+)</a>', answer.content.decode())


def test_many_at_once_are_what_each_page_says(where: Company) -> None:
    """A hundred activities over records of two owners: equal for every reader, account by account, person by person."""
    dice = random.Random(7)
    accounts = [where.account(owner=where.zhou if n % 2 else where.qi) for n in range(6)]
    people = [where.contact(account) for account in accounts for _n in range(2)]
    deals = [where.deal(account=a, owner=o) for a in accounts for o in (where.zhou, where.qi) if a.owner == o]
    guest = where.deal(account=accounts[1])
    crm.add_contact_role(guest.pk, contact_id=people[2].pk, role="EB", **where.how())
    handed_over(where, guest)
    for _n in range(100):
        kind, row = dice.choice(
            [("account", accounts), ("contact", people), ("opportunity", [*deals, guest])]
        )
        target = dice.choice(row)
        by = target.owner
        mine = [p.pk for p in people if Contact.objects.visible_to(by).filter(pk=p.pk).exists()]
        named = dice.sample(mine, dice.randint(0, 2))
        log(
            where,
            kind,
            target.pk,
            dice.randint(0, 500),
            *named,
            by=by,
            outcome=dice.choice(["talked", "sent"]),
        )
    at = timezone.now()
    seen = 0
    for reader in (where.zhou, where.qi, where.chen, where.tang):
        for kind, model, many in (
            ("account", Account, account_strengths),
            ("contact", Contact, contact_strengths),
        ):
            rows = list(model.objects.visible_to(reader))
            found = many([row.pk for row in rows], reader, at)
            for row in rows:
                alone = relationship(kind, row, reader=reader, at=at).strength
                assert (found[row.pk].score, found[row.pk].level) == (alone.score, alone.level), (
                    kind,
                    row.pk,
                )
                seen += alone.score > 0
    assert seen > 20


def test_the_column_says_it_and_leads_to_the_reason(where: Company, client: Client) -> None:
    known, stranger = where.account("Known"), where.account("Stranger")
    strong(where, known)
    client.force_login(where.zhou)
    page = get(client, "accounts", cols="name,strength").content.decode()
    assert f'<a href="{reverse("crm:account", args=[known.pk])}?tab=strength">Strong</a>' in page
    assert f'<a href="{reverse("crm:account", args=[stranger.pk])}?tab=strength">Not in touch yet</a>' in page
    assert "Strong" not in get(client, "accounts").content.decode().split("<tbody>")[1].split("</tbody>")[0]


def test_the_condition_finds_them_alone_denied_and_beside_others(where: Company, client: Client) -> None:
    for name in ("Known", "Other", "Third"):
        where.account(name, city="Suzhou" if name == "Third" else "Wuxi")
    rows = {row.name: row for row in Account.objects.all()}
    strong(where, rows["Known"])
    log(where, "account", rows["Other"].pk, 100)
    client.force_login(where.zhou)
    assert names(get(client, "accounts", STRONG)) == ["Known"]
    assert names(get(client, "accounts", {"not": STRONG})) == ["Other", "Third"]
    assert names(get(client, "accounts", {"field": "strength", "op": "in", "value": ["strong", "weak"]})) == [
        "Known", "Other",
    ]  # fmt: skip
    suzhou = {"field": "city", "op": "eq", "value": "Suzhou"}
    assert names(get(client, "accounts", {"any": [STRONG, suzhou]})) == ["Known", "Third"]
    assert names(get(client, "accounts", {"all": [STRONG, suzhou]})) == []
    assert "Relationship is Strong" in get(client, "accounts", STRONG).content.decode()


def test_people_by_how_well_one_knows_them(where: Company, client: Client) -> None:
    account = where.account()
    anna, bert = where.contact(account, "Anna"), where.contact(account, "Bert")
    for days in range(6):
        log(where, "account", account.pk, days, anna.pk)
    client.force_login(where.zhou)
    assert names(get(client, "contacts", STRONG)) == ["Anna"]
    assert names(get(client, "contacts", {"field": "strength", "op": "eq", "value": "none"})) == [bert.name]


def test_what_one_does_not_see_makes_nobody_strong(where: Company, client: Client) -> None:
    account = where.account("Shared")
    theirs = where.deal(account=account)
    handed_over(where, theirs)
    for days in range(6):
        log(where, "opportunity", theirs.pk, days, by=where.qi)
    client.force_login(where.zhou)
    assert names(get(client, "accounts", STRONG)) == []
    client.force_login(where.qi)
    assert names(get(client, "accounts", STRONG)) == ["Shared"]  # the account of a deal of one's own


def test_a_file_of_the_list_holds_the_words(where: Company, client: Client) -> None:
    strong(where, where.account("Known"))
    where.account("Stranger")
    client.force_login(where.zhou)
    for extra in ({"fields": "shown", "cols": "name,strength"}, {}):
        answer = get(client, "accounts", export="csv", **extra)
        rows = list(csv.DictReader(io.StringIO(b"".join(answer).decode("utf-8-sig"))))
        assert {row["Name"]: row["Relationship"] for row in rows} == {
            "Known": "Strong", "Stranger": "Not in touch yet",
        }  # fmt: skip
    only = list(
        csv.reader(io.StringIO(b"".join(get(client, "accounts", STRONG, export="csv")).decode("utf-8-sig")))
    )
    assert [row[0] for row in only[1:]] == ["Known"]


def test_a_list_says_where_it_stopped_looking(
    where: Company, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "LOOK_LIMIT", 3)
    for name in "ABCD":
        strong(where, where.account(name))
    client.force_login(where.zhou)
    page = get(client, "accounts", STRONG)
    assert names(page) == ["A", "B", "C"] and "first 3 records" in page.content.decode()
    narrower = {"all": [STRONG, {"field": "name", "op": "eq", "value": "D"}]}
    page = get(client, "accounts", narrower)
    assert names(page) == ["D"] and "first 3 records" not in page.content.decode()


def test_eight_questions_for_one_row_and_for_fifty(where: Company, client: Client) -> None:
    client.force_login(where.zhou)
    counts: dict[str, list[int]] = {}
    for rows in (1, 49):
        for n in range(rows):
            account = where.account(f"A{rows}-{n}")
            log(where, "account", account.pk, 1, where.contact(account).pk)
        for plural in ("accounts", "contacts"):
            for tree in (None, {"field": "strength", "op": "ne", "value": "strong"}):
                params = {"cols": "name,strength"} | ({"filter": json.dumps(tree)} if tree else {})
                client.get(reverse(f"crm:{plural}"), params)
                with CaptureQueriesContext(connection) as queries:
                    page = client.get(reverse(f"crm:{plural}"), params)
                assert page.content.decode().count("?tab=strength") == min(50, len(names(page)))
                counts.setdefault(f"{plural} {bool(tree)}", []).append(len(queries))
    assert counts == {
        f"{plural} {tree}": [8, 8] for plural in ("accounts", "contacts") for tree in (False, True)
    }


def test_the_interface_lists_by_it_page_by_page(where: Company, client: Client) -> None:
    for name in "ABCDE":
        account = where.account(name)
        if name in "BE":
            strong(where, account)
    client.force_login(where.zhou)
    found, cursor, pages = [], "", 0
    while True:
        answer = client.get("/api/v1/accounts", {"strength": "strong", "limit": 2, "cursor": cursor}).json()
        found += [(row["name"], row["strength"]) for row in answer["items"]]
        cursor, pages = answer["next"] or "", pages + 1
        if not cursor:
            break
    assert found == [("B", "strong"), ("E", "strong")] and pages == 3
    assert "strength" not in client.get("/api/v1/accounts").json()["items"][0]
    assert client.get("/api/v1/accounts", {"strength": "grand"}).status_code in (400, 422)

"""How well we know somebody: the rule alone, and the value of a page against a query of its own."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from tests.factories.crm import Company, company

from fairlead.crm.models import Account, Contact
from fairlead.crm.selectors.strength import relationship
from fairlead.crm.strength import MOST, Touch, strength_of
from fairlead.work import services as work
from fairlead.work.models import Activity

AT = datetime(2026, 11, 24, 9, tzinfo=UTC)


def touch(days: float, *, two_way: bool = True, who: int = 1, pk: int = 1) -> Touch:
    return Touch(pk, AT - timedelta(days=days), two_way, who)


@pytest.mark.rule("U20")
@pytest.mark.parametrize(
    "touches,score,level",
    [
        ([], 0, "none"),
        ([touch(0)], 40 + 5 + 6 + 3, "fair"),
        ([touch(0, two_way=False)], 0 + 5 + 0 + 3, "weak"),
        ([touch(90)], 20 + 5 + 6 + 3, "weak"),
        ([touch(91)], 19 + 0 + 6 + 3, "weak"),
        ([touch(180)], 0 + 0 + 6 + 3, "weak"),
        ([touch(366)], 0, "weak"),
        ([touch(n, who=n % 3) for n in range(6)], 40 + 30 + 20 + 10, "strong"),
        ([touch(n, who=n % 3) for n in range(60)], 100, "strong"),
        ([touch(-1)], 0, "none"),  # what lies ahead does not count
        ([touch(10, two_way=n % 2 == 0, who=n) for n in range(4)], 37 + 20 + 10 + 10, "strong"),
    ],
)
def test_the_rule(touches: list[Touch], score: int, level: str) -> None:
    found = strength_of(touches, at=AT)
    assert (found.score, found.level) == (score, level)
    assert found.score == sum(found.parts.values()) and set(found.parts) == set(MOST)


@pytest.mark.rule("U20")
def test_more_contact_is_never_a_weaker_relationship_but_for_silence() -> None:
    """Another two-way contact never lowers the number; the parts stay within their bounds."""
    dice = random.Random(20)
    for _case in range(500):
        touches = [
            touch(dice.randint(0, 400), two_way=dice.random() < 0.5, who=dice.randint(1, 5))
            for _n in range(dice.randint(0, 15))
        ]
        before = strength_of(touches, at=AT)
        after = strength_of([*touches, touch(dice.randint(0, 400), who=dice.randint(1, 5))], at=AT)
        assert after.score >= before.score
        assert all(0 <= points <= MOST[part] for part, points in after.parts.items())


@pytest.fixture
def where(db: None) -> Company:
    return company(language="en")


def log(
    where: Company, kind: str, pk: int, days: int, *contacts: int, by: Any = None, outcome: str = "talked"
) -> Activity:
    at = timezone.now()
    return work.log_activity(
        kind, pk, kind="call", summary=f"{days} days ago", outcome=outcome, done_at=at - timedelta(days=days),
        contact_ids=contacts, by=by or where.zhou, at=at, channel="ui",
    )  # fmt: skip


@pytest.mark.rule("U20", "T01")
def test_the_value_equals_a_query_and_holds_only_what_the_reader_sees(where: Company, client: Client) -> None:
    deal = where.deal("Line four")
    account = deal.account
    anna, bert = where.contact(account, "Anna"), where.contact(account, "Bert")
    foreign = where.deal("Line five", owner=where.chen, account=account)
    log(where, "opportunity", deal.pk, 3, anna.pk)
    log(where, "opportunity", deal.pk, 40, anna.pk, bert.pk, outcome="no_answer")
    log(where, "account", account.pk, 100, anna.pk)
    log(where, "contact", anna.pk, 300)
    log(where, "account", account.pk, 400, anna.pk)
    log(where, "opportunity", foreign.pk, 1, anna.pk, by=where.chen)
    gone = log(where, "opportunity", deal.pk, 2, anna.pk)
    work.remove_activity(gone.pk, version=1, **where.how())
    where.next_step(deal, days=3)
    work.plan_activity(
        "opportunity", deal.pk, kind="call", summary="Ring", due_at=timezone.now() + timedelta(days=5),
        contact_ids=[anna.pk], **where.how(),
    )  # fmt: skip
    at = timezone.now()
    for kind, row in (("contact", anna), ("contact", bert), ("account", account)):
        for reader in (where.zhou, where.chen):
            found = relationship(kind, row, reader=reader, at=at)
            rows = Activity.objects.filter(state="done").select_related("owner")
            expected = [
                a
                for a in rows
                if (reader == where.chen or (a.subject_type, a.subject_id) != ("opportunity", foreign.pk))
                and (
                    kind == "account"
                    or row.pk in a.contact_ids
                    or (a.subject_type, a.subject_id) == (kind, row.pk)
                )
            ]
            assert set(found.counted) == {a.pk for a in expected}, (kind, row, reader)
            touches = [
                Touch(a.pk, a.done_at, a.outcome in ("talked",), a.owner_id) for a in expected if a.done_at
            ]
            own = strength_of(touches, at=at)
            assert (found.strength.score, found.strength.parts) == (own.score, own.parts)
            assert (found.strength.first_at, found.strength.last_at) == (own.first_at, own.last_at)
    assert relationship("contact", anna, reader=where.zhou, at=at).strength.next_at is not None
    assert relationship("contact", bert, reader=where.zhou, at=at).strength.next_at is None
    assert len(relationship("contact", anna, reader=where.chen, at=at).counted) == 6
    assert len(relationship("contact", anna, reader=where.zhou, at=at).counted) == 5

    client.force_login(where.zhou)
    page = client.get(reverse("crm:contact", args=[anna.pk])).content.decode()
    score = relationship("contact", anna, reader=where.zhou, at=at).strength.score
    assert f"relationship {score}" in page and "?tab=strength" in page
    told = client.get(reverse("crm:contact", args=[anna.pk]) + "?tab=strength").content.decode()
    for words in (
        "Last two-way contact",
        "3 days ago",
        "2 activities in 90 days",
        "3 of 4 in 365 days",
        "Line four",
    ):
        assert words in told, words
    assert "1 days ago" not in told and "Line five" not in told
    answer = client.get(f"/api/v1/contacts/{anna.pk}/strength").json()
    assert (answer["score"], len(answer["activities"])) == (score, 5)
    client.force_login(where.qi)
    assert client.get(f"/api/v1/contacts/{anna.pk}/strength").status_code == 404
    assert client.get(f"/api/v1/accounts/{account.pk}/strength").status_code == 404


@pytest.mark.rule("U20")
def test_beyond_the_newest_the_first_interaction_is_still_known(where: Company, monkeypatch: Any) -> None:
    account: Account = where.account("Heng Yue")
    contact: Contact = where.contact(account)
    for days in (500, 200, 100, 5):
        log(where, "account", account.pk, days, contact.pk)
    monkeypatch.setattr("fairlead.crm.selectors.strength.LOOKED_AT", 2)
    found = relationship("account", account, reader=where.zhou, at=timezone.now())
    assert found.strength.first_at is not None and len(found.counted) == 2
    assert (timezone.now() - found.strength.first_at).days == 500

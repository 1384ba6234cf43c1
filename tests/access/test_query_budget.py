"""How much each page asks the database: at most 25 questions, and the same for one record and for fifty."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from tests.access.objects import MINE, Objects
from tests.e2e.pages import PAGES, addresses, furnish
from tests.factories.crm import company

from fairlead.crm import services as crm
from fairlead.crm.models import Account
from fairlead.exchange import services as exchange
from fairlead.fields.services import add_field
from fairlead.offers import services as offers
from fairlead.organisation import services as organisation
from fairlead.work import services as work

pytestmark = [pytest.mark.django_db, pytest.mark.rule("T21"), pytest.mark.xdist_group("query_budget")]
MOST = 25
#: What makes a record and its gate again as they were on a day reads every kind of evidence from the journal.
REBUILT = {"as-of": 35}
FIFTY = 50
BUYING_ROLES = ("EB", "TB", "UB", "COACH")


@pytest.fixture(scope="module")
def asked(django_db_setup: Any, django_db_blocker: Any) -> Iterator[dict[str, tuple[int, int]]]:
    """Address → how many questions with one record of each kind, and with fifty."""
    with (
        django_db_blocker.unblock(),
        override_settings(ALLOWED_HOSTS=["testserver"]),
        transaction.atomic(),
    ):
        objects = furnish(company(language="en"))
        chief, seller = Client(), Client()
        chief.force_login(objects.where.people["admin"])
        seller.force_login(objects.where.people["zhou"])
        fill(objects, range(1))
        # A page that is its owner's alone is asked for by its owner.
        asker = {
            address: chief if chief.get(address).status_code == 200 else seller
            for address in every_address(objects)
        }
        few = {address: count(client, address) for address, client in asker.items()}
        fill(objects, range(1, FIFTY))
        many = {address: count(client, address) for address, client in asker.items()}
        yield {address: (few[address], many[address]) for address in few}
        transaction.set_rollback(True)


def every_address(objects: Objects) -> list[str]:
    found = [address for pattern in PAGES for address in addresses(pattern, objects)]
    return [a + "stock.customer_contact.all" if a.endswith("cell=") else a for a in found]


def count(client: Client, address: str) -> int:
    """What a process remembers of fields and processes for a while is not asked on every page."""
    found = []
    for _time in range(3):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200, address
        found.append(len(queries))
    return min(found)


def fill(objects: Objects, numbers: range) -> None:
    """More of everything, beside the record that each page shows and below it."""
    where = objects.where
    now = timezone.now()
    seller, chief = where.people["zhou"], where.people["admin"]
    how, chiefs = where.how(seller), where.how(chief)
    account = Account.objects.get(pk=objects.of("account", MINE))
    deal, contact = objects.of("opportunity", MINE), objects.of("contact", MINE)
    for n in numbers:
        where.account(f"客户 {n}", owner=seller)
        person = where.contact(account, f"联系人 {n}")
        where.next_step(where.deal(f"商机 {n}", owner=seller, account=account))
        crm.create("segment", {"name": f"细分 {n}"}, **chiefs)
        crm.add_contact_role(deal, contact_id=person.pk, role=BUYING_ROLES[n % 4], **how)
        for kind, pk in (("opportunity", deal), ("account", account.pk), ("contact", contact)):
            by = how if kind != "contact" else chiefs
            work.log_activity(
                kind, pk, kind="call", summary=f"电话 {n}", outcome="talked", done_at=now - timedelta(hours=n),
                contact_ids=[person.pk], **by,
            )  # fmt: skip
            work.add_comment(kind, pk, text=f"一句话 {n}", **by)
            work.add_task(kind, pk, title=f"一件事 {n}", **by)
            work.add_file(kind, pk, kind="note", name=f"{n}.txt", content=b"text", **by)
        contract = offers.create_contract(deal, number=f"C-{n}", amount=Decimal(n), currency="CNY", **how)
        offers.add_milestone(objects.of("contract", MINE), kind="payment", name=f"付款 {n}", **how)
        assert contract.pk
        organisation.create_user(username=f"person{n}", name=f"人员 {n}", **chiefs)
        organisation.create_team(name=f"团队 {n}", parent=None, **chiefs)
        exchange.stage_file(["客户\n启晨\n".encode()], file_name=f"{n}.csv", kind="account", **chiefs)
        if n < 8:
            add_field(subject_type="contact", key=f"x{n}", type="text", label={"en": f"X{n}"}, **chiefs)


def test_no_page_asks_more_than_its_budget(asked: dict[str, tuple[int, int]]) -> None:
    assert len(asked) >= len(PAGES) >= 70
    most = {address: next((n for word, n in REBUILT.items() if word in address), MOST) for address in asked}
    over = {address: counts for address, counts in asked.items() if max(counts) > most[address]}
    assert over == {}


def test_fifty_records_are_asked_for_as_one_is(asked: dict[str, tuple[int, int]]) -> None:
    assert {address: counts for address, counts in asked.items() if counts[1] > counts[0]} == {}

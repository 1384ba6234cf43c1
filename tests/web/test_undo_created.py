"""What was created by mistake goes again, as long as nothing hangs on it; milestones too (U14)."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from tests.factories.crm import Company, company

from fairlead.common.refusals import NotFound
from fairlead.crm import services as crm
from fairlead.crm.models import Account, Contact, Opportunity
from fairlead.journal.models import Event
from fairlead.journal.undoing import CannotUndo, undo
from fairlead.offers import services as offers
from fairlead.offers.models import Milestone
from fairlead.process.models import Clock, Journey, Visit
from fairlead.process.services.rebuilding import differences
from fairlead.work import services as work

pytestmark = pytest.mark.rule("U14")


@pytest.fixture
def where(db: None) -> Company:
    translation.activate("en")
    return company(language="en")


def creation(kind: str, pk: int) -> int:
    return Event.objects.get(type="created", subject_type=kind, subject_id=pk).pk


def taken_back(where: Company, *events: int, by: Any = None) -> None:
    undo(list(events), by=by or where.zhou, at=timezone.now(), channel="ui")


def made(where: Company, name: str = "Line four") -> Opportunity:
    account = where.account()
    deal: Opportunity = crm.create("opportunity", {"name": name, "account": account.pk}, **where.how())
    return deal


def test_a_deal_goes_with_its_journey_and_its_events_stay(where: Company) -> None:
    deal = made(where)
    journey = deal.journey_id
    taken_back(where, creation("opportunity", deal.pk))
    assert not Opportunity.objects.filter(pk=deal.pk).exists()
    for model, name in ((Journey, "pk"), (Visit, "journey"), (Clock, "journey")):
        assert not model.objects.filter(**{name: journey}).exists()
    told = Event.objects.filter(subject_type="opportunity", subject_id=deal.pk)
    assert told.filter(type="created").exists()
    assert told.get(type="creation_undone").data["undoes"] == creation("opportunity", deal.pk)
    assert not list(differences())
    with pytest.raises(CannotUndo):
        taken_back(where, creation("opportunity", deal.pk))


def test_what_hangs_on_it_or_changed_it_keeps_it(where: Company) -> None:
    account = where.account("Depot")
    where.contact(account)
    with pytest.raises(CannotUndo, match="hang on it"):
        taken_back(where, creation("account", account.pk))
    deal = made(where)
    work.add_comment("opportunity", deal.pk, text="Good talk", **where.how())
    with pytest.raises(CannotUndo):
        taken_back(where, creation("opportunity", deal.pk))
    edited = where.account("Yard")
    crm.edit("account", edited.pk, {"city": "Wuxi"}, version=edited.version, **where.how())
    with pytest.raises(CannotUndo, match="changed this"):
        taken_back(where, creation("account", edited.pk))
    assert Account.objects.filter(pk__in=[account.pk, edited.pk]).count() == 2


def test_a_chain_goes_from_its_end(where: Company) -> None:
    account = where.account("Depot")
    person = where.contact(account)
    taken_back(where, creation("contact", person.pk))
    taken_back(where, creation("account", account.pk))
    assert not Account.objects.exists() and not Contact.objects.exists()


def test_nobody_takes_back_what_another_made(where: Company) -> None:
    account = where.account()
    with pytest.raises(NotFound):
        taken_back(where, creation("account", account.pk), by=where.chen)


def test_the_note_after_creating_offers_it_and_leads_to_the_list(where: Company, client: Client) -> None:
    client.force_login(where.zhou)
    client.post(reverse("crm:account_new"), {"name": "Depot"})
    pk = Account.objects.get().pk
    page = client.get(reverse("crm:account", args=[pk])).content.decode()
    url = reverse("web:undo", args=[creation("account", pk)])
    assert url in page
    answer = client.post(url, headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, reverse("crm:accounts"))
    assert client.get(reverse("crm:account", args=[pk])).status_code == 404
    client.post(reverse("crm:account_new"), {"name": "Depot"})
    url = reverse("web:undo", args=[creation("account", Account.objects.get().pk)])
    answer = client.post(url, {"next": reverse("crm:account", args=[Account.objects.get().pk])})
    assert (answer.status_code, answer.url) == (302, reverse("crm:accounts"))


def test_milestones_go_and_are_reached_no_more(where: Company) -> None:
    deal = where.deal()
    how: Any = where.how()
    contract = offers.create_contract(deal.pk, number="C-1", amount=100, currency="CNY", **how)
    row = offers.add_milestone(contract.pk, kind="payment", name="First", **how)
    added = Event.objects.get(type="milestone_added").pk
    offers.complete_milestone(row.pk, on=timezone.localdate(), **how)
    done = Event.objects.get(type="milestone_done").pk
    with pytest.raises(CannotUndo):
        taken_back(where, added)  # it was reached since
    taken_back(where, done)
    row.refresh_from_db()
    assert row.done_date is None and row.recorded_at is None
    taken_back(where, added)
    assert not Milestone.objects.exists()
    types = list(
        Event.objects.filter(type__startswith="milestone_").order_by("pk").values_list("type", flat=True)
    )
    assert types == ["milestone_added", "milestone_done", "milestone_reopened", "milestone_removed"]

"""Where sample data are offered, to whom, and the pages and the API that load and clear them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from tests.exchange.test_sample_data import DEALS, WHOLE, cleared, counts, how, loaded, new_company
from tests.kit.fingerprint import changed, db_fingerprint

from fairlead.crm.models import Account, Opportunity
from fairlead.crm.services import create
from fairlead.exchange import tasks
from fairlead.exchange.services.samples import sample_data
from fairlead.journal.enums import Channel
from fairlead.organisation import services as organisation
from fairlead.organisation.enums import Role
from fairlead.organisation.models import User

pytestmark = pytest.mark.django_db

LOAD = 'action="/sample-data/load/"'
EMPTY_PAGES = ("/", "/board/", "/opportunities/", "/accounts/", "/contacts/", "/sample-data/")


@pytest.fixture
def admin() -> User:
    return new_company(language="en")


@pytest.fixture
def office(admin: User, client: Client) -> Client:
    client.force_login(admin)
    return client


def colleague(admin: User, *roles: Role) -> Client:
    person = organisation.create_user(
        username="colleague", name="Lin", password="correct-horse-battery", team=admin.team, by=None,
        at=timezone.now(), channel=Channel.SYSTEM, roles=roles,
    )  # fmt: skip
    client = Client()
    client.force_login(person)
    return client


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


@pytest.mark.rule("U15", "U16")
@pytest.mark.parametrize("address", EMPTY_PAGES)
def test_an_empty_company_offers_them_to_whoever_manages_it(office, admin, address):
    assert text(office, address).count(LOAD) == 1
    loaded(admin)
    assert LOAD not in text(office, address)
    cleared(admin)
    assert text(office, address).count(LOAD) == 1
    create("account", {"name": "Real"}, **how(admin))
    assert LOAD not in text(office, address)


@pytest.mark.rule("U16")
@pytest.mark.parametrize("address", EMPTY_PAGES[1:5])
def test_each_card_and_row_says_whether_it_is_a_sample(office, admin, address):
    """Beside real records only: where everything is a sample the frame says so once."""
    tag = '<span class="fl-tag fl-sample">Sample data</span>'
    loaded(admin)
    shown = re.findall(
        r'(?:class="fl-card__name"|<th scope="row"><a) href="[^"]+">([^<]+)</a>', text(office, address)
    )
    assert shown and text(office, address).count(tag) == len(shown)
    assert " data-samples " in text(office, address).partition("<body")[2][:200]
    account = create("account", {"name": "Real works"}, **how(admin))
    create("contact", {"name": "Real person", "account": account.pk}, **how(admin))
    if "account" in address or "contact" in address:
        row = text(office, f"{address}?q=Real")
        assert "Real" in row and tag not in row
    User.objects.update(is_sample=True)
    assert " data-samples " not in text(office, address).partition("<body")[2][:200]


@pytest.mark.parametrize("address", EMPTY_PAGES[:-1])
def test_nobody_else_is_offered_them(admin, address):
    assert LOAD not in text(colleague(admin, Role.AR, Role.PROCESS_OWNER), address)


def test_a_list_that_its_filter_empties_offers_none(office):
    assert LOAD not in text(office, "/accounts/?q=nothing")


@pytest.mark.rule("T01", "T02")
def test_a_stranger_is_told_no_and_nothing_changes(admin):
    seller = colleague(admin, Role.AR, Role.MGR)
    before = db_fingerprint()
    assert seller.get("/sample-data/").status_code == 403
    for door in ("load", "clear"):
        assert seller.post(f"/sample-data/{door}/").status_code == 403
        assert seller.post(f"/api/v1/sample-data/{door}").status_code in (401, 403)
        assert Client().post(f"/sample-data/{door}/").status_code == 302
    assert changed(before, db_fingerprint()) == {}


def test_loading_and_clearing_show_how_far_they_are(office, admin):
    answer = office.post("/sample-data/load/")
    assert (answer.status_code, answer.url) == (302, "/sample-data/")
    assert "Loading the sample data" in text(office, "/sample-data/")
    assert "hx-get" in office.get("/sample-data/", HTTP_HX_REQUEST="true").content.decode()
    tasks.work_on_sample_data.call()
    poll = office.get("/sample-data/", HTTP_HX_REQUEST="true")
    assert (poll.status_code, poll.headers["HX-Refresh"]) == (204, "true")
    page = text(office, "/sample-data/")
    assert 'action="/sample-data/clear/"' in page and f">{DEALS}<" in page

    assert office.post("/sample-data/clear/").status_code == 302
    assert "Clearing the sample data" in text(office, "/sample-data/")
    tasks.work_on_sample_data.call()
    page = text(office, "/sample-data/")
    assert "Cleared" in page and LOAD in page


def test_what_was_kept_is_named_and_linked(office, admin):
    loaded(admin)
    account = Account.objects.order_by("pk").first()
    create("opportunity", {"name": "Real deal", "account": account.pk}, **how(admin))
    cleared(admin)

    page = text(office, "/sample-data/")
    assert f'href="{reverse("crm:account", args=[account.pk])}"' in page and account.name in page
    assert "there are records here" in page and LOAD not in page


def test_a_second_press_is_told_why_not(office, admin):
    office.post("/sample-data/load/")
    again = office.post("/sample-data/load/")
    assert again.status_code == 409 and "here already" in again.content.decode()
    tasks.work_on_sample_data.call()
    assert counts() == WHOLE


def test_each_sample_carries_its_badge_and_the_frame_leads_to_the_way_out(office, admin):
    loaded(admin)
    deal = Opportunity.objects.select_related("account").order_by("pk").first()
    for name, pk in (("opportunity", deal.pk), ("account", deal.account_id)):
        assert '<span class="fl-tag">Sample data</span>' in text(office, reverse(f"crm:{name}", args=[pk]))
    assert 'class="fl-tag" href="/sample-data/"' in text(office, "/")
    real = create("account", {"name": "Real"}, **how(admin))
    page = text(office, reverse("crm:account", args=[real.pk]))
    assert '<span class="fl-tag">Sample data</span>' not in page
    cleared(admin)
    assert 'class="fl-tag" href="/sample-data/"' not in text(office, "/")


@pytest.mark.parametrize("address", ["/", "/board/", "/funnel/?reading=period", "/opportunities/"])
def test_pages_have_something_to_show(office, admin, address):
    loaded(admin)
    names = Opportunity.objects.filter(journey__state="open").values_list("name", flat=True)
    page = text(office, address)
    assert any(name in page for name in names) or address.startswith("/funnel/")
    assert 'class="fl-empty"' not in page


def test_samples_do_no_first_step_for_anybody(office, admin):
    loaded(admin)
    page = text(office, "/")
    assert "0 / 5" in page
    create("account", {"name": "Real"}, **how(admin))
    assert "1 / 5" in text(office, "/")


def test_the_api_loads_tells_and_clears(office, admin):
    def ask(method: str, path: str = "") -> Any:
        answer = getattr(office, method)(f"/api/v1/sample-data{path}", content_type="application/json")
        return answer.status_code, json.loads(answer.content)

    assert ask("get")[1]["state"] == "none"
    status, told = ask("post", "/load")
    assert (status, told["state"]) == (202, "loading")
    assert ask("post", "/load")[0] == 409
    tasks.work_on_sample_data.call()
    assert ask("get")[1]["made"] == WHOLE
    assert ask("post", "/clear")[0] == 202
    tasks.work_on_sample_data.call()
    told = ask("get")[1]
    assert (told["state"], told["removed"], told["kept"]) == ("none", WHOLE, {})
    assert ask("post", "/clear")[0] == 409


def test_the_first_visit_offers_them(client):
    place = {
        "organisation_name": "Star", "language": "en", "currency": "EUR", "time_zone": "Europe/Berlin",
        "template": "plain", "begin_with": "sample",
    }  # fmt: skip
    assert 'value="sample"' in client.get("/first-run").content.decode()
    person = {"name": "Ada", "username": "ada", "password": "correct-horse-battery", "step": "2"}
    answer = client.post("/first-run", place | person)
    assert (answer.status_code, answer.url) == (302, "/sample-data/")
    assert LOAD in text(client, "/sample-data/")
    assert sample_data().state == "none"

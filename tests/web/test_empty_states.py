"""Every list tells nothing-yet from nothing-of-that, and offers the way on from both."""

import pytest
from django.test import Client
from tests.factories.crm import company

pytestmark = [pytest.mark.django_db, pytest.mark.rule("U15")]

#: A list, what hides everything on it, and what it is called in a company that has nothing yet.
LISTS = [
    ("/opportunities/", "?q=qqzzqq"),
    ("/accounts/", "?q=qqzzqq"),
    ("/contacts/", "?q=qqzzqq"),
    ("/segments/", "?q=qqzzqq"),
    ("/contracts/", "?q=qqzzqq"),
    ("/settings/", "?q=qqzzqq"),
    ("/search/", "?q=qqzzqq"),
    ("/audit/", "?type=lost&q=qqzzqq&from=2001-01-01&to=2001-01-02"),
]
#: Lists that no filter can empty.
PLAIN = [
    "/board/", "/tasks/", "/inbox/", "/imports/", "/recent/", "/", "/approvals/", "/approvals/?tab=done",
    "/approvals/?tab=mine", "/approvals/?tab=copies", "/approvals/precedents/", "/approvals/delegations/", "/overrides/",
    "/overrides/?show=mine", "/opportunities/clean-up/",
]  # fmt: skip


@pytest.fixture
def client(settings) -> Client:
    settings.ALLOWED_HOSTS = ["testserver"]
    where = company(language="en")
    client = Client()
    client.force_login(where.admin)
    return client


@pytest.mark.parametrize(("path", "hiding"), LISTS, ids=[path for path, _hiding in LISTS])
def test_what_a_filter_hides_comes_back_by_one_click(client, path, hiding):
    text = client.get(path + hiding).content.decode()
    assert 'class="fl-empty"' in text and "Clear the filter" in text


@pytest.mark.parametrize("path", [path for path, _hiding in LISTS[:5]] + PLAIN)
def test_a_list_with_nothing_yet_teaches_and_offers_no_filter_to_clear(client, path):
    text = client.get(path).content.decode()
    main = text.split('id="main"')[1].split("</main>")[0]
    assert "fl-empty" in main or "fl-board" in main, path
    assert "Clear the filter" not in main

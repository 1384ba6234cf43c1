"""The weight of a first visit: what a browser fetches for a page, compressed, and how much of it is script."""

import gzip
import re
from typing import Any

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client
from tests.factories.crm import Company, company

FIRST_LOAD, SCRIPTS, SCRIPTS_WITH_DRAGGING = 150_000, 48_000, 65_000
DRAGS = ("/board/",)
_FETCHED = re.compile(r'(?:src|href)="(' + re.escape(settings.STATIC_URL) + r'[^"#]+)[^"]*"')


@pytest.fixture
def where(db: Any, settings: Any) -> Company:
    settings.ALLOWED_HOSTS = ["testserver"]
    return company(language="en")


def weight(content: bytes) -> int:
    return len(gzip.compress(content, 6))


def load(client: Client, address: str) -> tuple[int, int]:
    """Bytes of page, scripts, styles and pictures; and of the scripts alone."""
    page = client.get(address).content
    total, scripts = weight(page), 0
    for name in sorted(set(_FETCHED.findall(page.decode()))):
        path = finders.find(re.sub(r"\?.*$", "", name).removeprefix(settings.STATIC_URL))
        assert path, name
        with open(str(path), "rb") as file:
            size = weight(file.read())
        total += size
        scripts += size if name.partition("?")[0].endswith(".js") else 0
    return total, scripts


@pytest.mark.rule("U30")
def test_a_first_visit_is_light_and_its_scripts_are_few(where: Company) -> None:
    deal = where.deal("Cooling for line 4")
    for n in range(60):
        where.deal(f"Deal {n}", account=deal.account)
    client = Client()
    guest, _scripts = load(client, "/sign-in")
    assert guest <= FIRST_LOAD
    client.force_login(where.zhou)
    for address in (
        "/", "/board/", "/opportunities/", f"/opportunities/{deal.pk}/", "/accounts/", f"/accounts/{deal.account_id}/",
        "/contacts/", "/processes/", "/value-chain/", "/help/", "/profile", "/settings/",
    ):  # fmt: skip
        total, scripts = load(client, address)
        assert 0 < scripts <= (SCRIPTS_WITH_DRAGGING if address in DRAGS else SCRIPTS), (address, scripts)
        assert total <= FIRST_LOAD, (address, total)
    client.force_login(where.chen)
    total, scripts = load(client, "/funnel/")
    assert total <= FIRST_LOAD and scripts <= SCRIPTS

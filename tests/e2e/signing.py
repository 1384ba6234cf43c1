"""Pages in a browser that is signed in already: the sign-in page itself has its own journey."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.test import Client
from tests.kit.browser import open_page

from fairlead.organisation.models import User

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@contextmanager
def page_of(browser: "Browser", base_url: str, user: User, **how: Any) -> "Iterator[Page]":
    with open_page(browser, base_url, **how) as page:
        sign_in(page, base_url, user)
        yield page


def sign_in(page: "Page", base_url: str, user: User) -> None:
    """As somebody else from the next page on."""
    client = Client()
    client.force_login(user, backend="fairlead.organisation.backends.PasswordBackend")
    name = settings.SESSION_COOKIE_NAME
    page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": base_url}])

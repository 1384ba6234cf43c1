"""A small company with deals, and its people signed in."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from tests.factories.crm import Company, company


@pytest.fixture
def where(db: None) -> Company:
    return company(language="en")


@pytest.fixture
def client_of(where: Company, settings: Any) -> Callable[[str], Client]:
    settings.ALLOWED_HOSTS = ["testserver"]

    def sign_in(username: str) -> Client:
        client = Client()
        client.force_login(where.people[username])
        return client

    return sign_in

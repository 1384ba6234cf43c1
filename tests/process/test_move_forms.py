"""What a move says, through the page and through the API: refused by field, with the mend, and nothing moves."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from tests.factories.crm import Company, company

pytestmark = pytest.mark.rule("T05", "MV-9", "GT-2")


@pytest.fixture
def where(db: None, settings: Any) -> Company:
    settings.ALLOWED_HOSTS = ["testserver"]
    return company(language="en")


@pytest.fixture
def client(where: Company) -> Client:
    client = Client()
    client.force_login(where.zhou)
    return client


def hold(where: Company, **form: Any) -> dict[str, Any]:
    return {"kind": "hold", "reason": where.version.document["lists"]["hold"][0]["key"], **form}


@pytest.mark.parametrize(
    ("day", "words"),
    [
        ("soon", "A day is expected as YYYY-MM-DD."),
        ("2099-02-30", "A day is expected as YYYY-MM-DD."),
        ("2020-01-01", "The day to come back lies in the future."),
        ("", "Say on which day it shall come back."),
    ],
)
def test_a_page_keeps_what_was_typed_beside_the_mend(
    where: Company, client: Client, day: str, words: str
) -> None:
    deal = where.deal()
    address = reverse("crm:move", args=[deal.pk])
    answer = client.post(address, hold(where, resume_date=day, asked="1", comment="Budget next year"))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert words in page and "Budget next year" in page
    assert where.journey(deal).state == "open"


@pytest.mark.parametrize(
    ("day", "status", "field"),
    [
        ("soon", 400, "form.resume_date"),
        (20990101, 400, "form.resume_date"),
        ("2020-01-01", 422, "resume_date"),
    ],
)
def test_the_api_names_the_field(where: Company, client: Client, day: Any, status: int, field: str) -> None:
    deal = where.deal()
    body = hold(where, form={"resume_date": day})
    answer = client.post(f"/api/v1/journeys/{deal.journey_id}/move", body, content_type="application/json")
    assert answer.status_code == status
    errors = answer.json()["errors"]
    assert [error["field"] for error in errors] == [field] and errors[0]["message"]
    assert where.journey(deal).state == "open"


def test_a_right_day_holds(where: Company, client: Client) -> None:
    deal = where.deal()
    day = (timezone.localdate() + timedelta(days=40)).isoformat()
    answer = client.post(reverse("crm:move", args=[deal.pk]), hold(where, resume_date=day, asked="1"))
    assert answer.status_code == 302
    journey = where.journey(deal)
    assert (journey.state, journey.resume_date.isoformat()) == ("on_hold", day)

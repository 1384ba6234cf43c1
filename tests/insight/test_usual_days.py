"""The funnel follows deals for as long as they take, where nobody says how long."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import unescape

import pytest
from django.utils import timezone
from tests.insight.conftest import PROCESS, person

from fairlead.crm.services import NewRecord, create_many
from fairlead.journal.enums import Channel
from fairlead.organisation.models import Organisation
from fairlead.process.services import NewJourney, Step, publish

pytestmark = pytest.mark.django_db
LONG_AGO = datetime(2024, 3, 4, 4, tzinfo=UTC)


@pytest.fixture
def admin(client):
    Organisation.objects.create(pk=1, name="海纳工业", time_zone="Asia/Shanghai")
    publish(PROCESS, by=None, at=LONG_AGO, channel=Channel.SYSTEM)
    found = person("zhoumin", roles=("ADMIN",))
    client.force_login(found)
    return found


def won(admin, count, days):
    def one(number):
        begun = LONG_AGO + timedelta(days=number % 20)
        journey = NewJourney(
            subject_type="opportunity", subject_id=0, process_key="example",
            steps=(Step("prospecting", begun), Step("engaging", begun + timedelta(days=days // 2))),
            closed_at=begun + timedelta(days=days), outcome="won",
        )  # fmt: skip
        return NewRecord(
            values={"name": f"商机 {number}", "amount": Decimal(1000)}, owner=admin, journey=journey
        )

    create_many(
        "opportunity", [one(n) for n in range(count)], by=admin, at=timezone.now(), channel=Channel.IMPORT
    )


def shown(client, query=""):
    """The days in the filter's form, what is said of them, and the address of the page as it stands."""
    text = unescape(client.get(f"/funnel/{query}").content.decode())
    field = re.search(r'<input[^>]*name="days"[^>]*>', text).group()
    said = re.search(r"按 (\d+) 天看：赢下的商机有一半用了 (\d+) 天以上。", text)
    return (
        int(re.search(r'value="(\d+)"', field).group(1)),
        tuple(map(int, said.groups())) if said else None,
        re.search(r'data-copy="([^"]+)"', text).group(1),
        text,
    )


@pytest.mark.rule("F3")
@pytest.mark.parametrize(
    ("count", "took", "days", "said"),
    [(40, 60, 90, None), (40, 130, 180, (180, 90)), (40, 400, 365, (365, 180)), (6, 130, 90, None)],
    ids=["within ninety", "half a year", "longer than all", "too few to say"],
)
def test_half_of_what_was_won_lies_within_the_days(admin, client, count, took, days, said):
    won(admin, count, took)

    assert shown(client)[:2] == (days, said)


def test_days_that_somebody_chose_stay_in_every_link(admin, client):
    won(admin, 40, 130)

    days, said, address, text = shown(client, "?days=90")

    assert (days, said) == (90, None)
    assert shown(client, address.partition("/funnel/")[2])[:2] == (90, None)
    links = re.findall(r'href="(/funnel/\?[^"]*reading=[^"]*)"', text)
    assert links and all("days=90" in link for link in links)


def test_the_rows_behind_a_number_are_those_of_the_page(admin, client):
    won(admin, 40, 130)
    days, _said, _address, text = shown(client)

    rows = [link for link in re.findall(r'href="(/funnel/rows/\?[^"]+)"', text) if "cell=" in link]

    assert days == 180 and rows and all("days=180" in link for link in rows)
    assert all(client.get(link).status_code == 200 for link in set(rows))

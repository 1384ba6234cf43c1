"""The pulse: five questions, sums without names, shown from five answers on, one barrier to act on (metrics 3.22)."""

from datetime import UTC, datetime

import pytest
from django.test import Client
from django.utils import timezone
from tests.factories.crm import company

from fairlead.common.refusals import Invalid, NotPermitted
from fairlead.insight.adoption.pulse import AlreadyAnswered, NotAsked, answer_pulse, latest_pulse, round_of
from fairlead.insight.models import PulseSum, PulseTaken
from fairlead.journal.models import Event
from fairlead.process.models import Rollout

pytestmark = [pytest.mark.django_db, pytest.mark.rule("3.22")]
NAMES = ("awareness", "desire", "knowledge", "ability", "reinforcement")
PEOPLE = ("zhou", "lin", "wu", "qi", "sun", "he")


@pytest.fixture
def where():
    return company(language="en")


def answer(where, person, *scores, at=None):
    answer_pulse(dict(zip(NAMES, scores, strict=True)), by=where.people[person], at=at or timezone.now())


def test_below_five_answers_nothing_is_shown_and_then_all_five(where):
    for person in PEOPLE[:4]:
        answer(where, person, 4, 2, 5, 5, 5)
        assert latest_pulse() is None
    answer(where, PEOPLE[4], 4, 5, 1, 5, 5)
    found = latest_pulse()
    assert (found.n, found.barrier) == (5, "desire")
    assert found.means == pytest.approx(
        {"awareness": 4, "desire": 2.6, "knowledge": 4.2, "ability": 5, "reinforcement": 5}
    )


def test_the_sixth_answer_cannot_be_read_off_the_difference(where):
    for person in PEOPLE[:5]:
        answer(where, person, 4, 4, 4, 4, 4)
    answer(where, PEOPLE[5], 1, 1, 1, 1, 1)
    assert latest_pulse().means["awareness"] == 4


def test_nothing_stored_ties_a_score_to_a_person_or_an_instant(where):
    events = Event.objects.count()
    answer(where, "zhou", 1, 2, 3, 4, 5)
    assert {f.name for f in PulseTaken._meta.get_fields()} == {"id", "round", "person"}
    assert {f.name for f in PulseSum._meta.get_fields()} == {
        "id",
        "round",
        "element",
        "score",
        "count",
        "shown",
    }
    assert Event.objects.count() == events


def test_one_answer_a_month_of_the_organisation(where):
    late = datetime(2026, 3, 31, 15, 59, tzinfo=UTC)  # a minute before April in Shanghai
    answer(where, "zhou", 1, 1, 1, 1, 1, at=late)
    with pytest.raises(AlreadyAnswered):
        answer(where, "zhou", 5, 5, 5, 5, 5, at=late)
    assert PulseSum.objects.filter(score=5).count() == 0
    april = datetime(2026, 3, 31, 16, 0, tzinfo=UTC)
    assert (round_of(late), round_of(april)) == ("2026-03", "2026-04")
    answer(where, "zhou", 5, 5, 5, 5, 5, at=april)


@pytest.mark.parametrize("scores", [(0, 1, 1, 1, 1), (6, 1, 1, 1, 1)])
def test_a_score_is_from_one_to_five(where, scores):
    with pytest.raises(Invalid):
        answer(where, "zhou", *scores)
    assert not PulseTaken.objects.exists()


def test_switched_off_nobody_is_asked_and_an_auditor_never(where):
    with pytest.raises(NotPermitted):
        answer(where, "shen", 3, 3, 3, 3, 3)
    Rollout.objects.create(pk=1, asks_pulse=False)
    with pytest.raises(NotAsked):
        answer(where, "zhou", 3, 3, 3, 3, 3)


def test_the_page_asks_once_and_adoption_says_what_came_of_it(where):
    client = Client()
    client.force_login(where.zhou)
    assert "I know why we work this way." in client.get("/adoption/pulse/").content.decode()
    assert client.post("/adoption/pulse/", {"awareness": "3"}).status_code == 422
    assert client.post("/adoption/pulse/", dict.fromkeys(NAMES, "3")).status_code == 302
    assert client.post("/adoption/pulse/", dict.fromkeys(NAMES, "5")).status_code == 409
    assert "Nothing to answer now" in client.get("/adoption/pulse/").content.decode()
    for person in PEOPLE[1:5]:
        answer(where, person, 3, 5, 5, 5, 5)
    where.deal()
    text = client.get("/adoption/").content.decode()
    assert "Barrier: Awareness" in text
    assert "act here first" in text
    said = client.get("/api/v1/adoption/pulse").json()
    assert (said["n"], said["barrier"], said["means"]["awareness"]) == (5, "awareness", 3.0)

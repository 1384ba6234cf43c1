"""Clean-up days (PI-6): one's own dead deals are closed at once, tagged, and left out of one's own win rate."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone
from tests.factories.crm import PROCESS, company

from fairlead.common.refusals import Invalid
from fairlead.crm.selectors.amnesty import clean_up, dead_deals
from fairlead.crm.services.amnesty import NoCleanUpDays, close_dead_deals
from fairlead.insight.funnel.individual import cleaned_up
from fairlead.journal.enums import Channel
from fairlead.journal.models import Event
from fairlead.process.amnesty import window_around
from fairlead.process.models import Rollout

pytestmark = [pytest.mark.django_db, pytest.mark.rule("PI-6")]


@pytest.mark.parametrize(
    ("day", "length", "today", "first", "last"),
    [
        (25, 3, date(2026, 3, 1), date(2026, 3, 25), date(2026, 3, 27)),
        (25, 3, date(2026, 3, 27), date(2026, 3, 25), date(2026, 3, 27)),
        (25, 3, date(2026, 3, 28), date(2026, 4, 25), date(2026, 4, 27)),
        (28, 10, date(2026, 3, 3), date(2026, 2, 28), date(2026, 3, 9)),
        (1, 1, date(2026, 12, 2), date(2027, 1, 1), date(2027, 1, 1)),
    ],
)
def test_the_window_of_today_or_the_next_one(day, length, today, first, last):
    window = window_around(day, length, today)
    assert (window.first, window.last) == (first, last)


def test_day_zero_is_never():
    assert window_around(0, 3, date(2026, 3, 1)) is None


def settings(*, is_open, idle=60):
    """A window that holds today, or one that begins in some days."""
    today = clean_up(at=timezone.now()).today
    day = today if is_open else today + timedelta(days=5)
    if day.day > 28:  # the 29th to the 31st lie in a window that began on the 28th
        Rollout.objects.create(pk=1, amnesty_day=28 if is_open else 15, amnesty_length=4 if is_open else 1)
    else:
        Rollout.objects.create(pk=1, amnesty_day=day.day, amnesty_length=1)
    Rollout.objects.update(amnesty_idle_days=idle)


@pytest.fixture
def where():
    return company(language="en")


def close(where, ids, by="zhou", reason="need_cancelled"):
    how = {"by": where.people[by], "at": timezone.now(), "channel": Channel.UI}
    return close_dead_deals(ids, reason=reason, **how)


def names(where, by="zhou"):
    at = timezone.now()
    return [deal.name for deal in dead_deals(where.people[by], clean_up(at=at), at=at)]


def enter(where, name="zhou"):
    client = Client()
    client.force_login(where.people[name])
    return client


def test_what_is_quiet_for_long_or_long_past_its_date_is_proposed_and_nobody_elses(where):
    settings(is_open=True)
    where.deal("quiet", days_ago=61)
    where.deal("lively", days_ago=59)
    past = (timezone.localdate() - timedelta(days=70)).isoformat()
    where.deal("past its date", days_ago=20, expected_close_date=past)
    late = (timezone.localdate() - timedelta(days=30)).isoformat()
    where.deal("a little late", days_ago=20, expected_close_date=late)
    where.deal("of lin", days_ago=90, owner=where.lin)
    assert names(where) == ["quiet", "past its date"]
    assert names(where, "chen") == []  # a manager closes deals of others on their pages


def test_those_chosen_are_closed_and_tagged_and_the_journal_says_who(where):
    settings(is_open=True)
    first, second, third = (where.deal(name, days_ago=90) for name in ("one", "two", "three"))
    done = close(where, [first.pk, second.pk])
    assert (sorted(done.closed), done.refused) == (sorted([first.pk, second.pk]), [])
    assert where.journey(first).state == "cancelled" or where.journey(first).outcome == "no_decision"
    assert where.journey(third).state == "open"
    events = Event.objects.filter(data__tag="amnesty")
    assert {(e.subject_id, e.actor_id, e.reason_code) for e in events} == {
        (first.pk, where.zhou.pk, "need_cancelled"),
        (second.pk, where.zhou.pk, "need_cancelled"),
    }


def test_outside_the_window_nothing_is_closed(where):
    settings(is_open=False)
    deal = where.deal(days_ago=90)
    with pytest.raises(NoCleanUpDays):
        close(where, [deal.pk])
    assert where.journey(deal).state == "open"


@pytest.mark.rule("T01")
def test_a_live_deal_and_somebody_elses_are_refused_and_stop_no_other(where):
    settings(is_open=True)
    dead, live = where.deal(days_ago=90), where.deal(days_ago=3)
    foreign = where.deal(days_ago=90, owner=where.lin)
    done = close(where, [live.pk, foreign.pk, dead.pk])
    assert done.closed == [dead.pk]
    assert [pk for pk, _why in done.refused] == [live.pk, foreign.pk]
    assert {where.journey(live).state, where.journey(foreign).state} == {"open"}


@pytest.mark.parametrize("reason", ["", "price", "nonsense"])
def test_a_loss_to_a_competitor_is_no_clean_up(where, reason):
    settings(is_open=True)
    deal = where.deal(days_ago=90)
    with pytest.raises(Invalid):
        close(where, [deal.pk], reason=reason)
    assert where.journey(deal).state == "open"


def test_one_needs_to_choose(where):
    settings(is_open=True)
    with pytest.raises(Invalid):
        close(where, [])


def win_rate(client, **query):
    query = {"process": PROCESS, "basis": "full", **query}
    return client.get("/api/v1/funnel/win-rate", query).json()


def test_the_own_win_rate_leaves_them_out_and_that_of_the_team_does_not(where):
    settings(is_open=True)
    plain, cleaned = where.deal("plain", days_ago=90), where.deal("cleaned", days_ago=90)
    where.move(plain, "close_lost", reason="need_cancelled")
    close(where, [cleaned.pk])
    assert cleaned_up([where.journey(deal).pk for deal in (plain, cleaned)]) == [where.journey(cleaned).pk]

    assert win_rate(enter(where, "zhou"))["outcomes"]["no_decision"] == 1
    assert win_rate(enter(where, "chen"), owner=where.zhou.pk)["outcomes"]["no_decision"] == 1
    assert win_rate(enter(where, "chen"))["outcomes"]["no_decision"] == 2
    rows = enter(where, "zhou").get(f"/funnel/rows/?process={PROCESS}&cell=win.no_decision").content.decode()
    assert 'data-count="1"' in rows
    assert "clean-up days" in enter(where, "zhou").get("/funnel/").content.decode()


def test_reopened_and_lost_again_it_counts(where):
    settings(is_open=True)
    deal = where.deal(days_ago=90)
    close(where, [deal.pk])
    where.move(deal, "reopen", reason=where.version.document["lists"]["reopen"][0]["key"], by=where.chen)
    assert cleaned_up([where.journey(deal).pk]) == []
    where.move(deal, "close_lost", reason="need_cancelled")
    assert cleaned_up([where.journey(deal).pk]) == []


def test_the_page_proposes_says_why_closes_and_keeps_what_was_chosen(where):
    settings(is_open=True)
    deal = where.deal("An old deal", days_ago=90)
    client = enter(where)
    text = client.get("/opportunities/clean-up/").content.decode()
    assert "An old deal" in text
    assert "quiet for 90 days" in text
    wrong = client.post("/opportunities/clean-up/", {"id": deal.pk, "reason": ""})
    assert wrong.status_code == 422
    assert f'value="{deal.pk}" aria-label="An old deal" checked' in wrong.content.decode()
    right = client.post("/opportunities/clean-up/", {"id": deal.pk, "reason": "invalid", "comment": "gone"})
    assert right.status_code == 302
    assert where.journey(deal).state == "cancelled"
    assert "Nothing of yours looks dead" in client.get("/opportunities/clean-up/").content.decode()


def test_before_the_window_the_page_shows_without_offering(where):
    settings(is_open=False)
    where.deal("An old deal", days_ago=90)
    client = enter(where)
    text = client.get("/opportunities/clean-up/").content.decode()
    assert "An old deal" in text
    assert 'type="checkbox" name="id"' not in text
    assert client.post("/opportunities/clean-up/", {"id": "1", "reason": "invalid"}).status_code == 422


def test_the_api_proposes_and_closes(where):
    settings(is_open=True)
    deal = where.deal(days_ago=90)
    client = enter(where)
    said = client.get("/api/v1/clean-up").json()
    assert (said["is_open"], [row["id"] for row in said["deals"]]) == (True, [deal.pk])


@pytest.mark.parametrize("deals", [1, 30])
def test_the_questions_do_not_grow(where, django_assert_num_queries, deals):
    settings(is_open=True)
    account = where.account()
    for n in range(deals):
        where.deal(f"deal {n}", days_ago=90, account=account)
    client = enter(where)
    client.get("/opportunities/clean-up/")
    with django_assert_num_queries(7):
        client.get("/opportunities/clean-up/")


def test_a_day_is_of_the_calendar_and_not_of_the_clock_of_utc(where):
    Rollout.objects.create(pk=1, amnesty_day=25, amnesty_length=1)
    assert not clean_up(at=datetime(2026, 3, 24, 15, 59, tzinfo=UTC)).is_open
    assert clean_up(at=datetime(2026, 3, 24, 16, 0, tzinfo=UTC)).is_open  # midnight in Shanghai

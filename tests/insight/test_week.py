"""What the system saved somebody in a week, counted from dated records; the day in three lines; the first mail of a week."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from tests.factories.crm import company

from fairlead.crm.services import changing_many as many
from fairlead.insight.adoption.week import day_end, given_in, lines_of, week_before
from fairlead.journal.enums import Channel
from fairlead.organisation.models import User
from fairlead.process.enums import Kind
from fairlead.process.models import FormTime
from fairlead.process.refusals import GateRefused
from fairlead.process.services import move
from fairlead.process.verdicts import Wish
from fairlead.web.views import home
from fairlead.work import services as work
from fairlead.work.models import Notification, NotificationEntry, NotificationPreference
from fairlead.work.services.mailing import send_due_mail

pytestmark = [pytest.mark.django_db, pytest.mark.rule("4.11", "3.22")]
ZONE = ZoneInfo("Asia/Shanghai")
TUESDAY = datetime(2026, 3, 10, 9, 0, tzinfo=ZONE)


@pytest.fixture
def where():
    return company(at=TUESDAY - timedelta(days=30), language="en")


def enter(where, name="zhou"):
    client = Client()
    client.force_login(where.people[name])
    return client


def last_week(where, name="zhou"):
    person = where.people[name]
    return given_in(person, week_before(person, at=TUESDAY)).counts


def on(day, hour=10):
    return datetime(2026, 3, day, hour, tzinfo=ZONE)


def test_a_week_is_from_monday_to_sunday_where_the_person_is(where):
    found = week_before(where.zhou, at=TUESDAY)
    assert (found.first.isoformat(), found.last.isoformat()) == ("2026-03-02", "2026-03-08")
    assert found.start == datetime(2026, 3, 1, 16, tzinfo=UTC)
    assert week_before(where.zhou, at=TUESDAY, back=0).first.isoformat() == "2026-03-09"
    where.zhou.time_zone = "America/Los_Angeles"
    sunday_there = datetime(2026, 3, 9, 6, 0, tzinfo=UTC)
    assert week_before(where.zhou, at=sunday_there, back=0).first.isoformat() == "2026-03-02"


def test_changed_at_once_are_the_rows_that_were_changed_and_seconds_are_as_measured(where):
    accounts = [where.account(f"a {n}").pk for n in range(5)]
    run = many.begin("account", accounts, what="tier", raw="A", by=where.zhou, at=on(4))
    many.work_on(run.pk, at=lambda: on(4), channel=Channel.UI)
    week = week_before(where.zhou, at=TUESDAY)
    given = given_in(where.zhou, week)
    assert (given.counts["changed"], given.seconds) == (5, 0.0)
    assert sorted(line.subject_id for line in lines_of(where.zhou, week, "changed")) == accounts
    FormTime.objects.create(subject_type="account", field_key="tier", bucket=4, count=4)
    assert given_in(where.zhou, week).seconds == 0.0  # four measurements are too few
    FormTime.objects.update(count=6)
    assert given_in(where.zhou, week).seconds == 4 * 9.5  # the middle of 7 to 12, for all but one
    assert last_week(where, "lin")["changed"] == 0


def test_a_stop_counts_as_mended_only_within_a_day(where):
    quick, slow = where.deal("quick"), where.deal("slow")
    for deal, hours in ((quick, 5), (slow, 30)):
        how = {"by": where.zhou, "channel": Channel.UI}
        with pytest.raises(GateRefused):
            move(deal.journey_id, Wish(kind=Kind.ADVANCE), at=on(3), **how)
        where.fulfil(deal, at=on(3, 11))
        move(deal.journey_id, Wish(kind=Kind.ADVANCE), at=on(3) + timedelta(hours=hours), **how)
    week = week_before(where.zhou, at=TUESDAY)
    assert last_week(where)["mended"] == 1
    assert [line.subject_id for line in lines_of(where.zhou, week, "mended")] == [quick.pk]


def entry(where, deal, code, at, by=None):
    row, _made = Notification.objects.get_or_create(
        recipient=where.zhou, subject_type="opportunity", subject_id=deal.pk,
        defaults={"reason": "owner", "unread": 1, "last_at": at},
    )  # fmt: skip
    NotificationEntry.objects.create(notification=row, reason="owner", code=code, at=at, by=by)


def test_reminders_and_what_colleagues_did_are_counted_in_their_week_alone(where):
    deal = where.deal()
    NotificationEntry.objects.all().delete()
    entry(where, deal, "clock_red_visit", on(2, 0))
    entry(where, deal, "clock_red_visit", on(9, 0))  # Monday of the next week
    entry(where, deal, "stage_moved", on(8, 23), by=where.chen)
    counts = last_week(where)
    assert (counts["reminded"], counts["told"]) == (1, 1)


def test_imported_are_records_of_ones_own_that_an_import_created(where):
    from fairlead.crm import services as crm

    wanted = [crm.NewRecord(values={"name": f"n {n}"}, created_at=on(5)) for n in range(3)]
    crm.create_many("account", wanted, by=where.zhou, at=on(5), channel=Channel.IMPORT)
    where.account("typed")
    assert last_week(where)["imported"] == 3
    assert last_week(where, "lin")["imported"] == 0


def test_a_quiet_week_says_so_and_the_page_is_ones_own(where):
    assert "Nothing to count in this week." in enter(where).get("/week/").content.decode()
    deal = where.deal("A deal")
    now = timezone.now()
    entry(where, deal, "clock_red_visit", now)
    text = enter(where).get("/week/?back=0").content.decode()
    assert "Reminders of time limits: 1" in text
    rows = enter(where).get("/week/rows/?what=reminded&back=0").content.decode()
    assert "A deal" in rows
    assert "Nothing to count" in enter(where, "lin").get("/week/?back=0").content.decode()


@pytest.mark.rule("T01")
def test_a_record_that_is_no_longer_seen_has_no_name(where):
    deal = where.deal("Secret deal")
    entry(where, deal, "clock_red_visit", timezone.now())
    type(deal).objects.filter(pk=deal.pk).update(owner=where.qi, ar=where.qi, team=where.teams["south_one"])
    rows = enter(where).get("/week/rows/?what=reminded&back=0").content.decode()
    assert "Secret deal" not in rows
    assert 'data-count="1"' in rows


@pytest.mark.parametrize("address", ["/week/?back=-1", "/week/?back=99", "/week/rows/?what=nothing"])
def test_an_address_that_says_nothing_is_refused(where, address):
    assert enter(where).get(address).status_code == 400


def test_the_day_in_three_lines(where):
    deal = where.deal("Depot")
    how = {"by": where.zhou, "channel": Channel.UI}
    work.log_activity(
        "opportunity",
        deal.pk,
        kind="call",
        summary="c",
        outcome="talked",
        done_at=on(13, 9),
        at=on(13, 9),
        **how,
    )
    for day, hour, summary in ((13, 20, "late"), (16, 9, "See the line"), (16, 14, "Call back")):
        work.plan_activity(
            "opportunity", deal.pk, kind="visit", summary=summary, due_at=on(day, hour), at=on(13, 9), **how
        )
    end = day_end(where.zhou, at=on(13, 18))  # a Friday
    assert (end.contacts, end.moves, end.planned, end.left) == (1, 0, 3, 1)
    assert (end.next_day.isoformat(), end.next_count, end.first.summary) == ("2026-03-16", 2, "See the line")
    nobody = day_end(where.lin, at=on(13, 18))
    assert (nobody.contacts, nobody.left, nobody.first) == (0, 0, None)


def test_the_lines_stand_on_a_page_and_as_a_piece(where):
    client = enter(where)
    text = client.get("/day/").content.decode()
    assert len(re.findall(r"<span class=\"t\">", text)) == 3
    piece = client.get("/day/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in piece
    assert "Nothing of today is left." in piece


@pytest.mark.parametrize(
    ("at", "urls"),
    [
        (on(9, 9), ["/week/"]),
        (on(9, 17), ["/week/", "/day/"]),
        (on(10, 16), []),
        (on(10, 17), ["/day/"]),
    ],
)
def test_my_day_brings_the_week_on_mondays_and_the_day_from_five_on(where, at, urls):
    assert [piece["url"] for piece in home._pieces(where.zhou, at)] == urls


def test_the_first_mail_of_a_week_tells_what_the_last_one_gave_back(where, settings):
    settings.MAIL_IS_SET, settings.SITE_URL = True, ""
    User.objects.filter(pk=where.zhou.pk).update(email="zhou@example.com")
    NotificationPreference.objects.create(person=where.zhou, digest="soon", quiet_days_off=False)
    deal = where.deal("Depot")
    entry(where, deal, "clock_red_visit", on(6))
    assert send_due_mail(at=on(6, 11)) == 1  # the very first mail of all
    for day in (9, 10):
        entry(where, deal, "clock_red_stage", on(day))
        Notification.objects.update(last_at=on(day), unread=1)
        assert send_due_mail(at=on(day, 11)) == 1
    told = ["Fairlead did for you" in message.body for message in mail.outbox]
    assert told == [False, True, False]
    assert "1 · Reminders of time limits" in mail.outbox[1].body


def test_whoever_switched_it_off_gets_the_mail_without_it(where, settings, client):
    settings.MAIL_IS_SET, settings.SITE_URL = True, ""
    User.objects.filter(pk=where.zhou.pk).update(email="zhou@example.com")
    client.force_login(where.zhou)
    url = reverse("work:inbox_settings")
    assert re.search(r'name="weekly"[^>]*checked', client.get(url).content.decode())
    body = {"digest": "soon", "daily_at": "08:30", "version": "1"}
    assert client.post(url, body).status_code == 302
    assert NotificationPreference.objects.get(person=where.zhou).weekly is False
    deal = where.deal("Depot")
    entry(where, deal, "clock_red_visit", on(6))
    assert send_due_mail(at=on(6, 11)) == 1
    entry(where, deal, "clock_red_stage", on(9))
    Notification.objects.update(last_at=on(9), unread=1)
    assert send_due_mail(at=on(9, 11)) == 1
    assert not any("Fairlead did for you" in message.body for message in mail.outbox)


def test_the_api_says_the_same(where):
    deal = where.deal()
    entry(where, deal, "clock_red_visit", timezone.now())
    said = enter(where).get("/api/v1/week?back=0").json()
    assert said["counts"]["reminded"] == 1
    assert enter(where).get("/api/v1/week?back=60").status_code in (400, 422)


@pytest.mark.parametrize("entries", [1, 30])
def test_the_questions_do_not_grow(where, django_assert_num_queries, entries):
    account = where.account()
    for n in range(entries):
        entry(where, where.deal(f"deal {n}", account=account), "clock_red_visit", timezone.now())
    client = enter(where)
    client.get("/week/rows/?what=reminded&back=0")
    with django_assert_num_queries(8):
        client.get("/week/rows/?what=reminded&back=0")

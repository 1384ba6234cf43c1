"""Notifications: one line per record with its reason, never about what is not seen, never to the muted."""

from __future__ import annotations

import time as clock
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from tests.factories.crm import PASSWORD, Company, company

from fairlead.common.refusals import Invalid
from fairlead.crm import services as crm
from fairlead.journal.enums import Channel
from fairlead.organisation import services as organisation
from fairlead.organisation.enums import Role
from fairlead.organisation.models import User
from fairlead.work import services as work
from fairlead.work.models import Comment, Follow, Notification, NotificationEntry
from fairlead.work.services.mailing import send_due_mail
from fairlead.work.services.notifications import deliver, prune, untold


@pytest.fixture
def where(db: None) -> Company:
    made = company(language="en")
    work.tell_of_events()  # from here on people are told
    return made


def told(
    deal: Any, *people: User, by: User | None = None, reason: str = "mentioned", code: str = "mentioned"
) -> int:
    at = timezone.now().isoformat()
    ids = [p.pk for p in people]
    return int(deliver.call(ids, reason, "opportunity", deal.pk, code, {}, by.pk if by else None, at))


@pytest.fixture(autouse=True)
def _settled_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tests share the PostgreSQL server; their open transactions would hold back what is settled."""
    monkeypatch.setattr("fairlead.journal.querysets.horizon", lambda: None)


@pytest.mark.django_db(transaction=True)
@pytest.mark.rule("U26")
def test_twenty_edits_are_one_line_for_the_owner_and_none_for_who_did_them(where: Company) -> None:
    deal = where.deal()
    work.tell_of_events()
    Notification.objects.all().delete()
    for n in range(20):
        where.edit(deal, by=where.chen, description=f"words {n}")
    work.tell_of_events()
    row = Notification.objects.get()
    assert (row.recipient, row.reason, row.unread) == (where.zhou, "owner", 20)
    assert row.entries.count() == 20
    work.tell_of_events()
    assert Notification.objects.get().unread == 20  # nothing is told twice


@pytest.mark.django_db(transaction=True)
@pytest.mark.rule("U26")
def test_the_muted_hear_nothing_and_followers_hear_everything(where: Company) -> None:
    deal = where.deal()
    work.set_attention("opportunity", deal.pk, "muted", by=where.zhou, at=timezone.now(), channel=Channel.UI)
    work.set_attention(
        "opportunity", deal.pk, "followed", by=where.admin, at=timezone.now(), channel=Channel.UI
    )
    work.tell_of_events()
    Notification.objects.all().delete()
    for n in range(20):
        where.edit(deal, by=where.chen, description=f"words {n}")
    work.tell_of_events()
    assert told(deal, where.zhou, by=where.chen) == 0
    row = Notification.objects.get()
    assert (row.recipient, row.reason) == (where.admin, "following")
    work.set_attention("opportunity", deal.pk, "", by=where.zhou, at=timezone.now(), channel=Channel.UI)
    assert (
        not Follow.objects.filter(person=where.zhou).exists() and told(deal, where.zhou, by=where.chen) == 1
    )


@pytest.mark.rule("U26", "T04")
def test_nobody_is_told_of_what_they_may_not_see(where: Company, client: Client) -> None:
    deal = where.deal()
    assert told(deal, *where.people.values(), by=where.zhou) == Notification.objects.count()
    names = set(Notification.objects.values_list("recipient__username", flat=True))
    assert "qi" not in names and "newcomer" not in names and "zhou" not in names and "chen" in names
    # What was told before the right was lost is shown no more.
    User.objects.filter(pk=where.chen.pk).update(team=None)
    client.force_login(where.chen)
    assert deal.name not in client.get(reverse("work:inbox") + "?show=all").content.decode()
    mine = Notification.objects.get(recipient=where.chen)
    assert client.post(reverse("work:notification_open", args=[mine.pk])).status_code == 404


@pytest.mark.rule("U26", "T01")
def test_the_inbox_says_why_and_empties_by_reading(where: Company, client: Client) -> None:
    deal = where.deal("Cooling for line 4")
    told(deal, where.zhou, by=where.chen)
    row = Notification.objects.get()
    client.force_login(where.zhou)
    text = client.get(reverse("work:inbox")).content.decode()
    assert (
        "Cooling for line 4" in text
        and "You are mentioned" in text
        and f"{where.chen.name} mentions you" in text
    )
    assert "Inbox, 1 unread" in text
    response = client.post(reverse("work:notification_open", args=[row.pk]))
    assert response.headers["Location"] == reverse("crm:opportunity", args=[deal.pk])
    text = client.get(reverse("work:inbox")).content.decode()
    assert "Cooling for line 4" not in text and "Inbox, 0 unread" in text
    told(deal, where.zhou, by=where.chen)
    row.refresh_from_db()
    assert row.unread == 1 and row.read_at is None
    client.force_login(where.lin)
    for name in ("notification_open", "notification_read"):
        assert client.post(reverse(f"work:{name}", args=[row.pk])).status_code == 404
    client.force_login(where.zhou)
    assert client.post(reverse("work:inbox_read_all")).status_code == 302
    assert not Notification.objects.filter(recipient=where.zhou, unread__gt=0).exists()


@pytest.mark.rule("U36")
@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York"])
def test_every_instant_is_said_exactly_on_the_clock_of_the_reader(
    where: Company, client: Client, zone: str
) -> None:
    deal = where.deal("Cooling for line 4")
    work.add_comment("opportunity", deal.pk, text="Good talk", **where.how(where.chen))
    told(deal, where.zhou, by=where.chen)
    User.objects.filter(pk=where.zhou.pk).update(time_zone=zone)
    client.force_login(where.zhou)
    for address, at in (
        (reverse("work:inbox"), Notification.objects.get(recipient=where.zhou).last_at),
        (reverse("crm:opportunity", args=[deal.pk]) + "?tab=timeline", Comment.objects.get().at),
    ):
        said = f'datetime="{at.isoformat()}" title="{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"'
        assert said in client.get(address).content.decode(), address


def test_the_strongest_reason_is_said(where: Company) -> None:
    deal = where.deal()
    for reason in ("following", "mentioned", "owner"):
        told(deal, where.zhou, by=where.chen, reason=reason)
    row = Notification.objects.get(recipient=where.zhou)
    assert (row.reason, row.unread) == ("mentioned", 3)
    with pytest.raises(ValueError, match="not a reason"):
        work.notify(
            recipients=[1], reason="because", subject_type="opportunity", subject_id=deal.pk, text=("x", {}),
            by=None, at=timezone.now(),
        )  # fmt: skip


@pytest.mark.rule("U26")
@pytest.mark.django_db(transaction=True)
def test_what_was_rolled_back_is_told_to_nobody_and_the_worker_tells_the_rest() -> None:
    where = company(language="en")
    deal = where.deal()
    how: dict[str, Any] = {
        "recipients": [where.zhou.pk, where.qi.pk, where.chen.pk], "reason": "asked", "subject_type": "opportunity",
        "subject_id": deal.pk, "by": where.chen, "at": timezone.now(),
    }  # fmt: skip
    with pytest.raises(RuntimeError), transaction.atomic():
        work.notify(text=("edited", {}), **how)
        raise RuntimeError
    call_command(
        "db_worker", batch=True, verbosity=0, reload=False, startup_delay=False, interval=0, queue_name="*"
    )
    assert not Notification.objects.exists()
    with transaction.atomic():
        work.notify(text=("stage_moved", {}), **how)
    call_command(
        "db_worker", batch=True, verbosity=0, reload=False, startup_delay=False, interval=0, queue_name="*"
    )
    assert [n.recipient.username for n in Notification.objects.all()] == ["zhou"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.rule("U26")
def test_imports_and_what_was_before_are_not_told(where: Company) -> None:
    deal = where.deal()
    work.tell_of_events()
    Notification.objects.all().delete()
    deal.refresh_from_db()
    crm.edit(
        "opportunity", deal.pk, {"description": "x"}, version=deal.version, by=where.chen, at=timezone.now(),
        channel=Channel.IMPORT,
    )  # fmt: skip
    work.tell_of_events()
    assert not Notification.objects.exists()


@pytest.mark.rule("U26")
def test_two_hundred_people_are_told_within_a_second(where: Company) -> None:
    deal = where.deal()
    how: dict[str, Any] = {"by": None, "at": timezone.now() - timedelta(days=1), "channel": Channel.SYSTEM}
    for n in range(200):
        organisation.create_user(
            username=f"p{n}", name=f"人{n}", password=PASSWORD, team=where.teams["head"],
            roles=(Role.FIN if n % 2 else Role.AUDITOR,), language="en", **how,
        )  # fmt: skip
    people = list(User.objects.filter(username__startswith="p"))
    began = clock.process_time()
    assert told(deal, *people, by=where.zhou) == 200
    assert clock.process_time() - began <= 1
    assert NotificationEntry.objects.count() == 200


def test_what_is_simulated_is_told_to_nobody(where: Company) -> None:
    deal = where.deal()
    with untold():
        assert told(deal, where.zhou, where.chen, by=where.admin) == 0
    assert not Notification.objects.exists()
    assert told(deal, where.zhou, by=where.admin) == 1


def test_what_was_read_long_ago_is_forgotten(where: Company) -> None:
    deal = where.deal()
    told(deal, where.zhou, where.chen, by=where.admin)
    work.mark_read(by=where.zhou, at=timezone.now())
    assert prune(at=timezone.now() + timedelta(days=89)) == 0
    prune(at=timezone.now() + timedelta(days=91))
    assert [n.recipient for n in Notification.objects.all()] == [where.chen]


# --- mail ---

NOON = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)  # a working Tuesday, noon in Shanghai


@pytest.fixture
def mailing(where: Company, settings: Any) -> Company:
    settings.MAIL_IS_SET, settings.SITE_URL = True, "https://crm.example.com"
    User.objects.filter(pk=where.zhou.pk).update(email="zhou@example.com", language="zh-hans")
    return where


def prefer(person: User, **values: Any) -> None:
    stored = work.preferences_of(person)
    given: dict[str, Any] = {
        "digest": "soon", "daily_at": time(8, 30), "quiet_from": None, "quiet_until": None, "quiet_days_off": True,
        **values,
    }  # fmt: skip
    work.set_preferences(version=stored.version, by=person, at=timezone.now(), channel=Channel.UI, **given)


@pytest.mark.rule("U26", "U35", "T04")
def test_mail_comes_in_the_language_of_who_receives_it(mailing: Company) -> None:
    deal = mailing.deal("轧机监测")
    told(deal, mailing.zhou, by=mailing.chen)
    Notification.objects.update(last_at=NOON - timedelta(hours=1))
    assert send_due_mail(at=NOON) == 0  # nobody asked for mail yet
    prefer(mailing.zhou)
    assert send_due_mail(at=NOON) == 1
    message = mail.outbox[0]
    assert message.to == ["zhou@example.com"] and "轧机监测" in message.body and "你被提到" in message.body
    assert (
        "https://crm.example.com" in message.body
        and "提到了你" in message.body
        and "\n" not in message.subject
    )
    assert send_due_mail(at=NOON + timedelta(minutes=5)) == 0  # not twice


@pytest.mark.rule("U26", "T04")
def test_mail_never_tells_what_is_seen_no_more_and_never_goes_without_a_server(
    mailing: Company, settings: Any
) -> None:
    deal = mailing.deal()
    prefer(mailing.zhou)
    told(deal, mailing.zhou, by=mailing.chen)
    settings.MAIL_IS_SET = False
    assert send_due_mail(at=NOON) == 0
    settings.MAIL_IS_SET = True
    deal.refresh_from_db()
    type(deal).objects.filter(pk=deal.pk).update(
        owner=mailing.qi, ar=mailing.qi, team=mailing.teams["south_one"]
    )
    assert send_due_mail(at=NOON) == 0 and mail.outbox == []


@pytest.mark.rule("U26")
def test_quiet_hours_and_days_off_hold_mail_back(mailing: Company) -> None:
    deal = mailing.deal()
    prefer(mailing.zhou, quiet_from=time(20), quiet_until=time(8))
    told(deal, mailing.zhou, by=mailing.chen)
    for hour in (12, 17, 23):  # 20:00, 01:00, 07:00 in Shanghai
        assert send_due_mail(at=NOON.replace(hour=hour)) == 0
    assert send_due_mail(at=datetime(2026, 11, 28, 4, tzinfo=UTC)) == 0  # a Saturday
    assert send_due_mail(at=NOON) == 1


@pytest.mark.rule("U26")
def test_a_daily_mail_comes_once_a_day_at_its_hour(mailing: Company) -> None:
    deal = mailing.deal()
    prefer(mailing.zhou, digest="daily", daily_at=time(8, 30))
    told(deal, mailing.zhou, by=mailing.chen)
    assert send_due_mail(at=NOON) == 1
    Notification.objects.update(unread=2, last_at=NOON + timedelta(minutes=1))
    assert send_due_mail(at=NOON + timedelta(hours=3)) == 0
    assert send_due_mail(at=NOON + timedelta(hours=20)) == 0  # 08:00
    assert send_due_mail(at=NOON + timedelta(hours=21)) == 1


@pytest.mark.rule("U26", "T21")
def test_a_quiet_time_that_never_ends_is_refused(where: Company, client: Client) -> None:
    with translation.override("en"), pytest.raises(Invalid, match="never ends"):
        prefer(where.zhou, quiet_from=time(9), quiet_until=time(9))
    client.force_login(where.zhou)
    address = reverse("work:inbox_settings")
    sane = {"digest": "soon", "daily_at": "08:30", "version": 1}
    for wrong in (
        {"quiet_from": "09:00", "quiet_until": "09:00"}, {"quiet_from": "09:00"}, {"quiet_until": "25:00"},
        {"daily_at": "noon"}, {"digest": "hourly"}, {"digest": "<script>"},
    ):  # fmt: skip
        response = client.post(address, {**sane, **wrong})
        assert response.status_code == 422 and "Not saved yet" in response.content.decode(), wrong
    assert client.post(address, {**sane, "quiet_from": "20:00", "quiet_until": "07:00"}).status_code == 302
    assert client.post(address, sane).status_code == 409
    assert "20:00" in client.get(address).content.decode()

"""A fault of the sealed journal reaches whoever audits the whole house (OV-3)."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from tests.factories.crm import company

from fairlead.journal import tasks
from fairlead.journal.enums import Fault
from fairlead.journal.models import SealCheck
from fairlead.work.models import Notification, NotificationEntry
from fairlead.work.services.notifications import deliver

pytestmark = [pytest.mark.django_db, pytest.mark.rule("OV-3")]


def read(found: SealCheck, monkeypatch: Any, captured: Any) -> None:
    def check(**_how: Any) -> SealCheck:
        found.save()
        return found

    monkeypatch.setattr(tasks, "check", check)
    with captured(execute=True):
        tasks.verify_daily(timezone.now())
    for waiting in DBTaskResult.objects.filter(task_path__endswith=".deliver"):
        deliver.call(*waiting.args_kwargs["args"])


def reading(fault: str = "") -> SealCheck:
    return SealCheck(
        at=timezone.now(), channel="system", events=7, seals=2, unsealed=0, head="ab", fault=fault,
        event_id=3 if fault else None,
    )  # fmt: skip


def test_they_are_told_once_with_the_way_to_the_audit_log(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any, client: Client
) -> None:
    where = company(language="en")
    read(reading(Fault.ALTERED), monkeypatch, django_capture_on_commit_callbacks)
    told = {row.recipient.username for row in Notification.objects.filter(subject_type="journal")}
    assert told == {"shen", "tang", "admin"}
    assert set(NotificationEntry.objects.values_list("code", "reason")) == {("seal_broken", "escalated")}
    client.force_login(where.shen)
    page = client.get("/inbox/").content.decode()
    assert "The sealed journal does not hold" in page
    assert client.get("/audit/").status_code == 200


def test_of_a_sound_journal_nobody_is_told(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    company(language="en")
    read(reading(), monkeypatch, django_capture_on_commit_callbacks)
    assert not Notification.objects.filter(subject_type="journal").exists()

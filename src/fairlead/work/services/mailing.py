"""Notifications by mail: in the receiver's language, only where a mail server is set, never in quiet hours."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any, Final

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import F, Max, Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fairlead.common import records
from fairlead.organisation.selectors import calendars

from .. import registry
from ..enums import Digest, Reason
from ..models import Notification, NotificationEntry, NotificationPreference
from ..notification_words import sentence
from .notifications import people_who_see
from .preferences import daily_due, is_quiet

logger = logging.getLogger(__name__)
MOST: Final = 30  # records in one mail; the inbox has them all


def send_due_mail(*, at: datetime) -> int:
    """One mail to each person who wants one now and has something unread that was not mailed; how many went out."""
    if not getattr(settings, "MAIL_IS_SET", False):
        return 0
    wanting = NotificationPreference.objects.exclude(digest=Digest.NONE).select_related("person")
    prefs = {p.person_id: p for p in wanting.filter(person__is_active=True).exclude(person__email="")}
    if not prefs:
        return 0
    book = calendars()
    last = dict(
        Notification.objects.filter(recipient__in=prefs)
        .values_list("recipient_id")
        .annotate(last=Max("mailed_at"))
    )
    news: dict[int, list[Notification]] = defaultdict(list)
    fresh = Q(mailed_at=None) | Q(mailed_at__lt=F("last_at"))
    for row in Notification.objects.filter(fresh, recipient__in=prefs, unread__gt=0).order_by(
        "-last_at", "-pk"
    ):
        news[row.recipient_id].append(row)
    sent = 0
    for person, rows in news.items():
        preference = prefs[person]
        zone = preference.person.tz
        if is_quiet(preference, zone, book.of(person), at=at):
            continue
        if preference.digest == Digest.DAILY and not daily_due(preference, zone, last.get(person), at=at):
            continue
        sent += _send(
            preference.person, rows, at, is_first=preference.weekly and _is_first(last.get(person), zone, at)
        )
    return sent


def _is_first(last: datetime | None, zone: tzinfo, at: datetime) -> bool:
    """Whether a mail at `at` is the first one of the week, as the receiver counts it; never the very first of all."""
    week = at.astimezone(zone).isocalendar()[:2]
    return last is not None and last.astimezone(zone).isocalendar()[:2] != week


def _send(person: Any, rows: Sequence[Notification], at: datetime, *, is_first: bool = False) -> int:
    """What the person no longer sees is not told; it counts as dealt with."""
    seen = people_who_see([person.pk], {(r.subject_type, r.subject_id) for r in rows}).get(person.pk, set())
    shown = [r for r in rows if (r.subject_type, r.subject_id) in seen][:MOST]
    if shown:
        with translation.override(person.language), timezone.override(person.tz):
            weekly = (
                [line for lines in registry.weekly_lines for line in lines(person, at)] if is_first else []
            )
            message = _message(person, shown, weekly)
        try:
            message.send()
        except OSError:  # the mail server is away: the next run tries again
            logger.exception("mail.not_sent", extra={"person": person.pk})
            return 0
    Notification.objects.filter(pk__in=[r.pk for r in rows]).update(mailed_at=at)
    return int(bool(shown))


def _message(person: Any, rows: Sequence[Notification], weekly: Sequence[str] = ()) -> EmailMessage:
    subject = ngettext("%(n)s record has news for you", "%(n)s records have news for you", len(rows)) % {
        "n": len(rows)
    }
    lines = [subject, ""]
    for row, said in zip(rows, _sentences(rows), strict=True):
        kind = records.record_type(row.subject_type)
        title = kind.title([row.subject_id]).get(row.subject_id, "")
        lines += [f"{title} ({Reason(row.reason).label})", *(f"  {text}" for text in said)]
        if settings.SITE_URL:
            lines.append(f"  {settings.SITE_URL}{kind.url(row.subject_id)}")
        lines.append("")
    lines += [*weekly, ""] if weekly else []
    lines.append(_("You set in your inbox when Fairlead writes to you."))
    return EmailMessage(
        _one_line(f"Fairlead: {subject}"), "\n".join(lines), settings.DEFAULT_FROM_EMAIL, [person.email]
    )


def _sentences(rows: Sequence[Notification]) -> list[list[str]]:
    entries: dict[int, list[str]] = defaultdict(list)
    found = NotificationEntry.objects.filter(notification__in=[r.pk for r in rows]).select_related("by")
    for entry in found.order_by("-at", "-pk"):
        of_row = entries[entry.notification_id]
        text = sentence(entry.code, entry.params, entry.by.name if entry.by is not None else "")
        if len(of_row) < 3 and text not in of_row:
            of_row.append(text)
    return [entries[row.pk] for row in rows]


def _one_line(text: str) -> str:
    return " ".join(text.split())

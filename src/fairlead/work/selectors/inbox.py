"""The inbox of a person: one line per record, with its reason and the newest of what happened there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django.db.models import Count

from fairlead.common import records
from fairlead.common.names import localized
from fairlead.organisation.models import User

from ..enums import Reason
from ..models import Comment, Notification, NotificationEntry
from ..notification_words import sentence
from ..words import ago

PAGE: Final = 50
SHOWN: Final = 3  # sentences of one record


def unread_count_of(person_id: Any) -> Any:
    """How many records have news for somebody, as a question inside another one: the frame has no query to spare."""
    mine = Notification.objects.filter(recipient=person_id, unread__gt=0).order_by()
    return mine.values("recipient").annotate(n=Count("pk")).values("n")


def inbox_of(
    person: Any, *, at: datetime, unread_only: bool, before: int = 0
) -> tuple[list[dict[str, Any]], int]:
    """A page of the inbox and where the next one begins (0: nowhere). What is seen no more is left out."""
    rows = Notification.objects.filter(recipient=person)
    if unread_only:
        rows = rows.filter(unread__gt=0)
    ordered = list(rows.order_by("-last_at", "-pk")[before : before + PAGE + 1])
    following = before + PAGE if len(ordered) > PAGE else 0
    return shown(ordered[:PAGE], person, at=at), following


def shown(rows: Sequence[Notification], person: Any, *, at: datetime) -> list[dict[str, Any]]:
    titles = _titles(rows, person)
    entries = _entries(rows)
    found = []
    for row in rows:
        title = titles.get((row.subject_type, row.subject_id))
        if title is None:
            continue
        found.append(
            {
                "pk": row.pk,
                "title": title,
                "label": localized(records.record_type(row.subject_type).label),
                "reason_code": row.reason,
                "reason": str(Reason(row.reason).label),
                "unread": row.unread,
                "when": ago(row.last_at, at),
                "at": row.last_at,
                "entries": entries[row.pk],
                "kind": row.subject_type,
                "subject": row.subject_id,
            }
        )
    return found


def _titles(rows: Sequence[Notification], person: Any) -> dict[tuple[str, int], str]:
    by_kind: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        by_kind[row.subject_type].append(row.subject_id)
    found = {}
    for kind, ids in by_kind.items():
        record = records.record_type(kind)
        seen = sorted(record.visible_ids(person, ids, record.view_right))
        found.update({(kind, pk): title for pk, title in record.title(seen).items()})
    return found


def _entries(rows: Sequence[Notification]) -> dict[int, list[str]]:
    """The newest sentences of each, equal ones once; a mention with the words of the comment."""
    found: dict[int, list[str]] = defaultdict(list)
    entries = list(
        NotificationEntry.objects.filter(notification__in=[r.pk for r in rows]).order_by("-at", "-pk")[
            : PAGE * 20
        ]
    )
    names = dict(User.objects.filter(pk__in={e.by_id for e in entries if e.by_id}).values_list("pk", "name"))
    wanted = {e.params["comment"] for e in entries if "comment" in e.params}
    comments = (
        dict(Comment.objects.filter(pk__in=wanted, removed_at=None).values_list("pk", "text"))
        if wanted
        else {}
    )
    for entry in entries:
        text = sentence(entry.code, entry.params, names.get(entry.by_id or 0, ""))
        if said := comments.get(entry.params.get("comment", 0)):
            text = f"{text}: {said[:120]}"
        if len(found[entry.notification_id]) < SHOWN and text not in found[entry.notification_id]:
            found[entry.notification_id].append(text)
    return found

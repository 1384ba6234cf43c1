"""What has changed on a board since a token: the place in the journal that the board has seen."""

from __future__ import annotations

from typing import Any

from django.db.models import Q

from fairlead.common.questions import Question
from fairlead.journal.models import Event
from fairlead.process import fold
from fairlead.process.models import Journey

from .board import OTHER, Process, shapes
from .visible import visible_journeys

FAR_BEHIND = 300  # more events than this: the whole board is repainted


_newest: Question[tuple[int, int]] = Question(
    lambda: Event.objects.settled().order_by("-txid", "-id").values_list("txid", "id")[:1]
)


def newest_token() -> str:
    """The last event that no running transaction can still slip in front of."""
    last = _newest.first()
    return f"{last[0]}.{last[1]}" if last else "0.0"


def read_token(text: str) -> tuple[int, int] | None:
    txid, _dot, event = text.partition(".")
    if not (txid.isascii() and txid.isdigit() and event.isascii() and event.isdigit()):
        return None
    found = int(txid), int(event)
    return found if max(found) < 2**63 else None


def changed_columns(user: Any, process: Process, token: tuple[int, int]) -> set[str] | None:
    """Keys of the columns in which something of this person's board has changed; None: repaint everything."""
    txid, event_id = token
    rows = list(
        Event.objects.settled()
        .filter(txid__gte=txid)
        .filter(Q(txid__gt=txid) | Q(id__gt=event_id))
        .filter(subject_type="opportunity")
        .order_by("txid", "id")
        .values_list("subject_id", "type", "from_stage", "to_stage", "data")[: FAR_BEHIND + 1]
    )
    if len(rows) > FAR_BEHIND:
        return None
    if not rows:
        return set()
    subjects = {row[0] for row in rows}
    seen = {
        subject: (version, stage)
        for subject, version, stage in visible_journeys(user, process.key)
        .filter(subject_id__in=subjects)
        .values_list("subject_id", "process_version_id", "stage__key")
    }
    # A deal that went to somebody else has to leave this board, although it is no longer seen.
    gone = {row[0] for row in rows if row[1] in ("owner_changed", fold.MIRRORED) and row[0] not in seen}
    left = (
        {
            subject: (version, stage)
            for subject, version, stage in Journey.objects.current()
            .of_process(process.key)
            .filter(subject_type="opportunity", subject_id__in=gone)
            .values_list("subject_id", "process_version_id", "stage__key")
        }
        if gone
        else {}
    )
    shape = shapes(process)
    changed: set[str] = set()
    for subject, _type, from_stage, to_stage, _data in rows:
        where = seen.get(subject) or left.get(subject)
        if where is None:
            continue
        version, stage = where
        for key in {stage, from_stage, to_stage} - {""}:
            found = shape.get(version, {}).get(key)
            changed.add(found.axis if found else OTHER)
    return changed

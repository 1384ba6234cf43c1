"""A second person decides on publishing: asked for by whoever wrote the draft, decided by somebody who did not (OV-5)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from fairlead.common.refusals import Invalid, NotFound, NotPermitted
from fairlead.common.text import clean_text
from fairlead.journal.services import NewEvent, record
from fairlead.work.enums import Reason
from fairlead.work.services.notifications import notify

from ..enums import RequestState
from ..models import ProcessVersion, PublishRequest
from ..refusals import SecondPersonNeeded
from .drafting import _locked, _publish, ready
from .publishing import PUBLISH, checksum, deciders

LONGEST = 2000


@transaction.atomic
def ask_to_publish(
    process_key: str, *, comment: str = "", version: int, by: Any, at: datetime, channel: str
) -> PublishRequest:
    """Ask those who may publish and did not write the draft. Raises CannotPublish, BaseMoved, Stale, Invalid.

    Where nobody else could decide the refusal says so: an administrator gives somebody the role, or turns the rule off.
    """
    draft = _locked(process_key, version, by)
    ready(draft)
    if PublishRequest.objects.filter(process=draft.process, state=RequestState.OPEN).exists():
        raise Invalid.field("comment", _("It is asked for already and waits for a decision."))
    people = [p for p in deciders() if p.pk not in {*draft.editors, by.pk}]
    if not people:
        raise SecondPersonNeeded(
            _(
                "Nobody else here may publish processes. Give somebody the role of process owner or administrator, "
                "or have an administrator turn the second person off under Company."
            ),
            details={"people": []},
        )
    row = PublishRequest.objects.create(
        process=draft.process,
        checksum=checksum(draft.document),
        asked_by=by,
        asked_at=at,
        comment=clean_text(comment, limit=LONGEST, multiline=True, field="comment"),
    )
    _journal("publish_asked", row, by, at, channel)
    _tell(row, [p.pk for p in people], "publish_asked", by, at)
    return row


@transaction.atomic
def decide_publishing(
    process_key: str, *, grant: bool, answer: str = "", by: Any, at: datetime, channel: str
) -> ProcessVersion | None:
    """Publish what was asked for, or refuse it with a reason; by somebody who neither asked nor wrote any of it."""
    draft = _locked(process_key, None, by)
    row = (
        PublishRequest.objects.select_for_update(of=("self",))
        .filter(process=draft.process, state=RequestState.OPEN)
        .first()
    )
    if row is None:
        raise NotFound
    if by.pk in {*draft.editors, row.asked_by_id}:
        raise NotPermitted(_("Somebody who did not write this draft decides on publishing it."))
    words = clean_text(answer, limit=LONGEST, multiline=True, field="answer")
    if not grant and not words:
        raise Invalid.field("answer", _("Say what has to change before it can be published."))
    if row.checksum != checksum(draft.document):
        raise Invalid.field(
            "answer", _("The draft is not what was asked for any more. It has to be asked for again.")
        )
    row.state = RequestState.GRANTED if grant else RequestState.REFUSED
    row.decided_by, row.decided_at, row.answer = by, at, words
    row.save()
    _journal("publish_granted" if grant else "publish_refused", row, by, at, channel)
    published = _publish(draft, by, at, channel) if grant else None
    _tell(row, [row.asked_by_id], "publish_granted" if grant else "publish_refused", by, at)
    return published


def _tell(row: PublishRequest, people: list[int], code: str, by: Any, at: datetime) -> None:
    notify(
        recipients=people,
        reason=Reason.ASKED if code == "publish_asked" else Reason.OWNER,
        subject_type="process",
        subject_id=row.process_id,
        text=(code, {}),
        by=by,
        at=at,
    )


def _journal(type_: str, row: PublishRequest, by: Any, at: datetime, channel: str) -> None:
    record(
        [
            NewEvent(
                type=type_,
                subject_type="process",
                subject_id=row.process_id,
                actor_id=by.pk,
                effective_at=at,
                channel=channel,
                process_key=row.process.key,
                data={"request": row.pk, "checksum": row.checksum, "asked_by": row.asked_by_id},
                comment=row.answer if row.decided_by_id else row.comment,
            )
        ]
    )


__all__ = ["PUBLISH", "ask_to_publish", "decide_publishing"]

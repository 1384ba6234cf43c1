"""Comments among colleagues: with mentions, changed or taken back by who wrote them, answered by a nod."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from fairlead.common import records
from fairlead.common.refusals import Invalid, NotFound, NotPermitted, Stale
from fairlead.common.text import clean_text
from fairlead.journal.services import NewEvent, record
from fairlead.organisation.models import User

from ..enums import Reaction, Reason
from ..models import Comment, CommentReaction
from .notifications import notify, people_who_see

MAX_TEXT: Final = 10_000
MOST_MENTIONS: Final = 300
EDIT_WITHIN: Final = timedelta(hours=24)
RIGHT: Final = "comment.add"
_AT: Final = re.compile(r"(?<![A-Za-z0-9._%+-])@(?=\S)")


@transaction.atomic
def add_comment(
    subject_type: str, subject_id: int, *, text: str, by: Any, at: datetime, channel: str
) -> Comment:
    """Whoever sees a record may comment on it, auditors excepted. Raises NotFound, NotPermitted, Invalid.

    Mentioned people who see the record are told; the names of those who do not see it stand in `untold` of what
    is given back, and nobody else hears of them.
    """
    kind = records.record_type(subject_type)
    records.require(by, subject_type, subject_id, kind.view_right)
    if not by.may(RIGHT):
        raise NotPermitted
    text = _checked(text)
    told, untold = _mentioned(text, subject_type, subject_id)
    row = Comment.objects.create(
        subject_type=subject_type, subject_id=subject_id, text=text, mentions=told, by=by, at=at
    )
    row.untold = untold
    record([_event(row, "commented", by=by, at=at, channel=channel)])
    _tell(row, told, by=by, at=at)
    return row


@transaction.atomic
def edit_comment(comment_id: int, *, version: int, text: str, by: Any, at: datetime, channel: str) -> Comment:
    """One's own, within a day. Who is newly mentioned is told. Raises NotFound, NotPermitted, Invalid, Stale."""
    row = _own(comment_id, by)
    if row.version != version:
        raise Stale(details={"version": row.version})
    if at - row.at > EDIT_WITHIN:
        raise Invalid.field("text", _("After a day a comment stands as it is. Write another one."))
    text = _checked(text)
    if text == row.text:
        return row
    told, untold = _mentioned(text, row.subject_type, row.subject_id)
    new, before = sorted(set(told) - set(row.mentions)), row.text
    row.text, row.mentions, row.edited_at, row.version = text, told, at, row.version + 1
    row.untold = untold
    row.save()
    event = _event(row, "comment_edited", by=by, at=at, channel=channel)
    event.payload.update({"before": before, "after": text})
    record([event])
    _tell(row, new, by=by, at=at)
    return row


@transaction.atomic
def remove_comment(comment_id: int, *, by: Any, at: datetime, channel: str) -> Comment:
    """One's own. Raises NotFound, NotPermitted."""
    row = _own(comment_id, by)
    row.removed_at = at
    row.save(update_fields=["removed_at"])
    record([_event(row, "comment_removed", by=by, at=at, channel=channel)])
    return row


@transaction.atomic
def restore_comment(comment_id: int, *, by: Any, at: datetime, channel: str) -> Comment:
    """One's own, removed, stands again as it was. Raises NotFound, NotPermitted."""
    row = _own(comment_id, by, removed=True)
    row.removed_at = None
    row.save(update_fields=["removed_at"])
    record([_event(row, "comment_restored", by=by, at=at, channel=channel)])
    return row


@transaction.atomic
def react(comment_id: int, kind: str, *, by: Any, at: datetime, channel: str) -> Comment:
    """A nod, or the same one taken back. Raises NotFound, NotPermitted, Invalid."""
    row = _standing(comment_id, by)
    if not by.may(RIGHT):
        raise NotPermitted
    if kind not in Reaction.values:
        raise Invalid.field("kind", _("There is no such reaction."))
    gone, _models = CommentReaction.objects.filter(comment=row, by=by, kind=kind).delete()
    if not gone:
        CommentReaction.objects.create(comment=row, by=by, kind=kind, at=at)
    event = _event(row, "reaction_taken" if gone else "reaction_given", by=by, at=at, channel=channel)
    event.data.update({"kind": kind})
    record([event])
    return row


def _standing(comment_id: int, by: Any, *, removed: bool = False) -> Comment:
    rows = Comment.objects.select_for_update(of=("self",))
    row = rows.filter(pk=comment_id, removed_at__isnull=not removed).first()
    if row is None or not records.record_type(row.subject_type).sees(by, row.subject_id):
        raise NotFound
    return row


def _own(comment_id: int, by: Any, *, removed: bool = False) -> Comment:
    row = _standing(comment_id, by, removed=removed)
    if row.by_id != by.pk or not by.may(RIGHT):
        raise NotPermitted
    return row


def _checked(text: str) -> str:
    text = clean_text(text, limit=1_000_000, multiline=True, field="text").strip()
    if not text or len(text) > MAX_TEXT:
        raise Invalid.field("text", _("Write 1 to %(limit)s characters.") % {"limit": MAX_TEXT})
    return text


def _mentioned(text: str, subject_type: str, subject_id: int) -> tuple[list[int], list[str]]:
    """Who is called and sees the record, and the names of those who are called and do not."""
    called = named_in(text)
    if not called:
        return [], []
    seeing = people_who_see(called, [(subject_type, subject_id)])
    told = sorted(pk for pk in called if seeing.get(pk))
    blind = {name for pk, name in called.items() if pk not in told}
    # Of two people of one name the one who sees the record is meant.
    return told, sorted(blind - {called[pk] for pk in told})


def named_in(text: str) -> dict[int, str]:
    """People whose name or user name stands behind an @, the longest that fits: id → name."""
    places = [match.end() for match in _AT.finditer(text)][:MOST_MENTIONS]
    if not places:
        return {}
    people = list(User.objects.active().values_list("pk", "username", "name"))
    folded = text.casefold()
    found: dict[int, str] = {}
    for start in places:
        best = 0
        fitting: list[tuple[int, str]] = []
        for pk, username, name in people:
            length = max(_length(folded, start, name), _length(folded, start, username))
            if length and length >= best:
                fitting = [*(fitting if length == best else ()), (pk, name)]
                best = length
        found.update(fitting)
    return found


def _length(text: str, start: int, name: str) -> int:
    """How many characters of `text` at `start` are this name; a Latin one only as a whole word."""
    folded = name.casefold()
    if not folded or not text.startswith(folded, start):
        return 0
    after = text[start + len(folded) : start + len(folded) + 1]
    is_cut = folded[-1].isascii() and after.isascii() and after.isalnum()
    return 0 if is_cut else len(folded)


def _tell(row: Comment, people: Iterable[int], *, by: Any, at: datetime) -> None:
    notify(
        recipients=people,
        reason=Reason.MENTIONED,
        subject_type=row.subject_type,
        subject_id=row.subject_id,
        text=("mentioned", {"comment": row.pk}),
        by=by,
        at=at,
    )


def _event(row: Comment, type_: str, *, by: Any, at: datetime, channel: str) -> NewEvent:
    return NewEvent(
        type=type_,
        subject_type=row.subject_type,
        subject_id=row.subject_id,
        actor_id=by.pk,
        effective_at=at,
        channel=channel,
        data={"comment": row.pk, **({"mentions": list(row.mentions)} if row.mentions else {})},
    )

"""How a comment is shown: its nods, whether it was changed, and what the reader may do with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from fairlead.common import records
from fairlead.common.text import fold, search_key
from fairlead.organisation.models import User

from ..enums import Reaction
from ..models import Comment, CommentReaction

EDITABLE_FOR: Final = timedelta(hours=24)
SUGGESTED: Final = 8


@dataclass(slots=True)
class Remark:
    """What stands beside the text of a comment."""

    by: int
    edited: bool = False
    reactions: list[tuple[str, int]] = field(default_factory=list)  # kind, person


def remarks_of(comment_ids: Iterable[int]) -> dict[int, Remark]:
    ids = list(comment_ids)
    found = {
        pk: Remark(by, edited is not None)
        for pk, by, edited in Comment.objects.filter(pk__in=ids).values_list("pk", "by_id", "edited_at")
    }
    for pk, kind, by in CommentReaction.objects.filter(comment__in=ids).values_list(
        "comment_id", "kind", "by_id"
    ):
        if pk in found:
            found[pk].reactions.append((kind, by))
    return found


def remark_out(
    pk: int,
    remark: Remark,
    reader: Any,
    *,
    written_at: datetime,
    at: datetime,
    people: Mapping[int, str] | None = None,
) -> dict[str, Any]:
    """For `work/remark.html`. `people` names who reacted, where the page knows them."""
    may = reader.may("comment.add")
    mine = remark.by == reader.pk and may
    nods = []
    for kind, label in Reaction.choices:
        who = [by for code, by in remark.reactions if code == kind]
        if who or may:
            nods.append(
                {
                    "kind": kind, "label": str(label), "count": len(who), "pressed": reader.pk in who,
                    "who": ", ".join(name for by in who if (name := (people or {}).get(by))),
                }
            )  # fmt: skip
    return {
        "pk": pk, "edited": remark.edited, "nods": nods, "may_react": may, "may_remove": mine,
        "may_edit": mine and at - written_at <= EDITABLE_FOR,
    }  # fmt: skip


def people_to_mention(
    reader: Any, subject_type: str, subject_id: int, query: str, *, most: int = SUGGESTED
) -> Sequence[User]:
    """Colleagues whose name begins with or is spelled like `query`, and who may see the record."""
    wanted = fold(query.strip())[:40]
    kind = records.record_type(subject_type)
    fitting = [
        user
        for user in User.objects.active().exclude(pk=reader.pk).with_roles().by_name()
        if not wanted
        or fold(user.name).startswith(wanted)
        or user.username.startswith(wanted)
        or any(part.startswith(wanted) for part in search_key(user.name).split(" "))
    ]
    seers = kind.seers(fitting, subject_id)
    return [user for user in fitting if user.pk in seers][:most]

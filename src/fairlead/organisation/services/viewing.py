"""Looking at the pages as another person sees them: who may, and that it is noted."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from fairlead.common.refusals import Refusal
from fairlead.organisation.models import User
from fairlead.organisation.rights import ALL_RIGHTS, DECIDING, Reach
from fairlead.organisation.services._base import journal, require

VIEW_AS: Final = "people.view_as"
LASTS: Final = timedelta(minutes=30)
#: Rights that open no page with rows of others: deciding, and keys of one's own.
_SHOWS_NOTHING: Final = DECIDING | {"apikeys.own"}


class CannotViewAs(Refusal):
    """This person cannot be looked over the shoulder by that one."""

    code = "cannot-view-as"
    status = 403


def hindrance(person: User, by: User) -> str:
    """Why `by` cannot look as `person`, in words; nothing when they can.

    Nobody sees more by it than by themselves: each right of the person, beside those that show nothing, must be
    within the viewer's own, over all rows that it reaches.
    """
    if person.pk == by.pk:
        return _("You see the pages as yourself already.")
    if not person.is_active:
        return _("This person is shut out and sees no page.")
    beyond = [
        right for right in ALL_RIGHTS
        if right not in _SHOWS_NOTHING and not _within(person.reach(right), by.reach(right))
    ]  # fmt: skip
    if beyond:
        return _("This person reaches more than you do: %(rights)s.") % {"rights": ", ".join(beyond[:5])}
    return ""


def _within(theirs: Reach, own: Reach) -> bool:
    if own.all or not theirs:
        return True
    # What is their own may stand in any team: only somebody who reaches all reaches that.
    return not theirs.all and not theirs.own and theirs.team_ids <= own.team_ids


@transaction.atomic
def begin_view_as(person: User, *, by: User, at: datetime, channel: str) -> datetime:
    """Note that `by` looks as `person` from now; gives back when it ends by itself."""
    require(by, VIEW_AS, channel)
    if reason := hindrance(person, by):
        raise CannotViewAs(reason)
    journal(person, "view_as_begun", by=by, at=at, channel=channel, data={"until": (at + LASTS).isoformat()})
    return at + LASTS


@transaction.atomic
def end_view_as(person: User, *, by: User, at: datetime, channel: str, why: str) -> None:
    """Note the end. `why`: left, time, signed-out, or not-allowed any more."""
    journal(person, "view_as_ended", by=by, at=at, channel=channel, data={"why": why})

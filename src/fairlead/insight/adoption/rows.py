"""The rows behind the numbers of adoption: deals, or for promptness the moves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from fairlead.analytics.adoption import ELEMENTS
from fairlead.crm.models import Opportunity
from fairlead.journal.models import Event

from ..questions import BadQuestion
from .behaviour import Asked, countable


def chosen(asked: Asked, *, what: str, hit: str, owner: str) -> list[int]:
    """Ids of deals (of moves for *timely*), those that count as done (`hit` 1), not (0), or both (blank).

    Only of people whose own results the reader may see does `owner` narrow it down. Raises BadQuestion.
    """
    if what not in ELEMENTS:
        raise BadQuestion("what", _("There is no such figure."))
    if owner:
        if not (owner.isascii() and owner.isdigit() and len(owner) < 19 and int(owner) in asked.led):
            raise BadQuestion("owner", _("Choose somebody whose results you may see."))
        share = asked.of(int(owner)).shares[what]
    else:
        share = asked.whole().shares[what]
    ids = {"1": share.hits, "0": share.missed}.get(hit, share.all)
    return sorted(ids, reverse=True)


def deals(asked: Asked, ids: Sequence[int]) -> QuerySet[Opportunity]:
    rows = countable(asked.user).filter(pk__in=ids)
    return rows.select_related("account", "owner", "journey__stage").order_by("-pk")


def moves(asked: Asked, ids: Sequence[int]) -> list[dict[str, Any]]:
    """Each move with its deal and how long after the event it was written down."""
    events = list(Event.objects.filter(pk__in=ids).order_by("-pk"))
    found = deals(asked, [event.subject_id for event in events]).in_bulk()
    return [
        {"event": event, "deal": found[event.subject_id], "late": event.recorded_at - event.effective_at}
        for event in events
        if event.subject_id in found
    ]


def hours(late: timedelta) -> str:
    if late < timedelta(hours=1):
        return _("at once")
    if late < timedelta(days=3):
        return _("%(n)s h") % {"n": int(late.total_seconds() // 3600)}
    return _("%(n)s days") % {"n": late.days}

"""Words for asking the journal."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db import connection, models
from django.db.models import Func, Q

if TYPE_CHECKING:
    from .models import Event  # noqa: F401

_OLDEST_RUNNING = "pg_snapshot_xmin(pg_current_snapshot())::text::bigint"


def horizon() -> Func | None:
    """Events of transactions at or after this id may still be joined by earlier ones; None on SQLite."""
    if connection.vendor != "postgresql":
        return None
    return Func(template=_OLDEST_RUNNING, output_field=models.BigIntegerField())


def oldest_running_transaction() -> int | None:
    """The horizon as a number, for a reader that has to keep it."""
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT " + _OLDEST_RUNNING)
        return int(cursor.fetchone()[0])


def current_transaction_id() -> int:
    """The id of the writing transaction; 0 on SQLite."""
    if connection.vendor != "postgresql":
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        return int(cursor.fetchone()[0])


class EventQuerySet(models.QuerySet["Event"]):
    def about(self, subject_type: str, subject_ids: Iterable[int]) -> Self:
        return self.filter(subject_type=subject_type, subject_id__in=list(subject_ids))

    def of_journeys(self, journey_ids: Iterable[int]) -> Self:
        return self.filter(journey_id__in=list(journey_ids))

    def newest_first(self) -> Self:
        return self.order_by("-effective_at", "-id")

    def in_order(self) -> Self:
        """The order in which the fold reads them."""
        return self.order_by("txid", "id")

    def settled(self) -> Self:
        """Only events that no running transaction can still slip in front of."""
        limit = horizon()
        return self if limit is None else self.filter(txid__lt=limit)

    def after(self, txid: int, event_id: int) -> Self:
        if connection.vendor != "postgresql":  # one writer at a time: the id alone is the order
            return self.filter(id__gt=event_id)
        # The first condition says nothing new; it lets the index on (txid, id) begin where the reader stopped.
        return self.filter(txid__gte=txid).filter(Q(txid__gt=txid) | Q(txid=txid, id__gt=event_id))

    def up_to(self, txid: int, event_id: int) -> Self:
        """Up to and with that place, in the order of `in_order`."""
        if connection.vendor != "postgresql":
            return self.filter(id__lte=event_id)
        return self.filter(txid__lte=txid).filter(Q(txid__lt=txid) | Q(txid=txid, id__lte=event_id))

    def known_on(self, at: datetime) -> Self:
        """As known on an instant: recorded by then, whatever its effective date (EV-4)."""
        return self.filter(recorded_at__lte=at)

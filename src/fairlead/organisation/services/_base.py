"""What every service of this room does: ask the right, lock the row, write the event."""

from datetime import date, datetime
from typing import Any, TypeVar

from django.db import models
from django.utils.translation import gettext as _

from fairlead.common.refusals import NotPermitted, Stale
from fairlead.journal.enums import Channel
from fairlead.journal.services import NewEvent, record
from fairlead.organisation.models import Organisation, User

Row = TypeVar("Row", bound=models.Model)

#: Doors through which the installation itself acts, without a person: commands, the demo, an import.
UNATTENDED = frozenset({Channel.SYSTEM, Channel.IMPORT, Channel.AUTOMATION})


def require(by: User | None, right: str, channel: str) -> None:
    """Raise NotPermitted unless `by` has `right`; nobody at all may act only where no person stands."""
    if by is None:
        if channel not in UNATTENDED:
            raise NotPermitted
    elif not by.may(right):
        raise NotPermitted


def business_day(at: datetime) -> date:
    """The date of `at` where the organisation lives."""
    return at.astimezone(Organisation.objects.current().tz).date()


def locked(row: Row, version: int | None = None) -> Row:
    """The row as it is now, held until the transaction ends; Stale when it is not the `version` seen."""
    # Not type(row): the person of a request is a lazy wrapper.
    model: type[Row] = row._meta.model  # type: ignore[assignment]
    fresh = model._default_manager.select_for_update().get(pk=row.pk)
    if version is not None and getattr(fresh, "version", version) != version:
        raise Stale(
            _("Somebody else changed %(record)s meanwhile. Compare and save again.") % {"record": str(fresh)}
        )
    return fresh


def journal(
    row: models.Model,
    kind: str,
    *,
    by: User | None,
    at: datetime,
    channel: str,
    data: dict[str, Any] | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """One event about `row`. `before` and `after` may hold personal data: they go to the erasable detail."""
    payload: dict[str, Any] = {}
    if before is not None:
        payload["before"] = before
    if after is not None:
        payload["after"] = after
    record(
        [
            NewEvent(
                type=kind,
                subject_type=row._meta.model_name or "",
                subject_id=row.pk,
                actor_id=by.pk if by else None,
                effective_at=at,
                recorded_at=at,
                business_date=business_day(at),
                channel=channel,
                data=data or {},
                payload=payload,
            )
        ]
    )


def changed_fields(row: models.Model, values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What differs: (before, after), by field name."""
    before = {name: getattr(row, name) for name, value in values.items() if getattr(row, name) != value}
    return before, {name: values[name] for name in before}

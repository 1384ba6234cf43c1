"""What a playbook may wait for, told when it happens to a deal (PB-2): a later date, a competitor, a contact who left."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from fairlead.journal.models import Event
from fairlead.process.enums import TriggerKind
from fairlead.process.services import happened

from ..enums import BuyingRole
from ..models import Contact, ContactRole, Opportunity

KEY_ROLES = (BuyingRole.EB, BuyingRole.TB, BuyingRole.COACH)


def follow_edit(
    row: Opportunity, before: Mapping[str, Any], changed: Mapping[str, Any], *, by: Any, at: datetime
) -> None:
    if changed.get("competitor") and not before.get("competitor"):
        happened("opportunity", [row.pk], TriggerKind.COMPETITOR, by=by, at=at)
    earlier, later = before.get("expected_close_date"), changed.get("expected_close_date")
    if earlier is not None and later is not None and later > earlier:
        happened("opportunity", [row.pk], TriggerKind.PUSHED, by=by, at=at, count=pushes_of(row.pk))


def pushes_of(deal_id: int) -> int:
    """How often the expected close date was put off, by the journal; details that are purged do not count."""
    events = Event.objects.filter(subject_type="opportunity", subject_id=deal_id, type="edited")
    found = 0
    for event in events.select_related("detail").order_by("pk"):
        if "expected_close_date" not in event.data.get("fields", ()):
            continue
        detail = getattr(event, "detail", None)
        said = detail.payload if detail is not None and detail.purged_at is None else {}
        was, is_now = (_day(said.get(side, {}).get("expected_close_date")) for side in ("before", "after"))
        found += was is not None and is_now is not None and is_now > was
    return found


def _day(text: Any) -> date | None:
    return date.fromisoformat(text) if isinstance(text, str) else None


def follow_leaving(contact: Contact, *, by: Any, at: datetime) -> None:
    """Deals where the contact decides, guards the technology or speaks for us."""
    roles = ContactRole.objects.filter(contact=contact, removed_at=None, role__in=KEY_ROLES)
    if deals := sorted(set(roles.values_list("opportunity_id", flat=True))):
        happened("opportunity", deals, TriggerKind.CONTACT_LEFT, by=by, at=at)

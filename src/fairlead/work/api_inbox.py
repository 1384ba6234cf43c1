"""One's own notifications, and what one wants to hear of a record."""

from datetime import time
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Query, Router, Status

from fairlead.common.access import access
from fairlead.common.refusals import NotPermitted
from fairlead.common.rest import MOST, Cut, IfMatch, Sort, cut, etag, listed, version_in
from fairlead.journal.enums import Channel

from . import services
from .models import Notification
from .schemas import (
    AttentionIn,
    NotificationOut,
    NotificationSettingsIn,
    NotificationSettingsOut,
    ReadIn,
    settings_out,
)
from .selectors.inbox import shown

router = Router(tags=["work"])
LATEST = Sort("latest", "last_at", descending=True)
Limit = Annotated[int, Query(ge=1, le=MOST)]


@router.get("/notifications", response=Cut[NotificationOut], operation_id="notifications_list")
@access("signed-in", api=True)
def notifications(
    request: HttpRequest, unread: bool = False, cursor: str = "", limit: Limit = 50
) -> dict[str, Any]:
    """One's own, one for each record, what moved last first; a record that is seen no more is left out."""
    user: Any = request.user
    if user.api_key is not None and not user.may("process.view"):
        raise NotPermitted  # a key that only writes reads nothing
    rows = Notification.objects.filter(recipient=user.pk)
    found, following = cut(rows.filter(unread__gt=0) if unread else rows, LATEST, cursor, limit)
    return listed(
        [
            {
                "id": row["pk"], "subject_type": row["kind"], "subject_id": row["subject"], "title": row["title"],
                "reason": row["reason_code"], "unread": row["unread"], "last_at": row["at"], "entries": row["entries"],
            }
            for row in shown(found, user, at=timezone.now())
        ],
        following,
    )  # fmt: skip


@router.post("/notifications/read", response={204: None}, operation_id="notifications_read")
@access("signed-in", api=True)
def read(request: HttpRequest, payload: ReadIn) -> Status[None]:
    """Mark the named ones as read, or without `ids` all of one's own."""
    services.mark_read(by=request.user, at=timezone.now(), ids=payload.ids)
    return Status(204, None)


@router.put("/attention", response={204: None}, operation_id="attention_set")
@access("signed-in", api=True)
def attention(request: HttpRequest, payload: AttentionIn) -> Status[None]:
    """Follow a record, mute it, or (blank) hear only what concerns oneself."""
    services.set_attention(
        payload.subject_type, payload.subject_id, payload.attention,
        by=request.user, at=timezone.now(), channel=Channel.API,
    )  # fmt: skip
    return Status(204, None)


@router.get(
    "/notifications/settings", response=NotificationSettingsOut, operation_id="notification_settings_get"
)
@access("signed-in", api=True)
def settings(request: HttpRequest, response: HttpResponse) -> dict[str, Any]:
    """How one is told by mail: when, the quiet hours, and whether the weekly summary comes with it."""
    user: Any = request.user
    if user.api_key is not None and not user.may("process.view"):
        raise NotPermitted
    row = services.preferences_of(user)
    etag(response, row.version)
    return settings_out(row)


@router.patch(
    "/notifications/settings", response=NotificationSettingsOut, operation_id="notification_settings_set"
)
@access("signed-in", api=True)
def set_settings(
    request: HttpRequest, response: HttpResponse, payload: NotificationSettingsIn, if_match: IfMatch = None
) -> dict[str, Any]:
    """Change some of it; what is not sent stays. `weekly` false: no weekly summary in the mail."""
    version, sent = version_in(if_match), payload.model_dump(exclude_unset=True)
    for name in ("daily_at", "quiet_from", "quiet_until"):
        if sent.get(name) is not None:
            sent[name] = time.fromisoformat(sent[name])
    values = settings_out(services.preferences_of(request.user)) | sent
    row = services.set_preferences(
        **{name: values[name] for name in NotificationSettingsIn.model_fields},
        version=version,
        by=request.user,
        at=timezone.now(),
        channel=Channel.API,
    )
    etag(response, row.version)
    return settings_out(row)

"""The catalogue of fields, and the custom ones among them."""

from typing import Annotated, Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Query, Router, Status

from fairlead.common.access import access
from fairlead.common.refusals import Invalid, NotFound
from fairlead.common.rest import IfMatch, PathId, etag, version_in
from fairlead.journal.enums import Channel

from . import services, uses
from .catalogue import catalogue, subject_types
from .models import CustomField
from .schemas import FieldChange, FieldIn, FieldOut, FieldsOut, UsesOut, field_out

router = Router(tags=["fields"])


@router.get("/fields", response=FieldsOut, operation_id="fields_list")
@access("process.view", api=True)  # everybody holds it; of a key it asks the scope to read
def fields(
    request: HttpRequest, subject: Annotated[str, Query(pattern="^[a-z_]{1,30}$")], retired: bool = False
) -> dict[str, Any]:
    """The fields of a kind of record that the asker may read; with `retired` also custom fields of the past."""
    if subject not in subject_types():
        raise NotFound
    rows = {row.key: row for row in CustomField.objects.filter(subject_type=subject)}
    specs = catalogue(subject).readable_by(request.user)  # type: ignore[arg-type]
    if retired:
        past = [row.spec() for row in rows.values() if row.retired_at is not None]
        specs += [spec for spec in past if spec.readable_by(request.user)]  # type: ignore[arg-type]
    return {
        "items": [
            field_out(spec, rows.get(spec.key) if spec.custom else None, request.user) for spec in specs
        ]
    }


@router.get("/fields/uses", response=UsesOut, operation_id="fields_uses")
@access("process.view", api=True)
def field_uses(
    request: HttpRequest,
    subject: Annotated[str, Query(pattern="^[a-z_]{1,30}$")],
    key: Annotated[str, Query(pattern="^[a-z][a-z0-9_]{0,59}$")],
) -> dict[str, Any]:
    """Where a field is used: gates, scores, moves, views, kept mappings of imports."""
    user: Any = request.user
    spec = catalogue(subject).get(key) if subject in subject_types() else None
    if spec is None or not spec.readable_by(user):
        raise NotFound
    counts = spec.custom and user.may(services.MANAGE)
    found = uses.uses_of(subject, user).get(key, [])
    return {"items": found, "filled": uses.filled(subject, key) if counts else None}


@router.post("/fields", response={201: FieldOut}, operation_id="fields_create")
@access("fields.manage", api=True)
def add_field(request: HttpRequest, response: HttpResponse, payload: FieldIn) -> Status[dict[str, Any]]:
    """Add a custom field: usable at once in forms, lists, filters, gates, import and here."""
    given = payload.model_dump(exclude={"subject"})
    row = services.add_field(
        subject_type=payload.subject, **given, by=request.user, at=timezone.now(), channel=Channel.API)  # fmt: skip
    etag(response, row.version)
    return Status(201, field_out(row.spec(), row, request.user))


@router.patch("/fields/{id:pk}", response=FieldOut, operation_id="fields_change")
@access("fields.manage", api=True)
def change_field(
    request: HttpRequest, response: HttpResponse, pk: PathId, payload: FieldChange, if_match: IfMatch = None
) -> dict[str, Any]:
    """Rename, explain, re-list, mask, place or retire a custom field. Key and type never change. 422 with the
    reason where something in use would break: a choice that records hold, a field that a gate reads."""
    version = version_in(if_match)
    if not CustomField.objects.filter(pk=pk).exists():
        raise NotFound
    given = payload.model_dump(exclude_unset=True)
    place = given.pop("position", None)
    how: dict[str, Any] = {"by": request.user, "at": timezone.now(), "channel": Channel.API}
    with transaction.atomic():
        row = services.change_field(pk, version=version, **given, **how) if given else None
        if place is not None:
            row = services.place_field(pk, position=place, version=row.version if row else version, **how)
    if row is None:
        raise Invalid(_("Say what changes."))
    etag(response, row.version)
    return field_out(row.spec(), row, request.user)

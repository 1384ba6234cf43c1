"""Filing documents about a record, and taking them back."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import date, datetime
from pathlib import PurePosixPath
from typing import Any

from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from fairlead.common import records
from fairlead.common.refusals import Invalid, NotFound
from fairlead.common.text import clean_text
from fairlead.journal.services import NewEvent, record

from ..content import look_at
from ..models import File

MAX_BYTES = 20 * 1024 * 1024
KIND = re.compile(r"^[a-z][a-z0-9_]{0,59}$")


@transaction.atomic
def add_file(
    subject_type: str,
    subject_id: int,
    *,
    kind: str,
    name: str,
    by: Any,
    at: datetime,
    channel: str,
    content: bytes | None = None,
    media_type: str = "",
    reference: str = "",
    by_customer: bool = False,
    signed: bool = False,
    valid_until: date | None = None,
) -> File:
    """File a document: its content, or where it is filed. Raises NotFound, NotPermitted, Invalid.

    Its bytes decide what it is; a picture loses what it says about its place. It is stored under a random name and
    served only as a download (T11). Versions of a kind count up, and so do editions of a name: a file of a known
    name without a kind is the next edition of that one.
    """
    record_kind = records.record_type(subject_type)
    records.require(by, subject_type, subject_id, record_kind.edit_right)
    name = PurePosixPath(clean_text(name, limit=1000).replace("\\", "/")).name.strip()[:255]
    same_name = File.objects.filter(subject_type=subject_type, subject_id=subject_id, name__iexact=name)
    if not kind and name:
        kind = same_name.order_by("-edition").values_list("kind", flat=True).first() or ""
    errors = []
    if not KIND.match(kind):
        errors.append({"field": "kind", "message": _("Choose what kind of document this is.")})
    if not name:
        errors.append({"field": "name", "message": _("Name the document.")})
    if content is None and not reference.strip():
        errors.append({"field": "content", "message": _("Choose a file, or say where it is filed.")})
    if content is not None and len(content) > MAX_BYTES:
        errors.append(
            {"field": "content", "message": _("At most %(limit)s MB.") % {"limit": MAX_BYTES // 2**20}}
        )
    if errors:
        raise Invalid(errors=errors)
    looked = look_at(name, content) if content is not None else None
    if looked is not None:
        content = looked.content
    with record_kind.changing([subject_id], at):
        about = File.objects.filter(subject_type=subject_type, subject_id=subject_id, kind=kind)
        row = File(
            subject_type=subject_type,
            subject_id=subject_id,
            kind=kind,
            name=name,
            reference=clean_text(reference, limit=500, field="reference"),
            media_type=media_type[:100],
            size=len(content or b""),
            by_customer=by_customer,
            signed=signed,
            sha256=hashlib.sha256(content).hexdigest() if content is not None else "",
            valid_until=valid_until,
            number=(about.aggregate(last=Max("number"))["last"] or 0) + 1,
            edition=(same_name.aggregate(last=Max("edition"))["last"] or 0) + 1,
            image=looked.image if looked is not None else "",
            added_by=by,
            added_at=at,
            recorded_at=at,
        )
        if content is not None:
            row.content.save(secrets.token_hex(16), ContentFile(content), save=False)
        row.save()
        record([_event(row, "file_added", by=by, at=at, channel=channel)])
    return row


@transaction.atomic
def withdraw_file(file_id: int, *, by: Any, at: datetime, channel: str) -> File:
    """It stays, and no longer counts at any gate (GT-8)."""
    return _change(file_id, "file_withdrawn", at, by=by, at=at, channel=channel)


@transaction.atomic
def restore_file(file_id: int, *, by: Any, at: datetime, channel: str) -> File:
    """A withdrawn file counts again. Raises NotFound, NotPermitted."""
    return _change(file_id, "file_restored", None, by=by, at=at, channel=channel)


def _change(
    file_id: int, type_: str, withdrawn_at: datetime | None, *, by: Any, at: datetime, channel: str
) -> File:
    rows = File.objects.select_for_update(of=("self",))
    row = rows.filter(pk=file_id, withdrawn_at__isnull=withdrawn_at is not None).first()
    if row is None:
        raise NotFound
    kind = records.require(
        by, row.subject_type, row.subject_id, records.record_type(row.subject_type).edit_right
    )
    with kind.changing([row.subject_id], at):
        row.withdrawn_at = withdrawn_at
        row.save(update_fields=["withdrawn_at"])
        record([_event(row, type_, by=by, at=at, channel=channel)])
    return row


def _event(row: File, type_: str, *, by: Any, at: datetime, channel: str) -> NewEvent:
    return NewEvent(
        type=type_,
        subject_type=row.subject_type,
        subject_id=row.subject_id,
        actor_id=by.pk,
        effective_at=at,
        channel=channel,
        data={
            "file": row.pk,
            "kind": row.kind,
            "number": row.number,
            "by_customer": row.by_customer,
            "signed": row.signed,
        },
        payload={"name": row.name},
    )

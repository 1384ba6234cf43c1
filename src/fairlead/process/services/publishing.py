"""Publishing a version: checked, projected into stage rows, its declared fields created (VR-1, idea 1)."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fairlead.common.refusals import Invalid, NotPermitted
from fairlead.fields.catalogue import catalogue
from fairlead.fields.models import CustomField
from fairlead.fields.services import add_field
from fairlead.journal.services import NewEvent, canonical, record
from fairlead.organisation.models import Organisation, User
from fairlead.work.services.notifications import with_rights

from ..definition import Definition, Trouble
from ..enums import VersionStatus
from ..examining import Examination, examine
from ..models import Journey, Process, ProcessVersion, StageRow
from ..refusals import CannotPublish, SecondPersonNeeded

PUBLISH = "process.publish"


def validate(document: Any) -> tuple[Definition, list[Trouble]]:
    """The document typed, and its warnings. Raises CannotPublish naming every problem with its path."""
    found = examine(document)
    if found.errors or found.definition is None:
        raise refusal_of(found)
    return found.definition, [Trouble(w.path, w.message) for w in found.warnings]


def refusal_of(found: Examination) -> CannotPublish:
    """Every problem with its path, and where in the designer it is mended."""
    listed = [
        {
            "path": p.path,
            "message": p.message,
            "place": {"part": p.place.part, "stage": p.place.stage, "item": p.place.item},
        }
        for p in found.errors
    ]
    text = ngettext(
        "The process cannot be published: %(count)s problem.",
        "The process cannot be published: %(count)s problems.",
        len(listed),
    ) % {"count": len(listed)}
    return CannotPublish(text, details={"problems": listed})


def deciders() -> list[User]:
    """Those who may publish processes, by name."""
    people = list(User.objects.active().order_by("name", "pk"))
    return [person for person in with_rights([p.pk for p in people]) if person.may(PUBLISH)]


def require_second(by: Any) -> None:
    """Raises SecondPersonNeeded, naming who else may decide, where nobody publishes alone here."""
    if Organisation.objects.current().publish_needs_second:
        others = [{"id": p.pk, "name": p.name} for p in deciders() if p.pk != by.pk]
        raise SecondPersonNeeded(details={"people": others})


def checksum(document: Any) -> str:
    return hashlib.sha256(canonical(document).encode()).hexdigest()


@transaction.atomic
def publish(
    document: Any,
    *,
    by: Any,
    at: datetime,
    channel: str,
    mode: str | None = None,
    enforced_from: date | None = None,
    decided: bool = False,
) -> ProcessVersion:
    """Publish a document as the next version of its process; the one before it is retired, running journeys stay.

    `mode` and `enforced_from` (see `landing`) are set only where a mode is given. `decided`: the caller has asked
    for a second person, where the house wants one.

    Raises NotPermitted, CannotPublish, SecondPersonNeeded, and Invalid where this number holds another document already.
    Publishing the same document again changes nothing.
    """
    if by is not None and not by.may(PUBLISH):
        raise NotPermitted
    definition, _warnings = validate(document)
    if not decided and by is not None:
        require_second(by)
    process, _created = Process.objects.select_for_update().get_or_create(
        key=definition.key,
        defaults={
            "subject_type": definition.subject,
            "name": definition.name,
            "mode": mode or definition.mode,
        },
    )
    if process.subject_type != definition.subject:
        raise Invalid(errors=[{"field": "subject", "message": _("A process keeps its kind of record.")}])
    same = process.versions.filter(number=definition.version).first()
    digest = checksum(document)
    if same is not None and same.status != VersionStatus.DRAFT:
        if same.checksum == digest:
            return same
        raise Invalid(
            errors=[
                {
                    "field": "version",
                    "message": _(
                        "Version %(number)s is published with another content. Give this one the next number."
                    )
                    % {"number": definition.version},
                }
            ]
        )
    _declare_fields(definition, by=by, at=at, channel=channel)
    process.versions.published().update(status=VersionStatus.RETIRED)
    version = same or ProcessVersion(process=process, number=definition.version)
    version.document, version.checksum = dict(document), digest
    version.status, version.published_at, version.published_by = VersionStatus.PUBLISHED, at, by
    version.save()
    _project(version, definition)
    process.name = definition.name
    if mode is not None:
        process.mode, process.enforced_from = mode, enforced_from
    process.save(update_fields=["name", "mode", "enforced_from"])
    record(
        [
            NewEvent(
                type="process_published",
                subject_type="process",
                subject_id=process.pk,
                actor_id=by.pk if by is not None else None,
                effective_at=at,
                channel=channel,
                process_key=process.key,
                process_version=version.number,
                data={
                    "checksum": digest,
                    "mode": process.mode,
                    "enforced_from": process.enforced_from.isoformat() if process.enforced_from else None,
                },
            )
        ]
    )
    return version


def _declare_fields(definition: Definition, *, by: Any, at: datetime, channel: str) -> None:
    existing = set(CustomField.objects.filter(subject_type=definition.subject).values_list("key", flat=True))
    built_in = {spec.key for spec in catalogue(definition.subject) if not spec.custom}
    for declared in definition.fields:
        if declared.key not in existing and declared.key not in built_in:
            add_field(
                subject_type=definition.subject,
                key=declared.key,
                type=declared.type,
                label=declared.label,
                options=declared.options,
                help=declared.help,
                unit=declared.unit,
                declared_by=definition.key,
                zero_is_placeholder=declared.zero_is_placeholder,
                by=by,
                at=at,
                channel=channel,
            )


def _project(version: ProcessVersion, definition: Definition) -> None:
    StageRow.objects.bulk_create(
        [
            StageRow(
                version=version,
                process_key=definition.key,
                key=s.key,
                axis_key=s.axis_key,
                order=s.order,
                kind=s.kind,
                name=dict(s.name),
                probability=s.probability[1],
                forecast=s.forecast,
                limit_yellow=s.limit_yellow,
                limit_red=s.limit_red,
                show_in_funnel=s.show_in_funnel,
            )
            for s in definition.stages
        ]
    )


@transaction.atomic
def retire(process_key: str, *, by: Any, at: datetime, channel: str) -> Process:
    """No new journey starts on it; running ones go on to their end."""
    if not by.may(PUBLISH):
        raise NotPermitted
    process = Process.objects.select_for_update().get(key=process_key)
    process.versions.published().update(status=VersionStatus.RETIRED)
    record(
        [
            NewEvent(
                type="process_retired",
                subject_type="process",
                subject_id=process.pk,
                actor_id=by.pk,
                effective_at=at,
                channel=channel,
                process_key=process.key,
                data={"running": Journey.objects.of_process(process_key).running().count()},
            )
        ]
    )
    return process

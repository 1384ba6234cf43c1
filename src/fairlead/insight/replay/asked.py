"""Which document is tried, and on whose rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from fairlead.common.refusals import Invalid, NotFound
from fairlead.process.answers import visible_journeys
from fairlead.process.definition import Definition
from fairlead.process.models import Journey, Process
from fairlead.process.services.drafting import read_draft
from fairlead.process.services.publishing import validate

DRAFT = "draft"
SIZES = (500, 2_000, 10_000)  # the newest so many journeys; what one page may take


def stored(process: Process, number: str) -> Mapping[str, Any]:
    """The document of a stored version, or (`draft`) the one that is being written. Raises NotFound."""
    if number == DRAFT:
        written: Mapping[str, Any] = read_draft(process.key).document
        return written
    is_number = number.isascii() and number.isdigit() and len(number) <= 6
    version = process.versions.filter(number=int(number)).first() if is_number else None
    if version is None:
        raise NotFound
    document: Mapping[str, Any] = version.document
    return document


def candidate_for(process: Process, document: Any) -> Definition:
    """The document typed. Raises CannotPublish naming every problem, and Invalid where it is another process's."""
    definition, _warnings = validate(document)
    if definition.key != process.key or definition.subject != process.subject_type:
        raise Invalid.field(
            "document",
            _("This is the document of the process “%(other)s”; here “%(key)s” is tried.")
            % {"other": definition.key, "key": process.key},
        )
    return definition


def journey_ids(process: Process, user: Any, *, most: int | None) -> list[int]:
    """The journeys of the process that `user` sees, the newest first; for nobody in particular (None), all."""
    rows = Journey.objects.current() if user is None else visible_journeys(user)
    found = rows.filter(process_key=process.key).order_by("-opened_at", "-pk").values_list("pk", flat=True)
    return list(found if most is None else found[:most])

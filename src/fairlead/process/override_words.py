"""What a request to let something pass asks for, and why, in the words of its process."""

from __future__ import annotations

from django.utils.translation import gettext as _

from fairlead.fields.catalogue import pick

from . import words
from .definition import Definition
from .models import OverrideRequest
from .services.forcing import FORCED


def asked_name(request: OverrideRequest, definition: Definition) -> str:
    if request.criterion_key:
        return words.criterion_name(definition, request.criterion_key)
    return words.move_name(definition, request.move_kind, request.to_stage)


def reason_name(definition: Definition, code: str) -> str:
    if code == FORCED:
        return _("glass broken")
    for name in ("waiver", "skip", "regress"):
        reason = definition.reason(name, code)
        if reason is not None:
            return str(pick(reason.name))
    return code

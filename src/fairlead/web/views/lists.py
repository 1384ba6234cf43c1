"""Lists and reasons: what people choose from, who owns each list, and where it is changed."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from fairlead.common import records
from fairlead.common.access import access
from fairlead.common.names import localized
from fairlead.common.pages import page
from fairlead.fields import catalogue
from fairlead.fields.catalogue import FieldSpec
from fairlead.fields.enums import FieldType
from fairlead.fields.models import CustomField
from fairlead.process.definition import Definition
from fairlead.process.definitions import definitions_of
from fairlead.process.describing import list_name
from fairlead.process.models import ProcessVersion

_CHOICES = (FieldType.CHOICE, FieldType.MULTI_CHOICE)


@access("process.view")
@require_safe
def lists(request: HttpRequest) -> HttpResponse:
    """Reasons as the published processes have them, to be read; choices of fields, own ones to be changed."""
    user: Any = request.user
    ids = ProcessVersion.objects.published().order_by("process__pk").values_list("pk", flat=True)
    known = definitions_of(set(ids))
    context = {
        "nav_at": "lists",
        "processes": [_of_process(known[pk]) for pk in ids if any(known[pk].lists.values())],
        "kinds": [group for kind in records.record_types() if (group := _of_kind(kind, user))["fields"]],
        "may_change": user.may("fields.manage"),
    }
    return page(request, "web/lists.html", context)


def _of_process(definition: Definition) -> dict[str, Any]:
    return {
        "name": localized(definition.name), "version": definition.version,
        "url": reverse("process:process", args=[definition.key]) + "#h-lists",
        "lists": [
            (list_name(key), [(reason.key, reason.name) for reason in reasons])
            for key, reasons in definition.lists.items()
            if reasons
        ],
    }  # fmt: skip


def _of_kind(kind: records.RecordType, user: Any) -> dict[str, Any]:
    if kind.subject_type not in catalogue.subject_types():
        return {"fields": []}
    choices = [
        spec for spec in catalogue.catalogue(kind.subject_type).readable_by(user) if spec.type in _CHOICES
    ]
    rows = dict(CustomField.objects.filter(subject_type=kind.subject_type).values_list("key", "pk"))
    return {
        "name": localized(kind.label), "kind": kind.subject_type,
        "fields": [_of_field(spec, rows, kind.subject_type) for spec in choices],
    }  # fmt: skip


def _of_field(spec: FieldSpec, rows: dict[str, int], kind: str) -> dict[str, Any]:
    if spec.custom:
        url = reverse("web:edit_field", args=[rows[spec.key]]) + "#id_options"
    else:
        url = reverse("web:field", args=[kind, spec.key])
    return {"name": spec.name(), "custom": spec.custom, "url": url, "options": spec.options}

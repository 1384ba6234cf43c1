"""The fields of each kind of record: where they come from, who reads them, where they are used; own ones made here."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from fairlead.common.access import access
from fairlead.common.names import localized
from fairlead.common.pages import page
from fairlead.common.refusals import Invalid, NotFound, Stale
from fairlead.crm.forms.records import make_inputs
from fairlead.fields import catalogue, uses
from fairlead.fields.catalogue import FieldSpec, Option
from fairlead.fields.enums import FieldType
from fairlead.fields.models import CustomField
from fairlead.fields.services import add_field, change_field, place_field
from fairlead.fields.uses import Use
from fairlead.journal.enums import Channel
from fairlead.organisation.forms import add_refusal
from fairlead.organisation.rights import RIGHTS
from fairlead.process.models import Process
from fairlead.web.forms import EditFieldForm, NewFieldForm, PlaceFieldForm, RetireForm, kinds, mask_name

_FORM_METHODS = ["GET", "HEAD", "POST"]
_PLACES = {"label": "label_zh", "retired": ""}


def _act(request: HttpRequest) -> dict[str, Any]:
    return {"by": request.user, "at": timezone.now(), "channel": Channel.UI}


def _given(request: HttpRequest) -> dict[str, Any] | None:
    return request.POST.dict() if request.method == "POST" else None


def _list_of(kind: str, place: str = "") -> str:
    return f"{reverse('web:fields')}?of={kind}{place}"


@access("fields.manage")
@require_safe
def fields(request: HttpRequest) -> HttpResponse:
    """Own fields of one kind of record, then the built-in ones; each with who reads it and what uses it."""
    offered = kinds()
    kind = request.GET.get("of", "")
    if kind not in dict(offered):
        kind = "opportunity" if "opportunity" in dict(offered) else offered[0][0]
    used = uses.uses_of(kind, request.user)
    rows = list(CustomField.objects.filter(subject_type=kind).order_by("position", "pk"))
    rows.sort(key=lambda row: row.retired_at is not None)
    in_use = [row.pk for row in rows if row.retired_at is None]
    context = {
        "nav_at": "fields", "kind": kind,
        "kinds": [{"text": label, "url": f"?of={key}", "current": key == kind} for key, label in offered],
        "rows": [
            {"row": row, "spec": row.spec(), "used": said_of(used.get(row.key, ())),
             "first": row.pk == in_use[0] if in_use else True, "last": row.pk == in_use[-1] if in_use else True}
            for row in rows
        ],
        "built_in": [(spec, said_of(used.get(spec.key, ()))) for spec in catalogue.built_in(kind)],
        "mask_name": mask_name,
        "processes": {key: localized(name) for key, name in Process.objects.values_list("key", "name")},
    }  # fmt: skip
    return page(request, "web/fields.html", context)


@access("fields.manage")
@require_safe
def field(request: HttpRequest, kind: str, key: str) -> HttpResponse:
    """A built-in field: what it is, who reads and changes it, where it is used."""
    if kind not in catalogue.subject_types():
        raise NotFound
    spec = next((one for one in catalogue.built_in(kind) if one.key == key), None)
    if spec is None:
        raise NotFound
    used = uses.uses_of(kind, request.user).get(key, [])
    context = {
        "nav_at": "fields", "spec": spec, "kind": kind, "kind_name": dict(kinds()).get(kind, kind),
        "uses": used, "used": said_of(used), "readers": _roles(spec.read_right), "mask_name": mask_name,
    }  # fmt: skip
    return page(request, "web/field.html", context)


@access("fields.manage")
@require_http_methods(_FORM_METHODS)
def new_field(request: HttpRequest) -> HttpResponse:
    form = NewFieldForm(_given(request), initial={"subject_type": request.GET.get("of", "")})
    shows = request.method == "POST" and "preview" in request.POST
    if form.is_valid() and not shows:
        given = form.cleaned_data
        try:
            row = add_field(
                subject_type=given["subject_type"], key=given["key"], type=given["type"], **form.words(),
                **_act(request),
            )  # fmt: skip
        except Invalid as refusal:
            add_refusal(form, _placed(refusal))
        else:
            return redirect(_list_of(row.subject_type, f"#f-{row.key}"))
    preview = None
    if shows and form.is_valid():
        preview = _preview(form.cleaned_data["type"], form.cleaned_data["key"], form.words(), request)
    context: dict[str, Any] = {
        "nav_at": "fields",
        "form": form,
        "row": None,
        "preview": preview,
        "uses": [],
        "used": "",
    }
    return page(request, "web/field_form.html", context, status=422 if form.errors else 200)


@access("fields.manage")
@require_http_methods(_FORM_METHODS)
def edit_field(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(CustomField, pk=pk)
    form = EditFieldForm(_given(request), initial=EditFieldForm.stored(row))
    shows = request.method == "POST" and "preview" in request.POST
    status = 200
    if form.is_valid() and not shows:
        try:
            change_field(row.pk, version=form.cleaned_data["version"], **form.words(), **_act(request))
        except Invalid as refusal:
            add_refusal(form, _placed(refusal))
        except Stale as refusal:
            form.add_error(None, str(refusal))
            status = 409
        else:
            return redirect(_list_of(row.subject_type, f"#f-{row.key}"))
    if form.errors and status == 200:
        status = 422
    return _edit_page(request, row, form, status)


@access("fields.manage")
@require_POST
def retire_field(request: HttpRequest, pk: int) -> HttpResponse:
    """Out of forms and lists, or back into them; what is stored stays. Refused while a process reads it."""
    row = get_object_or_404(CustomField, pk=pk)
    asked = RetireForm(request.POST)
    if not asked.is_valid():
        raise Invalid(_("The request could not be read."))
    given = asked.cleaned_data
    try:
        change_field(row.pk, version=given["version"], retired=given["retired"], **_act(request))
    except (Stale, Invalid) as refusal:
        row.refresh_from_db()
        form = EditFieldForm(EditFieldForm.stored(row))
        form.is_valid()
        add_refusal(form, _placed(refusal)) if isinstance(refusal, Invalid) else form.add_error(
            None, str(refusal)
        )
        return _edit_page(request, row, form, refusal.status)
    return redirect(_list_of(row.subject_type))


@access("fields.manage")
@require_POST
def place(request: HttpRequest, pk: int) -> HttpResponse:
    """One place up or down in the order of forms."""
    row = get_object_or_404(CustomField, pk=pk)
    asked = PlaceFieldForm(request.POST)
    if not asked.is_valid():
        raise Invalid(_("The request could not be read."))
    in_use = CustomField.objects.filter(subject_type=row.subject_type, retired_at=None)
    order = list(in_use.order_by("position", "pk").values_list("pk", flat=True))
    if row.pk in order:
        position = order.index(row.pk) + (-1 if asked.cleaned_data["to"] == "up" else 1)
        place_field(row.pk, position=max(position, 0), version=asked.cleaned_data["version"], **_act(request))
    return redirect(_list_of(row.subject_type, f"#f-{row.key}"))


def _edit_page(request: HttpRequest, row: CustomField, form: EditFieldForm, status: int) -> HttpResponse:
    """A refused save shows what stands there now; the next one takes the newer version along."""
    now: dict[str, Any] = {}
    if status == Stale.status:
        now = EditFieldForm.stored(row)
        form.data = {**form.data, "version": str(row.version)}
    used = uses.uses_of(row.subject_type, request.user).get(row.key, [])
    words = form.words() if form.is_bound and not form.errors else _words_of(row)
    context = {
        "nav_at": "fields", "form": form, "row": row, "uses": used, "used": said_of(used),
        "stored": [(form[name].label, now[name]) for name in ("label_zh", "label_en", "options") if now],
        "filled": uses.filled(row.subject_type, row.key),
        "preview": _preview(row.type, row.key, words, request),
    }  # fmt: skip
    return page(request, "web/field_form.html", context, status=status)


def said_of(used: Sequence[Use]) -> str:
    """Used by 2 gates, 3 views."""
    counts: dict[str, int] = {}
    for use in used:
        counts[use.kind] = counts.get(use.kind, 0) + 1
    said = {
        "gate": ngettext("%(n)s gate item", "%(n)s gate items", counts.get("gate", 0)),
        "score": ngettext("%(n)s score", "%(n)s scores", counts.get("score", 0)),
        "move": ngettext("%(n)s move", "%(n)s moves", counts.get("move", 0)),
        "view": ngettext("%(n)s view", "%(n)s views", counts.get("view", 0)),
        "import": _("imports"),
    }
    return " · ".join(text % {"n": counts[kind]} for kind, text in said.items() if kind in counts)


def _roles(right: str | None) -> list[str]:
    """Who holds the right that a mask asks for."""
    return [str(role.label) for role, given in RIGHTS.items() if right in given] if right else []


def _words_of(row: CustomField) -> dict[str, Any]:
    return {"label": row.label, "help": row.help, "unit": row.unit, "options": row.options}


def _preview(type_: str, key: str, words: Mapping[str, Any], request: HttpRequest) -> Any:
    """The input as the form of a record shows it."""
    spec = FieldSpec(
        key=key, type=FieldType(type_), label=words["label"], help=words["help"], unit=words["unit"], custom=True,
        options=tuple(Option(o["value"], o["label"], bool(o.get("retired"))) for o in words["options"]),
    )  # fmt: skip
    return make_inputs([spec], {}, request.user)[0]


def _placed(refusal: Invalid) -> Invalid:
    """The errors of the service under the names of the form."""
    errors = [{**e, "field": _PLACES.get(e["field"], e["field"])} for e in refusal.details["errors"]]
    return Invalid(str(refusal), errors=errors)

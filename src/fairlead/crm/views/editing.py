"""Creating and editing records: a whole form, or one field where it stands.

Every form carries the version it was made from. Where somebody else was quicker the answer is 409 with both
values, and nothing that was typed is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from fairlead.common import records
from fairlead.common.access import access
from fairlead.common.names import localized
from fairlead.common.pages import page, toast, trigger
from fairlead.common.refusals import Invalid, NotFound, NotPermitted, Stale
from fairlead.fields.catalogue import Catalogue, catalogue
from fairlead.journal.enums import Channel
from fairlead.journal.undoing import undo_url
from fairlead.process.services.metering import measure

from .. import services
from ..forms.records import errors_by_field, find_reference, make_inputs, read, settable
from ..selectors.fields import shown_field, values_of
from ..selectors.references import names_of
from .merging import bases_of, conflicts_of, keep_only_mine, said_by, save_merged, wanted
from .shared import MAX_ID, go, is_piece

View = Callable[..., HttpResponse]
# In the order in which a new record is asked for; everything else stands below.
FIRST: Mapping[str, tuple[str, ...]] = {
    "opportunity": (
        "name",
        "account",
        "amount",
        "currency",
        "expected_close_date",
        "product",
        "deal_type",
        "source",
        "sr",
        "fr",
        "is_tender",
        "description",
    ),
    "account": (
        "name",
        "short_name",
        "tier",
        "industry",
        "region",
        "city",
        "segment",
        "parent",
        "phone",
        "website",
        "source",
        "uscc",
        "employees",
        "annual_revenue",
        "is_customer",
    ),
    "contact": ("name", "account", "title", "department", "mobile", "phone", "email", "note"),
    "segment": ("name", "market_size", "growth", "description"),
}


def act(request: HttpRequest) -> dict[str, Any]:
    return {"by": request.user, "at": timezone.now(), "channel": Channel.UI}


def find(kind: str, pk: int, user: Any, *, right: str = "") -> Any:
    """The row that `user` sees; NotFound for a stranger, NotPermitted where `right` over it is missing."""
    model = services.KINDS[kind].model
    row = model.objects.visible_to(user).filter(pk=pk).first() if pk <= MAX_ID else None
    if row is None:
        raise NotFound
    if right and not model.objects.visible_to(user, right).filter(pk=pk).exists():
        raise NotPermitted(details={"right": right})
    return row


def create_view(kind: str) -> View:
    @access(services.KINDS[kind].create_right)
    @require_http_methods(["GET", "HEAD", "POST"])
    def create(request: HttpRequest) -> HttpResponse:
        user: Any = request.user
        fields = catalogue(kind)
        specs = form_specs(kind, fields, user)
        errors: dict[str, str] = {}
        if request.method == "POST":
            try:
                values = {k: v for k, v in read(specs, request.POST, user).items() if v not in ("", None, [])}
                row = services.create(kind, values, **act(request))
                measure(kind, request.POST.get("_spent", ""))
                return go(
                    request,
                    reverse(f"crm:{kind}", args=[row.pk]),
                    _("%(name)s is created") % {"name": row.name},
                )
            except Invalid as refusal:
                errors = errors_by_field(refusal)
        given = _given(request, kind, specs, user)
        names = names_of(((s, given.get(s.key)) for s in specs), reader=user)
        inputs = make_inputs(
            specs, given, user, typed=request.POST if errors else None, errors=errors, names=names
        )
        return page(
            request,
            "crm/record_form.html",
            {
                **form_context(kind, inputs, errors),
                "row": None,
                "title": _new_title(kind),
                "alike_url": reverse(f"crm:{kind}_alike") if kind in ("account", "contact") else "",
                "back_url": reverse(f"crm:{PLURALS[kind]}"),
            },
            block="form",
            status=422 if errors else 200,
        )

    return create


def edit_view(kind: str) -> View:
    @access(services.KINDS[kind].edit_right)
    @require_http_methods(["GET", "HEAD", "POST"])
    def edit(request: HttpRequest, pk: int) -> HttpResponse:
        user: Any = request.user
        row = find(kind, pk, user, right=services.KINDS[kind].edit_right)
        fields = catalogue(kind)
        specs = form_specs(kind, fields, user)
        errors: dict[str, str] = {}
        status, conflicts, refused = 200, [], None
        if request.method == "POST":
            try:
                told = save_form(request, kind, pk, specs)[1]
                return go(request, reverse(f"crm:{kind}", args=[pk]), _("Saved") + told)
            except Stale as refusal:
                status, refused, conflicts = 409, refusal, conflicts_of(kind, fields, refusal, user)
                row.refresh_from_db()
            except Invalid as refusal:
                status, errors = 422, errors_by_field(refusal)
        values = values_of(row, fields)
        names = names_of(((s, values.get(s.key)) for s in specs), reader=user)
        inputs = make_inputs(
            specs, values, user, typed=request.POST if status != 200 else None, errors=errors, names=names
        )
        if status == 409:
            keep_only_mine(inputs, request)
        return page(
            request,
            "crm/record_form.html",
            {
                **form_context(kind, inputs, errors),
                "row": row,
                "title": row.name,
                "conflicts": conflicts,
                "changed_by": said_by(kind, pk, refused, user) if refused else "",
                "back_url": reverse(f"crm:{kind}", args=[pk]),
            },
            block="form",
            status=status,
        )

    return edit


def field_view(kind: str) -> View:
    """One field: GET shows it or, with `edit`, its input; POST saves it with the version it was opened at."""

    @access(f"{kind}.view")
    @require_http_methods(["GET", "HEAD", "POST"])
    def field(request: HttpRequest, pk: int, key: str) -> HttpResponse:
        user: Any = request.user
        fields = catalogue(kind)
        spec = fields.get(key)
        if spec is None or not spec.readable_by(user):
            find(kind, pk, user)
            raise NotFound
        wants_input = request.method == "POST" or "edit" in request.GET
        row = find(kind, pk, user, right=services.KINDS[kind].edit_right if wants_input else "")
        if wants_input and not spec.writable_by(user):
            raise NotPermitted
        errors: dict[str, str] = {}
        status, conflicts, refused = 200, [], None
        if request.method == "POST":
            try:
                row, told = save_form(request, kind, pk, [spec])
                return _saved(request, kind, row, key, told)
            except Stale as refusal:
                status, refused, conflicts = 409, refusal, conflicts_of(kind, fields, refusal, user)
                row.refresh_from_db()
            except Invalid as refusal:
                status, errors = 422, errors_by_field(refusal)
        values = values_of(row, fields)
        names = names_of([(spec, values.get(key))], reader=user)
        one = make_inputs(
            [spec], values, user, typed=request.POST if status != 200 else None, errors=errors, names=names
        )[0]
        return page(
            request,
            "crm/field.html",
            {
                "kind": kind,
                "row": row,
                "one": one,
                "key": key,
                "editing": wants_input,
                "conflicts": conflicts,
                "changed_by": said_by(kind, pk, refused, user) if refused else "",
                "bases": bases_of(spec, values, fields, user),
                "errors": error_links([one], errors),
                "shown": shown_field(
                    kind, row, spec, values.get(key), names, editable=spec.writable_by(user)
                ),
                "back_url": f"{reverse(f'crm:{kind}', args=[pk])}?tab=fields",
                "nav_at": PLURALS[kind],
            },
            block="field",
            status=status,
        )

    return field


def save_form(request: HttpRequest, kind: str, pk: int, specs: list[Any]) -> tuple[Any, str]:
    """The record with what was typed, and what to add to the note. Raises Stale for what collides, and Invalid."""
    user: Any = request.user
    changes = wanted(specs, request.POST, user)
    row, told = save_merged(
        kind,
        request.POST,
        changes,
        user,
        load=lambda: find(kind, pk, user),
        save=lambda version: services.edit(kind, pk, changes, version=version, **act(request)),
    )
    measure(kind, request.POST.get("_spent", ""))
    return row, f" · {told}" if told else ""


def _saved(request: HttpRequest, kind: str, row: Any, key: str, told: str = "") -> HttpResponse:
    text = _("Saved") + told
    if not is_piece(request):
        return go(request, f"{reverse(f'crm:{kind}', args=[row.pk])}?tab=fields#f-{key}", text)
    user: Any = request.user
    fields = catalogue(kind)
    spec = fields[key]
    row = find(kind, row.pk, user)
    values = values_of(row, fields)
    names = names_of([(spec, values.get(key))], reader=user)
    response = page(
        request,
        "crm/field.html",
        {
            "kind": kind,
            "row": row,
            "one": None,
            "key": key,
            "editing": False,
            "conflicts": [],
            "bases": [],
            "errors": [],
            "shown": shown_field(kind, row, spec, values.get(key), names, editable=True),
            "nav_at": PLURALS[kind],
            "back_url": "",
            "changed_by": "",
        },
        block="field",
    )
    trigger(response, "record-changed", {"kind": kind, "id": row.pk})
    back = undo_url(request)
    return toast(response, text, back) if back or told else response


# --- parts ---

PLURALS: Mapping[str, str] = {
    "opportunity": "opportunities",
    "account": "accounts",
    "contact": "contacts",
    "segment": "segments",
}


def form_specs(kind: str, fields: Catalogue, user: Any) -> list[Any]:
    order = {key: i for i, key in enumerate(FIRST[kind])}
    return sorted(settable(fields, user), key=lambda s: (order.get(s.key, 99), s.custom))


def form_context(kind: str, inputs: list[Any], errors: Mapping[str, str]) -> dict[str, Any]:
    first = [i for i in inputs if i.name in FIRST[kind]]
    return {
        "kind": kind,
        "nav_at": PLURALS[kind],
        "plural_url": reverse(f"crm:{PLURALS[kind]}"),
        "plural": localized(records.record_type(kind).plural),
        "first": first,
        "rest": [i for i in inputs if i not in first],
        "errors": error_links(inputs, errors),
        "conflicts": [],
        "changed_by": "",
    }


def error_links(inputs: list[Any], errors: Mapping[str, str]) -> list[dict[str, str]]:
    labels = {i.name: i.label for i in inputs}
    return [
        {"field": f"i-{key}" if key in labels else "", "label": labels.get(key, ""), "message": message}
        for key, message in errors.items()
    ]


def _given(request: HttpRequest, kind: str, specs: list[Any], user: Any) -> dict[str, Any]:
    """What the address suggests for a new record: `?account=12`. Only records that the person sees."""
    found: dict[str, Any] = {}
    for spec in specs:
        raw = request.GET.get(spec.key, "")
        if raw and spec.target in ("account", "segment", "contact"):
            try:
                found[spec.key] = find_reference(spec.target, raw, user)
            except Invalid:
                continue
    return found


def _new_title(kind: str) -> str:
    return {
        "opportunity": _("New opportunity"),
        "account": _("New account"),
        "contact": _("New contact"),
        "segment": _("New segment"),
    }[kind]

"""Contracts: a list, a page with the process that follows the signature, forms, milestones."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from fairlead.common.access import access
from fairlead.common.money import format_amount
from fairlead.common.pages import page, toast, trigger
from fairlead.common.refusals import Invalid, NotFound, NotPermitted, Stale
from fairlead.common.returned import NOTHING, Returned
from fairlead.crm.forms.records import errors_by_field, make_inputs, read, settable
from fairlead.crm.models import Opportunity
from fairlead.crm.rules import reaches
from fairlead.crm.selectors.fields import shown_field, values_of
from fairlead.crm.selectors.references import names_of
from fairlead.crm.views.editing import act, error_links
from fairlead.crm.views.lists import list_page
from fairlead.crm.views.merging import bases_of, conflicts_of, keep_only_mine, said_by, save_merged, wanted
from fairlead.crm.views.opportunity import deal_context, piece_wanted
from fairlead.crm.views.records import record_context
from fairlead.crm.views.shared import MAX_ID, go, is_piece
from fairlead.fields.catalogue import FieldSpec, catalogue
from fairlead.fields.values import BadValue, clean, to_json
from fairlead.journal.undoing import undo_url

from .. import services
from ..models import Contract, Milestone, MilestoneKind
from ..shared_reading import contract_words

TABS = ("milestones", "timeline", "fields", "files", "history")
FILED = ("number", "amount", "currency", "signed_date", "countersigned_date")  # with the contract itself


@access("contract.view")
@require_safe
def contracts(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    return list_page(request, "contract", url=reverse("offers:contracts"), new_url="", nav_at="contracts")


def find(request: HttpRequest, pk: int, *, right: str = "") -> Contract:
    user: Any = request.user
    rows = Contract.objects.visible_to(user).select_related("opportunity__account", "owner", "team")
    row = rows.filter(pk=pk).first() if pk <= MAX_ID else None
    if row is None:
        raise NotFound
    if right and not Contract.objects.visible_to(user, right).filter(pk=pk).exists():
        raise NotPermitted(details={"right": right})
    return row


@access("contract.view")
@require_safe
def contract(request: HttpRequest, pk: int) -> HttpResponse:
    return contract_page(request, pk)


def contract_page(request: HttpRequest, pk: int, returned: Returned = NOTHING) -> HttpResponse:
    """The page; a form of its milestones that was refused stands there as it was sent."""
    row = find(request, pk)
    user: Any = request.user
    context = record_context(
        request,
        "contract",
        row,
        TABS,
        url=reverse("offers:contract", args=[pk]),
        field_url="offers:contract_field",
        tab="milestones" if returned.form else "",
        returned=returned,
    )
    context |= {
        "amount": format_amount(row.amount, row.currency, short=False),
        "edit_url": reverse("offers:contract_edit", args=[pk]),
        "sees_deal": Opportunity.objects.visible_to(user).filter(pk=row.opportunity_id).exists(),
        "today_text": timezone.localdate().isoformat(),
    }
    if context["tab"] == "milestones":
        context |= {
            "milestones": [
                {
                    "row": m,
                    "kind": str(MilestoneKind(m.kind).label),
                    "amount": format_amount(m.amount, row.currency),
                    "late": bool(m.due_date and not m.done_date and m.due_date < timezone.localdate()),
                }
                for m in row.milestones.all()
            ],
            "milestone_kinds": MilestoneKind.choices,
        }
    return page(request, "offers/contract.html", context, block=piece_wanted(request), status=returned.status)


@access("contract.view")
@require_safe
def of_opportunity(request: HttpRequest, pk: int) -> HttpResponse:
    """The tab of a deal's page with its contracts."""
    user: Any = request.user
    context = deal_context(request, pk, "contracts")
    rows = (
        Contract.objects.visible_to(user)
        .filter(opportunity=pk)
        .select_related("opportunity")
        .prefetch_related("milestones")
        .order_by("pk")
    )
    context["contracts"] = [
        {
            "row": c,
            "amount": format_amount(c.amount, c.currency, short=False),
            "equal": c.amount == context["row"].amount and c.currency == context["row"].currency,
            "done": sum(m.done_date is not None for m in c.milestones.all()),
            "total": len(c.milestones.all()),
            **contract_words(c, reader=user, today=timezone.localdate()),
        }
        for c in rows
    ]
    context["may_file"] = reaches(user, "contract.edit", context["row"])
    return page(request, "offers/of_opportunity.html", context, block=piece_wanted(request))


def _specs(user: Any) -> list[Any]:
    return settable(catalogue("contract"), user)


@access("contract.edit")
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """File the contract of a deal: `?opportunity=12`."""
    user: Any = request.user
    deal = _deal(request)
    specs = _specs(user)
    errors: dict[str, str] = {}
    if request.method == "POST":
        try:
            values = read(specs, request.POST, user)
            row = services.create_contract(deal.pk, **_typed(values), **act(request))
            if more := {
                s.key: values[s.key]
                for s in specs
                if s.key not in FILED and values.get(s.key) not in (None, "", [])
            }:
                services.edit_contract(row.pk, more, version=row.version, **act(request))
            return go(
                request,
                reverse("offers:contract", args=[row.pk]),
                _("%(number)s is filed") % {"number": row.number},
            )
        except Invalid as refusal:
            errors = errors_by_field(refusal)
    given = {"amount": deal.amount, "currency": deal.currency}
    inputs = make_inputs(specs, given, user, typed=request.POST if errors else None, errors=errors)
    return page(
        request,
        "offers/contract_form.html",
        {
            **_form(inputs, errors),
            "row": None,
            "title": _("New contract"),
            "back_url": reverse("offers:of_opportunity", args=[deal.pk]),
            "deal": deal,
        },
        block="form",
        status=422 if errors else 200,
    )


def _deal(request: HttpRequest) -> Opportunity:
    text = request.GET.get("opportunity", "")
    pk = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0
    deal = Opportunity.objects.visible_to(request.user).filter(pk=pk).first() if pk <= MAX_ID else None
    if deal is None:
        raise NotFound
    return deal


def _typed(values: dict[str, Any]) -> dict[str, Any]:
    """What `create_contract` takes, as types: it compares amounts and days."""
    fields = catalogue("contract")
    found: dict[str, Any] = {"number": "", "amount": None, "currency": ""}
    errors = []
    for key in FILED:
        try:
            found[key] = clean(fields[key], values.get(key))
        except BadValue as error:
            errors.append({"field": key, "message": str(error)})
            continue
        if fields[key].required and found[key] is None:
            errors.append({"field": key, "message": _("Fill this in.")})
    if isinstance(found["amount"], Decimal) and found["amount"] < 0:
        errors.append({"field": "amount", "message": _("An amount of zero or more is expected.")})
    if errors:
        raise Invalid(errors=errors)
    return found


@access("contract.edit")
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    user: Any = request.user
    row = find(request, pk, right="contract.edit")
    fields, specs = catalogue("contract"), _specs(user)
    errors: dict[str, str] = {}
    status, conflicts, refused = 200, [], None
    if request.method == "POST":
        try:
            told = _save(request, pk, specs)[1]
            return go(request, reverse("offers:contract", args=[pk]), _("Saved") + told)
        except Stale as refusal:
            status, refused, conflicts = 409, refusal, conflicts_of("contract", fields, refusal, user)
            row.refresh_from_db()
        except Invalid as refusal:
            status, errors = 422, errors_by_field(refusal)
    values = values_of(row, fields)
    inputs = make_inputs(specs, values, user, typed=request.POST if status != 200 else None, errors=errors)
    if status == 409:
        keep_only_mine(inputs, request)
    return page(
        request,
        "offers/contract_form.html",
        {
            **_form(inputs, errors),
            "row": row,
            "title": row.number,
            "conflicts": conflicts,
            "changed_by": said_by("contract", pk, refused, user) if refused else "",
            "deal": row.opportunity,
            "back_url": reverse("offers:contract", args=[pk]),
        },
        block="form",
        status=status,
    )


def _not_negative(changes: dict[str, Any]) -> None:
    for key in ("amount", "actual_cost"):
        if key in changes and str(changes[key]).strip().startswith("-"):
            raise Invalid.field(key, _("An amount of zero or more is expected."))


def _save(request: HttpRequest, pk: int, specs: list[Any]) -> tuple[Contract, str]:
    """The contract with what was typed. Raises Stale for what collides, and Invalid."""
    user: Any = request.user
    changes = wanted(specs, request.POST, user)
    _not_negative(changes)
    row, told = save_merged(
        "contract",
        request.POST,
        changes,
        user,
        load=lambda: find(request, pk),
        save=lambda version: services.edit_contract(pk, changes, version=version, **act(request)),
        conflicts=lambda refusal: _conflicts(pk, changes),
    )
    return row, f" · {told}" if told else ""


def _conflicts(pk: int, changes: dict[str, Any]) -> list[dict[str, Any]]:
    """Both sides of each field that was to be changed."""
    fields = catalogue("contract")
    now = values_of(Contract.objects.get(pk=pk), fields)
    found = []
    for key, value in changes.items():
        try:
            typed = clean(fields[key], value)
        except BadValue:
            typed = str(value)[:200]
        if typed != now.get(key):
            found.append({"field": key, "yours": to_json(typed), "theirs": to_json(now.get(key))})
    return found


def _form(inputs: list[Any], errors: dict[str, str]) -> dict[str, Any]:
    return {
        "kind": "contract",
        "nav_at": "contracts",
        "plural_url": reverse("offers:contracts"),
        "plural": _("Contracts"),
        "first": [i for i in inputs if not i.spec.custom],
        "rest": [i for i in inputs if i.spec.custom],
        "errors": error_links(inputs, errors),
        "conflicts": [],
        "changed_by": "",
    }


@access("contract.view")
@require_http_methods(["GET", "HEAD", "POST"])
def field(request: HttpRequest, pk: int, key: str) -> HttpResponse:
    """One field where it stands, as `crm` does it for its records."""
    user: Any = request.user
    fields = catalogue("contract")
    spec = fields.get(key)
    wants_input = request.method == "POST" or "edit" in request.GET
    row = find(request, pk, right="contract.edit" if wants_input else "")
    if spec is None or not spec.readable_by(user):
        raise NotFound
    if wants_input and not spec.writable_by(user):
        raise NotPermitted
    errors: dict[str, str] = {}
    status, conflicts, refused, editing = 200, [], None, wants_input
    changed = ""
    if request.method == "POST":
        try:
            row, told = _save(request, pk, [spec])
            text = _("Saved") + told
            if not is_piece(request):
                return go(request, f"{reverse('offers:contract', args=[pk])}?tab=fields#f-{key}", text)
            changed, editing = text, False
        except Stale as refusal:
            status, refused, conflicts = 409, refusal, conflicts_of("contract", fields, refusal, user)
            row.refresh_from_db()
        except Invalid as refusal:
            status, errors = 422, errors_by_field(refusal)
    values = values_of(row, fields)
    names = names_of([(spec, values.get(key))], reader=user)
    one = make_inputs(
        [spec], values, user, typed=request.POST if status != 200 else None, errors=errors, names=names
    )[0]
    response = page(
        request,
        "crm/field.html",
        {
            "kind": "contract",
            "row": row,
            "one": one,
            "key": key,
            "editing": editing,
            "conflicts": conflicts,
            "changed_by": said_by("contract", pk, refused, user) if refused else "",
            "bases": bases_of(spec, values, fields, user),
            "errors": error_links([one], errors),
            "shown": shown_field(
                "contract",
                row,
                spec,
                values.get(key),
                names,
                editable=spec.writable_by(user),
                url_name="offers:contract_field",
            ),
            "back_url": f"{reverse('offers:contract', args=[pk])}?tab=fields",
            "nav_at": "contracts",
        },
        block="field",
        status=status,
    )
    if changed:
        trigger(response, "record-changed", {"kind": "contract", "id": pk})
        toast(response, changed, undo_url(request) or None)
    return response


# --- milestones ---


@access("contract.edit")
@require_POST
def add_milestone(request: HttpRequest, pk: int) -> HttpResponse:
    find(request, pk, right="contract.edit")
    fields = catalogue("contract")
    data = request.POST
    try:
        like = {"name": "number", "due_date": "signed_date", "amount": "amount"}
        given = _cleaned({name: fields[key] for name, key in like.items()}, data)
        services.add_milestone(
            pk, kind=data.get("kind", ""), **given | {"name": given["name"] or ""}, **act(request)
        )
    except Invalid as refusal:
        return contract_page(request, pk, Returned.of("milestone", data, refusal))
    return go(request, f"{reverse('offers:contract', args=[pk])}?tab=milestones", _("Added"))


def _cleaned(specs: Mapping[str, FieldSpec], data: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs as values of these fields; every wrong one is named."""
    found, errors = {}, []
    for name, spec in specs.items():
        try:
            found[name] = clean(spec, data.get(name, "")[:1000])
        except BadValue as error:
            errors.append({"field": name, "message": str(error)})
    if errors:
        raise Invalid(errors=errors)
    return found


@access("contract.edit")
@require_POST
def complete_milestone(request: HttpRequest, pk: int, milestone_id: int) -> HttpResponse:
    find(request, pk, right="contract.edit")
    if milestone_id > MAX_ID or not Milestone.objects.filter(pk=milestone_id, contract=pk).exists():
        raise NotFound
    try:
        on = _cleaned({"on": catalogue("contract")["signed_date"]}, request.POST)["on"]
        services.complete_milestone(milestone_id, on=on or timezone.localdate(), **act(request))
    except Invalid as refusal:
        return contract_page(request, pk, Returned.of(f"done-{milestone_id}", request.POST, refusal))
    return go(request, f"{reverse('offers:contract', args=[pk])}?tab=milestones", _("Done"))

"""A new deal, from the board or on a page of its own, and the accounts to choose from while typing."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from fairlead.common.access import access
from fairlead.common.names import localized
from fairlead.common.pages import page, toast, trigger
from fairlead.common.refusals import Invalid
from fairlead.common.text import matches
from fairlead.fields.catalogue import catalogue, pick
from fairlead.journal.enums import Channel
from fairlead.journal.undoing import undo_url
from fairlead.process.services.metering import measure

from .. import services
from ..forms.mends import account_named
from ..models import Account
from ..selectors.board import processes
from .shared import deal_url, go, is_on_board, is_piece, notes

FIELDS = ("name", "account", "amount", "expected_close_date", "deal_type", "source")


@access("opportunity.create")
@require_http_methods(["GET", "POST"])
def new_deal(request: HttpRequest) -> HttpResponse:
    """The form, and what it makes."""
    user: Any = request.user
    if request.method == "GET":
        typed = {"process": str(request.GET.get("process") or ""), "account": _account_name(request)}
        return _form(request, typed, {})
    typed = {name: str(request.POST.get(name) or "") for name in (*FIELDS, "process")}
    errors: dict[str, str] = {}
    values: dict[str, Any] = {name: typed[name] for name in FIELDS}
    try:
        values["account"] = account_named(typed["account"], user)
    except Invalid as refusal:
        errors["account"] = str(refusal.message)
        values["account"] = None
    known = [p.key for p in processes()]
    try:
        if errors:
            raise Invalid(errors=[{"field": k, "message": v} for k, v in errors.items()])
        deal = services.create(
            "opportunity",
            values,
            by=user,
            at=timezone.now(),
            channel=Channel.UI,
            process_key=typed["process"] if typed["process"] in known else "",
        )
    except Invalid as refusal:
        errors |= {e["field"]: e["message"] for e in refusal.details["errors"]}
        return _form(request, typed, errors, status=422)
    measure("opportunity", request.POST.get("_spent", ""))
    text = _("%(name)s is on the board") % {"name": deal.name}
    if is_piece(request) and is_on_board(request):
        response = trigger(
            toast(HttpResponse(), text, undo_url(request) or None), "fl:changed", {"deal": deal.pk}
        )
        return trigger(response, "close-panel")  # last: a closed panel says nothing more
    return go(request, deal_url(deal.pk), text)


def _account_name(request: HttpRequest) -> str:
    text = str(request.GET.get("account") or "")
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        return ""
    return (
        Account.objects.visible_to(request.user).filter(pk=int(text)).values_list("name", flat=True).first()
        or ""
    )


def _form(
    request: HttpRequest, typed: dict[str, str], errors: dict[str, str], status: int = 200
) -> HttpResponse:
    fields = catalogue("opportunity")
    blank = ("", "—")
    rows = [
        {
            "name": key,
            "label": fields[key].name(),
            "value": typed.get(key, ""),
            "error": errors.get(key),
            "optional": key != "name",
            "wide": key in ("name", "account"),
            "type": {"expected_close_date": "date", "deal_type": "select", "source": "select"}.get(
                key, "text"
            ),
            "options": [
                *([blank] if key == "source" else []),
                *((o.value, pick(o.label)) for o in fields[key].offered()),
            ],
            "attrs": _attrs(key),
        }
        for key in FIELDS
    ]
    left = [
        {
            "field": f"f-{k}" if k in FIELDS else "",
            "label": fields[k].name() if k in fields else k,
            "message": m,
        }
        for k, m in errors.items()
    ]
    return page(
        request,
        "crm/new_deal.html",
        {
            "nav_at": "board",
            "rows": rows,
            "errors": left,
            "notes": notes(request),
            "processes": [(p.key, localized(p.name)) for p in processes()],
            "process": typed.get("process", ""),
            "back_url": reverse("crm:board"),
        },
        block="panel",
        status=status,
    )


def _attrs(key: str) -> dict[str, str]:
    if key == "account":
        return {
            "list": "accounts",
            "autocomplete": "off",
            "hx-get": reverse("crm:account_options"),
            "hx-trigger": "input changed delay:150ms",
            "hx-target": "#accounts",
            "hx-swap": "innerHTML",
            "hx-sync": "this:replace",
        }
    if key == "amount":
        return {"inputmode": "decimal", "autocomplete": "off"}
    return {"autocomplete": "off"} if key == "name" else {}


@access("account.view")
@require_GET
def account_options(request: HttpRequest) -> HttpResponse:
    """Accounts whose name, pinyin or initials hold what was typed, for a datalist."""
    typed = next((str(v) for k, v in request.GET.items() if k in ("q", "account", "f.account")), "")
    text = matches(typed[:100])
    rows = Account.objects.visible_to(request.user)
    if text:
        rows = rows.filter(search_key__contains=text)
    names = list(rows.order_by("name_key", "pk").values_list("name", flat=True)[:12])
    return page(request, "crm/account_options.html", {"names": names}, block="options")

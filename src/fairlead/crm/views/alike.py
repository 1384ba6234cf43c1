"""A warning while one types: this record may be here already."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from fairlead.common import records
from fairlead.common.access import access
from fairlead.common.phones import phone_mask

from .. import services
from ..credit_codes import LENGTH, fault_of
from ..selectors.alike import Alike, alike

LONGEST = 300


def alike_view(kind: str) -> Callable[..., HttpResponse]:
    @access(services.KINDS[kind].create_right)
    @require_safe
    @never_cache
    def show(request: HttpRequest) -> HttpResponse:
        """Of the typed values of a new record: what is here already; a piece of the form."""
        if not request.headers.get("HX-Request"):
            return redirect(f"crm:{kind}_new")
        typed = {
            key: request.GET.get(key, "")[:LONGEST]
            for key in ("name", "uscc", "email", "mobile", "phone", "account")
        }
        user: Any = request.user
        found = [_row(kind, one) for one in alike(kind, typed, user)]
        return render(
            request, "crm/alike.html", {"found": found, "code_fault": _code_fault(kind, typed["uscc"])}
        )

    return show


def _code_fault(kind: str, code: str) -> str:
    """A word of warning about a credit code that cannot be right; it may be saved all the same."""
    if kind != "account" or len(code.strip()) < LENGTH:  # it is still being typed
        return ""
    return {
        "": "",
        "length": _("A credit code has 18 characters."),
        "character": _("A credit code has digits and capital letters without I, O, S, V, Z."),
        "check": _("The last character does not fit the others: a slip somewhere in the credit code."),
    }[fault_of(code)]


def _row(kind: str, one: Alike) -> dict[str, Any]:
    if one.record is None:
        return {
            "url": "",
            "name": _("A record of somebody else, which you may not see"),
            "about": "",
            "why": one.why,
        }
    about = [
        one.record.account.name if kind == "contact" else one.record.city,
        one.record.owner.name if one.record.owner else "",
    ]
    if kind == "contact":  # enough to recognise one's own contact by, on a screen that others look at
        about.append(phone_mask(one.record.mobile or one.record.phone))
    url = records.record_type(kind).url(one.record.pk)
    return {"url": url, "name": one.record.name, "about": " · ".join(filter(None, about)), "why": one.why}

"""The people of a deal: the customer's buying roles and our triangle."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from fairlead.common.access import access
from fairlead.common.refusals import Invalid
from fairlead.common.returned import Returned
from fairlead.organisation.models import User

from .. import services
from ..forms.records import reference_in, version_of
from ..models import ContactRole
from .editing import act, find
from .opportunity import opportunity_page
from .shared import MAX_ID, go


@access("opportunity.edit")
@require_POST
def add_role(request: HttpRequest, pk: int) -> HttpResponse:
    user: Any = request.user
    find("opportunity", pk, user)
    try:
        contact = reference_in(request.POST, "contact", "contact", user)
        if contact is None:
            raise Invalid.field("contact", _("Choose a contact."))
        services.add_contact_role(
            pk,
            contact_id=contact,
            role=request.POST.get("role", ""),
            stance=_number(request, "stance", 0),
            influence=_number(request, "influence", 3),
            depth=_number(request, "depth", 1),
            **act(request),
        )
    except Invalid as refusal:
        return opportunity_page(request, pk, "people", returned=Returned.of("role", request.POST, refusal))
    return go(request, f"{reverse('crm:opportunity', args=[pk])}?tab=people", _("Added"))


@access("opportunity.edit")
@require_POST
def remove_role(request: HttpRequest, pk: int, role_id: int) -> HttpResponse:
    user: Any = request.user
    find("opportunity", pk, user)
    if not ContactRole.objects.filter(pk=min(role_id, MAX_ID), opportunity=pk).exists():
        raise Invalid.field("role", _("This role is not here any more."))
    services.remove_contact_role(role_id, **act(request))
    return go(request, f"{reverse('crm:opportunity', args=[pk])}?tab=people", _("Removed"))


@access("opportunity.edit")
@require_POST
def set_team(request: HttpRequest, pk: int) -> HttpResponse:
    """Fill or empty the SR or FR slot."""
    user: Any = request.user
    find("opportunity", pk, user)
    slot = request.POST.get("role", "")
    try:
        person_id = reference_in(request.POST, "person", "user", user)
        person = User.objects.filter(pk=person_id).first() if person_id else None
        services.set_team_member(
            pk, role=slot, person=person, version=version_of(request.POST), **act(request)
        )
    except Invalid as refusal:
        return opportunity_page(request, pk, "team", returned=Returned.of(slot, request.POST, refusal))
    return go(request, f"{reverse('crm:opportunity', args=[pk])}?tab=team", _("Saved"))


def _number(request: HttpRequest, name: str, default: int) -> int:
    text = request.POST.get(name, "").replace("−", "-").strip()
    digits = text.removeprefix("-")
    if not text:
        return default
    if not (digits.isascii() and digits.isdigit() and len(digits) < 4):
        raise Invalid.field(name, _("A whole number is expected."))
    return int(text)

"""Handing a record over to somebody else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

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
from .editing import View, act, find
from .opportunity import opportunity_page
from .records import account_page, contact_page, segment_page
from .shared import go

PAGES: Final[Mapping[str, Callable[[HttpRequest, int, Returned], HttpResponse]]] = {
    "account": account_page,
    "contact": contact_page,
    "segment": segment_page,
}


def reassign_view(kind: str) -> View:
    @access(services.KINDS[kind].reassign_right)
    @require_POST
    def reassign(request: HttpRequest, pk: int) -> HttpResponse:
        user: Any = request.user
        find(kind, pk, user, right=services.KINDS[kind].reassign_right)
        try:
            owner_id = reference_in(request.POST, "owner", "user", user)
            people = User.objects.active().select_related("team")
            owner = people.filter(pk=owner_id).first() if owner_id else None
            if owner is None:
                raise Invalid.field("owner", _("Choose a person."))
            services.reassign(kind, pk, owner=owner, version=version_of(request.POST), **act(request))
        except Invalid as refusal:
            if kind == "opportunity":
                returned = Returned.of("AR", request.POST, refusal)
                return opportunity_page(request, pk, "team", returned=returned)
            return PAGES[kind](request, pk, Returned.of("owner", request.POST, refusal))
        return go(
            request,
            f"{reverse(f'crm:{kind}', args=[pk])}?tab={'team' if kind == 'opportunity' else 'fields'}",
            _("Handed to %(name)s") % {"name": owner.name},
        )

    return reassign

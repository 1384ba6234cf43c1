"""Settings: their list, and the organisation."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from fairlead.common.access import access
from fairlead.common.pages import page
from fairlead.common.refusals import Invalid, Stale
from fairlead.journal.enums import Channel
from fairlead.organisation import services
from fairlead.organisation.forms import add_refusal
from fairlead.organisation.models import Organisation
from fairlead.web.forms import OrganisationForm
from fairlead.web.selectors.settings import find_settings
from fairlead.web.settings_items import groups_for

_PLACES = {"organisation_name": "name"}


@access("signed-in")
@require_safe
def settings_index(request: HttpRequest) -> HttpResponse:
    """What this person may set, in groups; with a word the settings, fields and rules that answer it."""
    user: Any = request.user
    text = request.GET.get("q", "")[:100].strip()
    context = {
        "nav_at": "settings", "q": text, "found": find_settings(user, text),
        "groups": [] if text else groups_for(user),
    }  # fmt: skip
    return page(request, "web/settings.html", context, block="results")


@access("settings.manage")
@require_http_methods(["GET", "HEAD", "POST"])
def organisation(request: HttpRequest) -> HttpResponse:
    """Name, currency, time zone, default processes, soft mode; each save names the version it changes."""
    user: Any = request.user
    row = Organisation.objects.current()
    form = OrganisationForm(
        request.POST if request.method == "POST" else None, initial=OrganisationForm.stored(row)
    )
    status = 200
    if form.is_valid():
        try:
            services.change_organisation(
                by=user, at=timezone.now(), channel=Channel.UI, version=form.cleaned_data["version"],
                **form.changes(row),
            )  # fmt: skip
            return redirect("web:organisation")
        except Invalid as refusal:
            errors = [{**e, "field": _PLACES.get(e["field"], e["field"])} for e in refusal.details["errors"]]
            add_refusal(form, Invalid(str(refusal), errors=errors))
        except Stale as refusal:
            form.add_error(None, str(refusal))
            status = refusal.status
            row = Organisation.objects.current()
    stored: list[tuple[Any, Any]] = []
    if status == Stale.status:  # what stands there now; a second save means it
        stored = [
            (form[n].label, v)
            for n, v in OrganisationForm.stored(row).items()
            if n in form.fields and n != "version"
        ]
        form.data = {**request.POST.dict(), "version": str(row.version)}
    if form.errors and status == 200:
        status = 422
    context = {"nav_at": "settings", "form": form, "stored": stored}
    return page(request, "web/organisation.html", context, status=status)

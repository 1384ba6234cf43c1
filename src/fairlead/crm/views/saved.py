"""Saving, changing, sharing and deleting the views of lists."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from fairlead.common import records
from fairlead.common.access import access
from fairlead.common.names import localized
from fairlead.common.pages import page
from fairlead.common.refusals import Invalid, NotFound, NotPermitted
from fairlead.organisation.enums import Role

from .. import services
from ..forms.records import errors_by_field, version_of
from ..lists import ListPage, chips_of, has_kind, kind_of, list_fields, read_list
from ..models import FirstView, SavedView
from ..selectors.views import STATE, meaning_of
from .editing import act
from .list_words import sentence_of
from .shared import MAX_ID, go


@access("signed-in")
@require_POST
def save(request: HttpRequest) -> HttpResponse:
    """Keep the list as its address says it under a name; what is refused comes back on a page of its own."""
    user: Any = request.user
    kind = request.POST.get("kind", "")
    found = _read(request, kind)
    is_shared = request.POST.get("shared") == "1"
    try:
        row = services.save_view(
            kind,
            name=request.POST.get("name", "")[:300],
            state=_state(found),
            is_shared=is_shared,
            roles=request.POST.getlist("roles") if is_shared else (),
            **act(request),
        )
        if request.POST.get("first") == "1":
            services.choose_first(kind, row.pk, **act(request))
    except Invalid as refusal:
        return page(
            request,
            "crm/view_form.html",
            {
                **_frame(kind, request),
                "view": None,
                "found": found,
                "typed": request.POST,
                "errors": _errors(refusal),
                "may_share": user.may("views.share"),
                "chosen_roles": request.POST.getlist("roles"),
            },
            status=422,
        )
    return go(request, _list_url(row), _("The view “%(name)s” is saved") % {"name": row.name})


@access("signed-in")
@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: HttpRequest, pk: int) -> HttpResponse:
    """Name, who sees it, for whom it opens first. Whoever may not change it says only the latter, for oneself."""
    user: Any = request.user
    row = _find(pk, user)
    may_change = services.may_change(row, user)
    errors: list[dict[str, str]] = []
    if request.method == "POST":
        try:
            _save_settings(request, row, may_change)
            return go(request, _list_url(row), _("Saved"))
        except Invalid as refusal:
            errors = _errors(refusal)
            row.refresh_from_db()
    fields = list_fields(kind_of(row.kind), user)
    meaning = meaning_of(row, kind_of(row.kind), fields)
    found = read_list(row.kind, meaning.params(), user=user, at=timezone.now(), url="")
    is_first = FirstView.objects.filter(view=row, person=user).exists()
    typed = request.POST if errors else {
        "name": row.name, "shared": "1" if row.is_shared else "", "first": "1" if is_first else ""
    }  # fmt: skip
    return page(
        request,
        "crm/view_form.html",
        {
            **_frame(row.kind, request),
            "view": row,
            "found": found,
            "chips": chips_of(found, sentence_of(found)),
            "left_out": meaning.left_out,
            "typed": typed,
            "errors": errors,
            "may_change": may_change,
            "may_share": user.may("views.share"),
            "chosen_roles": request.POST.getlist("roles") if errors else row.roles,
            "owner_name": row.owner.name,
            "list_url": _list_url(row),
        },
        status=422 if errors else 200,
    )


def _save_settings(request: HttpRequest, row: SavedView, may_change: bool) -> None:
    user: Any = request.user
    if may_change:
        is_shared = request.POST.get("shared") == "1" if user.may("views.share") else row.is_shared
        services.change_view(
            row.pk,
            version=version_of(request.POST),
            name=request.POST.get("name", "")[:300],
            is_shared=is_shared,
            roles=request.POST.getlist("roles") if is_shared else (),
            **act(request),
        )
    was_first = FirstView.objects.filter(view=row, person=user).exists()
    is_first = request.POST.get("first") == "1"
    if was_first != is_first:
        services.choose_first(row.kind, row.pk if is_first else None, **act(request))


@access("signed-in")
@require_POST
def update(request: HttpRequest, pk: int) -> HttpResponse:
    """Overwrite the view with the list as it is now."""
    row = _changeable(pk, request.user)
    found = _read(request, row.kind)
    services.change_view(pk, version=version_of(request.POST), state=_state(found), **act(request))
    return go(request, _list_url(row), _("The view “%(name)s” is updated") % {"name": row.name})


@access("signed-in")
@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    row = _changeable(pk, request.user)
    gone = services.delete_view(pk, version=version_of(request.POST), **act(request))
    undo = reverse("crm:view_restore", args=[pk, gone.version])
    return go(
        request,
        reverse(kind_of(row.kind).page),
        _("The view “%(name)s” is deleted") % {"name": row.name},
        undo,
    )


@access("signed-in")
@require_POST
def restore(request: HttpRequest, pk: int, version: int) -> HttpResponse:
    row = services.restore_view(pk if pk <= MAX_ID else 0, version=version, **act(request))
    return go(request, _list_url(row), _("The view “%(name)s” is here again") % {"name": row.name})


# --- parts ---


def _find(pk: int, user: Any) -> SavedView:
    rows = SavedView.objects.visible_to(user).select_related("owner")
    row = rows.filter(pk=pk).first() if pk <= MAX_ID else None
    if row is None or not has_kind(row.kind) or not user.may(f"{row.kind}.view"):
        raise NotFound
    return row


def _changeable(pk: int, user: Any) -> SavedView:
    row = _find(pk, user)
    if not services.may_change(row, user):
        raise NotPermitted(details={"right": "views.share"})
    return row


def _read(request: HttpRequest, kind: str) -> ListPage:
    """The list that the form speaks of. Raises BadList."""
    user: Any = request.user
    if not has_kind(kind):
        raise NotFound
    if not user.may(f"{kind}.view"):
        raise NotPermitted(details={"right": f"{kind}.view"})
    params = {name: request.POST.get(name, "") for name in STATE}
    return read_list(kind, params, user=user, at=timezone.now(), url=reverse(kind_of(kind).page))


def _state(found: ListPage) -> services.ViewState:
    state = found.state()
    return services.ViewState(q=state["q"], tree=found.tree, sort=state["sort"], cols=state["cols"])


def _list_url(row: SavedView) -> str:
    return f"{reverse(kind_of(row.kind).page)}?{urlencode({'view': row.pk})}"


def _errors(refusal: Invalid) -> list[dict[str, str]]:
    return [{"field": f"view-{key}", "message": text} for key, text in errors_by_field(refusal).items()] or [
        {"field": "", "message": str(refusal.message)}
    ]


def _frame(kind: str, request: HttpRequest) -> dict[str, Any]:
    record, url = records.record_type(kind), reverse(kind_of(kind).page)
    return {
        "nav_at": kind_of(kind).page.partition(":")[2],
        "kind": kind,
        "plural": localized(record.plural),
        "plural_url": url,
        "roles": [(role.value, str(role.label)) for role in Role],
        "list_url": url,
        "may_change": True,
        "left_out": 0,
        "chips": [],
        "owner_name": "",
    }

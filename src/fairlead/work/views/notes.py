"""Comments about any record, whom they call, and nods to them."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from fairlead.common import records
from fairlead.common.access import access
from fairlead.common.pages import page
from fairlead.common.refusals import Invalid, NotFound, NotPermitted, Stale

from .. import services
from ..forms import MAX_ID, read_version
from ..models import Comment
from ..selectors.comments import people_to_mention, remark_out, remarks_of
from .shared import FORM, about, act, form_page, go, is_piece


@access("signed-in")
@require_http_methods(FORM)
def comment(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    record = about(request, kind, pk, edit=False)
    user: Any = request.user
    if not user.may(services.COMMENT_RIGHT):
        raise NotPermitted
    if request.method != "POST":
        return form_page(request, "comment", _("Comment"), record, pk, typed={})
    try:
        row = services.add_comment(kind, pk, text=request.POST.get("text", ""), **act(request))
    except Invalid as refusal:
        return form_page(request, "comment", _("Comment"), record, pk, typed=request.POST, refusal=refusal)
    return go(request, record.url(pk), said(row))


def said(row: Comment) -> str:
    """That it stands, and who was called in vain."""
    if not row.untold:
        return _("Added")
    return ngettext(
        "Added. %(names)s may not see this record and is not told.",
        "Added. %(names)s may not see this record and are not told.",
        len(row.untold),
    ) % {"names": _(", ").join(row.untold)}


@access("signed-in")
@require_http_methods(FORM)
def edit_comment(request: HttpRequest, pk: int) -> HttpResponse:
    row, record = _comment(request, pk)
    if row.by_id != request.user.pk:
        raise NotPermitted
    more: dict[str, Any] = {"version": row.version}
    if request.method != "POST":
        return form_page(
            request, "comment", _("Change comment"), record, row.subject_id, typed={"text": row.text}, **more
        )
    try:
        changed = services.edit_comment(
            pk, version=read_version(request.POST), text=request.POST.get("text", ""), **act(request)
        )
    except (Invalid, Stale) as refusal:
        response = form_page(
            request, "comment", _("Change comment"), record, row.subject_id, typed=request.POST,
            refusal=refusal if isinstance(refusal, Invalid) else Invalid(str(refusal.message)), **more,
        )  # fmt: skip
        response.status_code = refusal.status
        return response
    return go(request, record.url(row.subject_id), said(changed) if changed.untold else _("Saved"))


@access("signed-in")
@require_POST
def react(request: HttpRequest, pk: int) -> HttpResponse:
    row, record = _comment(request, pk)
    services.react(pk, request.POST.get("kind", ""), **act(request))
    if not is_piece(request):
        return go(request, f"{record.url(row.subject_id)}?show=comment", _("Saved"))
    remark = remarks_of([pk])[pk]
    shown = remark_out(pk, remark, request.user, written_at=row.at, at=timezone.now())
    return page(request, "work/remark.html", {"remark": shown})


@access("signed-in")
@require_safe
def mentionable(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """Whom a comment may call: names for the list under the text."""
    about(request, kind, pk, edit=False)
    people = people_to_mention(request.user, kind, pk, request.GET.get("q", ""))
    return page(request, "work/people_options.html", {"people": people})


def _comment(request: HttpRequest, pk: int) -> tuple[Comment, records.RecordType]:
    row = Comment.objects.filter(pk=pk, removed_at=None).first() if pk <= MAX_ID else None
    if row is None:
        raise NotFound
    return row, about(request, row.subject_type, row.subject_id, edit=False)


@access("signed-in")
@require_POST
def remove_comment(request: HttpRequest, pk: int) -> HttpResponse:
    row = Comment.objects.filter(pk=pk).first() if pk <= MAX_ID else None
    if row is None:
        raise NotFound
    services.remove_comment(pk, **act(request))
    return go(request, records.record_type(row.subject_type).url(row.subject_id), _("Removed"))

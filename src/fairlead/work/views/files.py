"""Files of any record: filed, withdrawn, and given out as downloads only."""

from __future__ import annotations

from django.http import FileResponse, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from fairlead.common import records
from fairlead.common.access import access
from fairlead.common.refusals import Invalid, NotFound

from .. import services
from ..forms import MAX_ID, read_day
from ..models import File
from ..services.files import MAX_BYTES
from ..serving import given_out
from .shared import FORM, about, act, form_page, go


@access("signed-in")
@require_http_methods(FORM)
def upload(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    record = about(request, kind, pk)
    if request.method != "POST":
        return form_page(
            request,
            "upload",
            _("File a document"),
            record,
            pk,
            typed={"kind": request.GET.get("kind", "")[:60]},
        )
    data, file = request.POST, request.FILES.get("content")
    too_big = file is not None and file.size is not None and file.size > MAX_BYTES
    try:
        if too_big:
            raise Invalid.field("content", _("At most %(limit)s MB.") % {"limit": MAX_BYTES // 2**20})
        services.add_file(
            kind,
            pk,
            kind=data.get("kind", ""),
            name=str(file.name if file is not None else data.get("reference", "")[:255]),
            content=file.read() if file is not None else None,
            media_type=str(getattr(file, "content_type", "") or ""),
            reference=data.get("reference", ""),
            by_customer=bool(data.get("by_customer")),
            signed=bool(data.get("signed")),
            valid_until=read_day(data, "valid_until"),
            **act(request),
        )
    except Invalid as refusal:
        return form_page(request, "upload", _("File a document"), record, pk, typed=data, refusal=refusal)
    return go(request, f"{record.url(pk)}?tab=files", _("Filed"))


@access("signed-in")
@require_POST
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    row = File.objects.filter(pk=pk).first() if pk <= MAX_ID else None
    if row is None:
        raise NotFound
    services.withdraw_file(pk, **act(request))
    return go(
        request, f"{records.record_type(row.subject_type).url(row.subject_id)}?tab=files", _("Withdrawn")
    )


@access("signed-in")
@require_safe
def download(request: HttpRequest, pk: int) -> FileResponse:
    """The content, to whoever sees the record: as a download, never run (T11). `show`: a clean picture for a page."""
    row = File.objects.filter(pk=pk).first() if pk <= MAX_ID else None
    if row is None or not records.record_type(row.subject_type).sees(request.user, row.subject_id):
        raise NotFound
    return given_out(row, as_picture="show" in request.GET)

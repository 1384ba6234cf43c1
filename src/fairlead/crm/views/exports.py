"""A list as a file: CSV as it streams, or a workbook that also says what it holds."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any

from django.db.models import F
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils import timezone, translation
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from fairlead.common import records
from fairlead.common.names import localized
from fairlead.common.refusals import NotFound
from fairlead.fields.catalogue import FieldSpec, pick
from fairlead.fields.enums import REFERENCE, FieldType

from ..lists import EXPORT_LIMIT, ListPage, csv_writer, xlsx_writer
from ..selectors.fields import value_of
from ..selectors.references import Names, names_of, text_of
from .list_words import looked_words, order_words, sentences

FORMATS = ("csv", "xlsx")
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
BATCH = 1000


def choices(found: ListPage) -> list[tuple[str, str]]:
    """What is offered: (words, address)."""
    if csv_writer() is None:
        return []
    return [
        (_("Excel, these columns"), found.address(export="xlsx", fields="shown")),
        (_("Excel, all fields"), found.address(export="xlsx")),
        (_("CSV, these columns"), found.address(export="csv", fields="shown")),
        (_("CSV, all fields"), found.address(export="csv")),
    ]


def export(request: HttpRequest, found: ListPage, wanted: str) -> HttpResponse | StreamingHttpResponse:
    """The filtered list as a file, up to a limit: the shown columns, or every field that the reader may read."""
    shown = request.GET.get("fields") == "shown"
    specs = list(found.columns if shown else found.fields)
    header = [spec.name() for spec in specs]
    plural = localized(records.record_type(found.kind.kind).plural)
    name = f"{plural}-{timezone.localdate(found.at).isoformat()}.{wanted}"
    if wanted == "xlsx":
        return _workbook(found, specs, header, plural, name)
    writer = csv_writer()
    if writer is None:
        raise NotFound
    response = StreamingHttpResponse(
        writer(header, lines(found, specs, bare=True)), content_type="text/csv; charset=utf-8"
    )
    response.headers["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    return response


def _workbook(
    found: ListPage, specs: Sequence[FieldSpec], header: list[str], plural: str, name: str
) -> FileResponse:
    writer = xlsx_writer()
    if writer is None:
        raise NotFound
    target = tempfile.TemporaryFile()  # noqa: SIM115 - the answer closes it
    try:
        writer(target, header, lines(found, specs), plural, lambda n: (_("Filter"), _about(found, n)))
    except BaseException:
        target.close()
        raise
    target.seek(0)
    return FileResponse(target, as_attachment=True, filename=name, content_type=XLSX_TYPE)


def _about(found: ListPage, count: int) -> list[tuple[str, Any]]:
    """What the rows are: conditions, order, who took them, when, how many."""
    parts = sentences(found)
    joint = _(" or ") if found.mode == "any" else _(" and ")
    said = [(_("Search"), found.text)] if found.text else []
    lines = [
        (_("Filter"), joint.join(parts) if parts else _("none")),
        *said,
        (_("Order"), order_words(found)),
        (_("Exported by"), found.user.name),
        (_("Exported at"), found.at),
        (_("Time zone"), str(timezone.get_current_timezone())),
        (_("Rows"), count),
    ]
    if limit := found.looks_no_further:
        lines.append((_("Note"), looked_words(limit)))
    if count >= EXPORT_LIMIT:
        lines.append(
            (_("Note"), _("There may be more: a file holds at most %(n)s rows.") % {"n": EXPORT_LIMIT})
        )
    return lines


def lines(found: ListPage, specs: Sequence[FieldSpec], *, bare: bool = False) -> Iterator[list[Any]]:
    """The rows in the order of the list, what is empty last, in the language and zone of the asker; `bare`:
    instants as its clock shows them, without the zone."""
    sort, falling = found.kind.sorts[found.sort.removeprefix("-")], found.sort.startswith("-")
    by: Any = F(sort.path).desc(nulls_last=True) if falling else F(sort.path).asc(nulls_last=True)
    if not sort.nullable:
        by = f"-{sort.path}" if falling else sort.path
    rows = found.queryset().order_by(by, "-pk" if falling else "pk")[:EXPORT_LIMIT]
    return _streamed(rows, specs, found, bare, translation.get_language(), timezone.get_current_timezone())


def _streamed(
    rows: Any, specs: Sequence[FieldSpec], found: ListPage, bare: bool, language: str | None, zone: tzinfo
) -> Iterator[list[Any]]:
    """Read while it is sent, when the request has its language no more."""
    with translation.override(language), timezone.override(zone):
        batch: list[Any] = []
        for row in rows.iterator(chunk_size=BATCH):
            batch.append(row)
            if len(batch) == BATCH:
                yield from _lines(batch, specs, found, bare)
                batch = []
        yield from _lines(batch, specs, found, bare)


def _lines(rows: list[Any], specs: Sequence[FieldSpec], found: ListPage, bare: bool) -> Iterator[list[Any]]:
    ids = [row.pk for row in rows]
    worked = {
        key: found.worked_out(key, ids) for key in found.kind.worked_out if any(s.key == key for s in specs)
    }
    values = [
        [worked[spec.key][row.pk] if spec.key in worked else value_of(row, spec) for spec in specs]
        for row in rows
    ]
    names = names_of(((s, v) for line in values for s, v in zip(specs, line, strict=True)), reader=found.user)
    for row, line in zip(rows, values, strict=True):
        yield [_cell(row, spec, value, names, bare) for spec, value in zip(specs, line, strict=True)]


def _cell(row: Any, spec: FieldSpec, value: Any, names: Names, bare: bool) -> Any:
    if value is None or value == "":
        return None
    if spec.key == "stage":
        return pick(row.journey.stage.name)
    if spec.type in REFERENCE or spec.type in (FieldType.CHOICE, FieldType.MULTI_CHOICE):
        return text_of(spec, value, names)
    if isinstance(value, datetime):
        return timezone.localtime(value).replace(tzinfo=None) if bare else value
    return value if isinstance(value, (Decimal, int, bool)) or hasattr(value, "isoformat") else str(value)

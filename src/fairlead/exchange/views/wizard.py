"""The import wizard: choose, map, check, preview, run. No script is needed; HTMX only asks how far it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from django.db import transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override, pgettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from fairlead.common.access import access
from fairlead.common.pages import page
from fairlead.common.refusals import Invalid, NotFound, Refusal
from fairlead.common.returned import NOTHING, Returned
from fairlead.exchange import services, tasks
from fairlead.exchange.enums import ImportKind, RunState
from fairlead.exchange.models import ImportRun, MappingPreset
from fairlead.exchange.reading.formats import DELIMITERS, ENCODINGS
from fairlead.exchange.selectors import wizard as selectors
from fairlead.exchange.writing import CSV_TYPE, content_disposition, csv_chunks
from fairlead.fields.enums import FieldType
from fairlead.fields.services import add_field
from fairlead.journal.enums import Channel

NEW_FIELD: Final = "+field"
_FORM: Final = ["GET", "HEAD", "POST"]
_NEW_TYPES: Final = frozenset(
    {
        *(FieldType.TEXT, FieldType.LONG_TEXT, FieldType.INTEGER, FieldType.DECIMAL, FieldType.DATE),
        *(FieldType.EMAIL, FieldType.PHONE, FieldType.BOOLEAN),
    }
)


def _act(request: HttpRequest) -> dict[str, Any]:
    return {"by": request.user, "at": timezone.now(), "channel": Channel.UI}


def _kinds(user: Any) -> list[tuple[str, str]]:
    needs = {ImportKind.PERSON: "users.manage", ImportKind.PRODUCT: "settings.manage"}
    return [(k.value, str(k.label)) for k in ImportKind if k not in needs or user.may(needs[k])]


def _steps(run: ImportRun, at: str) -> dict[str, Any]:
    """The five steps; those that can be gone to are links."""
    reached = {
        RunState.UPLOADED: ("file", "columns"),
        RunState.MAPPED: ("file", "columns"),
        RunState.CHECKED: ("file", "columns", "check", "preview"),
        RunState.CHECKING: ("check",),
    }.get(RunState(run.state), ("run",))
    words = {
        "file": _("Choose"),
        "columns": _("Map"),
        "check": _("Check"),
        "preview": _("Preview"),
        "run": _("Run"),
    }
    return {
        "run": run,
        "nav_at": "imports",
        "at": at,
        "steps": [
            {"key": key, "text": f"{n} {word}", "is_open": key in reached, "current": key == at}
            for n, (key, word) in enumerate(words.items(), start=1)
        ],
    }


@access("import.run")
@require_http_methods(_FORM)
def imports(request: HttpRequest) -> HttpResponse:
    """The past imports, and a form for the next one."""
    user: Any = request.user
    returned = NOTHING
    if request.method == "POST":
        try:
            run = _upload(request)
        except Refusal as refusal:
            returned = Returned.of("file", request.POST, _named(refusal))
        else:
            return redirect("exchange:file", run.pk)
    runs = ImportRun.objects.visible_to(user).select_related("created_by").order_by("-pk")[:100]
    context = {
        "nav_at": "imports",
        "runs": runs,
        "kinds": _kinds(user),
        "returned": returned,
    }
    return page(request, "exchange/imports.html", context, status=returned.status)


def _named(refusal: Refusal) -> Refusal:
    """What is wrong with a file as a whole stands beside the input that it came from."""
    return refusal if refusal.details.get("errors") else Invalid.field("file", refusal.message)


def _upload(request: HttpRequest) -> ImportRun:
    kind = request.POST.get("kind", "")
    if kind and kind not in dict(_kinds(request.user)):
        raise Invalid.field("kind", _("Choose one of the list."))
    given, pasted = request.FILES.get("file"), request.POST.get("pasted", "")
    if given is not None:
        return services.stage_file(given.chunks(), file_name=given.name or "", kind=kind, **_act(request))
    if pasted.strip():
        data = pasted.encode("utf-8", "replace")
        return services.stage_file([data], file_name=_("pasted.csv"), kind=kind, **_act(request))
    raise Invalid.field("file", _("Choose a file, or paste a table."))


@access("import.run")
@require_safe
def where(request: HttpRequest, pk: int) -> HttpResponse:
    """The step where an import stands."""
    run = services.get_run(pk, by=request.user)
    step = {
        RunState.UPLOADED: "file",
        RunState.MAPPED: "columns",
        RunState.CHECKING: "check",
        RunState.CHECKED: "check",
    }
    return redirect(f"exchange:{step.get(RunState(run.state), 'run')}", pk)


@access("import.run")
@require_http_methods(_FORM)
def file(request: HttpRequest, pk: int) -> HttpResponse:
    run = services.get_run(pk, by=request.user)
    returned = NOTHING
    if request.method == "POST":
        try:
            services.restage(pk, **_act(request), kind=_kind(request), **_format(request, run))
            return redirect("exchange:file", pk)
        except Refusal as refusal:
            returned = Returned.of("file", request.POST, refusal)
            run = services.get_run(pk, by=request.user)
    context = {
        **_steps(run, "file"),
        **selectors.file_view(run),
        "kinds": _kinds(request.user),
        "returned": returned,
    }
    return page(request, "exchange/file.html", context, status=returned.status)


def _kind(request: HttpRequest) -> str:
    kind = request.POST.get("kind", "")
    if kind and kind not in dict(_kinds(request.user)):
        raise Invalid.field("kind", _("Choose one of the list."))
    return kind


def _format(request: HttpRequest, run: ImportRun) -> dict[str, Any]:
    """The parts of the format that were chosen otherwise."""
    offered = {"encoding": ENCODINGS, "delimiter": DELIMITERS, "sheet": run.profile["sheets"]}
    parts: dict[str, Any] = {}
    for name, known in offered.items():
        given = request.POST.get(name, "")
        given = "\t" if (name, given) == ("delimiter", "tab") else given
        if given and given not in known:
            raise Invalid.field(name, _("Choose one of the list."))
        if given:
            parts[name] = given
    if row := request.POST.get("header_row", "").strip():
        if not (row.isascii() and row.isdigit() and len(row) < 4 and 1 <= int(row) <= 100):
            raise Invalid.field("header_row", _("A row from 1 to 100 is expected."))
        parts["header_row"] = int(row)
    return {k: v for k, v in parts.items() if run.source_format.get(k) != v}


@access("import.run")
@require_http_methods(_FORM)
def columns(request: HttpRequest, pk: int) -> HttpResponse:
    run = services.get_run(pk, by=request.user)
    returned = NOTHING
    if request.method == "POST":
        try:
            _set_columns(request, run)
            if request.POST.get("then") != "check":
                return redirect("exchange:columns", pk)
            tasks.enqueue(services.begin_check(pk, **_act(request)))
            return redirect("exchange:check", pk)
        except Refusal as refusal:
            run = services.get_run(pk, by=request.user)
            returned = Returned.of("columns", request.POST, _by_column(refusal, run))
            _look_as_sent(run, request.POST)
    context = {**_steps(run, "columns"), **selectors.columns_view(run, by=request.user), "returned": returned}
    return page(request, "exchange/columns.html", context, status=returned.status)


def _by_column(refusal: Refusal, run: ImportRun) -> Refusal:
    """The service names a column by its key; the page knows it by its place."""
    places = {seen["key"]: f"c{index}" for index, seen in enumerate(run.profile["columns"])}
    listed = [{**e, "field": places.get(e["field"], e["field"])} for e in refusal.details.get("errors", ())]
    return Invalid(refusal.message, errors=listed) if listed else refusal


def _look_as_sent(run: ImportRun, post: Any) -> None:
    """What was chosen, on the row that is shown and nowhere else."""
    mapping = _mapping(run, post)
    run.mapping = {key: {**how, **mapping.get(key, {})} for key, how in run.mapping.items()}
    run.value_maps = {**run.value_maps, **_words(post)}
    run.options = {**run.options, **_options(run, post, mapping)}


@transaction.atomic
def _set_columns(request: HttpRequest, run: ImportRun) -> None:
    """All of it or nothing: a new field does not stay behind where the rest is refused."""
    post = request.POST
    mapping = _mapping(run, post)
    for index, seen in enumerate(run.profile["columns"]):
        if mapping[seen["key"]]["target"] == NEW_FIELD:
            mapping[seen["key"]]["target"] = _new_field(request, run, seen, index)
    services.set_mapping(
        run.pk,
        mapping=mapping,
        value_maps=_words(post),
        options=_options(run, post, mapping),
        save_as=post.get("save_as", "").strip(),
        **_act(request),
    )


def _mapping(run: ImportRun, post: Any) -> dict[str, dict[str, Any]]:
    mapping: dict[str, Any] = {}
    for index, seen in enumerate(run.profile["columns"]):
        target = post.get(f"c{index}", run.mapping[seen["key"]].get("target") or "")
        how: dict[str, Any] = {"target": target}
        for name, known in (("order", ("dmy", "mdy")), ("style", ("point", "comma"))):
            if (answer := post.get(f"{name}{index}", "")) in known:
                how[name] = answer
        mapping[seen["key"]] = how
    return mapping


def _options(run: ImportRun, post: Any, mapping: Mapping[str, Any]) -> dict[str, Any]:
    options: dict[str, Any] = {"on_existing": "skip" if post.get("on_existing") == "skip" else "update"}
    if run.kind == ImportKind.OPPORTUNITY:
        options |= {
            "process": post.get("process", ""),
            "amount_from_price": post.get("amount_from_price") == "1",
        }
        is_named = any(h["target"] == "name" for h in mapping.values())
        options["compose_name"] = [] if is_named else ["product", "account"]
    return options


def _words(post: Any) -> dict[str, dict[str, str]]:
    """The meanings of words: pairs of fields `w:TARGET:N` (the word) and `m:TARGET:N` (what it means)."""
    maps: dict[str, dict[str, str]] = {}
    for name, text in post.items():
        if name.startswith("w:") and name.count(":") == 2:
            _w, target, number = name.split(":")
            key = post.get(f"m:{target}:{number}", "?")
            if key != "?":
                maps.setdefault(target, {})[text] = key
    return maps


def _new_field(request: HttpRequest, run: ImportRun, seen: dict[str, Any], index: int) -> str:
    """A custom field named as the column, of the type that its values have."""
    title = (seen["title"] or seen["letter"])[:80]
    plain = "".join(c if c.isascii() and c.isalnum() else "_" for c in title.lower()).strip("_")
    key = f"f_{plain or run.profile['fingerprint'][:6]}_{index}"[:50]
    found = FieldType(seen["type"])
    row = add_field(
        subject_type=run.kind,
        key=key,
        type=found if found in _NEW_TYPES else FieldType.TEXT,
        label={"zh": title, "en": title},
        **_act(request),
    )
    return str(row.key)


@access("import.run")
@require_POST
def preset(request: HttpRequest, pk: int) -> HttpResponse:
    """Map the columns as a saved mapping says."""
    run = services.get_run(pk, by=request.user)
    found = (
        MappingPreset.objects.visible_to(request.user)
        .filter(pk=_number(request.POST.get("preset")), kind=run.kind)
        .first()
    )
    if found is None:
        raise NotFound
    services.apply_preset(run, found)
    services.set_mapping(
        pk, mapping=run.mapping, value_maps=run.value_maps, options=run.options, **_act(request)
    )
    return redirect("exchange:columns", pk)


def _number(text: Any) -> int:
    return int(text) if str(text or "").isdecimal() and len(str(text)) < 18 else 0


@access("import.run")
@require_safe
def check(request: HttpRequest, pk: int) -> HttpResponse:
    run = services.get_run(pk, by=request.user)
    if run.state == RunState.CHECKING:
        context = {**_steps(run, "check"), **selectors.report_view(run, at=timezone.now())}
        return page(request, "exchange/progress.html", context, block="progress")
    if run.state != RunState.CHECKED:
        return _elsewhere(request, run)
    context = {**_steps(run, "check"), **selectors.check_view(run, by=request.user)}
    return _whole(request, page(request, "exchange/check.html", context))


def _elsewhere(request: HttpRequest, run: ImportRun) -> HttpResponse:
    return _whole(request, redirect("exchange:import", run.pk))


def _whole(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """A poll that finds the work done has the browser load the page that shows it."""
    if getattr(request, "htmx", None):
        response = HttpResponse(status=204)
        response.headers["HX-Refresh"] = "true"
    return response


@access("import.run")
@require_POST
def mend(request: HttpRequest, pk: int) -> HttpResponse:
    """One click: a repair of a column or of torn rows, or what words mean. The file is checked again."""
    post = request.POST
    services.get_run(pk, by=request.user)
    target, code = post.get("target", ""), post.get("code", "")
    if target:
        choices = _words(post).get(target, {})
        if post.get("safe") == "1":
            run = services.get_run(pk, by=request.user)
            offers = run.findings.get("unknown", {}).get(target, [])
            choices = {o["text"]: o["key"] for o in offers if o["safe"]}
        run = services.map_value(pk, target=target, choices=choices, **_act(request))
    elif post.get("column", "").isdecimal():
        params = {"order": post.get("order"), "style": post.get("style")}
        run = services.mend_column(
            pk, column=_number(post["column"]), code=code, params=params, **_act(request)
        )
    else:
        run = services.mend_rows(pk, code=code, **_act(request))
    tasks.enqueue(run)
    return redirect("exchange:check", pk)


@access("import.run")
@require_http_methods(_FORM)
def row(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """One row of the file, to be typed anew."""
    run = services.get_run(pk, by=request.user)
    staged = run.rows.filter(number=number).first()
    if staged is None:
        raise NotFound
    error, status = "", 200
    if request.method == "POST":
        cells = {
            i: text
            for i, old in enumerate(staged.cells)
            if (text := request.POST.get(f"cell{i}", old)) != old
        }
        try:
            if cells:
                tasks.enqueue(services.edit_cell(pk, row=number, cells=cells, **_act(request)))
            return redirect("exchange:check", pk)
        except Refusal as refusal:
            error, status = str(refusal), refusal.status
    problems = {p["column"]: selectors.RowProblem.from_json(p) for p in staged.problems}
    context = {
        **_steps(run, "check"),
        "row": staged,
        "error": error,
        "cells": [
            {
                "title": c["title"] or c["letter"],
                "text": request.POST.get(f"cell{i}", staged.cells[i]),
                "name": f"cell{i}",
                "problem": problems.get(i),
            }
            for i, c in enumerate(run.profile["columns"])
        ],
        "whole": problems.get(None),
    }
    return page(request, "exchange/row.html", context, status=status)


@access("import.run")
@require_safe
def errors(request: HttpRequest, pk: int) -> HttpResponse | StreamingHttpResponse:
    """The rows with errors and why, to be mended in the file."""
    run = services.get_run(pk, by=request.user)
    header, lines = selectors.errors_table(run)
    language = request.user.language  # type: ignore[union-attr]

    def chunks() -> Iterator[bytes]:
        with override(language):
            yield from csv_chunks(header, lines)

    stem = run.file_name.rpartition(".")[0] or run.file_name
    what = pgettext("name of a file", "errors")
    return StreamingHttpResponse(
        chunks(),
        content_type=CSV_TYPE,
        headers={"Content-Disposition": content_disposition(f"{stem} {what}.csv")},
    )


@access("import.run")
@require_safe
def preview(request: HttpRequest, pk: int) -> HttpResponse:
    run = services.get_run(pk, by=request.user)
    if run.state != RunState.CHECKED:
        return _elsewhere(request, run)
    context = {**_steps(run, "preview"), **selectors.preview_view(run, by=request.user)}
    return page(request, "exchange/preview.html", context)


@access("import.run")
@require_http_methods(_FORM)
def run(request: HttpRequest, pk: int) -> HttpResponse:
    if request.method == "POST":
        tasks.enqueue(services.begin_run(pk, **_act(request)))
        return redirect("exchange:run", pk)
    found = services.get_run(pk, by=request.user)
    at = timezone.now()
    context = {**_steps(found, "run"), **selectors.report_view(found, at=at)}
    if found.state in (RunState.RUNNING, RunState.UNDOING):
        return page(request, "exchange/progress.html", context, block="progress")
    if found.state not in (RunState.DONE, RunState.FAILED, RunState.UNDONE):
        return _elsewhere(request, found)
    context["can_undo"] = services.may_be_undone(found, at=at)
    return _whole(request, page(request, "exchange/report.html", context))


@access("import.run")
@require_POST
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    tasks.enqueue(services.begin_undo(pk, **_act(request)))
    return redirect("exchange:run", pk)

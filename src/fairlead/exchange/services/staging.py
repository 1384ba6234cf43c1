"""A file comes in: kept where nobody can guess, looked at once, its columns taken for fields."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from fairlead.common.refusals import Invalid, NotFound, NotPermitted, Refusal, Stale
from fairlead.exchange.enums import OPEN_TO_CHANGE, ImportKind, RunState
from fairlead.exchange.models import ImportRun, MappingPreset
from fairlead.exchange.reading import files, profile
from fairlead.exchange.reading.formats import DEFAULT_LIMITS, SourceFormat
from fairlead.exchange.reading.layouts import Layout, LayoutFinding, recognise
from fairlead.exchange.reading.mapping import suggest_mapping
from fairlead.exchange.reading.mends import propose_mends
from fairlead.exchange.reading.problems import RowProblem, Severity
from fairlead.journal.services import NewEvent, record
from fairlead.process.definition import Definition
from fairlead.process.definitions import definition_of
from fairlead.process.models import ProcessVersion
from fairlead.process.services.starting import default_process

from .targets import ENTERED, targets

FOLDER: Final = "imports"
VALUES_KEPT: Final = 200
#: Mends that change nothing but spaces: a file may count on them.
QUIET_MENDS: Final = ("trim",)


class FileRefused(Refusal):
    """Nothing of the file can be read; `details["problems"]` say why and what to do."""

    code = "file-refused"


class CannotChange(Refusal):
    """The import is at work or over."""

    code = "import-closed"
    status = 409


def path_of(run: ImportRun) -> Path:
    return Path(settings.MEDIA_ROOT) / FOLDER / run.stored_as


def definition_for(options: Mapping[str, Any]) -> Definition | None:
    """The process that the opportunities of an import set out on; None where none is published."""
    try:
        key = str(options.get("process") or "") or default_process("opportunity")
    except Invalid:
        return None
    version = ProcessVersion.objects.published().select_related("process").filter(process__key=key).first()
    return definition_of(version) if version is not None else None


def require_import(by: Any, kind: str) -> None:
    if by is None:
        return
    if not by.may("import.run"):
        raise NotPermitted
    if (kind == ImportKind.PERSON and not by.may("users.manage")) or (
        kind == ImportKind.PRODUCT and not by.may("settings.manage")
    ):
        raise NotPermitted


def stage_file(
    chunks: Iterable[bytes],
    *,
    file_name: str,
    kind: str = "",
    by: Any,
    at: datetime,
    channel: str,
    fmt: SourceFormat | None = None,
    options: Mapping[str, Any] | None = None,
    as_of: datetime | None = None,
    parent: ImportRun | None = None,
) -> ImportRun:
    """Keep a file and say what it seems to be. Raises NotPermitted, FileRefused; nothing is kept then.

    `kind` empty: what the column titles say, else opportunities.
    """
    require_import(by, kind)
    stored = secrets.token_hex(24)
    path = Path(settings.MEDIA_ROOT) / FOLDER / stored
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        size = _write(path, chunks)
        run = ImportRun(
            kind=kind or ImportKind.OPPORTUNITY,
            file_name=_safe_name(file_name),
            stored_as=stored,
            file_bytes=size,
            options=dict(options or {}),
            as_of=as_of,
            parent=parent,
            created_by=by,
            created_at=at,
        )
        _look(run, fmt, guess_kind=not kind)
        require_import(by, run.kind)
        with transaction.atomic():
            run.save()
            journal(
                run,
                "import_uploaded",
                by=by,
                at=at,
                channel=channel,
                data={"kind": run.kind, "rows": run.rows_total},
            )
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return run


def _write(path: Path, chunks: Iterable[bytes]) -> int:
    size = 0
    with path.open("xb") as file:
        path.chmod(0o600)
        for chunk in chunks:
            size += len(chunk)
            if size > DEFAULT_LIMITS.file_bytes:
                raise _refused(
                    [
                        RowProblem(
                            None,
                            None,
                            "file-too-large",
                            {"size": -(-size // 2**20), "limit": DEFAULT_LIMITS.file_bytes // 2**20},
                        )
                    ]
                )
            file.write(chunk)
    return size


def _safe_name(name: str) -> str:
    """Only for people to recognise it by: the file is stored under another name."""
    plain = "".join(
        c
        for c in name.replace("\\", "/").rsplit("/", 1)[-1]
        if c.isprintable() and not "\ud800" <= c <= "\udfff"
    )
    return plain[:200] or "import"


def _refused(problems: Iterable[RowProblem]) -> FileRefused:
    listed = [p for p in problems if p.severity is Severity.REFUSED]
    first = listed[0]
    return FileRefused(f"{first.message} {first.mend}", details={"problems": [p.as_json() for p in listed]})


def _look(run: ImportRun, fmt: SourceFormat | None, *, guess_kind: bool = False) -> None:
    """Fill format, profile and the suggested mapping of a run from its file, unsaved."""
    path = path_of(run)
    sniffed = files.sniff(path)
    if fmt is None:
        if sniffed.format is None:
            raise _refused(sniffed.problems)
        fmt = sniffed.format
    table = files.open_table(path, fmt)
    seen = profile.profile(table)
    if seen.problem_counts and any(p.severity is Severity.REFUSED for p in seen.problems):
        raise _refused(seen.problems)
    finding = recognise([c.title for c in table.columns])
    if guess_kind:
        run.kind = finding.subject if finding.subject in ImportKind.values else ImportKind.OPPORTUNITY
    run.source_format, run.rows_total, run.rows_done = fmt.as_json(), seen.rows, 0
    run.profile = _as_json(seen, table.fingerprint, finding, sniffed.sheets)
    run.edits, run.counts, run.findings = {}, {}, {}
    _suggest(run, seen, finding)


def _suggest(run: ImportRun, seen: profile.FileProfile, finding: LayoutFinding) -> None:
    """A saved mapping for files with these titles, else what titles and values say."""
    definition = definition_for(run.options)
    wanted = targets(run.kind, by=run.created_by, definition=definition)
    fields = [t.field for t in wanted]
    columns = [c.column for c in seen.columns]
    found = suggest_mapping(columns, fields, subject=run.kind, profiles=seen.columns, finding=finding)
    keys = {t.key for t in wanted}
    mapping: dict[str, Any] = {}
    for s in found:
        target = s.target
        if finding.layout is Layout.CRM_SALES and target == "opened_at" and f"{ENTERED}engaging" in keys:
            target = f"{ENTERED}engaging"  # there the engage date is the day of that stage
        mapping[s.column.key] = {
            "target": target or "",
            "confidence": s.confidence,
            "why": s.reason,
            "by_id": s.by_id,
            "others": [key for key, _score in s.alternatives],
        }
    mends = propose_mends(seen, found, fields)
    for mend in mends:
        if mend.column is not None and mend.code in QUIET_MENDS:
            mapping[columns[mend.column].key].setdefault("mends", []).append(mend.as_json())
    run.profile["mends"] = [m.as_json() for m in mends]
    run.mapping, run.value_maps = mapping, {}
    if run.created_by_id is None:
        return
    preset = (
        MappingPreset.objects.visible_to(run.created_by)
        .filter(kind=run.kind, fingerprint=run.profile["fingerprint"])
        .order_by("-saved_at")
        .first()
    )
    if preset is not None:
        apply_preset(run, preset)


def apply_preset(run: ImportRun, preset: MappingPreset) -> None:
    for key, how in preset.mapping.items():
        if key in run.mapping:
            run.mapping[key] = {**run.mapping[key], **how, "why": "preset", "confidence": 1.0}
    run.value_maps = preset.value_maps
    run.options = {**preset.options, **run.options, "preset": preset.name}


def _as_json(
    seen: profile.FileProfile, fingerprint: str, finding: LayoutFinding, sheets: Iterable[str]
) -> dict[str, Any]:
    return {
        "fingerprint": fingerprint,
        "layout": str(finding.layout),
        "subject": finding.subject,
        "sheets": list(sheets),
        "rows": seen.rows,
        "blank_rows": seen.blank_rows,
        "problem_counts": dict(seen.problem_counts),
        "problems": [
            p.as_json()
            for p in seen.problems
            if p.row is None or p.column is None or p.code.startswith("header")
        ][:40],
        "first_rows": [[row.number, [cell[:200] for cell in row.cells]] for row in seen.first_rows],
        "columns": [
            {
                "key": c.column.key,
                "title": c.column.title,
                "letter": c.column.letter,
                "filled": c.filled,
                "empty": c.empty,
                "samples": [s[:80] for s in c.samples],
                "type": str(c.type),
                "many": c.many,
                "values": None
                if c.many or c.distinct > VALUES_KEPT
                else [[t, n] for t, n in c.values.most_common()],
                "formulas": c.formulas,
                "order": c.order.order and str(c.order.order),
                "asks_order": c.order.asks,
                "example": c.order.example,
                "style": c.style.style and str(c.style.style),
                "asks_style": c.style.style is None and bool(c.style.undecided or c.style.conflict),
                "style_example": c.style.example,
            }
            for c in seen.columns
        ],
    }


def restage(
    run_id: int, *, by: Any, at: datetime, channel: str, kind: str = "", **format_parts: Any
) -> ImportRun:
    """Read the same file otherwise (encoding, delimiter, sheet, header row, kind). Mapping starts anew."""
    run = get_run(run_id, by=by)
    _require_open(run)
    require_import(by, kind or run.kind)
    run.kind = kind or run.kind
    fmt = SourceFormat.from_json(run.source_format)
    _look(run, fmt.override(**format_parts) if format_parts else fmt)
    run.state = RunState.UPLOADED
    with transaction.atomic():
        _save(run, run.version)
        run.rows.all().delete()
    return run


def get_run(run_id: int, *, by: Any) -> ImportRun:
    runs = ImportRun.objects.all() if by is None else ImportRun.objects.visible_to(by)
    run = runs.filter(pk=run_id).first()
    if run is None:
        raise NotFound
    return run


def _require_open(run: ImportRun) -> None:
    if run.state not in OPEN_TO_CHANGE:
        raise CannotChange(
            _("This import is %(state)s and cannot be changed.") % {"state": run.get_state_display()}
        )


def _save(run: ImportRun, seen_version: int) -> None:
    run.version = seen_version + 1
    locked = ImportRun.objects.select_for_update().filter(pk=run.pk, version=seen_version).first()
    if locked is None or locked.state not in OPEN_TO_CHANGE:
        raise Stale
    run.save()


@transaction.atomic
def set_mapping(
    run_id: int,
    *,
    mapping: Mapping[str, Any],
    value_maps: Mapping[str, Any],
    options: Mapping[str, Any],
    by: Any,
    at: datetime,
    channel: str,
    save_as: str = "",
) -> ImportRun:
    """Say what the columns mean. Unknown columns and targets are refused by name."""
    run = get_run(run_id, by=by)
    _require_open(run)
    run.options = {**run.options, **options}
    known = {t.key for t in targets(run.kind, by=by, definition=definition_for(run.options))}
    errors = []
    taken: set[str] = set()
    for column, how in mapping.items():
        target = str(how.get("target") or "")
        if column not in run.mapping or (target and target not in known):
            errors.append({"field": column, "message": _("There is no such column or field.")})
        elif target and target in taken:
            errors.append(
                {
                    "field": column,
                    "message": _("Another column fills this field already. Choose one of the two."),
                }
            )
        taken.add(target)
    if errors:
        raise Invalid(errors=errors)
    run.mapping = {key: {**run.mapping[key], **mapping.get(key, {})} for key in run.mapping}
    run.value_maps = {**run.value_maps, **{t: dict(v) for t, v in value_maps.items()}}
    run.state = RunState.MAPPED
    if save_as and by is not None:
        run.options["preset"] = save_as[:100]
        keep_preset(run, save_as, at=at)
    _save(run, run.version)
    return run


def keep_preset(run: ImportRun, name: str, *, at: datetime) -> None:
    """Keep what the columns and words of a run mean for its owner's next file with these titles."""
    keep = ("target", "order", "style", "mends")
    MappingPreset.objects.update_or_create(
        owner=run.created_by,
        kind=run.kind,
        fingerprint=run.profile["fingerprint"],
        name=name[:100],
        defaults={
            "mapping": {k: {n: v for n, v in how.items() if n in keep} for k, how in run.mapping.items()},
            "value_maps": run.value_maps,
            "saved_at": at,
            "options": {k: v for k, v in run.options.items() if k not in ("preset", "row_mends")},
        },
    )


def journal(
    run: ImportRun, type_: str, *, by: Any, at: datetime, channel: str, data: Mapping[str, Any]
) -> None:
    record(
        [
            NewEvent(
                type=type_,
                subject_type="import",
                subject_id=run.pk,
                actor_id=by.pk if by is not None else None,
                effective_at=at,
                channel=channel,
                batch_id=run.pk,
                data=dict(data),
            )
        ]
    )

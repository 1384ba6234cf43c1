"""Shapes of imports in the API."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from fairlead.common.rest import Answer, Body

from .models import ImportRow, ImportRun, SampleData
from .reading.problems import RowProblem

Column = Annotated[str, Field(max_length=200)]
Target = Annotated[str, Field(max_length=100)]


class UploadIn(Body):
    """The parts beside `content`. Blank `kind`: what the column titles say."""

    kind: Literal["", "opportunity", "account", "contact", "product", "person"] = ""
    process: Annotated[str, Field(pattern=r"^[a-z0-9_]{0,60}$")] = ""


class ColumnMeaning(Body):
    """`target` blank leaves the column out. `order` and `style` answer what a date or a number asks."""

    target: Target = ""
    order: Literal["dmy", "mdy"] | None = None
    style: Literal["point", "comma"] | None = None


class MappingIn(Body):
    columns: Annotated[dict[Column, ColumnMeaning], Field(max_length=200)]
    values: Annotated[
        dict[Target, dict[Annotated[str, Field(max_length=500)], Annotated[str, Field(max_length=500)]]],
        Field(max_length=100, description="By field: the words of the file and what they mean"),
    ] = {}
    save_as: Annotated[str, Field(max_length=100)] = ""


class ImportColumnOut(Answer):
    key: str
    title: str
    filled: int
    empty: int
    samples: list[str]
    type: str
    target: str
    asks_order: bool
    asks_style: bool


class ImportOut(Answer):
    """A file on its way in. `counts` and `findings` come with the check, before anything is written."""

    id: int
    kind: str
    state: str
    file_name: str
    file_bytes: int
    format: dict[str, Any]
    columns: list[ImportColumnOut]
    counts: dict[str, Any]
    findings: dict[str, Any]
    rows_total: int
    rows_done: int
    failure: str
    created_by: int | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    undone_at: datetime | None
    version: int


class RowProblemOut(Answer):
    column: int | None
    code: str
    severity: str
    message: str
    mend: str


class ImportRowOut(Answer):
    number: int
    action: str
    state: str
    target_type: str
    target_id: int | None
    problems: list[RowProblemOut]


def import_out(run: ImportRun) -> dict[str, Any]:
    return {
        "id": run.pk, "kind": run.kind, "state": run.state, "file_name": run.file_name, "file_bytes": run.file_bytes,
        "format": run.source_format, "columns": _columns(run), "counts": run.counts, "findings": run.findings,
        "rows_total": run.rows_total, "rows_done": run.rows_done, "failure": run.failure, "created_by": run.created_by_id,
        "created_at": run.created_at, "started_at": run.started_at, "finished_at": run.finished_at,
        "undone_at": run.undone_at, "version": run.version,
    }  # fmt: skip


def _columns(run: ImportRun) -> list[dict[str, Any]]:
    return [
        {
            "key": c["key"], "title": c["title"], "filled": c["filled"], "empty": c["empty"], "samples": c["samples"],
            "type": c["type"], "target": str((run.mapping.get(c["key"]) or {}).get("target") or ""),
            "asks_order": bool(c["asks_order"]), "asks_style": bool(c["asks_style"]),
        }
        for c in run.profile.get("columns", ())
    ]  # fmt: skip


def import_row_out(row: ImportRow) -> dict[str, Any]:
    found = [RowProblem.from_json(one) for one in row.problems]
    return {
        "number": row.number, "action": row.action, "state": row.state, "target_type": row.target_type,
        "target_id": row.target_id,
        "problems": [
            {
                "column": p.column, "code": p.code, "severity": str(p.severity), "message": p.message, "mend": p.mend,
            }
            for p in found
        ],
    }  # fmt: skip


class SampleDataOut(Answer):
    """`state`: none, loading, loaded, clearing, stopped. `removed` counts by kind what the last clearing took away,
    `kept` names the records that stayed because real ones need them."""

    state: str
    steps_done: int
    steps_total: int
    made: dict[str, int]
    removed: dict[str, int]
    kept: dict[str, list[int]]
    begun_by: int | None
    begun_at: datetime | None
    ended_at: datetime | None
    version: int


def sample_data_out(row: SampleData) -> dict[str, Any]:
    return {
        "state": row.state, "steps_done": row.steps_done, "steps_total": row.steps_total,
        "made": {kind: len(ids) for kind, ids in row.made.items()}, "removed": row.removed, "kept": row.kept,
        "begun_by": row.begun_by_id, "begun_at": row.begun_at, "ended_at": row.ended_at, "version": row.version,
    }  # fmt: skip

"""What the pages of an import show: plain values, in the words of whoever looks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from fairlead.crm.models import Account, Product
from fairlead.crm.services.values import value_of
from fairlead.exchange.enums import ImportKind, RowAction, RowState, RunState
from fairlead.exchange.models import ImportRow, ImportRun, MappingPreset
from fairlead.exchange.reading.formats import DELIMITERS, ENCODINGS, SourceFormat
from fairlead.exchange.reading.mends import ASKING, LABELS
from fairlead.exchange.reading.problems import WORDINGS, RowProblem, Severity
from fairlead.exchange.reading.values import plain_value
from fairlead.exchange.services.checking import look_up_column
from fairlead.exchange.services.finding import MODELS
from fairlead.exchange.services.lookups import Found, stage_entries
from fairlead.exchange.services.staging import definition_for
from fairlead.exchange.services.targets import Target, targets
from fairlead.fields.catalogue import catalogue, pick
from fairlead.organisation.models import Organisation, User
from fairlead.process.models import ProcessVersion

#: More entries than this are not listed in a choice; a word is then mapped by what it resembles.
LISTED: Final = 500
PREVIEWED: Final = 20


def file_view(run: ImportRun) -> dict[str, Any]:
    """Step 1: what the file was taken for, and its first rows."""
    fmt = SourceFormat.from_json(run.source_format)
    return {
        "format": fmt,
        "is_text": fmt.kind == "delimited",
        "encodings": list(ENCODINGS.items()),
        "delimiters": [(d, _delimiter(d)) for d in DELIMITERS],
        "encoding_name": ENCODINGS.get(fmt.encoding, fmt.encoding),
        "delimiter_name": _delimiter(fmt.delimiter),
        "columns": run.profile["columns"],
        "first_rows": run.profile["first_rows"],
        "sheet_options": [(name, name) for name in run.profile["sheets"]],
        "problems": [RowProblem.from_json(p) for p in run.profile["problems"]],
        "rows": run.profile["rows"],
    }


def _delimiter(sign: str) -> str:
    return {",": _("Comma"), ";": _("Semicolon"), "\t": _("Tab"), "|": _("Bar")}.get(sign, sign)


def confidence(how: Mapping[str, Any]) -> tuple[str, str]:
    """(state of the chip, words): how sure the suggestion for a column is."""
    if how.get("why") == "preset":
        return "ready", _("as last time")
    if not how.get("target"):
        return "planned", _("left out")
    sure = float(how.get("confidence") or 0)
    percent = f"{round(sure * 100)}%"
    return ("ready", percent) if sure >= 0.9 else ("due", percent)


def columns_view(run: ImportRun, *, by: Any) -> dict[str, Any]:
    """Step 2: each column with what it is taken for; the words that mean people, stages and records."""
    definition = definition_for(run.options)
    known = targets(run.kind, by=by, definition=definition)
    labels = {t.key: t.label for t in known}
    columns = []
    for seen in run.profile["columns"]:
        how = run.mapping.get(seen["key"], {})
        state, words = confidence(how)
        columns.append(
            {
                **seen,
                "target": how.get("target") or "",
                "chip": state,
                "chip_words": words,
                "order_chosen": how.get("order") or "",
                "style_chosen": how.get("style") or "",
            }
        )
    mapped = {c["target"] for c in columns if c["target"]}
    required = [
        {"label": t.label, "is_mapped": t.key in mapped, "key": t.key} for t in known if t.field.required
    ]
    if run.kind == ImportKind.OPPORTUNITY and "name" not in mapped and mapped & {"product", "account"}:
        composed = _("%(name)s: from product and account") % {"name": required[0]["label"]}
        required = [{"label": composed, "is_mapped": True, "key": "name"}]
    return {
        "columns": columns,
        "targets": [(t.key, t.label) for t in known],
        "labels": labels,
        "required": required,
        "words": [
            w
            for t in known
            if t.lookup and t.key in mapped
            if (w := words_view(run, t, by=by, definition=definition))
        ],
        "presets": list(
            MappingPreset.objects.visible_to(by).filter(kind=run.kind, fingerprint=run.profile["fingerprint"])
        ),
        "processes": [
            (v.process.key, pick(v.process.name))
            for v in ProcessVersion.objects.published()
            .select_related("process")
            .filter(process__subject_type="opportunity")
            .order_by("process__key")
        ],
        "process": definition.key if definition else "",
        "may_add_fields": by.may("fields.manage"),
        "asks": [c for c in columns if (c["asks_order"] or c["asks_style"]) and c["target"]],
    }


def words_view(run: ImportRun, target: Target, *, by: Any, definition: Any) -> dict[str, Any] | None:
    """The words of one column beside what they mean; None where they are all equal to a record here."""
    found, texts = look_up_column(run, target, by=by, definition=definition)
    if not texts:
        return None
    chosen = run.value_maps.get(target.key, {})
    always = target.lookup in ("stage", "state")
    rows = []
    for text, n in texts.most_common(200):
        key, is_sure = meaning(found, text)
        if always or not is_sure or text in chosen:
            rows.append({"text": text, "rows": n, "key": chosen.get(text, key or ""), "is_sure": is_sure})
    if not rows:
        return None
    return {
        "target": target.key,
        "label": target.label,
        "rows": rows,
        "choices": choices_for(target.lookup, by=by, definition=definition),
        "may_make": target.lookup == "account",
    }


def meaning(found: Found, text: str) -> tuple[str, bool]:
    """(key, whether the word is equal to the record); likely ones are proposed."""
    plain = plain_value(text)
    if plain in found.keys:
        return found.keys[plain], True
    offer = found.offers.get(plain)
    return (offer.key or "", False) if offer is not None and offer.confidence >= 0.85 else ("", False)


def choices_for(lookup: str, *, by: Any, definition: Any) -> list[tuple[str, str]]:
    """What a word may mean."""
    if lookup in ("stage", "state"):
        entries, _words, _names = stage_entries(definition)
        names = {f"stage:{s.key}": pick(s.name) for s in (definition.stages if definition else ())}
        names |= {
            "won": _("Won"),
            "lost": _("Lost"),
            "cancelled": _("Cancelled"),
            "on_hold": _("On hold"),
            "open": pgettext("a record", "Open"),
        }
        return [(e.key, names[e.key]) for e in entries]
    if lookup == "reason":
        return [(r.key, pick(r.name)) for r in (definition.lists.get("lost", ()) if definition else ())]
    if lookup == "person":
        return [
            (str(pk), name)
            for pk, name in User.objects.filter(is_active=True)
            .order_by("name_key")
            .values_list("pk", "name")[:LISTED]
        ]
    rows: Any = Product.objects.all() if lookup == "product" else Account.objects.visible_to(by)
    return [(str(pk), name) for pk, name in rows.order_by("name").values_list("pk", "name")[:LISTED]]


def check_view(run: ImportRun, *, by: Any) -> dict[str, Any]:
    """Step 3: counts, and problems by kind with their mends."""
    definition = definition_for(run.options)
    titles = [c["title"] or c["letter"] for c in run.profile["columns"]]
    groups = [_group(run, g, titles) for g in run.findings.get("problems", [])]
    known = {t.key: t for t in targets(run.kind, by=by, definition=definition)}
    unknown = []
    for key, offers in run.findings.get("unknown", {}).items():
        if key in known:
            lookup = known[key].lookup
            unknown.append(
                {
                    "target": key,
                    "label": known[key].label,
                    "offers": offers,
                    "may_make": lookup == "account",
                    "choices": choices_for(lookup, by=by, definition=definition),
                    "safe": sum(o["rows"] for o in offers if o["safe"]),
                }
            )
    return {
        "counts": counts_of(run),
        "groups": groups,
        "unknown": unknown,
        "errors": [g for g in groups if g["is_error"]],
        "notices": [g for g in groups if not g["is_error"]],
        "bad_rows": run.rows.filter(action=RowAction.ERROR).order_by("number")[:20],
        "writable": sum(run.counts.get(a, 0) for a in ("create", "update", "move")),
    }


def _group(run: ImportRun, group: Mapping[str, Any], titles: list[str]) -> dict[str, Any]:
    column = group["column"]
    problem = RowProblem(None, column, group["code"], group["params"])
    mend = problem.mend_code
    values = sorted(group.get("values", {}).items(), key=lambda pair: -pair[1])
    several = len(values) > 1
    return {
        **group,
        "is_error": problem.severity is not Severity.NOTICE,
        "message": problem.message,
        "mend_words": problem.mend,
        "mend": mend if mend and mend not in ("map-value", "map-owner") else "",
        "asks": mend in ASKING,
        "maps": mend in ("map-value", "map-owner"),
        "mend_label": str(LABELS[mend]) % _mend_params(run, group, mend) if mend else "",
        "title": titles[column] if column is not None and column < len(titles) else "",
        "values": values[:8],
        "several": several,
        "more": max(group["count"] - len(group["rows"]), 0),
    }


def _mend_params(run: ImportRun, group: Mapping[str, Any], mend: str) -> Mapping[str, Any]:
    found = next(
        (m for m in run.profile.get("mends", ()) if m["code"] == mend and m["column"] == group["column"]),
        None,
    )
    return {
        "example": group["params"].get("value", ""),
        "unit": "",
        "factor": "",
        **(found["params"] if found else {}),
    }


def counts_of(run: ImportRun) -> list[dict[str, Any]]:
    words = {
        "create": pgettext("import", "New"),
        "update": pgettext("import", "Update"),
        "move": pgettext("import", "Move"),
        "skip": pgettext("import", "Unchanged"),
        "error": _("With errors"),
    }
    return [{"key": k, "label": words[k], "count": run.counts.get(k, 0)} for k in words]


def preview_view(run: ImportRun, *, by: Any) -> dict[str, Any]:
    """Step 4: the first records as they will be, and those that are here beside what the file says."""
    rows = list(run.rows.waiting()[:PREVIEWED])
    names = _names(run, rows)
    shown = sorted({k for r in rows for k in r.values.get("fields", {})}, key=_order(run))[:8]
    labels = _labels(run)
    fresh = [r for r in rows if r.action == RowAction.CREATE]
    return {
        "labels": [labels.get(k, k) for k in shown],
        "fresh": [
            {
                "number": r.number,
                "cells": [
                    names.get((k, str(r.values["fields"].get(k))), r.values["fields"].get(k, ""))
                    for k in shown
                ],
                "path": _path(run, r),
                "owner": names.get(("owner", str(r.values.get("owner"))), ""),
            }
            for r in fresh
        ],
        "pairs": _pairs(run),
        "writable": sum(run.counts.get(a, 0) for a in ("create", "update", "move")),
        "counts": counts_of(run),
        "has_path": any(r.values.get("path") for r in fresh),
    }


def _order(run: ImportRun) -> Any:
    known = [t.key for t in targets(run.kind, by=None)]
    return lambda key: known.index(key) if key in known else len(known)


def _labels(run: ImportRun) -> dict[str, str]:
    return {t.key: t.label for t in targets(run.kind, by=None, definition=definition_for(run.options))}


def _names(run: ImportRun, rows: list[ImportRow]) -> dict[tuple[str, str], str]:
    """Names of people and records that the rows refer to."""
    found: dict[tuple[str, str], str] = {}
    for key, model in (
        ("account", Account),
        ("parent", Account),
        ("product", Product),
        ("owner", User),
        ("sr", User),
        ("fr", User),
    ):
        ids = {
            r.values.get("owner") if key == "owner" else r.values.get("fields", {}).get(key) for r in rows
        } - {None}
        found |= {
            (key, str(pk)): name
            for pk, name in model._default_manager.filter(pk__in=ids).values_list("pk", "name")
        }
    return found


def _path(run: ImportRun, row: ImportRow) -> str:
    path = row.values.get("path")
    definition = definition_for(run.options)
    if not path or definition is None:
        return ""
    names = {s.key: pick(s.name) for s in definition.stages}
    steps = [f"{names.get(k, k)} {_day(at) if known else '—'}" for k, at, known in path["steps"]]
    end = {"won": _("Won"), "lost": _("Lost"), "cancelled": _("Cancelled")}.get(path["state"])
    return " → ".join([*steps, *([f"{end} {_day(path['closed_at'])}"] if end else [])])


def _day(instant: str) -> str:
    return datetime.fromisoformat(instant).astimezone(Organisation.objects.current().tz).date().isoformat()


def _pairs(run: ImportRun) -> list[dict[str, Any]]:
    """Records that are here, side by side with the row that would change them."""
    rows = list(run.rows.waiting().exclude(action=RowAction.CREATE)[:PREVIEWED])
    if not rows:
        return []
    specs, labels = catalogue(run.kind), _labels(run)
    here = MODELS[run.kind].objects.in_bulk([r.target_id for r in rows])
    names = _names(run, rows)
    pairs = []
    for row in rows:
        record = here.get(row.target_id)
        if record is None:
            continue
        changes = [
            {
                "label": labels.get(k, k),
                "now": value_of(record, specs[k]),
                "then": names.get((k, str(row.values["fields"][k])), row.values["fields"][k]),
            }
            for k in row.values.get("changes", ())
        ]
        if row.values.get("reassign"):
            changes.append(
                {
                    "label": labels["owner"],
                    "now": record.owner,
                    "then": names.get(("owner", str(row.values["owner"])), ""),
                }
            )
        if row.action == RowAction.MOVE:
            changes.append(
                {"label": _("Stage"), "now": pick(record.journey.stage.name), "then": _path(run, row)}
            )
        pairs.append(
            {
                "number": row.number,
                "name": record.name,
                "changes": changes,
                "is_move": row.action == RowAction.MOVE,
            }
        )
    return pairs


def report_view(run: ImportRun, *, at: Any) -> dict[str, Any]:
    """Step 5: how far it is, and in the end what became of the rows."""
    done = run.counts.get("done", {})
    refused = list(run.rows.filter(state=RowState.FAILED).order_by("number")[:50])
    kept = list(run.rows.filter(state=RowState.KEPT).order_by("number")[:200])
    return {
        "share": round(100 * run.rows_done / run.rows_total) if run.rows_total else 0,
        "done": done,
        "refused": [told(r) for r in refused],
        "kept": [told(r) for r in kept],
        "seconds": (run.finished_at - run.started_at).total_seconds()
        if run.finished_at and run.started_at
        else None,
        "parts": list(run.parts.order_by("pk")),
        "is_working": run.state in (RunState.RUNNING, RunState.UNDOING, RunState.CHECKING),
    }


def told(row: ImportRow) -> dict[str, Any]:
    """A row with its last problem in words."""
    problems = [RowProblem.from_json(p) for p in row.problems if p["code"] in WORDINGS]
    last = problems[-1] if problems else None
    return {
        "number": row.number,
        "name": row.values.get("fields", {}).get("name", ""),
        "message": last.message if last else "",
        "mend": last.mend if last else "",
        "target_id": row.target_id,
        "target_type": row.target_type,
    }


def errors_table(run: ImportRun) -> tuple[list[str], Any]:
    """The rows with errors as they stand in the file, and why: to be mended there and brought again."""
    titles = [c["title"] or c["letter"] for c in run.profile["columns"]]
    rows = run.rows.filter(action=RowAction.ERROR) | run.rows.filter(state=RowState.FAILED)

    def lines() -> Any:
        for row in rows.order_by("number").iterator(chunk_size=500):
            problems = [RowProblem.from_json(p) for p in row.problems]
            why = "; ".join(
                f"{p.letter + ': ' if p.letter else ''}{p.message} {p.mend}"
                for p in problems
                if p.severity is not Severity.NOTICE
            )
            yield [row.number, *row.cells, why]

    return [_("Row"), *titles, _("Why")], lines()

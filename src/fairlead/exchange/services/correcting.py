"""Mends of a checked file: a meaning for a word, a repair of a column or of torn rows, one cell typed anew.

Each puts the file back to be checked; the file itself stays as it was brought.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from fairlead.common.refusals import Invalid, NotFound
from fairlead.common.text import clean_text
from fairlead.exchange.enums import RunState
from fairlead.exchange.models import ImportRun
from fairlead.exchange.reading.mends import LABELS, Mend

from .checking import begin_check
from .staging import CannotChange, get_run

ROW_MENDS: Final = frozenset({"fill-missing", "drop-surplus", "remove-nul"})
EDITS_KEPT: Final = 5_000


def _open(run_id: int, by: Any) -> ImportRun:
    found = get_run(run_id, by=by)
    run = ImportRun.objects.select_for_update(of=("self",)).get(pk=found.pk)
    if run.state not in (RunState.CHECKED, RunState.MAPPED):
        raise CannotChange(
            _("This import is %(state)s and cannot be changed.") % {"state": run.get_state_display()}
        )
    return run


@transaction.atomic
def map_value(
    run_id: int, *, target: str, choices: Mapping[str, str], by: Any, at: datetime, channel: str
) -> ImportRun:
    """Say what words of a column mean: text → key, "" for nothing, "+" to make the record. Checks again."""
    run = _open(run_id, by)
    if target not in {how.get("target") for how in run.mapping.values()}:
        raise NotFound
    run.value_maps = {**run.value_maps, target: {**run.value_maps.get(target, {}), **choices}}
    run.save(update_fields=["value_maps"])
    return begin_check(run.pk, by=by, at=at, channel=channel)


@transaction.atomic
def mend_column(
    run_id: int, *, column: int, code: str, params: Mapping[str, Any], by: Any, at: datetime, channel: str
) -> ImportRun:
    """Repair a column with one click, or answer what it asks (`order`, `style`). Checks again."""
    run = _open(run_id, by)
    if code not in LABELS or not 0 <= column < len(run.profile["columns"]):
        raise NotFound
    key = run.profile["columns"][column]["key"]
    how = dict(run.mapping[key])
    if code == "date-order":
        how["order"] = _one_of(params.get("order"), ("dmy", "mdy"))
    elif code == "number-style":
        how["style"] = _one_of(params.get("style"), ("point", "comma"))
    else:
        mends = [m for m in how.get("mends", ()) if m["code"] != code]
        proposed = next(
            (m for m in run.profile.get("mends", ()) if m["code"] == code and m["column"] == column), None
        )
        how["mends"] = [*mends, proposed or Mend(code, column).as_json()]
    run.mapping = {**run.mapping, key: how}
    run.save(update_fields=["mapping"])
    return begin_check(run.pk, by=by, at=at, channel=channel)


def _one_of(value: Any, known: tuple[str, ...]) -> str:
    if value not in known:
        raise Invalid.field("answer", _("Choose one of the list."))
    return str(value)


@transaction.atomic
def mend_rows(run_id: int, *, code: str, by: Any, at: datetime, channel: str) -> ImportRun:
    """Repair torn rows: fill what is missing as empty, drop what is too much, remove NUL. Checks again."""
    run = _open(run_id, by)
    if code not in ROW_MENDS:
        raise NotFound
    run.options = {**run.options, "row_mends": sorted({*run.options.get("row_mends", ()), code})}
    run.save(update_fields=["options"])
    return begin_check(run.pk, by=by, at=at, channel=channel)


@transaction.atomic
def edit_cell(
    run_id: int, *, row: int, cells: Mapping[int, str], by: Any, at: datetime, channel: str
) -> ImportRun:
    """Type cells of one row anew. Checks again."""
    run = _open(run_id, by)
    staged = run.rows.filter(number=row).first()
    if staged is None or any(not 0 <= c < len(staged.cells) for c in cells):
        raise NotFound
    if len(run.edits) >= EDITS_KEPT and str(row) not in run.edits:
        raise CannotChange(
            _("More than %(count)s rows were corrected here. Correct the file instead.")
            % {"count": EDITS_KEPT}
        )
    typed = {str(c): clean_text(text, limit=5000, multiline=True, field="cell") for c, text in cells.items()}
    run.edits = {**run.edits, str(row): {**run.edits.get(str(row), {}), **typed}}
    run.save(update_fields=["edits"])
    return begin_check(run.pk, by=by, at=at, channel=channel)

"""The whole file, row by row, before anything is written: what each row wants and what is wrong with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from fairlead.common import bulk, rows
from fairlead.crm.models import Product
from fairlead.exchange.enums import ImportKind, RowAction, RunState
from fairlead.exchange.fairness import Pace
from fairlead.exchange.models import ImportRow, ImportRun
from fairlead.exchange.reading import files
from fairlead.exchange.reading.formats import Row, SourceFormat
from fairlead.exchange.reading.problems import RowProblem, Severity
from fairlead.exchange.reading.values import plain_value
from fairlead.process.definition import Definition

from .finding import Draft, Finder
from .lookups import Found, look_up
from .plans import Column, Plan, columns_of_run, texts_of
from .staging import CannotChange, definition_for, get_run, path_of
from .targets import Target, required_missing, targets
from .working import ClaimLost, claim, clock, finish, still_mine

PAGE: Final = 400
ROWS_NAMED: Final = 20


class NotReady(CannotChange):
    """Something must be said before the file can be checked."""

    code = "import-not-ready"
    status = 422


@transaction.atomic
def begin_check(run_id: int, *, by: Any, at: datetime, channel: str) -> ImportRun:
    """Put a mapped run before the worker. Raises NotReady where a required field has no column."""
    run = get_run(run_id, by=by)
    run = ImportRun.objects.select_for_update(of=("self",)).get(pk=run.pk)
    if run.state not in (RunState.UPLOADED, RunState.MAPPED, RunState.CHECKED):
        raise CannotChange(
            _("This import is %(state)s and cannot be changed.") % {"state": run.get_state_display()}
        )
    mapped = {how.get("target") for how in run.mapping.values() if how.get("target")}
    missing = required_missing(run.kind, mapped, bool(run.options.get("compose_name")))
    if missing:
        names = {t.key: t.label for t in targets(run.kind, by=None)}
        raise NotReady(_("Map a column to: %(fields)s.") % {"fields": ", ".join(names[k] for k in missing)})
    run.state, run.rows_done, run.alive_at, run.failure = RunState.CHECKING, 0, at, ""
    run.version += 1
    run.save()
    return run


def check(run_id: int) -> None:
    """The job. Bears a second run: it starts from the file again. Writes the staging alone."""
    run = claim(run_id, state=RunState.CHECKING, at=clock())
    if run is None:
        return
    try:
        _clear(run)
        plan = make_plan(run)
        _check(run, plan)
    except ClaimLost:
        return


def _clear(run: ImportRun) -> None:
    while True:
        with transaction.atomic():
            still_mine(run, at=clock())
            ids = list(run.rows.order_by("pk").values_list("pk", flat=True)[:2000])
            if not ids:
                return
            rows.delete(ImportRow.objects.filter(pk__in=ids))


def make_plan(run: ImportRun) -> Plan:
    """Everything that reading a row needs, looked up once."""
    definition = definition_for(run.options) if run.kind == ImportKind.OPPORTUNITY else None
    columns = columns_of_run(run, targets(run.kind, by=run.created_by, definition=definition))
    texts = _texts(run, columns)
    for column in columns:
        if column.target.lookup:
            chosen = {plain_value(t): k for t, k in run.value_maps.get(column.target.key, {}).items()}
            column.found = look_up(
                column.target.lookup,
                texts[column.key],
                by=run.created_by,
                definition=definition,
                chosen=chosen,
            )
    _parents_in_file(run, columns)
    listed = Product.objects.exclude(list_price=None).values_list("pk", "list_price")
    prices = {pk: price for pk, price in listed if price is not None}
    return Plan(
        run.kind,
        columns,
        run.options,
        definition,
        run.as_of or clock(),
        prices,
        tuple(s.key for s in definition.stages) if definition else (),
    )


def look_up_column(
    run: ImportRun, target: Target, *, by: Any, definition: Definition | None
) -> tuple[Found, Counter[str]]:
    """What the words of the column that is mapped to `target` mean, with how often each occurs."""
    columns = [c for c in columns_of_run(run, [target]) if c.target.key == target.key]
    if not columns:
        return Found(), Counter()
    texts = _texts(run, columns)[columns[0].key]
    return look_up(target.lookup, texts, by=by, definition=definition, chosen={}), texts


def _texts(run: ImportRun, columns: Sequence[Column]) -> dict[str, Counter[str]]:
    """The distinct words of every column that means records; from the profile, or from the file again."""
    found: dict[str, Counter[str]] = {}
    unknown = []
    for column in columns:
        if column.target.lookup:
            texts = texts_of(run, column)
            if texts is None:
                unknown.append(column)
                texts = Counter()
            found[column.key] = texts
    if unknown:
        for row in _rows(run):
            for column in unknown:
                found[column.key][row.cells[column.index].strip()] += 1
    for edits in run.edits.values():  # words that were typed in the wizard
        for column in columns:
            if column.key in found and str(column.index) in edits:
                found[column.key][edits[str(column.index)]] += 1
    return found


def _parents_in_file(run: ImportRun, columns: Sequence[Column]) -> None:
    """A parent that comes in with the same file is no unknown record: `@` and its name stand for it."""
    parent = next((c for c in columns if c.target.key == "parent"), None)
    if run.kind != ImportKind.ACCOUNT or parent is None or parent.found is None:
        return
    sources = [c for c in columns if c.target.key in ("name", "external_id")]
    for row in _rows(run):
        for column in sources:
            plain = plain_value(row.cells[column.index])
            if plain and plain not in parent.found.keys:
                parent.found.keys[plain] = f"@{plain}"


def _rows(run: ImportRun) -> Iterator[Row]:
    """The rows of the file with the cells that were corrected in the wizard."""
    table = files.open_table(path_of(run), SourceFormat.from_json(run.source_format))
    for row in table.rows():
        edits = run.edits.get(str(row.number))
        if edits:
            cells = tuple(edits.get(str(i), cell) for i, cell in enumerate(row.cells))
            yield Row(
                row.number,
                cells,
                tuple(p for p in row.problems if p.column is None or str(p.column) not in edits),
            )
        else:
            yield row


def _check(run: ImportRun, plan: Plan) -> None:
    finder, tally, pace = Finder(plan, run.created_by), Tally(), Pace(most=PAGE)
    ranks = _Ranks()
    rows, done = _rows(run), 0
    while page := list(islice(rows, min(PAGE, max(pace.rows * 4, 100)))):
        drafts = []
        for row in page:
            values, problems = plan.read(row.number, row.cells, row.problems)
            drafts.append(Draft(row.number, row.cells, values, problems))
        finder.decide(drafts)
        ranks.learn(drafts)
        tally.add(drafts)
        done += len(drafts)
        with pace.turn(), transaction.atomic():
            still_mine(run, at=clock(), rows_done=done, rows_total=max(done, run.rows_total))
            bulk.insert([_staged(run, d) for d in drafts])
        pace.wrote(len(drafts))
    with transaction.atomic():
        still_mine(run, at=clock())
        ranks.store(run)
        finish(
            run,
            RunState.CHECKED,
            at=clock(),
            rows_total=done,
            rows_done=done,
            counts=tally.counts(),
            findings={
                "problems": tally.groups(),
                "unknown": _unknown(plan),
                "columns": [c.title for c in plan.columns],
            },
        )


def _staged(run: ImportRun, draft: Draft) -> ImportRow:
    return ImportRow(
        run_id=run.pk,
        number=draft.number,
        cells=list(draft.cells),
        values=draft.values,
        action=draft.action,
        problems=[p.as_json() for p in draft.problems],
        target_id=draft.target_id,
        target_type=run.kind if draft.target_id else "",
    )


class _Ranks:
    """Accounts whose parent is in the same file come after it."""

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}
        self.parents: dict[int, str] = {}

    def learn(self, drafts: Sequence[Draft]) -> None:
        for d in drafts:
            fields = d.values["fields"]
            for word in (fields.get("name"), d.values.get("external_id")):
                if word:
                    self.rows.setdefault(plain_value(str(word)), d.number)
            parent = d.values.get("parent_in_file")
            if parent:
                self.parents[d.number] = parent

    def store(self, run: ImportRun) -> None:
        if not self.parents:
            return
        rows = list(run.rows.filter(number__in=self.parents))
        for row in rows:
            chain, at = [row.number], self.rows.get(self.parents[row.number])
            row.values["parent_row"] = at
            while at is not None and at not in chain and len(chain) < 30:
                chain.append(at)
                at = self.rows.get(self.parents.get(at, ""))
            row.rank = len(chain) - 1
        bulk.update(rows, ["values", "rank"])


class Tally:
    """Counts by action, problems by kind and column."""

    def __init__(self) -> None:
        self.actions: Counter[str] = Counter()
        self.found: dict[tuple[str, int | None], dict[str, Any]] = {}
        self.noticed = 0

    def add(self, drafts: Sequence[Draft]) -> None:
        for d in drafts:
            self.actions[str(d.action)] += 1
            if d.problems and not d.is_bad:
                self.noticed += 1
            for p in d.problems:
                self.add_problem(p)

    def add_problem(self, p: RowProblem) -> None:
        group = self.found.setdefault(
            (p.code, p.column),
            {
                "code": p.code,
                "column": p.column,
                "count": 0,
                "rows": [],
                "params": dict(p.params),
                "values": {},
            },
        )
        group["count"] += 1
        if len(group["rows"]) < ROWS_NAMED and p.row is not None:
            group["rows"].append(p.row)
        if (value := p.params.get("value")) is not None and (
            value in group["values"] or len(group["values"]) < 200
        ):
            group["values"][value] = group["values"].get(value, 0) + 1

    def counts(self) -> dict[str, int]:
        errors = self.actions[RowAction.ERROR]
        return {**{str(a): self.actions[a] for a in RowAction}, "error": errors, "noticed": self.noticed}

    def groups(self) -> list[dict[str, Any]]:
        return sorted(
            self.found.values(),
            key=lambda g: (
                RowProblem(None, None, g["code"], g["params"]).severity is Severity.NOTICE,
                -g["count"],
            ),
        )


def _unknown(plan: Plan) -> dict[str, Any]:
    """For each column that means records: the words that nobody knows, with what they may mean."""
    found: dict[str, Any] = {}
    for column in plan.columns:
        if column.found is None:
            continue
        offers = [
            _offer(text, o, column.found)
            for text, o in column.found.offers.items()
            if text not in column.found.keys
        ]
        if offers:
            found[column.target.key] = sorted(offers, key=lambda o: -o["rows"])[:200]
    return found


def _offer(_plain: str, offer: Any, found: Found) -> Mapping[str, Any]:
    return {
        "text": offer.text,
        "rows": offer.rows,
        "key": offer.key,
        "name": found.names.get(offer.key or "", ""),
        "confidence": offer.confidence,
        "safe": offer.is_safe,
        "reason": str(offer.reason),
        "others": [[key, found.names.get(key, key)] for key, _score in offer.alternatives],
    }

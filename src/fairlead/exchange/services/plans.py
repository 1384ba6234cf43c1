"""How the cells of a run are read: each column as its field, words as records, dates as a path."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from fairlead.exchange.enums import ImportKind
from fairlead.exchange.models import ImportRun
from fairlead.exchange.reading.mends import Mend, apply
from fairlead.exchange.reading.placeholders import is_placeholder
from fairlead.exchange.reading.problems import RowProblem, Severity, shown
from fairlead.exchange.reading.reading import Outcome
from fairlead.exchange.reading.values import DateOrder, NumberStyle, ReadAs, plain_value, read_cell
from fairlead.fields.enums import NUMERIC, FieldType
from fairlead.fields.values import to_json
from fairlead.journal.enums import Fidelity
from fairlead.organisation.models import Organisation
from fairlead.process.definition import Definition

from .history import CLOSED, end_of, history_of, past_of
from .lookups import MAKE, Found
from .targets import ENTERED, Target

_CACHED: Final = 20_000
_LARGEST: Final = {FieldType.PERCENT: Decimal(10_000), FieldType.INTEGER: Decimal(2**31)}
_NOT_NEGATIVE: Final = frozenset({"amount", "employees", "list_price"})
_UNKNOWN: Final = {"person": "unknown-person", "stage": "unknown-stage", "state": "unknown-stage"}
TIMES: Final = frozenset(
    {"stage", "state", "opened_at", "closed_at", "stage_entered_at", "lost_reason", "history"}
)


@dataclass(slots=True)
class Column:
    index: int
    key: str
    title: str
    target: Target
    how: ReadAs
    mends: tuple[Mend, ...]
    found: Found | None = None
    seen: dict[str, tuple[Any, RowProblem | None]] = field(default_factory=dict)


@dataclass(slots=True)
class Plan:
    """`now` is the instant that counts as now."""

    kind: str
    columns: list[Column]
    options: Mapping[str, Any]
    definition: Definition | None
    now: datetime
    prices: Mapping[int, Decimal] = field(default_factory=dict)
    stages: tuple[str, ...] = ()

    @property
    def row_mends(self) -> frozenset[str]:
        return frozenset(self.options.get("row_mends", ()))

    @property
    def has_path(self) -> bool:
        """Whether the file says anything about stages, states or dates of the sale."""
        return any(c.target.key in TIMES or c.target.key.startswith(ENTERED) for c in self.columns)

    @property
    def has_dates(self) -> bool:
        return any(
            c.target.key in ("stage_entered_at", "history") or c.target.key.startswith(ENTERED)
            for c in self.columns
        )

    @property
    def mapped(self) -> set[str]:
        return {c.target.key for c in self.columns}

    # --- one row ---

    def read(
        self, number: int, cells: Sequence[str], file_problems: Sequence[RowProblem]
    ) -> tuple[dict[str, Any], list[RowProblem]]:
        """What a row wants, and what is wrong with it."""
        mends = self.row_mends
        problems = [p for p in file_problems if p.mend_code not in mends or not p.mend_code]
        got: dict[str, Any] = {}
        for column in self.columns:
            value, problem = self._cell(column, cells[column.index])
            if problem is not None:
                problems.append(replace(problem, row=number, column=column.index))
            if value is not None:
                got[column.target.key] = value
        values = self._sorted(got, cells)
        self._required(number, values, problems)
        if self.kind == ImportKind.OPPORTUNITY:
            self._deal(number, got, values, problems)
        return values, problems

    def _cell(self, column: Column, text: str) -> tuple[Any, RowProblem | None]:
        known = column.seen.get(text)
        if known is None:
            known = self._read(column, text)
            if len(column.seen) < _CACHED:
                column.seen[text] = known
        return known

    def _read(self, column: Column, text: str) -> tuple[Any, RowProblem | None]:
        for mend in column.mends:
            text = apply(mend, text)
        if column.found is not None:
            return self._word(column, text)
        reading = read_cell(text, column.how)
        problem = reading.problem(None, None)
        if reading.outcome is not Outcome.VALUE:
            return None, problem
        value: Any = reading.value
        spec_type = column.target.field.type
        if spec_type in NUMERIC:
            number = Decimal(str(value))
            if abs(number) >= _LARGEST.get(spec_type, Decimal("1e16")) or (
                number < 0 and column.target.key in _NOT_NEGATIVE
            ):
                code = "number-too-large" if number >= 0 else "not-a-number"
                return None, RowProblem(None, None, code, {"value": shown(text)})
        if isinstance(value, str):
            value = value.strip()
        return (list(value) if isinstance(value, tuple) else value), problem

    def _word(self, column: Column, text: str) -> tuple[Any, RowProblem | None]:
        found = column.found
        assert found is not None
        plain = plain_value(text)
        if not plain or (set(text) <= {"0", "A"} and len(text) == 18):  # Salesforce's way to say “none”
            return None, None
        key = found.keys.get(plain)
        if key is not None:
            return (text.strip(), None) if key == MAKE else (key or None, None)
        if is_placeholder(text):
            return None, None
        code = _UNKNOWN.get(column.target.lookup, "unknown-record")
        params: dict[str, Any] = {"value": shown(text)}
        return None, RowProblem(None, None, code, params)

    # --- what the cells mean together ---

    def _sorted(self, got: dict[str, Any], cells: Sequence[str]) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        values: dict[str, Any] = {"fields": fields}
        for column in self.columns:
            key = column.target.key
            if key not in got:
                continue
            value = got[key]
            if key == "owner":
                values["owner"] = int(value)
            elif key == "external_id":
                values["external_id"] = str(value)[:100]
            elif column.target.spec is None and self.kind in (
                ImportKind.OPPORTUNITY,
                ImportKind.ACCOUNT,
                ImportKind.CONTACT,
            ):
                continue
            elif (
                column.target.lookup in ("account", "product", "segment", "person")
                and column.target.spec is not None
            ):
                plain = plain_value(cells[column.index])
                if column.found is not None and column.found.keys.get(plain) == MAKE:
                    values.setdefault("make", {})[key] = value
                elif str(value).startswith("@"):
                    values["parent_in_file"] = str(value)[1:]
                else:
                    fields[key] = int(value)
            else:
                fields[key] = to_json(value)
        for key, value in self.options.get("constants", {}).items():
            fields.setdefault(key, value)
        if self.kind == ImportKind.CONTACT and "name" not in fields:
            name = " ".join(str(got[k]) for k in ("first_name", "last_name") if got.get(k))
            if name:
                fields["name"] = name
        return values

    def _required(self, number: int, values: dict[str, Any], problems: list[RowProblem]) -> None:
        fields = values["fields"]
        if self.options.get("compose_name") and not fields.get("name"):
            fields["name"] = self._composed(values)
        bad = {p.column for p in problems if p.severity is not Severity.NOTICE}
        for column in self.columns:
            if column.target.field.required and column.target.key not in fields and column.index not in bad:
                if column.target.key in values.get("make", {}):
                    continue
                problems.append(RowProblem(number, column.index, "value-missing", {"title": column.title}))

    def _composed(self, values: dict[str, Any]) -> str:
        parts = []
        for key in self.options["compose_name"]:
            column = next((c for c in self.columns if c.target.key == key), None)
            raw = values["fields"].get(key, values.get("make", {}).get(key))
            if raw is None or column is None:
                continue
            parts.append(column.found.names.get(str(raw), str(raw)) if column.found else str(raw))
        if len(parts) < 2 and values.get("external_id"):
            parts.append(values["external_id"])
        return " · ".join(parts)[:200]

    def _deal(
        self, number: int, got: dict[str, Any], values: dict[str, Any], problems: list[RowProblem]
    ) -> None:
        fields, has_account = (
            values["fields"],
            "account" in values["fields"] or "account" in values.get("make", {}),
        )
        if not has_account and "account" in self.mapped:
            values["incomplete"] = True
            if not any(p.code == "unknown-record" for p in problems):
                problems.append(RowProblem(number, None, "no-account"))
        state = self._path(number, got, values, problems)
        price = self.prices.get(fields.get("product", 0))
        if (
            self.options.get("amount_from_price")
            and "amount" not in fields
            and state not in CLOSED
            and price is not None
        ):
            fields["amount"] = str(price)
            values["derived"] = ["amount"]
            problems.append(RowProblem(number, None, "amount-from-price"))

    def _path(
        self, number: int, got: dict[str, Any], values: dict[str, Any], problems: list[RowProblem]
    ) -> str:
        if not self.has_path or not self.stages:
            return ""
        words = [str(got[k]) for k in ("stage", "state") if k in got]
        current = next((w.removeprefix("stage:") for w in words if w.startswith("stage:")), "")
        state = next((w for w in words if w in CLOSED or w == "on_hold"), "")
        stated = bool(words)
        closed_at = got.get("closed_at")
        dated = {k.removeprefix(ENTERED): v for k, v in got.items() if k.startswith(ENTERED)}
        for at in (
            *dated.values(),
            got.get("stage_entered_at"),
            got.get("opened_at"),
            closed_at if state in CLOSED else None,
        ):
            if at is not None and at > self.now:
                problems.append(RowProblem(number, None, "in-future", {"day": _day(at)}))
                return state
        history = str(got.get("history") or "")
        if history and closed_at is None and state in CLOSED:
            closed_at = end_of(history)
        past = past_of(
            stages=self.stages,
            current=current,
            state=state,
            dated=dated,
            opened_at=got.get("opened_at"),
            entered_at=got.get("stage_entered_at"),
            closed_at=closed_at,
            now=self.now,
            closed_from=str(self.options.get("closed_from") or ""),
            has_dates=self.has_dates,
        )
        if history:
            past = history_of(history, self.stages, current, state) or replace(
                past, fidelity=str(Fidelity.FINAL_ONLY)
            )
        if past.closed_at is not None and past.closed_at < max(at for _key, at, _known in past.steps):
            problems.append(
                RowProblem(
                    number,
                    None,
                    "ends-before-start",
                    {"end": _day(past.closed_at), "start": _day(max(at for _k, at, _kn in past.steps))},
                )
            )
            return state
        if state not in CLOSED:
            if closed_at is not None and "expected_close_date" not in values["fields"]:
                values["fields"]["expected_close_date"] = (
                    closed_at.astimezone(Organisation.objects.current().tz).date().isoformat()
                )
                values.setdefault("derived", []).append("expected_close_date")
            if not past.steps[-1][2] and self.has_dates:
                problems.append(RowProblem(number, None, "stage-undated"))
        values["path"] = {
            "steps": [[key, at.isoformat(), known] for key, at, known in past.steps],
            "opened_at": past.opened_at.isoformat(),
            "closed_at": past.closed_at.isoformat() if past.closed_at else None,
            "fidelity": past.fidelity,
            "state": state,
            "stage": current or (past.steps[-1][0] if state not in CLOSED else ""),
            "stated": stated,
            "reason": str(got.get("lost_reason") or ""),
        }
        return state


def _day(at: datetime) -> str:
    return at.astimezone(Organisation.objects.current().tz).date().isoformat()


def columns_of_run(run: ImportRun, targets: Sequence[Target]) -> list[Column]:
    """The mapped columns, each with the way in which its cells are read."""
    by_key = {t.key: t for t in targets}
    tz = Organisation.objects.current().tz
    found = []
    for index, seen in enumerate(run.profile["columns"]):
        how = run.mapping.get(seen["key"], {})
        target = by_key.get(how.get("target") or "")
        if target is None:
            continue
        order, style = how.get("order") or seen["order"], how.get("style") or seen["style"]
        spec = target.spec
        read_as = ReadAs(
            type=target.field.type,
            order=DateOrder(order) if order else None,
            style=NumberStyle(style) if style else None,
            tz=tz,
            choices={o.value: tuple(o.label.values()) for o in spec.options} if spec else {},
            value_map={plain_value(t): k for t, k in run.value_maps.get(target.key, {}).items()}
            if not target.lookup
            else {},
            max_length=spec.max_length if spec else 200,
            keep_placeholders=False,
        )
        mends = [Mend.from_json(m) for m in how.get("mends", ())]
        if "remove-nul" in run.options.get("row_mends", ()):
            mends.insert(0, Mend("remove-nul", index))
        found.append(Column(index, seen["key"], seen["title"] or seen["key"], target, read_as, tuple(mends)))
    return found


def texts_of(run: ImportRun, column: Column) -> Counter[str] | None:
    """The distinct texts of a column as the profile kept them; None: there are too many, read the file."""
    values = run.profile["columns"][column.index]["values"]
    if values is None:
        return None
    return Counter({_mended(column, text): n for text, n in values})


def _mended(column: Column, text: str) -> str:
    for mend in column.mends:
        text = apply(mend, text)
    return text

"""The rows of a list as they stand on the page. Plain values in, marked-up rows out: each column is worked out
once, and so is each of its cells: rows with the same values share it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from html import escape
from operator import itemgetter
from typing import Any

from django.template import engines
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from markupsafe import Markup

from fairlead.common.money import format_amount
from fairlead.common.questions import Question
from fairlead.common.records import RecordType
from fairlead.fields.catalogue import FieldSpec, pick
from fairlead.fields.enums import NUMERIC, REFERENCE, FieldType
from fairlead.fields.values import from_json
from fairlead.process.enums import JourneyState

from ..lists import ListPage
from ..selectors.references import Names, names_of, target_of, text_of
from ..wording import Chip, words_on

MARK = 987654321  # stands for an id while an address is worked out once for all rows
#: References of which the name is read together with the row, by the field that holds them.
_NAMED = {"owner_id": "owner__name", "account_id": "account__name", "opportunity_id": "opportunity__name"}
_NEXT = tuple(f"journey__{name}" for name in ("state", "next_step_at", "next_step_kind", "next_step_text"))
_GATE = tuple(
    f"journey__{name}" for name in ("state", "gate_state", "gate_missing", "gate_waived", "gate_flags")
)

Row = Sequence[Any]
Inner = Callable[[Row], str]  # what stands inside a cell; empty where there is nothing to say
Column = Callable[[Sequence[Row]], list[str]]  # its cells from top to bottom


def drawn_rows(
    found: ListPage, ids: Sequence[int], record: RecordType, *, boxes: str = "", ticked: bool = False
) -> Markup:
    """The rows of these ids in their order, each a `<tr>` on a line; `boxes`: id of the form that may choose them."""
    return _Rows(found, record, boxes, ticked).drawn(ids) if ids else Markup()


@lru_cache(maxsize=64)
def _values_of(model: Any, paths: tuple[str, ...]) -> Question[Row]:
    return Question(lambda ids: model.objects.filter(pk__in=ids).values_list(*paths), lists=("ids",))


class _Rows:
    """The columns of one answer: which values they need, and how each becomes a cell."""

    def __init__(self, found: ListPage, record: RecordType, boxes: str = "", ticked: bool = False) -> None:
        self.found, self.words, self.yes = found, words_on(timezone.localdate(found.at)), _("yes")
        self.language = get_language()
        self.zone = timezone.get_current_timezone()
        self.names: Names = {}
        self.ids: list[int] = []
        self.paths: list[str] = ["pk"]
        self.record = _address(record.url(MARK))
        self.targets = _targets()
        self.has_currency = any(f.name == "currency" for f in found.model._meta.concrete_fields)
        self.values: dict[str, Callable[[Row], Any]] = {}
        self.read: set[int] = set()  # places that the cells of the column in hand are made of
        self.columns = [self._column(spec, i == 0) for i, spec in enumerate(found.columns)]
        if boxes:
            self.columns.insert(0, self._box(boxes, ticked))

    def drawn(self, ids: Sequence[int]) -> Markup:
        self.ids = list(ids)
        rows = {row[0]: row for row in _values_of(self.found.model, tuple(self.paths))(ids)}
        ordered = [rows[pk] for pk in ids if pk in rows]
        self.names = names_of(
            (
                (spec, self.values[spec.key](row))
                for spec in self.found.columns
                if spec.type in REFERENCE and (spec.path or spec.key) not in _NAMED
                for row in ordered
            ),
            reader=self.found.user,
        )
        columns = [column(ordered) for column in self.columns]
        lines = [f"<tr>{''.join(cells)}</tr>\n" for cells in zip(*columns, strict=True)]
        return Markup("".join(lines))  # noqa: S704 - each cell escapes what it is made of

    def _at(self, path: str) -> int:
        """The place of a value in a row; asked for once."""
        if path not in self.paths:
            self.paths.append(path)
        at = self.paths.index(path)
        self.read.add(at)
        return at

    # --- cells ---

    def _column(self, spec: FieldSpec, is_first: bool) -> Column:
        """Rows with the same values have the same cell. Not where it holds the id, as the first one and what is
        worked out do; and what is read as a list or a table of values is no key."""
        self.read = set()
        cell = self._cell(spec, is_first)
        holds_id = is_first or spec.key in self.found.kind.worked_out
        if holds_id or spec.custom or spec.type == FieldType.MULTI_CHOICE:
            return lambda rows: [cell(row) for row in rows]
        values = itemgetter(*sorted(self.read))

        def cells(rows: Sequence[Row]) -> list[str]:
            drawn: dict[Any, str] = {}
            found = []
            for row in rows:
                key = values(row)
                if key not in drawn:
                    drawn[key] = cell(row)
                found.append(drawn[key])
            return found

        return cells

    def _box(self, form: str, ticked: bool) -> Column:
        """The box that chooses a row, named after it."""
        text = self._text(self.found.columns[0])
        before = (
            f'<td class="crm-pick"><label><input type="checkbox" name="id" form="{form}"'
            f'{" checked" if ticked else ""} value="'
        )
        said = escape(_("Choose %(name)s"))
        return lambda rows: [
            f'{before}{row[0]}" aria-label="{said % {"name": escape(text(row)) or row[0]}}"></label></td>'
            for row in rows
        ]

    def _cell(self, spec: FieldSpec, is_first: bool) -> Callable[[Row], str]:
        inner = self._first(spec) if is_first else self._inner(spec)
        number = ' class="num"' if spec.type in NUMERIC else ""
        if is_first:
            return lambda row: f'<th scope="row"{number}>{inner(row)}</th>'
        label, bare = f' data-label="{escape(self.found.names[spec.key])}"', f"<td{number}></td>"
        return lambda row: f"<td{number}{label}>{text}</td>" if (text := inner(row)) else bare

    def _first(self, spec: FieldSpec) -> Inner:
        """The first cell of a row leads to its record."""
        if spec.path.startswith("journey__"):
            return self._inner(spec)
        text, (before, after) = self._text(spec), self.record
        sample = self._at("is_sample")
        word = escape(_("Sample data"))
        tag = f' <span class="fl-tag fl-sample">{word}</span>'

        def link(row: Row) -> str:
            named = f'<a href="{before}{row[0]}{after}">{escape(text(row)) or f"#{row[0]}"}</a>'
            return named + tag if row[sample] else named

        return link

    def _inner(self, spec: FieldSpec) -> Inner:
        if spec.path.startswith("journey__") and spec.key in ("stage", "next_step", "gate"):
            return {"stage": self._stage, "next_step": self._next_step, "gate": self._gate}[spec.key]()
        text = self._text(spec)
        if spec.key in self.found.kind.worked_out:
            return self._with_reason(spec, text)
        if spec.type not in REFERENCE or target_of(spec) not in self.targets:
            return lambda row: escape(text(row))
        (before, after), value = self.targets[target_of(spec)], self.values[spec.key]

        def link(row: Row) -> str:
            name = escape(text(row))
            return name if name in ("", "—") else f'<a href="{before}{value(row)}{after}">{name}</a>'

        return link

    def _stage(self) -> Inner:
        at = self._at("journey__stage__name")
        self.read = {self._at("journey__stage")}  # the name is a table of words, which is no key
        return lambda row: escape(pick(row[at], self.language)) if row[at] else ""

    def _next_step(self) -> Inner:
        state, when, kind, text = map(self._at, _NEXT)

        def inner(row: Row) -> str:
            if row[state] != JourneyState.OPEN:
                return ""
            return _chip(self.words.next_step(row[when], row[kind], row[text]))

        return inner

    def _with_reason(self, spec: FieldSpec, text: Callable[[Row], str]) -> Inner:
        """What was worked out leads to how: the tab of its name on the record."""
        before, after = self.record
        return lambda row: f'<a href="{before}{row[0]}{after}?tab={spec.key}">{escape(text(row))}</a>'

    def _gate(self) -> Inner:
        state, *parts = map(self._at, _GATE)
        others = {value: escape(str(label)) for value, label in JourneyState.choices}

        def inner(row: Row) -> str:
            if row[state] != JourneyState.OPEN:
                return others.get(row[state] or "", "")
            return _gate_chip(self.words.gate(*(row[part] for part in parts)))

        return inner

    # --- values in words ---

    def _value(self, spec: FieldSpec) -> Callable[[Row], Any]:
        if spec.key in self.found.kind.worked_out:
            return lambda row: self.found.worked_out(spec.key, self.ids)[row[0]]
        if spec.custom:
            at = self._at("custom")
            return lambda row: from_json(spec, (row[at] or {}).get(spec.key))
        at = self._at(spec.path or spec.key)
        return lambda row: row[at]

    def _text(self, spec: FieldSpec) -> Callable[[Row], str]:
        value = self.values[spec.key] = self._value(spec)
        if not spec.custom and (path := _NAMED.get(spec.path or spec.key)):
            at = self._at(path)
            return lambda row: row[at] or ""
        in_words = self._in_words(spec)

        def text(row: Row) -> str:
            found = value(row)
            return "" if found is None or found == "" else in_words(row, found)

        return text

    def _in_words(self, spec: FieldSpec) -> Callable[[Row, Any], str]:
        words = self.words
        if spec.type == FieldType.MONEY:
            at = self._at("currency") if self.has_currency else -1
            return lambda row, value: (
                format_amount(value, row[at] if at >= 0 and row[at] else "CNY")
                if isinstance(value, Decimal)
                else text_of(spec, value, self.names)
            )
        if spec.type == FieldType.DATE:
            return lambda row, value: words.short_date(value)
        if spec.type == FieldType.DATETIME:
            return lambda row, value: (
                words.short_date(value.astimezone(self.zone).date())
                if isinstance(value, datetime)
                else text_of(spec, value, self.names)
            )
        if spec.type == FieldType.BOOLEAN:
            return lambda row, value: self.yes if value else ""
        if spec.type in (FieldType.TEXT, FieldType.EMAIL, FieldType.PHONE):
            return lambda row, value: str(value)
        return lambda row, value: text_of(spec, value, self.names)


@lru_cache(maxsize=1)
def _targets() -> dict[str, tuple[str, str]]:
    kinds = ("account", "opportunity", "contact", "segment")
    return {kind: _address(reverse(f"crm:{kind}", args=[MARK])) for kind in kinds}


def _address(url: str) -> tuple[str, str]:
    """What stands before and after the id in an address."""
    before, _mark, after = escape(url).partition(str(MARK))
    return before, after


def _parts() -> Any:
    return engines["jinja2"].get_template("common/components/basics.html").template.module  # type: ignore[attr-defined]


@lru_cache(maxsize=2048)
def _chip(chip: Chip) -> str:
    """Drawn by the macro of all pages; the same words stand on many rows."""
    return str(_parts().chip(chip.text, chip.state, chip.icon))


@lru_cache(maxsize=256)
def _gate_chip(chip: Chip) -> str:
    return str(_parts().gate_chip(chip.state, chip.text))

"""One machinery for every list: columns and conditions from the field catalogue, named sorts, pages, export.

The address is the state: `?q=…&filter={"all":[…]}&sort=-amount&page=2`. A field that the reader may not read
is answered like one that is not there. Sorting is by indexed names only and ends in the key, so that pages
never overlap; what is empty comes last on both engines, without giving up the index.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, BinaryIO, cast

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from fairlead.common.refusals import Invalid
from fairlead.common.text import matches
from fairlead.fields.catalogue import Catalogue, FieldSpec, catalogue
from fairlead.fields.conditions import (
    PLAIN_LOOKUPS,
    Compiled,
    ConditionError,
    Leaf,
    Node,
    compile_tree,
    fields_of,
    holds,
    narrowed,
    words,
)
from fairlead.fields.enums import REFERENCE, FieldType, Operator

PER_PAGE = 50
LOOK_LIMIT = 1_000  # records for which is worked out what no column holds
COUNT_LIMIT = 1_000  # counted exactly up to here; beyond it a filter helps more than a number
EXPORT_LIMIT = 50_000
MOST_COLUMNS = 20
MAX_FILTER = 8_000  # characters
MAX_ID = 2**63 - 1
_ID = FieldSpec(key="id", type=FieldType.INTEGER, label={}, path="pk")

WorkedOut = Callable[[Sequence[int], Any, datetime], Mapping[int, Any]]  # ids, reader, instant → values
CsvWriter = Callable[[Sequence[str], Iterator[Sequence[Any]]], Iterator[bytes]]
#: file, titles, rows, name of the sheet, and what a second sheet says once the number of rows is known
Notes = Callable[[int], tuple[str, Sequence[tuple[str, Any]]]]
XlsxWriter = Callable[[BinaryIO, Sequence[str], Iterator[Sequence[Any]], str, Notes], None]


@dataclass(frozen=True, slots=True)
class Sort:
    """A named sort: the column that an index covers; `nullable` ones put empty rows last."""

    path: str
    nullable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ListKind:
    """A list of one kind of record. `more`: fields of its journey, which lists know and forms do not."""

    kind: str
    rows: Callable[[Any], QuerySet[Any]]
    columns: tuple[str, ...]  # what is shown at first
    sorts: Mapping[str, Sort]
    default_sort: str
    page: str  # name of the address
    more: Callable[[], Sequence[FieldSpec]] = lambda: ()
    search: str = "search_key"
    worked_out: Mapping[str, WorkedOut] = field(default_factory=dict)  # fields that no column holds


_kinds: dict[str, ListKind] = {}
_writers: dict[str, CsvWriter | XlsxWriter] = {}


def register(kind: ListKind) -> None:
    _kinds[kind.kind] = kind


def kind_of(name: str) -> ListKind:
    return _kinds[name]


def has_kind(name: str) -> bool:
    return name in _kinds


def connect_files(*, csv: CsvWriter, xlsx: XlsxWriter) -> None:
    """The room that writes files says how a table becomes one; until then a list offers no export."""
    _writers.update(csv=csv, xlsx=xlsx)


def csv_writer() -> CsvWriter | None:
    return cast("CsvWriter | None", _writers.get("csv"))


def xlsx_writer() -> XlsxWriter | None:
    return cast("XlsxWriter | None", _writers.get("xlsx"))


@lru_cache(maxsize=512)
def _pair(key: str, value: str) -> str:
    """A list says the same few things in thirty addresses."""
    return urlencode({key: value})


class BadList(Invalid):
    """An address that no list understands. Unknown and forbidden look the same."""

    code = "bad-list"
    status = 400


@dataclass(slots=True)
class Chip:
    """One condition as a sentence, and the address without it."""

    text: str
    remove_url: str


@dataclass
class ListPage:
    """A list as asked for. Nothing is read before `ids` or `page` (a page of ids) is used."""

    kind: ListKind
    user: Any
    at: datetime
    url: str
    text: str = ""
    tree: Mapping[str, Any] | None = None
    sort: str = ""
    number: int = 1
    columns: list[FieldSpec] = field(default_factory=list)
    fields: Catalogue = field(default_factory=lambda: Catalogue("", ()))
    compiled: Compiled | None = None
    view_id: int | None = None  # the saved view that this began with
    opens_with_view: bool = False  # the bare address means a saved view
    _values: dict[str, dict[int, Any]] = field(default_factory=dict)  # worked out so far

    # --- addresses ---

    def state(self) -> dict[str, str]:
        """What the address holds, one spelling for each state."""
        columns = [c.key for c in self.columns]
        return {
            "q": self.text,
            "filter": self.filter_text,
            "sort": self.sort,
            "cols": ",".join(columns) if columns != self.default_columns else "",
        }

    def address(self, **changes: Any) -> str:
        query = "&".join(_pair(key, str(value)) for key, value in self._params(changes).items())
        return f"{self.url}?{query}" if query else self.url

    def hidden(self, *but: str) -> list[tuple[str, str]]:
        """The same for a form that asks for `but` itself."""
        return [(k, str(v)) for k, v in self._params({}).items() if k not in but]

    def _params(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """The order is left out where the bare address means the same."""
        state: dict[str, Any] = {"view": self.view_id, **self.state(), **changes}
        if state["sort"] == self.kind.default_sort and not state["view"] and not self.opens_with_view:
            state["sort"] = ""
        return {k: v for k, v in state.items() if v not in ("", None)}

    @cached_property
    def default_columns(self) -> list[str]:
        return [key for key in self.kind.columns if key in self.fields]

    def sort_url(self, name: str) -> str:
        other = f"-{name}" if self.sort == name else name
        return self.address(sort=other)

    def sorted_by(self, name: str) -> str:
        return {name: "ascending", f"-{name}": "descending"}.get(self.sort, "")

    @property
    def is_narrowed(self) -> bool:
        return bool(self.text or self.tree)

    @cached_property
    def filter_text(self) -> str:
        """The tree as the address holds it; thirty addresses of a page say it."""
        return dump(self.tree)

    @property
    def mode(self) -> str:
        return "any" if self.tree is not None and "any" in self.tree else "all"

    def parts(self) -> list[Mapping[str, Any]]:
        if self.tree is None:
            return []
        return list(self.tree.get("all") or self.tree.get("any") or [self.tree])

    def with_part(self, part: Mapping[str, Any]) -> str:
        return self.address(filter=dump({self.mode: [*self.parts(), part]}))

    def other_mode_url(self) -> str:
        return self.address(filter=dump({"any" if self.mode == "all" else "all": self.parts()}))

    # --- rows ---

    @cached_property
    def names(self) -> dict[str, str]:
        """What its fields are called, by key."""
        language = get_language()
        return {spec.key: spec.name(language) for spec in self.fields}

    @cached_property
    def reach(self) -> QuerySet[Any]:
        """All rows of the kind that the reader sees."""
        return self.kind.rows(self.user)

    def queryset(self) -> QuerySet[Any]:
        stored, worked = self._parts
        rows = self.reach.all()
        if self.text:
            for word in matches(self.text).split():
                rows = rows.filter(**{f"{self.kind.search}__contains": word})
        if stored:
            rows = narrowed(rows, Node("all", stored), at=self.at)
        if worked:
            settled = Node("all", tuple(self._settled(part) for part in worked))
            rows = narrowed(rows.filter(pk__in=self._looked_at), settled, at=self.at)
        return rows

    @cached_property
    def ids(self) -> list[int]:
        """The keys of the rows in their order, at most one more than are counted. What is read of a page is
        read by these: the joins of fifty rows, not of all that were looked through."""
        worked = self._parts[1]
        if worked and all(isinstance(part, Leaf) for part in worked):
            return [pk for pk in self._looked_at if all(self._holds(part, pk) for part in worked)]
        return self._in_order(self.queryset(), COUNT_LIMIT + 1)

    def _in_order(self, found: QuerySet[Any], most: int) -> list[int]:
        rows: Any = found.values_list("pk", flat=True)
        sort, sign = self.kind.sorts[self.sort.removeprefix("-")], "-" if self.sort.startswith("-") else ""
        order = (f"{sign}{sort.path}", f"{sign}pk")
        if not sort.nullable:
            return list(rows.order_by(*order)[:most])
        first = list(rows.filter(**{f"{sort.path}__isnull": False}).order_by(*order)[:most])
        if len(first) < most and not self._asks_for(sort.path):
            empty = rows.filter(**{f"{sort.path}__isnull": True}).order_by("-pk")
            first += empty[: most - len(first)]
        return first

    def _asks_for(self, path: str) -> bool:
        """Whether a condition that must hold keeps out rows where `path` is empty."""
        tree = self.compiled
        parts = tree.parts if isinstance(tree, Node) and tree.mode == "all" else (tree,)
        return any(
            isinstance(p, Leaf)
            and not p.spec.custom
            and (p.spec.path or p.spec.key) == path
            and p.op in PLAIN_LOOKUPS
            and p.value is not None
            for p in parts
        )

    # --- what no column holds ---

    def worked_out(self, key: str, ids: Sequence[int]) -> Mapping[int, Any]:
        """The values of a field that no column holds, worked out for all of `ids` at once."""
        known = self._values.setdefault(key, {})
        if missing := [pk for pk in ids if pk not in known]:
            known.update(self.kind.worked_out[key](missing, self.user, self.at))
        return known

    @cached_property
    def _parts(self) -> tuple[tuple[Compiled, ...], tuple[Compiled, ...]]:
        """The conditions that the database decides, and those that ask for something worked out."""
        tree = self.compiled
        if tree is None:
            return (), ()
        parts = tree.parts if isinstance(tree, Node) and tree.mode == "all" else (tree,)
        worked = tuple(part for part in parts if fields_of(part) & self.kind.worked_out.keys())
        return tuple(part for part in parts if part not in worked), worked

    @cached_property
    def _looked_through(self) -> list[int]:
        """The first records that hold what the database decides, one more than are looked at."""
        stored = ListPage(
            kind=self.kind, user=self.user, at=self.at, url=self.url, text=self.text, sort=self.sort
        )
        stored.compiled = Node("all", self._parts[0]) if self._parts[0] else None
        return self._in_order(stored.queryset(), LOOK_LIMIT + 1)

    @property
    def _looked_at(self) -> list[int]:
        return self._looked_through[:LOOK_LIMIT]

    @property
    def looks_no_further(self) -> int:
        """At how many records a condition stopped looking though there are more; 0: it saw all."""
        return LOOK_LIMIT if self._parts[1] and len(self._looked_through) > LOOK_LIMIT else 0

    def _holds(self, leaf: Any, pk: int) -> bool:
        seen = self.worked_out(leaf.spec.key, self._looked_at)[pk]
        return holds(leaf.spec, leaf.op, seen, leaf.value, now=self.at)

    def _settled(self, part: Compiled) -> Compiled:
        """The same condition, each worked-out leaf as the records of which it is true."""
        if isinstance(part, Node):
            return Node(part.mode, tuple(self._settled(one) for one in part.parts))
        if part.spec.key not in self.kind.worked_out:
            return part
        return Leaf(_ID, Operator.IN, tuple(pk for pk in self._looked_at if self._holds(part, pk)))

    @property
    def model(self) -> Any:
        return self.reach.model

    def page(self) -> Page[int]:
        return _Pages(self).get_page(self.number)


class _Pages(Paginator[int]):
    """Pages over a capped count: nobody turns to page 21, and counting a hundred thousand rows costs
    more than showing fifty of them."""

    def __init__(self, found: ListPage) -> None:
        self.found = found
        super().__init__([], PER_PAGE)

    @cached_property
    def count(self) -> int:
        return len(self.found.ids)

    @property
    def is_more(self) -> bool:
        """Whether there are more rows than were counted."""
        return self.count > COUNT_LIMIT

    @property
    def num_pages(self) -> int:
        return max(-(-min(self.count, COUNT_LIMIT) // PER_PAGE), 1)

    def page(self, number: Any) -> Page[int]:
        number = self.validate_number(number)
        start = (number - 1) * PER_PAGE
        return Page(self.found.ids[start : start + PER_PAGE], number, self)


def read_list(name: str, params: Mapping[str, str], *, user: Any, at: datetime, url: str) -> ListPage:
    """The list that an address asks for. Raises BadList (400) for what is not there."""
    kind = _kinds[name]
    fields = list_fields(kind, user)
    found = ListPage(
        kind=kind, user=user, at=at, url=url, fields=fields, text=params.get("q", "")[:100].strip()
    )
    found.text = "".join(c for c in found.text if c.isprintable() and not "\ud800" <= c <= "\udfff")
    found.sort = params.get("sort", "") or kind.default_sort
    if not readable_sort(kind, found.sort, fields):
        raise BadList(_("There is no such order."))
    text = params.get("page", "1")
    found.number = int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 1
    found.columns = _columns(found, params.get("cols", ""))
    if raw := params.get("filter", ""):
        found.tree, found.compiled = read_tree(raw, fields)
    return found


def readable_sort(kind: ListKind, sort: str, fields: Catalogue) -> bool:
    """A sort stands for the field of its name: who may not read the field may not order by it either."""
    name = sort.removeprefix("-")
    return name in kind.sorts and (name in fields or name not in {spec.key for spec in catalogue(kind.kind)})


def list_fields(kind: ListKind, user: Any) -> Catalogue:
    """What this reader may see, filter and sort by: the catalogue, custom fields too, and the journey's."""
    readable = catalogue(kind.kind).readable_by(user)
    known = {spec.key for spec in readable}
    return Catalogue(
        kind.kind, [*readable, *(s for s in kind.more() if s.key not in known and s.readable_by(user))]
    )


def _columns(found: ListPage, wanted: str) -> list[FieldSpec]:
    keys = [k for k in wanted[:500].split(",") if k] or found.default_columns
    if len(keys) > MOST_COLUMNS or any(key not in found.fields for key in keys):
        raise BadList(_("There is no such column."))
    return [found.fields[key] for key in dict.fromkeys(keys)]


def read_tree(raw: str, fields: Catalogue) -> tuple[Mapping[str, Any], Compiled]:
    if len(raw) > MAX_FILTER:
        raise BadList(_("The filter is too long."))
    try:
        tree = json.loads(raw)
    except (ValueError, RecursionError):
        raise BadList(_("The filter could not be read.")) from None
    if not isinstance(tree, dict) or not _storable(tree):
        raise BadList(_("The filter could not be read."))
    try:
        compiled = compile_tree(tree, fields)
    except ConditionError as error:
        raise BadList(
            error.problems[0].message,
            errors=[{"field": p.path, "message": p.message} for p in error.problems],
        ) from None
    if not _in_range(compiled):
        raise BadList(_("There is no such record. Choose one from the list."))
    return tree, compiled


def _storable(value: Any, depth: int = 0) -> bool:
    """No character that a database refuses, at any place; not deeper than a condition may be."""
    if depth > 16:
        return False
    if isinstance(value, str):
        return "\x00" not in value and not any("\ud800" <= c <= "\udfff" for c in value)
    if isinstance(value, dict):
        return all(_storable(k, depth + 1) and _storable(v, depth + 1) for k, v in value.items())
    if isinstance(value, list):
        return all(_storable(v, depth + 1) for v in value)
    return True


def _in_range(tree: Compiled) -> bool:
    if isinstance(tree, Node):
        return all(_in_range(part) for part in tree.parts)
    values = tree.value if isinstance(tree.value, tuple) else (tree.value,)
    return tree.spec.type not in REFERENCE or all(v is None or -MAX_ID <= int(v) <= MAX_ID for v in values)


def dump(tree: Mapping[str, Any] | None) -> str:
    return json.dumps(tree, ensure_ascii=False, separators=(",", ":"), sort_keys=True) if tree else ""


def chips_of(found: ListPage, sentence: Callable[[Compiled], str] = words) -> list[Chip]:
    """Each condition as a sentence with the address of the list without it."""
    if found.compiled is None:
        return []
    parts = found.parts()
    compiled = (
        found.compiled.parts
        if isinstance(found.compiled, Node) and found.compiled.mode != "not"
        else (found.compiled,)
    )
    chips = []
    for i, part in enumerate(compiled):
        rest = [p for j, p in enumerate(parts) if j != i]
        chips.append(Chip(sentence(part), found.address(filter=dump({found.mode: rest}) if rest else "")))
    return chips

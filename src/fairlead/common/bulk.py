"""Many rows at once: inserted and updated with one prepared statement a table.

Django's `bulk_create` compiles every value and `bulk_update` builds one CASE for every row and column; with
some ten thousand rows that is most of the time. Here ids are drawn first, values are turned into what the
driver takes by one converter a column, and the rows go in by `executemany` (SQLite) or COPY (PostgreSQL).
No signals, no validation, no relations: that is the business of the service that calls.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final, Generic, NamedTuple, TypeVar

from django.db import connection, models
from django.db.backends.utils import format_number

Row = TypeVar("Row", bound=models.Model)
Convert = Callable[[Any], Any]

_FEW: Final = 4  # below that the ordinary way costs no more


_ENCODE: Final = json.JSONEncoder(check_circular=False).encode
_EMPTY: Final[dict[type, str]] = {dict: "{}", list: "[]"}


class Encoded(str):
    """JSON that is a text already."""

    __slots__ = ()


class _Column(NamedTuple):
    name: str  # quoted
    attribute: str
    convert: Convert | None
    type: str  # as the database calls it


def new(model: type[Row], **values: Any) -> Row:
    """A row with the defaults of its model and `values` by attribute (`owner_id` for a relation).

    What `Model(**values)` makes, at a fifth of its time: without signals, properties and related records.
    """
    made = model.__new__(model)
    held = made.__dict__
    plain, called = _defaults(model)
    held["_state"] = models.base.ModelState()
    held.update(plain)
    for name, default in called:
        held[name] = default()
    held.update(values)
    return made


def of_values(model: type[Row], names: Sequence[str], values: Iterable[Any]) -> Row:
    """A row with `values` of the attributes `names` and nothing else; as cheap as a row can be."""
    made = model.__new__(model)
    held = made.__dict__
    held["_state"] = models.base.ModelState()
    held.update(zip(names, values, strict=True))
    return made


@lru_cache(maxsize=64)
def attributes(model: type[models.Model]) -> tuple[str, ...]:
    """The names of all columns as attributes, in the order of the model."""
    return tuple(field.attname for field in model._meta.concrete_fields)


@lru_cache(maxsize=64)
def _defaults(model: type[models.Model]) -> tuple[dict[str, Any], list[tuple[str, Callable[[], Any]]]]:
    """By attribute: the defaults that are values, and those that are made for each row."""
    plain: dict[str, Any] = {}
    called: list[tuple[str, Callable[[], Any]]] = []
    for field in model._meta.concrete_fields:
        plain[field.attname] = None
        if callable(field.default):
            called.append((field.attname, field.get_default))
        else:
            plain[field.attname] = field.get_default()
    return plain, called


def reserve(model: type[models.Model], count: int) -> Sequence[int]:
    """Ids of rows to come, which nobody else is given: their owner may be named before they are inserted."""
    ids = _draw(model, count)
    if connection.vendor != "postgresql" and count:
        table = model._meta.db_table
        with connection.cursor() as cursor:
            cursor.execute("UPDATE sqlite_sequence SET seq = %s WHERE name = %s", [ids[-1], table])
            if not cursor.rowcount:
                cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, ids[-1]])
    return ids


class Later(Generic[Row]):
    """Rows of one model that are given their ids at once and inserted together, by one `write` at the end.

    In one transaction, in which nobody else inserts into that table, nor reads from it what is still to come.
    """

    def __init__(self, model: type[Row], *, using_defaults: Iterable[str] = ()) -> None:
        self.model, self.using_defaults = model, tuple(using_defaults)
        self.rows: list[Row] = []
        self._next = 0

    def add(self, rows: Sequence[Row]) -> None:
        assert self.model._meta.pk is not None
        key = self.model._meta.pk.attname
        if connection.vendor == "postgresql" or not self._next:
            ids = _draw(self.model, len(rows))
        else:
            ids = range(self._next, self._next + len(rows))
        for row, pk in zip(rows, ids, strict=True):
            row.__dict__[key] = pk
        self._next = ids[-1] + 1
        self.rows.extend(rows)

    def write(self) -> list[Row]:
        rows, self.rows, self._next = self.rows, [], 0
        return insert(rows, using_defaults=self.using_defaults, reserved=True)


def insert(
    rows: Sequence[Row],
    *,
    using_defaults: Iterable[str] = (),
    ignoring_conflicts: bool = False,
    reserved: bool = False,
) -> list[Row]:
    """Insert new rows of one model and give them their ids, in their order. In the caller's transaction.

    `using_defaults` names columns that are left to the database; a row alone gets their values at once.
    `ignoring_conflicts`: a row that stands already stays as it is, and the id of its twin here means nothing.
    `reserved`: the rows know the ids that `reserve` gave.
    """
    if not rows:
        return []
    model = type(rows[0])
    key = model._meta.pk
    assert key is not None
    left_out = frozenset(using_defaults)
    is_numbered = isinstance(key, models.AutoField) and not reserved
    if is_numbered and len(rows) == 1 and not ignoring_conflicts and _tells_new_ids():
        _insert_one(rows[0], key.attname, left_out)
    else:
        if is_numbered:
            for row, pk in zip(rows, _draw(model, len(rows)), strict=True):
                setattr(row, key.attname, pk)
        columns = _columns(model, left_out, connection.vendor)
        _write(model._meta.db_table, columns, _values(columns, rows), ignoring_conflicts)
    alias = connection.alias
    for row in rows:
        row._state.adding = False
        row._state.db = alias
    return list(rows)


def _tells_new_ids() -> bool:
    if not connection.in_atomic_block:
        raise RuntimeError("rows are inserted in a transaction")
    return bool(connection.features.can_return_columns_from_insert)


def _insert_one(row: models.Model, key: str, left_out: frozenset[str]) -> None:
    """In one statement, which tells the id and what the database filled in."""
    model = type(row)
    told = [c for c in _columns(model, frozenset(), connection.vendor) if c.attribute in {key, *left_out}]
    columns = _columns(model, left_out | {key}, connection.vendor)
    names, back = (", ".join(c.name for c in some) for some in (columns, told))
    places = ", ".join(["%s"] * len(columns))
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({names}) VALUES ({places}) RETURNING {back}",  # noqa: S608
            _values(columns, [row])[0],
        )
        for column, value in zip(told, cursor.fetchone(), strict=True):
            setattr(row, column.attribute, value)


def insert_values(model: type[models.Model], rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows given as values in the order of the model's columns, the key among them."""
    columns = _columns(model, frozenset(), connection.vendor)
    if rows:
        converting = [(i, c.convert) for i, c in enumerate(columns) if c.convert is not None]
        _write(model._meta.db_table, columns, [_converted(list(row), converting) for row in rows])


def update(rows: Sequence[Row], attributes: Sequence[str]) -> None:
    """Write `attributes` (names of columns, `owner_id` for a relation) of existing rows of one model."""
    if not rows:
        return
    model = type(rows[0])
    named = {c.attribute: c for c in _columns(model, frozenset(), connection.vendor)}
    chosen = [named[name] for name in attributes]
    table, pk = (connection.ops.quote_name(name) for name in (model._meta.db_table, model._meta.pk.column))
    settings = ", ".join(f"{c.name} = %s" for c in chosen)
    values = _values(chosen, rows)
    key = model._meta.pk.attname
    for row, of_row in zip(rows, values, strict=True):
        of_row.append(row.__dict__[key])
    sql = f"UPDATE {table} SET {settings} WHERE {pk} = %s"  # noqa: S608
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql" and len(values) >= _FEW:
            # A list a column: planned once for all rows, where a statement a row keeps the server busy longer.
            fresh = ", ".join(f"{c.name} = v.{c.name}" for c in chosen)
            cursor.execute(
                f"UPDATE {table} AS t SET {fresh} FROM {_lists([*chosen, named[key]])} WHERE t.{pk} = v.{pk}",  # noqa: S608
                [list(column) for column in zip(*values, strict=True)],
            )
        elif len(values) == 1:
            cursor.execute(sql, values[0])
        else:
            cursor.executemany(sql, values)


def upsert(rows: Sequence[Row], attributes: Sequence[str]) -> None:
    """Insert rows that know their ids, or write `attributes` of those that stand already, in one statement."""
    if not rows:
        return
    model = type(rows[0])
    columns = _columns(model, frozenset(), connection.vendor)
    table, pk = (connection.ops.quote_name(name) for name in (model._meta.db_table, model._meta.pk.column))
    settings = ", ".join(f"{c.name} = excluded.{c.name}" for c in columns if c.attribute in attributes)
    names, places = ", ".join(c.name for c in columns), ", ".join(["%s"] * len(columns))
    statement = (
        f"INSERT INTO {table} ({names}) VALUES ({places})"  # noqa: S608
        f" ON CONFLICT ({pk}) DO UPDATE SET {settings}"
    )
    with connection.cursor() as cursor:
        cursor.executemany(statement, _values(columns, rows))


def _lists(columns: Sequence[_Column]) -> str:
    names = ", ".join(c.name for c in columns)
    return f"unnest({', '.join(f'%s::{c.type}[]' for c in columns)}) AS v({names})"


def _values(columns: Sequence[_Column], rows: Sequence[models.Model]) -> list[list[Any]]:
    """What the driver takes, a list a row; read from the rows' dictionaries, past Django's descriptors."""
    # One name more than needed: of a single name itemgetter would not make a tuple.
    read = itemgetter(*(c.attribute for c in columns), "_state")
    converting = [(i, c.convert) for i, c in enumerate(columns) if c.convert is not None]
    return [_converted(list(read(row.__dict__)[:-1]), converting) for row in rows]


def _converted(values: list[Any], converting: Sequence[tuple[int, Convert]]) -> list[Any]:
    for i, convert in converting:
        values[i] = convert(values[i])
    return values


def _write(
    table: str, columns: Sequence[_Column], values: Sequence[list[Any]], ignoring_conflicts: bool = False
) -> None:
    names = ", ".join(c.name for c in columns)
    quoted = connection.ops.quote_name(table)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql" and len(values) >= _FEW and not ignoring_conflicts:
            with cursor.copy(f"COPY {quoted} ({names}) FROM STDIN") as copy:
                for row in values:
                    copy.write_row(row)
            return
        places = ", ".join(["%s"] * len(columns))
        twins = " ON CONFLICT DO NOTHING" if ignoring_conflicts else ""
        cursor.executemany(f"INSERT INTO {quoted} ({names}) VALUES ({places}){twins}", values)  # noqa: S608


def _draw(model: type[models.Model], count: int) -> Sequence[int]:
    """Fresh ids, ascending. Nobody else draws the same: SQLite's writers come one after the other."""
    assert model._meta.pk is not None
    if not connection.in_atomic_block:
        raise RuntimeError("rows are inserted in a transaction")
    table, column = model._meta.db_table, model._meta.pk.column
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)",
                [f'"{table}"', column, count],
            )
            return [row[0] for row in cursor.fetchall()]
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        found = cursor.fetchone()
        first = (found[0] if found else 0) + 1
        return range(first, first + count)


@lru_cache(maxsize=256)
def _columns(model: type[models.Model], left_out: frozenset[str], vendor: str) -> tuple[_Column, ...]:
    quote = connection.ops.quote_name
    return tuple(
        _Column(
            quote(field.column), field.attname, _converter(field, vendor), field.db_type(connection) or ""
        )
        for field in model._meta.concrete_fields
        if field.attname not in left_out
    )


def _converter(field: models.Field[Any, Any], vendor: str) -> Convert | None:
    if isinstance(field, models.JSONField):
        return _json
    if isinstance(field, models.FileField):
        return str
    if vendor == "postgresql":
        # A member of a choices class is a text to Python and a name of an enumeration to the driver.
        return _plain_text if isinstance(field, models.CharField | models.TextField) else None
    if isinstance(field, models.DateTimeField):
        return _sqlite_instant
    if isinstance(field, models.DateField):
        return _sqlite_date
    if isinstance(field, models.DecimalField):
        digits, places = field.max_digits, field.decimal_places
        return lambda value: None if value is None else format_number(Decimal(value), digits, places)
    return None


def _plain_text(value: Any) -> Any:
    return value if type(value) is str or value is None else str(value)


def _json(value: Any) -> Any:
    if value or type(value) not in _EMPTY:
        return value if type(value) is Encoded else _ENCODE(value)
    return _EMPTY[type(value)]


def _sqlite_date(value: Any) -> str | None:
    return None if value is None else value.isoformat()


@lru_cache(maxsize=4096)
def _text_of(value: datetime) -> str:
    return str(value.astimezone(UTC).replace(tzinfo=None))


def _sqlite_instant(value: datetime | None) -> str | None:
    return None if value is None else _text_of(value)


def refresh_statistics() -> None:
    """After many rows: let PostgreSQL count its tables now, lest it plan with none until its own housekeeping."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")

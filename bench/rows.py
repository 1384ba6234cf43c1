"""Writing very many rows as plain tuples: by `executemany` on SQLite, by COPY on PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

from django.core.management.color import no_style
from django.db import connection, models, transaction
from django.db.models.fields import NOT_PROVIDED


class Table:
    """Rows of `model` given as tuples over `columns`; every other column holds its default or `constants`.

    Columns with a default of the database are left to it.
    """

    def __init__(self, model: type[models.Model], columns: Sequence[str], **constants: Any) -> None:
        self.model, self.count = model, 0
        fields = {f.attname: f for f in model._meta.concrete_fields}
        self.converters = [_converter(fields[name]) for name in columns]
        rest = [f for n, f in fields.items() if n not in columns and not _left_out(f, constants)]
        self.tail = [_converter(f)(constants.get(f.attname, f.get_default())) for f in rest]
        self.names = [connection.ops.quote_name(fields[n].column) for n in columns]
        self.names += [connection.ops.quote_name(f.column) for f in rest]
        self.waiting: list[tuple[Any, ...]] = []

    def add(self, *row: Any) -> None:
        """Keep a row for `flush`; whoever flushes knows which table comes first."""
        self.waiting.append(row)

    def flush(self) -> None:
        rows, self.waiting = self.waiting, []
        if not rows:
            return
        self.count += len(rows)
        table, names = connection.ops.quote_name(self.model._meta.db_table), ", ".join(self.names)
        with transaction.atomic(), connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                    for row in self._values(rows):
                        copy.write_row(row)
                return
            places = ", ".join("?" * len(self.names))
            connection.connection.executemany(
                f"INSERT INTO {table} ({names}) VALUES ({places})", self._values(rows)
            )

    def _values(self, rows: Iterable[tuple[Any, ...]]) -> Iterator[list[Any]]:
        for row in rows:
            yield [c(v) for c, v in zip(self.converters, row, strict=True)] + self.tail


def finish(tables: Iterable[Table]) -> None:
    """Write what is left, set the sequences behind the highest ids, let the planner look."""
    found = list(tables)
    for table in found:
        table.flush()
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [t.model for t in found]):
            cursor.execute(statement)
    look()


def look() -> None:
    """Let the planner look at what the tables hold now."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _left_out(field: models.Field[Any, Any], constants: dict[str, Any]) -> bool:
    if field.attname in constants:
        return False
    return isinstance(field, models.AutoField) or field.db_default is not NOT_PROVIDED


def _converter(field: models.Field[Any, Any]) -> Callable[[Any], Any]:
    if isinstance(field, models.JSONField):
        return lambda value: value if type(value) is str else json.dumps(value)
    if connection.vendor == "postgresql":
        return lambda value: value
    if isinstance(field, models.DateTimeField):
        return _instant
    if isinstance(field, models.DateField):
        return _day
    return lambda value: value


@lru_cache(maxsize=100_000)
def _instant(value: datetime | None) -> str | None:
    return None if value is None else str(value.astimezone(UTC).replace(tzinfo=None))


@lru_cache(maxsize=100_000)
def _day(value: date | None) -> str | None:
    return None if value is None else value.isoformat()

"""Asking the full-text index of the engine: numbers of entries, the newest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.db import connection

from .terms import Expression, for_postgresql, for_sqlite, record_of

INDEX: Final = "crm_searchindex"
_known = False

_SQLITE: Final = f"SELECT rowid AS id FROM {INDEX} WHERE {INDEX} MATCH %s ORDER BY rowid DESC LIMIT %s"  # noqa: S608
_POSTGRESQL: Final = (
    "SELECT id FROM crm_searchentry WHERE terms @@ %s::text::tsquery ORDER BY id DESC LIMIT %s"
)


def has_index() -> bool:
    """Whether this database can hold one: where SQLite was built without FTS5, the search reads all names."""
    global _known
    if not _known:
        _known = connection.vendor == "postgresql" or INDEX in connection.introspection.table_names()
    return _known


def ask(asked: Sequence[tuple[Expression, int]]) -> list[list[int]]:
    """For each expression the ids of at most so many records that fit it, in one statement for all."""
    if not asked:
        return []
    is_postgresql = connection.vendor == "postgresql"
    one, render = (_POSTGRESQL, for_postgresql) if is_postgresql else (_SQLITE, for_sqlite)
    parts = [f"SELECT {number}, id FROM ({one}) AS q{number}" for number in range(len(asked))]  # noqa: S608
    values: list[str | int] = []
    for expression, most in asked:
        values += [render(expression), most]
    found: list[list[int]] = [[] for _ in asked]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), values)
        for number, entry in cursor.fetchall():
            found[number].append(record_of(entry)[1])
    return found

"""What a factory writes, kept by the process: written once through the services, then put back row by row.

    kept("company", write)      # as `write()`, where the database is as empty as it was the first time

The rows are those that the services wrote, the journal's too; only the way there is shorter.
"""

from collections.abc import Callable, Hashable, Mapping
from functools import cache

from django.apps import apps
from django.db import connection, transaction

_written: dict[Hashable, tuple[Mapping[str, int], Mapping[str, bytes]]] = {}


def kept(key: Hashable, write: Callable[[], object]) -> None:
    """Have in the database what `write` writes. `key` names all that it depends on."""
    before = counts()
    if key not in _written:
        write()
        new = [table for table, count in counts().items() if count != before[table]]
        if not any(before[table] for table in new):
            _written[key] = before, {table: _read(table) for table in new}
    elif _written[key][0] == before:
        with transaction.atomic():  # a row may stand before the one that it refers to
            for table, rows in _written[key][1].items():
                _put(table, rows)
    else:
        write()


@cache
def _tables() -> tuple[str, ...]:
    models = apps.get_models(include_auto_created=True)
    return tuple(m._meta.db_table for m in models if m._meta.managed and not m._meta.proxy)


def counts() -> dict[str, int]:
    """How many rows each table has."""
    asked = " UNION ALL ".join(f"SELECT '{table}', count(*) FROM \"{table}\"" for table in _tables())
    with connection.cursor() as cursor:
        cursor.execute(asked)
        return dict(cursor.fetchall())


def _read(table: str) -> bytes:
    """All rows of a table as the engine itself writes them down."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f'COPY "{table}" TO STDOUT') as out:
                return b"".join(bytes(piece) for piece in out)
        cursor.execute(f'SELECT * FROM "{table}" LIMIT 0')
        columns = " || ',' || ".join(f'quote("{column[0]}")' for column in cursor.description)
        cursor.execute(f"SELECT '(' || {columns} || ')' FROM \"{table}\" ORDER BY rowid")
        return ",".join(text for (text,) in cursor.fetchall()).encode()


def _put(table: str, rows: bytes) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f'COPY "{table}" FROM STDIN') as into:
                into.write(rows)
        else:
            # Past Django's own cursor, which would look for placeholders in the values.
            connection.connection.execute(f'INSERT INTO "{table}" VALUES {rows.decode()}')

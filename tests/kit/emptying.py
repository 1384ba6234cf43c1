"""What a transactional test wrote is taken out where it stands; tables that it left alone are left alone.

Django empties all tables and makes its content types and permissions anew. With some 150 tables that takes longer than
most tests do.
"""

from typing import Any, Final

from django.db import connection, transaction
from django.test import TransactionTestCase
from tests.factories.kept import counts

from fairlead.crm.services.indexing import forget_all
from fairlead.journal import guards

#: Made by the migrations, and changed by nobody.
MADE_WITH_THE_TABLES: Final = frozenset({"django_content_type", "auth_permission"})


def instead_of_flushing() -> None:
    """From here on every transactional test ends so."""
    TransactionTestCase._fixture_teardown = _empty  # type: ignore[attr-defined]


def _empty(_test: Any) -> None:
    written = [table for table, rows in counts().items() if rows and table not in MADE_WITH_THE_TABLES]
    if not written:
        return
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA foreign_keys=OFF")  # all of them go; a new connection checks again
        with transaction.atomic():
            # Nobody else may delete from the journal, whose guards stand again as soon as it is empty.
            guards.remove(connection)
            if connection.vendor == "postgresql" and _is_superuser(cursor):
                # Rows that all go need not be looked for in the tables that refer to them.
                cursor.execute("SET LOCAL session_replication_role = replica")
            for table in written:
                cursor.execute(f'DELETE FROM "{table}"')
            forget_all()  # the index of the search on SQLite is no table of a model
            guards.install(connection)


def _is_superuser(cursor: Any) -> bool:
    cursor.execute("SHOW is_superuser")
    return bool(cursor.fetchone()[0] == "on")

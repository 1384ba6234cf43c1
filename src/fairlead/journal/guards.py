"""The database itself refuses to change or delete what the journal holds.

Triggers, set again after every `migrate`: SQLite rebuilds a table when a column changes and drops its
triggers with it. A detail may be purged once (payload and comment emptied, `purged_at` set); nothing else
may be changed, and nothing at all may be deleted.
"""

from __future__ import annotations

from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

APPEND_ONLY = ("journal_event", "journal_seal")
DETAIL = "journal_eventdetail"
MESSAGE = "the journal is append-only"


def _sqlite_statements() -> list[str]:
    statements = []
    for table in APPEND_ONLY:
        statements.append(
            f"CREATE TRIGGER IF NOT EXISTS {table}_no_update BEFORE UPDATE ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END"
        )
    for table in (*APPEND_ONLY, DETAIL):
        statements.append(
            f"CREATE TRIGGER IF NOT EXISTS {table}_no_delete BEFORE DELETE ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END"
        )
    statements.append(
        f"CREATE TRIGGER IF NOT EXISTS {DETAIL}_purge_only BEFORE UPDATE ON {DETAIL} "
        "WHEN NOT (OLD.purged_at IS NULL AND NEW.purged_at IS NOT NULL AND NEW.comment = '' "
        "AND NEW.payload = '{}' AND NEW.salt = '' AND NEW.event_id = OLD.event_id) "
        f"BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END"
    )
    return statements


def _postgresql_statements() -> list[str]:
    statements = [
        "CREATE OR REPLACE FUNCTION journal_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ "
        f"BEGIN RAISE EXCEPTION '{MESSAGE}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
    ]
    for table in APPEND_ONLY:
        statements.append(
            f"CREATE OR REPLACE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION journal_refuse()"
        )
    statements.append(
        f"CREATE OR REPLACE TRIGGER {DETAIL}_no_delete BEFORE DELETE ON {DETAIL} "
        "FOR EACH ROW EXECUTE FUNCTION journal_refuse()"
    )
    statements.append(
        f"CREATE OR REPLACE TRIGGER {DETAIL}_purge_only BEFORE UPDATE ON {DETAIL} FOR EACH ROW "
        "WHEN (NOT (OLD.purged_at IS NULL AND NEW.purged_at IS NOT NULL AND NEW.comment = '' "
        "AND NEW.payload = '{}'::jsonb AND NEW.salt = '' AND NEW.event_id = OLD.event_id)) "
        "EXECUTE FUNCTION journal_refuse()"
    )
    for table in (*APPEND_ONLY, DETAIL):
        statements.append(
            f"CREATE OR REPLACE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION journal_refuse()"
        )
    return statements


def install(connection: BaseDatabaseWrapper) -> None:
    """Set the triggers; safe to run again."""
    statements = _sqlite_statements() if connection.vendor == "sqlite" else _postgresql_statements()
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def remove(connection: BaseDatabaseWrapper) -> None:
    """Drop the triggers: for a test database that is emptied between tests, and for nothing else."""
    names = [
        f"{table}_{kind}"
        for table in (*APPEND_ONLY, DETAIL)
        for kind in ("no_update", "no_delete", "no_change", "purge_only", "no_truncate")
    ]
    with connection.cursor() as cursor:
        for name in names:
            if connection.vendor == "sqlite":
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
            else:
                table = next(
                    t for t in sorted((*APPEND_ONLY, DETAIL), key=len, reverse=True) if name.startswith(t)
                )
                cursor.execute(f"DROP TRIGGER IF EXISTS {name} ON {table}")


def install_after_migrate(using: str, plan: Any = None, **kwargs: Any) -> None:
    connection = connections[using]
    existing = set(connection.introspection.table_names())
    if existing.issuperset((*APPEND_ONLY, DETAIL)):
        install(connection)

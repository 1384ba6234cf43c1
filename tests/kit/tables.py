"""The tables of a database as they are, so that two ways to them can be compared: run with an installation's settings
(`python -m tests.kit.tables`) or called with a connection."""

from __future__ import annotations

import json
from typing import Any

#: What the two engines say of their indexes and constraints in their own words.
WORDS = {
    "sqlite": (
        "SELECT tbl_name, name, sql FROM sqlite_master WHERE type IN ('index', 'trigger') AND sql IS NOT NULL",
        "SELECT tbl_name, '', sql FROM sqlite_master WHERE type = 'table'",
    ),
    "postgresql": (
        "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()",
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE connamespace = current_schema()::regnamespace AND conrelid <> 0",
        "SELECT event_object_table, trigger_name, action_statement FROM information_schema.triggers"
        " WHERE trigger_schema = current_schema()",
    ),
}


def shape(connection: Any) -> dict[str, Any]:
    """By table its columns, and by name what its indexes, constraints and triggers say. Order does not count."""
    found: dict[str, Any] = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            described = connection.introspection.get_table_description(cursor, table)
            found[table] = sorted(
                [c.name, str(c.type_code), str(c.display_size), bool(c.null_ok), str(c.default)]
                for c in described
            )
            constraints = connection.introspection.get_constraints(cursor, table)
            found[f"{table}: constraints"] = sorted(
                json.dumps([_name(name), *_said(one)], sort_keys=True) for name, one in constraints.items()
            )
        for number, statement in enumerate(WORDS[connection.vendor]):
            cursor.execute(statement)
            for table, name, text in cursor.fetchall():
                if name:
                    found[f"{table}: {number} {name}"] = " ".join(text.split())
                elif not table.startswith("sqlite_"):
                    found[f"{table}: checks"] = text.count("CHECK")
        cursor.execute("SELECT app, name FROM django_migrations")
        found["steps"] = sorted([app, name] for app, name in cursor.fetchall())
    return found


def _name(name: str) -> str:
    """SQLite numbers what has no name of its own, in the order of the columns."""
    return "" if name.startswith(("__", "fk_")) else name


def _said(one: dict[str, Any]) -> list[Any]:
    keys = ("columns", "primary_key", "unique", "foreign_key", "check", "index")
    return [one.get(key) for key in keys]


if __name__ == "__main__":
    import django

    django.setup()
    from django.db import connection

    print(json.dumps(shape(connection)))  # noqa: T201

"""Emptying the database of a demo, journal and all. Only where everybody is a sample person."""

from __future__ import annotations

from django.apps import apps
from django.db import connection, models, transaction

from fairlead.crm.models import Account, Contact, Opportunity
from fairlead.crm.services.indexing import forget_all
from fairlead.fields.catalogue import forget as forget_fields
from fairlead.journal import guards
from fairlead.organisation.models import User
from fairlead.process.definitions import forget as forget_definitions

ROOMS = (
    "exchange",
    "insight",
    "offers",
    "crm",
    "process",
    "work",
    "fields",
    "organisation",
    "journal",
    "sessions",
)


class NotADemo(Exception):
    """There are real people or records here: nothing is deleted."""


def is_here() -> bool:
    """Whether anybody is here at all."""
    return User.objects.exists()


def clear() -> None:
    """Delete every row of every room in one transaction. Raises NotADemo."""
    if User.objects.filter(is_sample=False).exists() or any(
        model.objects.filter(is_sample=False, external_id__gt="").exists()
        for model in (Account, Contact, Opportunity)
    ):
        raise NotADemo
    rows = [model for room in ROOMS for model in _models(room)]
    with transaction.atomic(), connection.constraint_checks_disabled():
        guards.remove(connection)
        with connection.cursor() as cursor:
            names = [connection.ops.quote_name(model._meta.db_table) for model in rows]
            if connection.vendor == "postgresql":
                # Checks that wait for the commit would forbid it.
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                cursor.execute(f"TRUNCATE {', '.join(names)} RESTART IDENTITY CASCADE")
                # Whoever goes on in this transaction needs them to wait again.
                cursor.execute("SET CONSTRAINTS ALL DEFERRED")
            else:
                cursor.execute("PRAGMA defer_foreign_keys=ON")
                for name in names:
                    cursor.execute(f"DELETE FROM {name}")  # noqa: S608
                cursor.execute("DELETE FROM sqlite_sequence WHERE name <> 'django_migrations'")
        forget_all()
        guards.install(connection)
    forget_fields()
    forget_definitions()


def _models(room: str) -> list[type[models.Model]]:
    return [m for m in apps.get_app_config(room).get_models(include_auto_created=True) if m._meta.managed]

"""`fairlead migrate`: Django's own, but an empty database gets all tables at once.

Walking through the history of the tables costs a new company most of its first start, for each of some three
hundred steps draws many models anew, and there is no row that any step could matter to. The tables are made as the
models say they are now, what a step does beside tables (the index of the search) is done, and all steps are noted
as taken. A test holds both ways to the same tables, on both engines.
"""

from __future__ import annotations

from typing import Any, cast

from django.apps import apps
from django.core.management.base import CommandParser
from django.core.management.commands import migrate
from django.db import DEFAULT_DB_ALIAS, connections, router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import RunPython
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from fairlead.config.rooms import ROOMS

#: With any of these somebody wants Django's steps themselves.
STEPWISE = (
    "step_by_step",
    "app_label",
    "migration_name",
    "fake",
    "fake_initial",
    "plan",
    "check_unapplied",
    "prune",
)


class Command(migrate.Command):
    help = "Bring the database up to the code: an empty one at once, any other step by step."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--step-by-step", action="store_true", help="walk through the history in an empty database too"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        connection = connections[options["database"] or DEFAULT_DB_ALIAS]
        connection.prepare_database()
        if not any(options[name] for name in STEPWISE) and not connection.introspection.table_names():
            if options["verbosity"]:
                self.stdout.write("An empty database: all tables are made at once.")
            build(connection)
        super().handle(*args, **options)


def build(connection: BaseDatabaseWrapper) -> None:
    """Make every table of an empty database in one transaction, and note all migrations as applied."""
    loader = MigrationLoader(connection)
    steps = list(
        dict.fromkeys(node for leaf in loader.graph.leaf_nodes() for node in loader.graph.forwards_plan(leaf))
    )
    with connection.schema_editor() as editor:
        for app in apps.get_app_configs():
            if app.models_module is None or app.label not in loader.migrated_apps:
                continue
            for model in router.get_migratable_models(app, connection.alias):
                if model._meta.can_migrate(connection) and not model._meta.proxy:
                    editor.create_model(model)
        for label, name in steps:
            if label in ROOMS:
                for operation in loader.graph.nodes[label, name].operations:
                    if isinstance(operation, RunPython):
                        operation.code(cast(Any, apps), editor)
        recorder = MigrationRecorder(connection)
        recorder.ensure_schema()
        taken = [step for node in steps for step in (*loader.graph.nodes[node].replaces, node)]
        recorder.Migration.objects.using(connection.alias).bulk_create(
            [recorder.Migration(app=label, name=name) for label, name in dict.fromkeys(taken)]
        )

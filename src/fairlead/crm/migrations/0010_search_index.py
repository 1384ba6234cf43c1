"""The search gets an index: the entries, the full-text index of the engine beside them, and what stands already."""

from typing import Any

from django.db import OperationalError, migrations, models, transaction

# Terms only, neither texts nor places.
SQLITE = (
    "CREATE VIRTUAL TABLE crm_searchindex USING"
    " fts5(terms, content='', columnsize=0, detail=none, tokenize='ascii')"
)


def make(_apps: Any, editor: Any) -> None:
    connection = editor.connection
    if connection.vendor == "postgresql":
        editor.execute("ALTER TABLE crm_searchentry ADD COLUMN terms tsvector")
        return
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute(SQLITE)
    except OperationalError as error:
        if "fts5" not in str(error):  # this SQLite was built without it: the search reads all names
            raise


def fill(apps: Any, editor: Any) -> None:
    from fairlead.crm.services import indexing

    for _count in indexing.fill(lambda kind: apps.get_model("crm", kind)):
        pass
    if editor.connection.vendor == "postgresql":
        # What waits to be sorted in is read by every question: it stays short.
        editor.execute(
            "CREATE INDEX search_entry_terms ON crm_searchentry USING gin (terms)"
            " WITH (fastupdate = on, gin_pending_list_limit = 256)"
        )


def drop(_apps: Any, editor: Any) -> None:
    if editor.connection.vendor == "sqlite":
        editor.execute("DROP TABLE IF EXISTS crm_searchindex")


class Migration(migrations.Migration):
    dependencies = [("crm", "0009_name_keys_filled")]

    operations = [
        migrations.CreateModel(
            name="SearchEntry",
            fields=[
                ("id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("text", models.CharField(max_length=2200)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id__gt", 0)), name="search_entry_of_a_record")
                ],
            },
        ),
        migrations.RunPython(make, drop),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]

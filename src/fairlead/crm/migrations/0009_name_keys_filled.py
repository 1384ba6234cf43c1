"""Accounts and contacts that are there already get their place in the order of sounds."""

from typing import Any

from django.db import migrations

from fairlead.organisation.names import name_key, sound_key

CHUNK = 2000


def fill(apps: Any, _editor: Any) -> None:
    for name, key_of in (("Account", sound_key), ("Contact", name_key)):
        model = apps.get_model("crm", name)
        last = 0
        while rows := list(model.objects.filter(pk__gt=last).order_by("pk").only("id", "name")[:CHUNK]):
            for row in rows:
                row.name_key = key_of(row.name)
            model.objects.bulk_update(rows, ["name_key"], batch_size=500)
            last = rows[-1].pk


class Migration(migrations.Migration):
    dependencies = [("crm", "0008_name_key")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]

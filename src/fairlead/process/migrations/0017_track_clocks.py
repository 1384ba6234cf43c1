"""Clocks of tracks: each journey may use more ids, since an id follows from journey, kind and role or track."""

from typing import Any

from django.db import migrations, models
from django.db.models import F

BEFORE, AFTER = 16, 32


def _spread(apps: Any, before: int, after: int) -> None:
    """By way of negative numbers, so that no two rows ever want one id while they move."""
    clocks = apps.get_model("process", "Clock").objects
    clocks.filter(id__gt=0).update(id=-(F("id") + F("journey_id") * (after - before)))
    clocks.filter(id__lt=0).update(id=-F("id"))


def widen(apps: Any, schema_editor: Any) -> None:
    _spread(apps, BEFORE, AFTER)


def narrow(apps: Any, schema_editor: Any) -> None:
    apps.get_model("process", "Clock").objects.filter(kind="track").delete()
    _spread(apps, AFTER, BEFORE)


class Migration(migrations.Migration):
    dependencies = [("process", "0016_merged")]

    operations = [
        migrations.AlterField(
            model_name="clock",
            name="kind",
            field=models.CharField(
                choices=[
                    ("visit", "This visit"),
                    ("stage", "In this stage so far"),
                    ("inactivity", "Since anything happened"),
                    ("total", "Since it began"),
                    ("response", "Answer awaited"),
                    ("track", "Track of a role"),
                ],
                max_length=12,
            ),
        ),
        migrations.RunPython(widen, narrow),
    ]

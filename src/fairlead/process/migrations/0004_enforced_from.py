"""The last soft day becomes the first day on which gates hold: one word for what people are told."""

from datetime import timedelta

from django.db import migrations


def a_day_later(apps, schema_editor):
    for process in apps.get_model("process", "Process").objects.exclude(enforced_from=None):
        process.enforced_from += timedelta(days=1)
        process.save(update_fields=["enforced_from"])


def a_day_earlier(apps, schema_editor):
    for process in apps.get_model("process", "Process").objects.exclude(enforced_from=None):
        process.enforced_from -= timedelta(days=1)
        process.save(update_fields=["enforced_from"])


class Migration(migrations.Migration):
    dependencies = [("process", "0003_clocks")]

    operations = [
        migrations.RenameField("process", "soft_until", "enforced_from"),
        migrations.RunPython(a_day_later, a_day_earlier),
    ]

"""Lists of accounts and contacts stand in the order of the sound of their names."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("crm", "0007_traditional_keys"),
        ("organisation", "0003_first_steps"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="account",
            name="account_owner",
        ),
        migrations.RemoveIndex(
            model_name="account",
            name="account_team",
        ),
        migrations.RemoveIndex(
            model_name="contact",
            name="contact_account",
        ),
        migrations.AddField(
            model_name="account",
            name="name_key",
            field=models.CharField(default="", editable=False, max_length=400),
        ),
        migrations.AddField(
            model_name="contact",
            name="name_key",
            field=models.CharField(default="", editable=False, max_length=400),
        ),
        migrations.AddIndex(
            model_name="account",
            index=models.Index(fields=["name_key", "id"], name="account_sound"),
        ),
        migrations.AddIndex(
            model_name="account",
            index=models.Index(fields=["owner", "name_key"], name="account_owner_sound"),
        ),
        migrations.AddIndex(
            model_name="account",
            index=models.Index(fields=["team", "name_key"], name="account_team_sound"),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(fields=["account", "name_key"], name="contact_account_sound"),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(fields=["name_key", "id"], name="contact_sound"),
        ),
    ]

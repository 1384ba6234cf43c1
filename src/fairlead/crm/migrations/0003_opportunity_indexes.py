from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("crm", "0002_initial"),
        ("organisation", "0001_initial"),
        ("process", "0002_journey_indexes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="opportunity",
            name="opportunity_amount",
        ),
        migrations.RemoveIndex(
            model_name="opportunity",
            name="opportunity_close",
        ),
        migrations.RemoveIndex(
            model_name="opportunity",
            name="opportunity_created",
        ),
        migrations.RemoveIndex(
            model_name="opportunity",
            name="opportunity_name",
        ),
        migrations.AddIndex(
            model_name="opportunity",
            index=models.Index(
                fields=["-amount", "-id", "team", "owner", "sr", "fr", "journey"], name="opportunity_amount"
            ),
        ),
        migrations.AddIndex(
            model_name="opportunity",
            index=models.Index(
                fields=["expected_close_date", "id", "team", "owner", "sr", "fr", "journey"],
                name="opportunity_close",
            ),
        ),
        migrations.AddIndex(
            model_name="opportunity",
            index=models.Index(
                fields=["-created_at", "-id", "team", "owner", "sr", "fr", "journey"],
                name="opportunity_created",
            ),
        ),
        migrations.AddIndex(
            model_name="opportunity",
            index=models.Index(
                fields=["name", "id", "team", "owner", "sr", "fr", "journey"], name="opportunity_name"
            ),
        ),
    ]

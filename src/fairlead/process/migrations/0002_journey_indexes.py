from django.conf import settings
from django.db import migrations, models

import fairlead.common.indexes


class Migration(migrations.Migration):
    dependencies = [
        ("organisation", "0001_initial"),
        ("process", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="journey",
            name="journey_board",
        ),
        migrations.RemoveIndex(
            model_name="journey",
            name="journey_owner",
        ),
        migrations.RemoveIndex(
            model_name="journey",
            name="journey_closed",
        ),
        migrations.AddIndex(
            model_name="journey",
            index=fairlead.common.indexes.EmptyLast(
                fields=[
                    "process_key",
                    "state",
                    "stage",
                    "-base_amount",
                    "id",
                    "owner",
                    "team",
                    "subject_id",
                    "subject_type",
                    "superseded_at",
                ],
                name="journey_board",
            ),
        ),
        migrations.AddIndex(
            model_name="journey",
            index=models.Index(
                fields=[
                    "process_key",
                    "state",
                    "team",
                    "owner",
                    "stage",
                    "subject_type",
                    "superseded_at",
                    "base_amount",
                    "probability",
                    "gate_state",
                    "next_step_at",
                ],
                name="journey_totals",
            ),
        ),
        migrations.AddIndex(
            model_name="journey",
            index=models.Index(
                fields=["owner", "state", "subject_type", "superseded_at"], name="journey_owner"
            ),
        ),
        migrations.AddIndex(
            model_name="journey",
            index=models.Index(
                condition=models.Q(("closed_at__isnull", False)),
                fields=[
                    "process_key",
                    "state",
                    "closed_at",
                    "team",
                    "owner",
                    "subject_type",
                    "superseded_at",
                ],
                name="journey_closed",
            ),
        ),
    ]

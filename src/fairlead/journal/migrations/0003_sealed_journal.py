from django.db import migrations, models


class Migration(migrations.Migration):
    """Seals name the rows that they cover. Nothing has sealed anything before, so the table is made anew."""

    dependencies = [("journal", "0002_guidance_index")]

    operations = [
        migrations.DeleteModel(name="Seal"),
        migrations.CreateModel(
            name="SealCheck",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField()),
                ("by_id_then", models.BigIntegerField(blank=True, null=True)),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("ui", "page"),
                            ("api", "API"),
                            ("import", "import"),
                            ("automation", "automation"),
                            ("mobile", "phone"),
                            ("system", "system"),
                        ],
                        max_length=10,
                    ),
                ),
                ("events", models.PositiveBigIntegerField()),
                ("seals", models.PositiveIntegerField()),
                ("unsealed", models.PositiveBigIntegerField()),
                ("head", models.CharField(blank=True, max_length=64)),
                (
                    "fault",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("altered", "altered"),
                            ("missing", "missing"),
                            ("added", "added afterwards"),
                            ("detail_altered", "detail altered"),
                            ("detail_missing", "detail missing"),
                            ("detail_added", "detail added afterwards"),
                            ("erased_untold", "detail erased without a trace"),
                            ("seal_altered", "seal altered or missing"),
                            ("other_head", "another chain than the one noted"),
                        ],
                        default="",
                        max_length=20,
                    ),
                ),
                ("seal_id", models.BigIntegerField(blank=True, null=True)),
                ("event_id", models.BigIntegerField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Seal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("first_txid", models.BigIntegerField()),
                ("first_event_id", models.BigIntegerField()),
                ("last_txid", models.BigIntegerField()),
                ("last_event_id", models.BigIntegerField()),
                ("count", models.PositiveIntegerField()),
                ("previous_digest", models.CharField(blank=True, max_length=64)),
                ("digest", models.CharField(max_length=64)),
                ("sealed_at", models.DateTimeField()),
                ("leaves", models.BinaryField(default=bytes)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("previous_digest",), name="seal_one_chain")],
            },
        ),
    ]

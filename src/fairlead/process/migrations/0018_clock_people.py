from django.db import migrations, models


class Migration(migrations.Migration):
    """By whose calendar the clocks of each owner were computed last; so far all by the company's."""

    dependencies = [("process", "0017_track_clocks")]

    operations = [
        migrations.AddField(
            model_name="clockcalendar", name="people", field=models.JSONField(blank=True, default=dict)
        ),
        migrations.AddField(
            model_name="clockcalendar",
            name="people_stamp",
            field=models.CharField(blank=True, default="", max_length=64),
        ),
    ]

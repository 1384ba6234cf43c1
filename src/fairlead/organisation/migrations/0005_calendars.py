import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Calendars of teams and people. Nobody has one yet: everybody goes on by the company's."""

    dependencies = [("organisation", "0004_second_person")]

    operations = [
        migrations.AddField(
            model_name="team",
            name="calendar",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="teams",
                to="organisation.workingcalendar",
            ),
        ),
        migrations.AddField(
            model_name="user",
            name="calendar",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="people",
                to="organisation.workingcalendar",
            ),
        ),
        migrations.AddField(
            model_name="workingcalendar",
            name="people_stamp",
            field=models.CharField(blank=True, default="", max_length=32),
        ),
    ]

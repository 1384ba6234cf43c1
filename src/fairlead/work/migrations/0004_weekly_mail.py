"""The first mail of a week may leave out what Fairlead did."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("work", "0003_keeping"),
    ]

    operations = [
        migrations.AddField(
            model_name="notificationpreference",
            name="weekly",
            field=models.BooleanField(default=True),
        ),
    ]

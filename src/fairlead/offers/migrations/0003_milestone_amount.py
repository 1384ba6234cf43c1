from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("offers", "0002_initial"),
    ]

    operations = [
        migrations.AddConstraint(
            model_name="milestone",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount", None), ("amount__gte", 0), _connector="OR"),
                name="milestone_amount_not_negative",
            ),
        ),
    ]

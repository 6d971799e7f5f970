from django.db import migrations, models

import commontime.core.clock


class Migration(migrations.Migration):
    dependencies = [
        ("calendars", "0003_plan"),
    ]

    operations = [
        migrations.AddField(
            model_name="plan",
            name="worked_at",
            field=models.DateTimeField(default=commontime.core.clock.now),
        ),
    ]

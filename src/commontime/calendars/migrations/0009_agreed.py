"""Who added somebody to a calendar, and since when they take part by their own doing."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from commontime.core.triggers import MigrationKeepingTriggers


class Migration(MigrationKeepingTriggers):
    dependencies = [
        ("calendars", "0008_indexes_of_a_calendar"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="calendarparticipant",
            name="added_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.DB_SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="calendarparticipant",
            name="agreed_at",
            field=models.DateTimeField(null=True),
        ),
    ]

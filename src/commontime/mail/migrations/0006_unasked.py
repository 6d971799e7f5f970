"""Whether a mail's reader is not together with whoever caused it, and whether it is counted."""

from django.db import migrations, models

from commontime.core.triggers import MigrationKeepingTriggers


class Migration(MigrationKeepingTriggers):
    dependencies = [("mail", "0005_caused_by")]

    operations = [
        migrations.AddField("message", "is_unasked", models.BooleanField(default=False)),
        migrations.AddField("message", "is_counted", models.BooleanField(default=False)),
    ]

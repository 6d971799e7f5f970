"""Say which addresses are confirmed. Those that are there already count as confirmed."""

from django.db import migrations, models

from commontime.core.triggers import MigrationKeepingTriggers


class Migration(MigrationKeepingTriggers):
    dependencies = [("accounts", "0005_keys_of_domains")]

    operations = [
        migrations.AddField(
            model_name="usersetting",
            name="email_confirmed",
            field=models.BooleanField(default=True),
        ),
        migrations.AddField(
            model_name="usersetting",
            name="confirm_counter",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="usersetting",
            name="confirm_asked_at",
            field=models.DateTimeField(null=True),
        ),
    ]

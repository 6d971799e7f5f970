"""Say who caused a mail, so that those of an unconfirmed address can be kept back."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from commontime.core.triggers import MigrationKeepingTriggers


class Migration(MigrationKeepingTriggers):
    dependencies = [
        ("mail", "0004_mails_in_order_of_sending"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="message",
            name="caused_by",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            model_name="message",
            name="state",
            field=models.CharField(
                choices=[
                    ("queued", "Queued"),
                    ("kept", "Kept Back"),
                    ("sent", "Sent"),
                    ("dropped", "Dropped"),
                    ("failed", "Failed"),
                ],
                default="queued",
                max_length=7,
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("state", "kept")), fields=["user"], name="mails_kept_back"
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("state__in", ["queued", "kept"])),
                fields=["caused_by"],
                name="mails_caused_by",
            ),
        ),
    ]

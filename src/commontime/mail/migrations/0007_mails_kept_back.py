"""Index the mails that are kept back by who caused them, and by their age."""

from django.db import migrations, models

KEPT_BACK = models.Q(("state", "kept"))


class Migration(migrations.Migration):
    dependencies = [("mail", "0006_unasked")]

    operations = [
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                fields=["caused_by"], condition=KEPT_BACK, name="mails_kept_back_by"
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(fields=["created_at"], condition=KEPT_BACK, name="mails_kept_since"),
        ),
    ]

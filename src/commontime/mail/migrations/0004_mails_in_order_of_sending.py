"""Index the mails in the order in which they are sent."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mail", "0003_mails_of_an_account")]

    operations = [
        migrations.RemoveIndex(model_name="message", name="mails_due"),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                fields=["due_at", "sequence", "id"],
                condition=models.Q(("state", "queued")),
                name="mails_due",
            ),
        ),
    ]

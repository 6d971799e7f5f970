"""Keep the mails to an account in the database, those too that were kept as files only."""

from email import message_from_bytes, policy

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from commontime.mail.backends import file_name, mail_folder
from commontime.mail.mime import message_id


def take_in_files(apps, schema_editor):
    folder = mail_folder()
    if folder is None or not folder.is_dir():
        return
    messages = apps.get_model("mail", "Message").objects.using(schema_editor.connection.alias)
    sent = messages.filter(state="sent", user__isnull=False).exclude(kind="password_reset")
    for message in list(sent.only("event", "recipient", "sequence")):
        try:
            written = (folder / file_name(message_id(message))).read_bytes()
        except FileNotFoundError:
            continue
        content = message_from_bytes(written, policy=policy.default)
        body = content.get_body(("plain",))
        messages.filter(pk=message.pk).update(
            subject=str(content["Subject"]),
            text=body.get_content().replace("\r\n", "\n") if body else "",
        )


class Migration(migrations.Migration):
    dependencies = [
        ("mail", "0002_mails_of_an_address"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(model_name="message", name="mails_of_an_address"),
        migrations.AddField(
            model_name="message",
            name="subject",
            field=models.TextField(blank=True, default=""),
        ),
        migrations.AddField(
            model_name="message",
            name="text",
            field=models.TextField(blank=True, default=""),
        ),
        migrations.AlterField(
            model_name="message",
            name="user",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DB_CASCADE,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(fields=["user", "-settled_at"], name="mails_of_an_account"),
        ),
        migrations.RunPython(take_in_files, migrations.RunPython.noop, elidable=True),
    ]

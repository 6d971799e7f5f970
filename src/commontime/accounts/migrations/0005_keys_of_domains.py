"""Look up addresses by their domain in ASCII, so that the two ways to write one are one address."""

from django.db import IntegrityError, migrations, transaction

from commontime.core.text import canonical


def renew_keys(apps, schema_editor):
    settings = apps.get_model("accounts", "UserSetting").objects.using(
        schema_editor.connection.alias
    )
    for setting in settings.exclude(email_key=None).select_related("user").iterator():
        if setting.user.email.isascii():
            continue
        setting.email_key = canonical(setting.user.email)
        setting.username_key = canonical(setting.user.username)
        try:
            with transaction.atomic(using=schema_editor.connection.alias):
                setting.save(update_fields=["email_key", "username_key"])
        except IntegrityError:
            pass  # Somebody has the other spelling. Each keeps theirs.


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_sessions_by_end")]
    operations = [migrations.RunPython(renew_keys, migrations.RunPython.noop, elidable=True)]

"""Django's own user table knows case; make the database ignore it there too, for accounts that its own commands make."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial"), ("auth", "0012_alter_user_first_name_max_length")]
    operations = [
        migrations.RunSQL(
            "CREATE UNIQUE INDEX accounts_username_ignoring_case ON auth_user (LOWER(username))",
            "DROP INDEX accounts_username_ignoring_case",
        ),
        migrations.RunSQL(
            "CREATE UNIQUE INDEX accounts_email_ignoring_case ON auth_user (LOWER(email)) WHERE email <> ''",
            "DROP INDEX accounts_email_ignoring_case",
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_names")]
    operations = [
        migrations.AddField("session", "spent_hash", models.CharField(blank=True, max_length=64)),
    ]


import django.db.models.deletion
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("calendars", "0002_guards"),
    ]

    operations = [
        migrations.CreateModel(
            name="Plan",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "status",
                    models.CharField(
                        choices=[("running", "Running"), ("done", "Done"), ("failed", "Failed"), ("applied", "Applied")],
                        default="running",
                        max_length=10,
                    ),
                ),
                ("question", models.JSONField()),
                ("basis", models.CharField(max_length=64)),
                ("answer", models.JSONField(null=True)),
                ("seconds", models.FloatField(default=0)),
                ("run", models.PositiveIntegerField(default=0)),
                ("stop_wanted", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField()),
                (
                    "calendar",
                    models.OneToOneField(on_delete=django.db.models.deletion.DB_CASCADE, related_name="plan", to="calendars.calendar"),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
    ]

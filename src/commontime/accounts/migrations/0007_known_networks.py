"""Keep the networks from which somebody signed in. The sign-ins that are there say the first."""

import uuid
from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.utils.crypto import salted_hmac

from commontime.core.clients import Client

AT_ONCE = 1000


def remember_sign_ins(apps: Any, schema_editor: Any) -> None:
    rows = apps.get_model("accounts", "Session").objects.order_by("used_at")
    used_at = {
        (user, Client(address).network): moment
        for user, address, moment in rows.values_list("user_id", "address", "used_at").iterator()
    }
    network = apps.get_model("accounts", "KnownNetwork")
    network.objects.bulk_create(
        (
            network(user_id=user, network_hash=_hash_of(user, name), used_at=moment)
            for (user, name), moment in used_at.items()
        ),
        batch_size=AT_ONCE,
    )


def _hash_of(user_id: int, network: str) -> str:
    return salted_hmac(
        "commontime.known_networks", f"{user_id} {network}", algorithm="sha256"
    ).hexdigest()


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_confirmed_addresses"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="KnownNetwork",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("network_hash", models.CharField(max_length=64)),
                ("used_at", models.DateTimeField(db_index=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.DB_CASCADE,
                        related_name="known_networks",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("user", "network_hash"), name="one_row_a_known_network"
                    )
                ]
            },
        ),
        migrations.RunPython(remember_sign_ins, migrations.RunPython.noop, elidable=True),
    ]

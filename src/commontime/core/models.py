"""Tables and a base class that all rooms share."""

import uuid

from django.conf import settings
from django.db import models


class Row(models.Model):
    """A row with a random UUID. It reveals nothing and is known before storing."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)

    class Meta:
        abstract = True


class Throttle(models.Model):
    """The uses of a limit since `started` (seconds since 1970).

    `key` is a keyed hash, so that no address is stored.
    """

    key = models.CharField(primary_key=True, max_length=64)
    started = models.BigIntegerField(db_index=True)
    used = models.PositiveIntegerField()


class RememberedAnswer(Row):
    """The answer to a POST with an Idempotency-Key. It is kept for 24 hours."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.DB_CASCADE)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    body = models.BinaryField(default=bytes)
    location = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="one_answer_a_key")]

from django.db import models


class State(models.TextChoices):
    """A queued message will be tried. In the other states it is settled, for good."""

    QUEUED = "queued"
    SENT = "sent"
    DROPPED = "dropped"
    FAILED = "failed"

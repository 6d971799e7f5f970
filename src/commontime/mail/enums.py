from django.db import models


class State(models.TextChoices):
    """A queued message will be tried; in the other states it is settled and never touched again."""

    QUEUED = "queued"
    SENT = "sent"
    DROPPED = "dropped"
    FAILED = "failed"

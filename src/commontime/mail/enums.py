from django.db import models


class State(models.TextChoices):
    """A queued message will be tried. One that is kept back waits until an address is confirmed. In
    the other states it is settled, for good.
    """

    QUEUED = "queued"
    KEPT_BACK = "kept"
    SENT = "sent"
    DROPPED = "dropped"
    FAILED = "failed"

from django.db import models


class WeekStart(models.TextChoices):
    MONDAY = "monday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


class HourCycle(models.TextChoices):
    """How hours are counted, by their names in UTS 35.

    h23 is 0 to 23; h12 is 12, 1 to 11 with am and pm.
    """

    H23 = "h23"
    H12 = "h12"


class WhoMayAdd(models.TextChoices):
    ANYONE = "anyone"
    CONTACTS = "contacts"


class Door(models.TextChoices):
    """The door a sign-in came through."""

    API = "api"
    WEB = "web"

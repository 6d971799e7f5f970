from django.db import models


class Visibility(models.TextChoices):
    """Who sees whose non-busy times."""

    OPEN = "open"
    COUNTS = "counts"
    OWNER = "owner"


class InvitationStatus(models.TextChoices):
    PENDING = "pending"
    ACCEPTED = "accepted"
    DECLINED = "declined"


class MeetingStatus(models.TextChoices):
    """Not stored: follows from the final time and the deadline."""

    OPEN = "open"
    CLOSED = "closed"
    SCHEDULED = "scheduled"


class MailKind(models.TextChoices):
    """What a person can ask us to mail another one."""

    REMINDER = "reminder"
    INVITATION = "invitation"
    FINAL = "final"
    NOTE = "note"


class PlanStatus(models.TextChoices):
    """How far a plan is: being computed, computed, or its final times set."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    APPLIED = "applied"

from django.conf import settings
from django.db import models

from commontime.core.models import Row
from commontime.mail.enums import State


class Message(Row):
    """One mail to one person.

    It is kept until some days after it was settled. `payload` holds ids, or a snapshot where the
    rows are gone when it is sent; it is emptied once the message is settled. A worker holds the
    message until `lease_until`; every claim raises `lease_epoch`, and only the holder of the latest
    epoch may settle. `held`: at the last try the mail server was away, so until `due_at` nobody
    tries it again. `caused_by` is the account whose doing it is, if it is one's; it may be gone.
    `is_unasked`: its reader is not together with them; such mails of a pair are few a day
    (`allowance.py`). `is_counted`: it is one of its day's already.
    `subject` and `text` are kept where there is no mail server, for the account the mail was sent
    to.
    """

    kind = models.CharField(max_length=40)
    event = models.CharField(max_length=200)
    recipient = models.CharField(max_length=320)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DB_CASCADE,
        null=True,
        related_name="+",
        db_index=False,
    )
    caused_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        null=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    is_unasked = models.BooleanField(default=False)
    is_counted = models.BooleanField(default=False)
    sequence = models.PositiveIntegerField(default=0)
    payload = models.JSONField(default=dict)
    state = models.CharField(max_length=7, choices=State, default=State.QUEUED)
    attempts = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField()
    held = models.BooleanField(default=False)
    lease_until = models.DateTimeField(null=True)
    lease_epoch = models.PositiveIntegerField(default=0)
    refused_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=500, blank=True)
    subject = models.TextField(blank=True, default="")
    text = models.TextField(blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["event", "recipient", "sequence"], name="one_mail_an_event"
            )
        ]
        indexes = [
            # In the order of sending, or PostgreSQL may read all that wait, and sort them.
            models.Index(
                fields=["due_at", "sequence", "id"],
                condition=models.Q(state=State.QUEUED),
                name="mails_due",
            ),
            models.Index(
                fields=["held", "due_at"],
                condition=models.Q(state=State.QUEUED),
                name="mails_held",
            ),
            models.Index(
                fields=["created_at"], condition=models.Q(state=State.QUEUED), name="mails_waiting"
            ),
            models.Index(fields=["settled_at"], name="mails_settled"),
            models.Index(
                fields=["user"], condition=models.Q(state=State.KEPT_BACK), name="mails_kept_back"
            ),
            models.Index(
                fields=["caused_by"],
                condition=models.Q(state=State.KEPT_BACK),
                name="mails_kept_back_by",
            ),
            models.Index(
                fields=["created_at"],
                condition=models.Q(state=State.KEPT_BACK),
                name="mails_kept_since",
            ),
            models.Index(
                fields=["caused_by"],
                condition=models.Q(state__in=[State.QUEUED, State.KEPT_BACK]),
                name="mails_caused_by",
            ),
            models.Index(fields=["user", "-settled_at"], name="mails_of_an_account"),
        ]

from django.contrib.auth.models import User
from django.db import models
from django.db.models import Q

from commontime.accounts.enums import Door, HourCycle, WeekStart, WhoMayAdd
from commontime.core.models import Row


class UserSetting(Row):
    """A person's choices, and their names in canonical form. Those are unique.

    email_confirmed: whether the mails to the address reach the person. confirm_counter ends the
    links to confirm earlier addresses.
    """

    user = models.OneToOneField(User, on_delete=models.DB_CASCADE)
    username_key = models.CharField(max_length=450, unique=True)
    email_key = models.CharField(max_length=762, unique=True, null=True)
    email_confirmed = models.BooleanField(default=True)
    confirm_counter = models.PositiveIntegerField(default=0)
    confirm_asked_at = models.DateTimeField(null=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    week_start = models.CharField(max_length=10, choices=WeekStart, default=WeekStart.MONDAY)
    hour_cycle = models.CharField(max_length=3, choices=HourCycle, default=HourCycle.H23)
    locale = models.CharField(max_length=10, default="en")
    mail_invitations = models.BooleanField(default=True)
    mail_meetings = models.BooleanField(default=True)
    mail_reminders = models.BooleanField(default=True)
    who_may_add_me = models.CharField(max_length=10, choices=WhoMayAdd, default=WhoMayAdd.ANYONE)
    feed_hash = models.CharField(max_length=64, unique=True, null=True)


class Session(Row):
    """A sign-in: the family of all its tokens.

    refresh_hash: of the only refresh token that still works. spent_hash: of the one before it, with
    the network it was used from.
    """

    user = models.ForeignKey(User, on_delete=models.DB_CASCADE)
    door = models.CharField(max_length=3, choices=Door)
    epoch = models.CharField(max_length=32)
    refresh_hash = models.CharField(max_length=64, blank=True)
    spent_hash = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField()
    used_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    user_agent = models.CharField(max_length=200, blank=True)
    address = models.CharField(max_length=45, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["user", "-used_at"], name="sessions_of_a_user"),
            models.Index(fields=["ends_at"], name="sessions_by_end"),
            models.Index(
                fields=["ended_at"], condition=Q(ended_at__isnull=False), name="sessions_that_ended"
            ),
        ]


class KnownNetwork(Row):
    """A network from which `user` has signed in.

    network_hash: keyed, so that a dump of the database shows no address.
    """

    user = models.ForeignKey(User, on_delete=models.DB_CASCADE, related_name="known_networks")
    network_hash = models.CharField(max_length=64)
    used_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "network_hash"], name="one_row_a_known_network")
        ]


class Mute(Row):
    """`user` has stopped the mails `sender` has us send."""

    user = models.ForeignKey(User, on_delete=models.DB_CASCADE, related_name="mutes")
    sender = models.ForeignKey(User, on_delete=models.DB_CASCADE, related_name="muted_by")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "sender"], name="one_mute_a_sender")]

"""What a group plans with. Ids are UUIDs, times are UTC, periods half-open."""

from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import models
from django.db.models import F, Q

from commontime.calendars import limits
from commontime.calendars.enums import InvitationStatus, MeetingStatus, PlanStatus, Visibility
from commontime.core import clock
from commontime.core.models import Row


class Calendar(Row):
    """A group planning together. `version` grows with every change that its availability depends on
    (by triggers, `calendars/guards`).
    """

    owner = models.ForeignKey(User, on_delete=models.DB_CASCADE, related_name="owned_calendars")
    name = models.CharField(max_length=limits.NAME)
    is_finalized = models.BooleanField(default=False)
    description = models.TextField(blank=True, default="")
    location = models.CharField(max_length=limits.PLACE, blank=True, default="")
    time_zone = models.CharField(max_length=limits.TIME_ZONE, default="UTC")
    duration_minutes = models.PositiveIntegerField(default=60)
    visibility = models.CharField(max_length=10, choices=Visibility, default=Visibility.OPEN)
    window_start = models.DateTimeField(null=True)
    window_end = models.DateTimeField(null=True)
    version = models.PositiveBigIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(window_start=None)
                | Q(window_end=None)
                | Q(window_end__gt=F("window_start")),
                name="calendar_window_in_order",
            ),
            models.CheckConstraint(
                condition=Q(duration_minutes__gte=1), name="calendar_duration_positive"
            ),
        ]
        indexes = [
            models.Index(fields=["owner", "-created_at", "id"], name="calendars_of_an_owner")
        ]


class CalendarParticipant(Row):
    """A person in a calendar. `packed` is their non-busy times in the form the engine reads, kept
    true by the database (`calendars/guards`).

    added_by: who put them here without asking. agreed_at: when they first took part by their own
    doing; see actions/taking_part.py.
    """

    calendar = models.ForeignKey(Calendar, on_delete=models.DB_CASCADE, related_name="participants")
    user = models.ForeignKey(User, on_delete=models.DB_CASCADE, related_name="participations")
    required = models.BooleanField(default=True)
    joined_at = models.DateTimeField(auto_now_add=True)
    added_by = models.ForeignKey(User, null=True, on_delete=models.DB_SET_NULL, related_name="+")
    agreed_at = models.DateTimeField(null=True)
    packed = models.TextField(default="", editable=False)

    # Whether they gave any time. Only queries.people sets it.
    has_answered: bool

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["calendar", "user"], name="one_seat_a_person")
        ]
        indexes = [
            models.Index(fields=["calendar", "joined_at", "id"], name="participants_in_order"),
            models.Index(fields=["user", "calendar"], name="calendars_of_a_participant"),
        ]


class NonBusyTime(Row):
    """A period `[start_time, end_time)` in which a person is free.

    Only who has a seat gives times, and those of one person in one calendar never overlap
    (`calendars/guards`).
    """

    user = models.ForeignKey(
        User, on_delete=models.DB_CASCADE, related_name="non_busy_times", db_index=False
    )
    calendar = models.ForeignKey(
        Calendar, on_delete=models.DB_CASCADE, related_name="non_busy_times", db_index=False
    )
    start_time = models.DateTimeField()
    end_time = models.DateTimeField()
    preference_level = models.PositiveSmallIntegerField(default=5)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(end_time__gt=F("start_time")), name="non_busy_time_in_order"
            ),
            models.CheckConstraint(
                condition=Q(preference_level__range=(0, 10)), name="preference_0_to_10"
            ),
            # What `packed` has digits for, and more.
            models.CheckConstraint(
                condition=Q(start_time__gte=clock.EARLIEST, end_time__lte=clock.LATEST),
                name="non_busy_time_in_this_century",
            ),
        ]
        indexes = [
            models.Index(fields=["calendar", "start_time", "id"], name="non_busy_times_in_order"),
            models.Index(
                fields=["user", "calendar", "start_time"], name="non_busy_times_of_a_person"
            ),
        ]


class Meeting(Row):
    """A time to be found. The id is its iCalendar UID; `sequence` is the SEQUENCE of the last
    request or cancel that was sent to anybody.

    It is `for_everyone` in the calendar, or for the attendees named, even when none of them is
    left.
    """

    calendar = models.ForeignKey(Calendar, on_delete=models.DB_CASCADE, related_name="meetings")
    title = models.CharField(max_length=limits.NAME, blank=True, default="")
    description = models.TextField(blank=True, default="")
    location = models.CharField(max_length=limits.PLACE, blank=True, default="")
    deadline = models.DateTimeField()
    final_time = models.DateTimeField(null=True)
    duration_minutes = models.PositiveIntegerField(null=True)
    quorum = models.PositiveIntegerField(null=True)
    earliest = models.DateTimeField(null=True)
    latest = models.DateTimeField(null=True)
    buffer_minutes = models.PositiveIntegerField(default=0)
    auto_finalize = models.BooleanField(default=False)
    for_everyone = models.BooleanField(default=True)
    sequence = models.PositiveIntegerField(default=0)
    version = models.PositiveBigIntegerField(default=1)
    announced_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    # Who is named, as "12r,15o": user ids, required or optional. Only queries.meetings sets it.
    attendee_marks: str | None

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(earliest=None) | Q(latest=None) | Q(latest__gt=F("earliest")),
                name="meeting_bounds_in_order",
            ),
            models.CheckConstraint(
                condition=Q(duration_minutes=None) | Q(duration_minutes__gte=1),
                name="meeting_duration_positive",
            ),
        ]
        indexes = [
            models.Index(fields=["calendar", "created_at", "id"], name="meetings_in_order"),
            models.Index(
                fields=["deadline"],
                condition=Q(announced_at=None, final_time=None),
                name="meetings_to_announce",
            ),
            # By calendar first: an index by time alone would have the database look for the
            # meetings of a few calendars among those of all.
            models.Index(
                fields=["calendar", "deadline"],
                condition=Q(final_time=None),
                name="open_meetings_of_a_calendar",
            ),
            models.Index(
                fields=["calendar", "final_time"],
                condition=Q(final_time__isnull=False),  # SQLite can't use one of NOT … IS NULL
                name="fixed_meetings_of_a_calendar",
            ),
        ]

    @property
    def name(self) -> str:
        """What it is called: by its title, else its calendar."""
        return self.title or self.calendar.name

    @property
    def duration(self) -> timedelta:
        return timedelta(minutes=self.duration_minutes or self.calendar.duration_minutes)

    @property
    def buffer(self) -> timedelta:
        return timedelta(minutes=self.buffer_minutes)

    @property
    def end_time(self) -> datetime | None:
        return self.final_time and self.final_time + self.duration

    @property
    def attendees(self) -> dict[int, bool]:
        """The named attendees: whether each is required, by user id.

        Raises LookupError for a meeting that was fetched without them.
        """
        try:
            return read_marks(self.attendee_marks)
        except AttributeError:
            raise LookupError(
                "Fetch the meeting by queries.meetings to know its attendees."
            ) from None

    def status(self, now: datetime) -> MeetingStatus:
        if self.final_time is not None:
            return MeetingStatus.SCHEDULED
        return MeetingStatus.CLOSED if self.deadline <= now else MeetingStatus.OPEN


def read_marks(marks: str | None) -> dict[int, bool]:
    """Return whether each attendee is required, by user id, from marks such as "12r,15o"."""
    pairs = (mark for mark in (marks or "").split(",") if mark)
    return {int(pair[:-1]): pair.endswith("r") for pair in sorted(pairs)}


class MeetingAttendee(Row):
    """Somebody named for a meeting that isn't for everyone.

    There, people are as required as they are in the calendar.
    """

    meeting = models.ForeignKey(
        Meeting, on_delete=models.DB_CASCADE, related_name="named_attendees"
    )
    user = models.ForeignKey(User, on_delete=models.DB_CASCADE, related_name="+")
    required = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["meeting", "user"], name="one_place_an_attendee")
        ]


class ScheduleSuggestion(Row):
    """A start that somebody suggests. The author is null once their account is gone."""

    meeting = models.ForeignKey(Meeting, on_delete=models.DB_CASCADE, related_name="suggestions")
    author = models.ForeignKey(User, null=True, on_delete=models.DB_SET_NULL, related_name="+")
    suggested_time = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["meeting", "suggested_time"], name="one_suggestion_a_start"
            )
        ]


class Plan(Row):
    """The last joint plan of a calendar's meetings.

    It says how far it is. A calendar has one.

    question: what was asked. basis: a fingerprint of all it was computed from. answer: the best
    placement so far; see planning.plans. run: a worker's claim; only who holds the newest may
    write. worked_at: when it was last computed on. seconds: how long that took so far, over all
    runs.
    """

    calendar = models.OneToOneField(Calendar, on_delete=models.DB_CASCADE, related_name="plan")
    status = models.CharField(max_length=10, choices=PlanStatus, default=PlanStatus.RUNNING)
    question = models.JSONField()
    basis = models.CharField(max_length=64)
    answer = models.JSONField(null=True)
    seconds = models.FloatField(default=0)
    run = models.PositiveIntegerField(default=0)
    stop_wanted = models.BooleanField(default=False)
    worked_at = models.DateTimeField(default=clock.now)
    created_at = models.DateTimeField()


class Invitation(Row):
    """An invitation to an account (`receiver`) or address (`email`).

    The signed link in the mail claims one to an address.
    """

    calendar = models.ForeignKey(Calendar, on_delete=models.DB_CASCADE, related_name="invitations")
    sender = models.ForeignKey(User, on_delete=models.DB_CASCADE, related_name="sent_invitations")
    receiver = models.ForeignKey(
        User, null=True, on_delete=models.DB_CASCADE, related_name="received_invitations"
    )
    email = models.EmailField(blank=True, default="")
    status = models.CharField(
        max_length=10, choices=InvitationStatus, default=InvitationStatus.PENDING
    )
    created_at = models.DateTimeField(auto_now_add=True)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["calendar", "receiver"],
                condition=Q(status="pending"),
                name="one_pending_invitation_a_person",
            ),
            models.UniqueConstraint(
                fields=["calendar", "email"],
                condition=Q(status="pending", receiver=None),
                name="one_pending_invitation_an_address",
            ),
        ]
        indexes = [
            models.Index(fields=["receiver", "-created_at", "id"], name="invitations_received"),
            models.Index(fields=["sender", "-created_at", "id"], name="invitations_sent"),
        ]

"""An example choir, created by the actions of its people."""

import random
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import CommandError
from django.db import transaction

from commontime.accounts.actions import profiles
from commontime.accounts.actions import settings as account_settings
from commontime.calendars import actions, queries
from commontime.calendars.actions.non_busy_times import WindowInput
from commontime.calendars.models import Calendar, Meeting
from commontime.calendars.planning import groups, suggestions
from commontime.contacts.actions import add_contact
from commontime.core import clock
from commontime.jobs.management.base import OperatorCommand
from commontime.jobs.management.commands import _choir as choir
from commontime.mail.backends import mail_folder
from commontime.mail.enums import State
from commontime.mail.models import Message

SEED = 1824
MUST_BE_THERE = {"ingrid", "henrik", "sofia", "amara", "jonas", "priya", "tomas"}
WELCOME = """
The Harbour Choir: {people} people, {calendars} calendars, {meetings} meetings.
Sign in at {url}/app/sign-in/ with the password "{password}" as

  ingrid   the conductor: organises the rehearsals; one meeting is waiting for her to choose a time
  tomas    the chair: organises the board’s calendar
  noor     a singer: invited to a trip, with some answers still missing
"""


class Command(OperatorCommand):
    help = (
        "Fills an empty database with a choir of forty people, so that you can look around. "
        "Running it again changes nothing."
    )
    examples = ("demo",)

    def handle(self, *args: Any, **options: Any) -> None:
        refuse_where_others_come()
        if not is_here():
            refuse_other_peoples_data()
            self.stdout.write("Creating the demo; this takes a few seconds…")
            make()
        else:
            self.stdout.write("The demo already exists; nothing was changed.")
        counts = {
            "people": len(choir.SINGERS),
            "calendars": Calendar.objects.count(),
            "meetings": Meeting.objects.count(),
        }
        self.stdout.write(
            WELCOME.format(url=settings.COMMONTIME_BASE_URL, password=choir.PASSWORD, **counts)
        )


def refuse_where_others_come() -> None:
    if settings.OTHERS_COME:
        raise CommandError(
            "The demo’s password is public, so run it only for yourself: unset COMMONTIME_HOST and "
            "COMMONTIME_BASE_URL."
        )


def is_here() -> bool:
    return User.objects.filter(email__in=[singer.email for singer in choir.SINGERS]).exists()


def refuse_other_peoples_data() -> None:
    if User.objects.exists():
        elsewhere = (
            "an empty DATABASE_URL"
            if settings.DATABASE_URL
            else "COMMONTIME_DATA_DIR=var/demo make demo"
        )
        raise CommandError(
            f"This database already has accounts. Run the demo somewhere else: {elsewhere}"
        )


def make() -> None:
    """Create the whole demo in one transaction."""
    with transaction.atomic():
        Demo().make()
        keep_mails_quiet()


def keep_mails_quiet() -> None:
    """Drop the demo's mails. If mails become files, those to the three main people are kept."""
    mails = Message.objects.filter(state=State.QUEUED)
    if mail_folder() is not None:
        mails = mails.exclude(user__username__in=["ingrid", "tomas", "noor"])
    mails.update(state=State.DROPPED, settled_at=clock.now(), payload={}, error="Made by the demo.")


class Demo:
    """The story of the choir, relative to today. It is the same for every run on one day."""

    def __init__(self) -> None:
        self.chance = random.Random(SEED)  # noqa: S311 (nothing secret comes of it)
        today = clock.now().astimezone(choir.ZONE).date()
        self.monday = today + timedelta(days=7 - today.weekday())
        self.people: dict[str, User] = {}

    def make(self) -> None:
        self.sign_up()
        self.rehearsals()
        self.board()
        self.altos()
        self.trip()
        self.lessons()
        self.carpool()
        self.get_to_know_each_other()

    # Who is there ---------------------------------------------------------------------------------

    def sign_up(self) -> None:
        for singer in choir.SINGERS:
            self.people[singer.username] = profiles.create_account(
                username=singer.username,
                email=singer.email,
                first_name=singer.first_name,
                last_name=singer.last_name,
                password=choir.PASSWORD,
            )
            account_settings.change_settings(
                self.people[singer.username], time_zone=str(choir.ZONE)
            )
        account_settings.change_settings(
            self.people["ronan"], time_zone="Europe/Dublin", hour_cycle="h12"
        )
        account_settings.change_settings(
            self.people["dagmar"], who_may_add_me="contacts", mail_reminders=False
        )

    def get_to_know_each_other(self) -> None:
        for owner in ("ingrid", "tomas", "priya", "amara", "noor"):
            others = [singer.username for singer in choir.SINGERS if singer.username != owner]
            for contactee in self.chance.sample(others, 7):
                add_contact(contactee, by=self.people[owner])

    # What they plan -------------------------------------------------------------------------------

    def rehearsals(self) -> None:
        """Create everybody's calendar.

        It has a meeting of each status, and one deadline just missed.
        """
        everyone = [singer.username for singer in choir.SINGERS]
        calendar = self.calendar(
            "ingrid",
            "Summer concert",
            everyone,
            days=21,
            duration_minutes=120,
            location="St. Nikolai, parish hall",
            description="Rehearsals up to the concert. Please answer for all three weeks.",
        )
        silent = {"noor", *self.chance.sample(everyone[5:], 7)}
        self.answer(calendar, [name for name in everyone if name not in silent], days=21)
        self.fix_best(
            self.look_for(calendar, "First full rehearsal", deadline=2, latest=self.at(7, 0))
        )
        dress = self.look_for(
            calendar,
            "Dress rehearsal",
            deadline=9,
            duration_minutes=150,
            earliest=self.at(14, 9),
            quorum=30,
        )
        actions.suggest_time(dress, by=self.people["henrik"], suggested_time=self.at(15, 18))
        actions.suggest_time(dress, by=self.people["sofia"], suggested_time=self.at(20, 14))
        self.overdue(
            self.look_for(
                calendar,
                "Recording session",
                deadline=1,
                duration_minutes=240,
                location="Studio Elbe",
            )
        )

    def board(self) -> None:
        """Create the board's calendar. It has hidden answers, and a meeting in the past."""
        board = ["tomas", "ingrid", "henrik", "priya", "samuel", "dagmar", "zoe"]
        calendar = self.calendar(
            "tomas",
            "Board",
            board,
            days=14,
            duration_minutes=90,
            visibility="counts",
            location="Café Hafenblick",
        )
        self.answer(calendar, board[:5], days=14, after=-14)
        self.fix(self.look_for(calendar, "Budget for next year", deadline=1), self.at(-12, 19))
        required = [self.people[name].pk for name in ("tomas", "ingrid", "samuel")]
        optional = [self.people[name].pk for name in ("henrik", "priya", "dagmar", "zoe")]
        self.look_for(
            calendar,
            "Spring meeting",
            deadline=5,
            required=required,
            optional=optional,
            quorum=5,
            auto_finalize=True,
        )

    def altos(self) -> None:
        """Create a calendar with every answer to an invitation.

        Some joined, one declined, and two have not answered.
        """
        altos = choir.voice("alto")
        joined, asked = altos[:-3], altos[-3:]
        calendar = self.calendar("amara", "Altos", joined, days=14, duration_minutes=75)
        declined, *_ = [
            actions.invite_person(calendar.pk, by=self.people["amara"], receiver=self.people[name])
            for name in asked
        ]
        actions.decline_invitation(declined.pk, by=self.people[asked[0]])
        self.answer(calendar, [name for name in joined if name not in ("noor", "dagmar")], days=14)
        self.fix_best(self.look_for(calendar, "Sectional", deadline=2))

    def trip(self) -> None:
        """Create a calendar with invitations on their way.

        One goes to an address without an account.
        """
        calendar = self.calendar(
            "priya",
            "Trip to Bergen",
            ["priya", "yuki", "jonas", "kwame", "hanna", "emil"],
            days=28,
            duration_minutes=60,
            description="Who takes part in planning the trip in autumn?",
        )
        for name in ("noor", "bao", "annika", "viktor"):
            actions.invite_person(calendar.pk, by=self.people["priya"], receiver=self.people[name])
        actions.invite_address(
            calendar.pk, by=self.people["priya"], email="solveig@bergen-choir.example"
        )
        self.answer(calendar, ["priya", "yuki", "jonas"], days=28)
        self.look_for(
            calendar,
            "Planning call",
            deadline=8,
            description="By video; the link comes with the time.",
        )

    def lessons(self) -> None:
        """Create one-on-ones of one person with many."""
        pupils = ["yuki", "chiara", "bao", "annika", "nele", "emil"]
        calendar = self.calendar(
            "ingrid",
            "Singing lessons",
            ["ingrid", *pupils],
            days=7,
            duration_minutes=45,
            visibility="owner",
        )
        self.answer(calendar, ["ingrid", *pupils], days=7)
        teacher = self.people["ingrid"].pk
        for name in pupils:
            self.look_for(
                calendar,
                f"Lesson with {choir.BY_NAME[name].first_name}",
                deadline=4,
                required=[teacher, self.people[name].pk],
            )

    def carpool(self) -> None:
        """Create a calendar whose planning is finished."""
        drivers = ["oskar", "greta", "lars", "milena", "tiago"]
        calendar = self.calendar(
            "oskar", "Carpool to the festival", drivers, days=14, duration_minutes=30
        )
        self.answer(calendar, drivers, days=14)
        self.fix_best(self.look_for(calendar, "Departure", deadline=2))
        actions.edit_calendar(calendar, by=self.people["oskar"], is_finalized=True)

    # What they do ---------------------------------------------------------------------------------

    def calendar(
        self, owner: str, name: str, people: Sequence[str], *, days: int, **fields: Any
    ) -> Calendar:
        fields |= {
            "time_zone": str(choir.ZONE),
            "window_start": self.at(0, 8),
            "window_end": self.at(days, 0),
        }
        calendar = actions.create_calendar(by=self.people[owner], name=name, **fields)
        for person in people:
            if person != owner:
                self.join(calendar, person)
        return calendar

    def join(self, calendar: Calendar, person: str) -> None:
        """Add people, or invite them and accept for them.

        Those are invited who want to be asked.
        """
        user = self.people[person]
        if user.usersetting.who_may_add_me == "contacts":
            invitation = actions.invite_person(calendar.pk, by=calendar.owner, receiver=user)
            actions.accept_invitation(invitation.pk, by=user)
        else:
            actions.add_participant(
                calendar, by=calendar.owner, user=user, required=person in MUST_BE_THERE
            )

    def answer(
        self, calendar: Calendar, people: Sequence[str], *, days: int, after: int = 0
    ) -> None:
        """Give people times. They begin this many days after next Monday."""
        for person in people:
            windows = choir.windows_of(
                choir.BY_NAME[person], self.day(after), days - after, self.chance
            )
            rows = [
                WindowInput(start_time=start, end_time=end, preference_level=liking)
                for start, end, liking in windows
            ]
            actions.replace_windows(
                calendar,
                by=self.people[person],
                start=self.at(after, 0),
                end=self.at(days, 0),
                windows=rows,
            )

    def look_for(self, calendar: Calendar, title: str, *, deadline: int, **fields: Any) -> Meeting:
        """Create a meeting whose deadline is some days away."""
        meeting, _roster = actions.create_meeting(
            calendar,
            by=calendar.owner,
            title=title,
            deadline=clock.now() + timedelta(days=deadline),
            **fields,
        )
        return meeting

    def fix(self, meeting: Meeting, final_time: datetime) -> None:
        actions.edit_meeting(meeting, by=meeting.calendar.owner, final_time=final_time)

    def fix_best(self, meeting: Meeting) -> None:
        group = groups.group_for(meeting, queries.people.roster_of(meeting.calendar))
        best, *_ = suggestions.rank(meeting, group, [], now=clock.now(), limit=1, with_names=True)
        self.fix(meeting, best.outcome.start)

    def overdue(self, meeting: Meeting) -> None:
        """Let a meeting's deadline pass.

        No action can create one with a past deadline. The worker then sends the organiser its
        report.
        """
        Meeting.objects.filter(pk=meeting.pk).update(deadline=clock.now() - timedelta(hours=1))

    def day(self, days: int) -> date:
        """Return the day this many days after next Monday."""
        return self.monday + timedelta(days=days)

    def at(self, days: int, hour: float) -> datetime:
        return choir.local(self.day(days), hour)

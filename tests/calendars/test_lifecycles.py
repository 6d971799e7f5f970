"""Every attendee's calendar ends up with what the server has for them (P7): random lives of
meetings, mails reordered and repeated.
"""

import os
import random
from datetime import timedelta

import pytest

from commontime.calendars import actions, queries
from commontime.calendars.actions import calendars, meetings, participants
from commontime.calendars.models import Calendar, CalendarParticipant, Invitation, Meeting
from commontime.calendars.planning import groups
from commontime.calendars.tasks import composers, notices
from commontime.core import clock
from commontime.mail import delivery
from commontime.mail.enums import State
from commontime.mail.models import Message
from tests import build
from tests.calendars import itip, kept
from tests.ical import strict

pytestmark = pytest.mark.django_db
# How many meetings live: `LIVES=10000 pytest …` where there is time.
LIVES = int(os.environ.get("LIVES", "100"))
TOGETHER = 10


class World:
    """Four people, one or two calendars, and what they do to meetings. Clocks tick in whole seconds
    and sometimes not at all.
    """

    def __init__(self, seed: int, monkeypatch, settings) -> None:
        self.chance = random.Random(seed)
        kept.keep_letters(monkeypatch, settings)
        settings.LIMITS = {
            **settings.LIMITS,
            "mail_pair": (10**6, 86400),
            "mail_receiver": (10**6, 86400),
            "mails_caused": (10**6, 86400),
        }
        self.people = [
            build.user(f"p{seed}x{number}", first_name=f"Person {number}") for number in range(4)
        ]
        self.inboxes: dict[str, list[strict.Component]] = {
            person.email: [] for person in self.people
        }
        self.mails = 0
        self.now = clock.now().replace(microsecond=0)
        monkeypatch.setattr(clock, "now", lambda: self.now)
        self.found_calendar()

    # What people do -------------------------------------------------------------------------------

    def found_calendar(self) -> None:
        owner = self.chance.choice(self.people)
        self.calendar = actions.create_calendar(
            by=owner,
            name=f"Calendar {self.chance.randrange(100)}",
            location=self.chance.choice(["", "Hall"]),
        )
        for person in self.chance.sample(self.people, self.chance.randint(1, 4)):
            if person != owner:
                actions.add_participant(self.calendar, by=owner, user=person.pk)

    def live(self) -> None:
        """One meeting from its making to its end, or to where it is left."""
        meeting, _ = actions.create_meeting(
            self.calendar, by=self.owner, deadline=self.now + timedelta(days=9), **self.names()
        )
        self.meeting_id = meeting.pk
        steps = [
            self.fix,
            self.fix,
            self.move,
            self.move,
            self.retitle,
            self.lengthen,
            self.rename_attendees,
            self.withdraw,
            self.delete,
        ]
        steps += [
            self.remove,
            self.remove,
            self.come,
            self.come,
            self.accept,
            self.change_calendar,
            self.hand_over,
            self.nothing,
        ]
        self.fix()
        for _ in range(self.chance.randint(1, 7)):
            self.chance.choice(steps)()
            self.now += timedelta(seconds=self.chance.choice([0, 0, 1, 3600]))
            if self.chance.random() < 0.4:
                self.deliver()
        if self.chance.random() < 0.05:
            actions.delete_calendar(self.fresh_calendar(), by=self.owner)
            self.found_calendar()

    @property
    def owner(self):
        return Calendar.objects.select_related("owner").get(pk=self.calendar.pk).owner

    def fresh_calendar(self) -> Calendar:
        return Calendar.objects.select_related("owner").get(pk=self.calendar.pk)

    def seated(self) -> list[int]:
        return list(
            CalendarParticipant.objects.filter(calendar=self.calendar)
            .order_by("joined_at", "id")
            .values_list("user_id", flat=True)
        )

    def names(self) -> dict[str, list[int]]:
        if self.chance.random() < 0.6:
            return {"required": [], "optional": []}
        seated = self.seated()
        chosen = self.chance.sample(seated, self.chance.randint(1, len(seated)))
        return {"required": chosen[:1], "optional": chosen[1:]}

    def start(self):
        return build.day(self.chance.randrange(48) / 2, days=self.chance.randint(20, 60))

    def edit(self, **changes) -> None:
        meeting = (
            queries.meetings.with_attendees()
            .select_related("calendar__owner")
            .filter(pk=self.meeting_id)
            .first()
        )
        if meeting:
            actions.edit_meeting(meeting, by=meeting.calendar.owner, **changes)

    def fix(self) -> None:
        self.edit(final_time=self.start())

    move = fix

    def retitle(self) -> None:
        self.edit(
            title=self.chance.choice(["", "Talk", "A; b, c\\"]),
            description=self.chance.choice(["", "one\ntwo"]),
        )

    def lengthen(self) -> None:
        self.edit(
            duration_minutes=self.chance.choice([None, 30, 90]),
            location=self.chance.choice(["", "Room 4"]),
        )

    def rename_attendees(self) -> None:
        self.edit(
            **self.names(),
            **self.chance.choice([{}, {}, {"final_time": self.start()}, {"final_time": None}]),
        )

    def withdraw(self) -> None:
        self.edit(final_time=None)

    def nothing(self) -> None:
        meeting = Meeting.objects.filter(pk=self.meeting_id).first()
        if meeting:
            self.edit(title=meeting.title, final_time=meeting.final_time)

    def delete(self) -> None:
        meeting = (
            queries.meetings.with_attendees()
            .select_related("calendar__owner")
            .filter(pk=self.meeting_id)
            .first()
        )
        if meeting:
            actions.delete_meeting(meeting, by=meeting.calendar.owner)

    def remove(self) -> None:
        calendar = self.fresh_calendar()
        others = [user for user in self.seated() if user != calendar.owner_id]
        if others:
            seat = queries.people.participants_of(calendar).get(user=self.chance.choice(others))
            seat.calendar = calendar
            actions.remove_participant(seat, by=self.chance.choice([calendar.owner, seat.user]))

    def absent(self):
        return self.chance.choice([p for p in self.people if p.pk not in self.seated()] or [None])

    def come(self) -> None:
        if person := self.absent():
            actions.add_participant(self.fresh_calendar(), by=self.owner, user=person.pk)

    def accept(self) -> None:
        if person := self.absent():
            Invitation.objects.filter(receiver=person).delete()
            invitation = actions.invite_person(
                self.fresh_calendar().pk, by=self.owner, receiver=person.pk
            )
            actions.accept_invitation(invitation.pk, by=person)

    def change_calendar(self) -> None:
        changes = [
            {"name": f"Calendar {self.chance.randrange(100)}"},
            {"location": "Hall"},
            {"location": ""},
            {"duration_minutes": 45},
            {"description": "x"},
        ]
        actions.edit_calendar(self.fresh_calendar(), by=self.owner, **self.chance.choice(changes))

    def hand_over(self) -> None:
        calendar = self.fresh_calendar()
        actions.transfer_calendar(calendar, by=calendar.owner, to=self.chance.choice(self.seated()))

    # What their calendars make of it --------------------------------------------------------------

    def deliver(self) -> None:
        delivery.deliver_due(seconds=100)
        waiting = Message.objects.exclude(state__in=[State.SENT, State.DROPPED])
        assert not waiting, [(message.kind, message.error) for message in waiting]
        for to, letter in kept.take():
            self.mails += 1
            everything = letter.text + b"".join(letter.documents).replace(b"\r\n ", b"").decode()
            others = [
                address for address in self.inboxes if address != to and address in everything
            ]
            assert not others, f"{to} learns of {others}"
            self.inboxes[to] += [strict.read(document) for document in letter.documents]

    def shown(self) -> dict[str, dict]:
        """Deliver what waits, then let each calendar program have all mails there ever were: in any
        order, some of them twice.
        """
        self.deliver()
        programs = {}
        for address, documents in self.inboxes.items():
            again = self.chance.sample(documents, len(documents) // 3)
            program = programs[address] = itip.Calendar(address)
            for document in self.chance.sample(documents + again, len(documents) + len(again)):
                program.receive(document)
        return {address: program.shown for address, program in programs.items()}

    def truth(self) -> dict[str, dict]:
        """What the server has for each person."""
        meetings = list(
            queries.meetings.with_attendees().exclude(final_time=None).select_related("calendar")
        )
        seats = set(CalendarParticipant.objects.values_list("calendar_id", "user_id"))
        return {
            person.email: {
                str(m.pk): content_of(m)
                for m in meetings
                if (m.calendar_id, person.pk) in seats and groups.is_for(m, person.pk)
            }
            for person in self.people
        }


def content_of(meeting: Meeting) -> dict[str, str]:
    content = {
        "DTSTART": f"{meeting.final_time:%Y%m%dT%H%M%SZ}",
        "DTEND": f"{meeting.end_time:%Y%m%dT%H%M%SZ}",
        "SUMMARY": meeting.title or meeting.calendar.name,
        "DESCRIPTION": meeting.description,
        "LOCATION": meeting.location or meeting.calendar.location,
    }
    return {name: value for name, value in content.items() if value}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(LIVES // TOGETHER))
def test_every_calendar_ends_up_with_what_the_server_has(seed, monkeypatch, settings):
    world = World(seed, monkeypatch, settings)

    for number in range(TOGETHER):
        world.live()
        if number % 3 == 0:
            assert world.shown() == world.truth()

    assert world.mails > TOGETHER


def first_difference(monkeypatch, settings) -> bool:
    for seed in range(100, 106):
        world = World(seed, monkeypatch, settings)
        for _ in range(10):
            world.live()
            try:
                if world.shown() != world.truth():
                    return True
            except AssertionError:
                return True
    return False


@pytest.mark.parametrize(
    "guard",
    [
        "sequence of who leaves and comes",
        "sequence of changes",
        "requests of who comes",
        "calendar changes",
        "old mails dropped",
    ],
)
def test_without_its_guards_some_calendar_would_be_wrong(guard, monkeypatch, settings):
    if guard == "sequence of who leaves and comes":
        monkeypatch.setattr(participants, "raise_sequence", list)
    elif guard == "sequence of changes":
        real = Meeting.objects.filter
        monkeypatch.setattr(
            meetings,
            "_save",
            lambda meeting, roster, before, changes: (
                real(pk=meeting.pk).update(**changes),
                notices.tell_changed([(meeting, before)], roster),
            ),
        )
    elif guard == "requests of who comes":
        monkeypatch.setattr(participants, "raise_sequence", lambda found: [])
    elif guard == "calendar changes":
        monkeypatch.setattr(calendars, "SHOWN_IN_MEETINGS", set())
    else:
        monkeypatch.setattr(composers, "_attended", attended_by_anybody)

    assert first_difference(monkeypatch, settings)


def attended_by_anybody(message: Message):
    meeting = (
        queries.meetings.with_attendees()
        .filter(pk=message.payload["meeting"])
        .exclude(final_time=None)
        .select_related("calendar__owner")
        .first()
    )
    return (meeting, True) if meeting else None

"""How many statements each request costs (Q1 of the performance design): as many for one thing as
for hundreds, and few.

Not counted: the control of transactions, and the queue's own tables. What a change asks only in
order to write mails (whom to tell, of which meetings, and their SEQUENCE) is counted apart, behind
the +. `pytest -s` prints the table; after a change paste it below.
"""

import inspect
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from commontime.accounts.models import Mute, Session
from commontime.api import contacts
from commontime.calendars import actions
from commontime.calendars.models import (
    Calendar,
    CalendarParticipant,
    Invitation,
    Meeting,
    MeetingAttendee,
    NonBusyTime,
    ScheduleSuggestion,
)
from commontime.calendars.planning import plans
from commontime.contacts.models import Contact
from commontime.core import clock, links
from tests import build
from tests.api import cast
from tests.api.cast import iso
from tests.api.test_accounts import reset_path
from tests.api.test_schema import OPERATIONS
from tests.client import Caller, caller

pytestmark = pytest.mark.django_db

MANY = 300
READS, WRITES = 3, 4  # the aim

TABLE = """
 6  ! POST /signup/
 7  ! POST /login/
 7  ! POST /token/
 2    POST /token/refresh/
 3    POST /logout/
 1    POST /password_reset/
 4    POST /password_reset/{uidb64}/{token}/
 3    POST /confirm-email/
 4    POST /profile/confirm-email/
 1    GET /profile/
 2    POST /profile/edit/
 5  ! POST /profile/edit/ (password)
 5+2! POST /profile/delete/
 5  ! POST /profile/delete/ (participant)
 2    GET /profile/settings/
 3    PUT /profile/settings/
13  ! GET /profile/export/
 2    POST /profile/feed/rotate/
 2    GET /profile/sessions/
 4    DELETE /profile/sessions/{session_id}/
 2    GET /calendars/
 4    POST /calendars/
 5  ! POST /calendars/ (key)
 1    GET /calendars/{calendar_id}/
 3+2  PUT /calendars/{calendar_id}/
 3+2  PUT /calendars/{calendar_id}/ (If-Match)
 6  ! PUT /calendars/{calendar_id}/ (finalise)
 3+2  DELETE /calendars/{calendar_id}/
 6  ! POST /calendars/{calendar_id}/transfer/
11+1! POST /calendars/{calendar_id}/duplicate/
 2    GET /calendars/{calendar_id}/participants/
 8+2  POST /calendars/{calendar_id}/participants/
 2    GET /calendars/{calendar_id}/participants/{participant_id}/
 4    PUT /calendars/{calendar_id}/participants/{participant_id}/
 4+2  DELETE /calendars/{calendar_id}/participants/{participant_id}/
 2    GET /calendars/{calendar_id}/nonbusytimes/
 3    POST /calendars/{calendar_id}/nonbusytimes/
 4+2  PUT /calendars/{calendar_id}/nonbusytimes/
 2    GET /calendars/{calendar_id}/nonbusytimes/{window_id}/
 4+2  PUT /calendars/{calendar_id}/nonbusytimes/{window_id}/
 4+2  DELETE /calendars/{calendar_id}/nonbusytimes/{window_id}/
 3    GET /calendars/{calendar_id}/availability/
 3    GET /calendars/{calendar_id}/meetings/
 4    POST /calendars/{calendar_id}/meetings/
 5  ! POST /calendars/{calendar_id}/meetings/ (attendees)
 6  ! POST /calendars/{calendar_id}/one-on-ones/
 3    GET /calendars/{calendar_id}/plan/
 5  ! POST /calendars/{calendar_id}/plan/
 3    POST /calendars/{calendar_id}/plan/stop/
 5  ! POST /calendars/{calendar_id}/plan/apply/
 2    GET /calendars/{calendar_id}/meetings/{meeting_id}/
 3    PUT /calendars/{calendar_id}/meetings/{meeting_id}/
 6  ! PUT /calendars/{calendar_id}/meetings/{meeting_id}/ (fix)
 4    PUT /calendars/{calendar_id}/meetings/{meeting_id}/ (attendees)
 3    DELETE /calendars/{calendar_id}/meetings/{meeting_id}/
 3    DELETE /calendars/{calendar_id}/meetings/{meeting_id}/ (scheduled)
 2    GET /calendars/{calendar_id}/meetings/{meeting_id}/invite.ics/
 3    GET /calendars/meetings/{meeting_id}/suggestions/
 4    POST /calendars/meetings/{meeting_id}/suggestions/
 4    DELETE /calendars/meetings/{meeting_id}/suggestions/{suggestion_id}/
 2    GET /calendars/meetings/{meeting_id}/insights/
 2    GET /calendars/invitations/
 9+1! POST /calendars/invitations/
 4+3  POST /calendars/invitations/ (address)
 2    GET /calendars/invitations/{invitation_id}/
 4+1  PUT /calendars/invitations/{invitation_id}/
 3    PUT /calendars/invitations/{invitation_id}/ (decline)
 3    DELETE /calendars/invitations/{invitation_id}/
 4    GET /calendars/get-user-id/{username}/
 4+3  POST /calendars/send-email/
 5+3! POST /calendars/send-email/ (calendar, note)
 2    GET /contacts/
 9  ! POST /contacts/add/
 5  ! POST /contacts/add/ (name)
 2    DELETE /contacts/delete/{username}/
 0    GET /healthz/
 1    GET /readyz/
"""


@dataclass
class World:
    """A calendar with so many people, times, meetings, suggestions, invitations and contacts; Mina
    owns it, Sam takes part.
    """

    size: int
    mina: Caller
    sam: Caller
    guest: Caller
    calendar: Calendar
    meeting: Meeting
    scheduled: Meeting
    suggestion: ScheduleSuggestion
    window: NonBusyTime
    seat: CalendarParticipant
    invitation: Invitation
    spare: Any
    una: Caller  # her address is not confirmed

    @property
    def path(self) -> str:
        return f"/calendars/{self.calendar.pk}/"

    @property
    def at(self) -> str:
        return f"{self.path}meetings/{self.meeting.pk}/"

    @property
    def suggestions(self) -> str:
        return f"/calendars/meetings/{self.meeting.pk}/suggestions/"


def world(size: int) -> World:
    mina, sam, guest = (caller(f"{name}{size}") for name in ("mina", "sam", "guest"))
    people = cast.crowd(size, f"in{size}x")
    others = cast.crowd(size + 1, f"out{size}x")
    calendar = build.calendar(owner=mina.user, participants=[sam.user])
    CalendarParticipant.objects.bulk_create(
        CalendarParticipant(calendar=calendar, user=person) for person in people
    )
    hour = timedelta(hours=1)
    start = build.day(8)
    NonBusyTime.objects.bulk_create(
        NonBusyTime(
            calendar=calendar,
            user=person,
            start_time=start + n % 7 * hour,
            end_time=start + (n % 7 + 3) * hour,
        )
        for n, person in enumerate([mina.user, *people])
    )
    NonBusyTime.objects.bulk_create(
        NonBusyTime(
            calendar=calendar,
            user=sam.user,
            start_time=start + 2 * n * hour,
            end_time=start + (2 * n + 1) * hour,
        )
        for n in range(size)
    )
    Meeting.objects.bulk_create(
        Meeting(
            calendar=calendar,
            deadline=build.day(),
            final_time=start + n * hour if n % 15 == 1 else None,
        )
        for n in range(size)
    )
    meeting, scheduled = (
        build.meeting(calendar=calendar),
        build.meeting(calendar=calendar, final_time=start),
    )
    for each in (meeting, scheduled):
        MeetingAttendee.objects.bulk_create(
            MeetingAttendee(meeting=each, user=person) for person in [sam.user, *people]
        )
    ScheduleSuggestion.objects.bulk_create(
        ScheduleSuggestion(meeting=meeting, author=sam.user, suggested_time=start + n * hour / 10)
        for n in range(size)
    )
    Calendar.objects.bulk_create(Calendar(owner=mina.user, name=f"{n}") for n in range(size))
    asked = Calendar.objects.bulk_create(
        Calendar(owner=mina.user, name=f"asked {n}") for n in range(size)
    )
    Invitation.objects.bulk_create(
        Invitation(calendar=one, sender=mina.user, receiver=sam.user) for one in asked
    )
    Invitation.objects.bulk_create(
        Invitation(calendar=calendar, sender=mina.user, receiver=person) for person in others[1:]
    )
    Contact.objects.bulk_create(
        Contact(owner=mina.user, contactee=person, created_at=clock.now())
        for person in [sam.user, *people]
    )
    Mute.objects.bulk_create(Mute(user=mina.user, sender=person) for person in people)
    now = clock.now()
    Session.objects.bulk_create(
        Session(
            user=mina.user, door="api", epoch="", created_at=now, used_at=now, ends_at=now + hour
        )
        for _ in range(size)
    )
    actions.make_plan(
        calendar, by=mina.user, question=plans.Question(meetings=(meeting.pk,), seconds=1)
    )
    return World(
        size,
        mina,
        sam,
        guest,
        calendar,
        meeting,
        scheduled,
        suggestion=ScheduleSuggestion.objects.filter(meeting=meeting).order_by("suggested_time")[0],
        window=NonBusyTime.objects.filter(calendar=calendar, user=sam.user).order_by("start_time")[
            0
        ],
        seat=CalendarParticipant.objects.get(calendar=calendar, user=sam.user),
        invitation=Invitation.objects.filter(receiver=sam.user).order_by("id")[0],
        spare=others[0],
        una=caller(build.user(f"una{size}", email_confirmed=False, confirm_asked_at=clock.now())),
    )


def rows(world: World) -> list[dict[str, Any]]:
    start = build.day(0, days=100)
    hours = [start + timedelta(hours=n) for n in range(world.size + 1)]
    return [
        {"start_time": iso(one), "end_time": iso(two), "preference_level": 5}
        for one, two in pairwise(hours)
    ]


SOON, LATER = iso(build.day(days=7)), iso(build.day(9, days=90))
PASSWORD = {"password": build.PASSWORD}
# What is asked, as the operation's name, or with what makes it another kind of request in brackets.
REQUESTS: dict[str, Callable[[World], Any]] = {
    "POST /signup/": lambda w: caller().post(
        "/signup/", {"username": "nova", "email": "nova@example.org", **PASSWORD}
    ),
    "POST /login/": lambda w: caller().post(
        "/login/", {"username": w.mina.user.username, **PASSWORD}
    ),
    "POST /token/": lambda w: caller().post(
        "/token/", {"username": w.mina.user.username, **PASSWORD}
    ),
    "POST /token/refresh/": lambda w: caller().post("/token/refresh/", {"refresh": w.mina.refresh}),
    "POST /logout/": lambda w: w.mina.post("/logout/", {"refresh_token": w.mina.refresh}),
    "POST /password_reset/": lambda w: caller().post(
        "/password_reset/", {"email": w.mina.user.email}
    ),
    "POST /password_reset/{uidb64}/{token}/": lambda w: caller().post(
        reset_path(w.mina.user), {"password": "another long secret"}
    ),
    "POST /confirm-email/": lambda w: caller().post(
        "/confirm-email/",
        {"token": links.token(links.Kind.CONFIRMATION, w.una.user.usersetting.pk)},
    ),
    "POST /profile/confirm-email/": lambda w: w.una.post("/profile/confirm-email/"),
    "GET /profile/": lambda w: w.mina.get("/profile/"),
    "POST /profile/edit/": lambda w: w.mina.post("/profile/edit/", {"first_name": "Wilhelmina"}),
    "POST /profile/edit/ (password)": lambda w: w.mina.post(
        "/profile/edit/", {"password": "another long secret"}
    ),
    "POST /profile/delete/": lambda w: w.mina.post(
        "/profile/delete/", {"refresh_token": w.mina.refresh}
    ),
    "POST /profile/delete/ (participant)": lambda w: w.sam.post(
        "/profile/delete/", {"refresh_token": w.sam.refresh}
    ),
    "GET /profile/settings/": lambda w: w.mina.get("/profile/settings/"),
    "PUT /profile/settings/": lambda w: w.mina.put("/profile/settings/", {"week_start": "sunday"}),
    "GET /profile/export/": lambda w: w.mina.get("/profile/export/"),
    "POST /profile/feed/rotate/": lambda w: w.mina.post("/profile/feed/rotate/"),
    "GET /profile/sessions/": lambda w: w.mina.get("/profile/sessions/"),
    "DELETE /profile/sessions/{session_id}/": lambda w: w.sam.delete(
        f"/profile/sessions/{w.sam.user.session_set.get().pk}/"
    ),
    "GET /calendars/": lambda w: w.mina.get("/calendars/"),
    "POST /calendars/": lambda w: w.mina.post("/calendars/", {"name": "Band"}),
    "POST /calendars/ (key)": lambda w: w.mina.post(
        "/calendars/", {"name": "Band"}, idempotency_key="k"
    ),
    "GET /calendars/{calendar_id}/": lambda w: w.sam.get(w.path),
    "PUT /calendars/{calendar_id}/": lambda w: w.mina.put(w.path, {"name": "Band"}),
    "PUT /calendars/{calendar_id}/ (If-Match)": lambda w: w.mina.put(
        w.path, {"name": "Band"}, if_match="*"
    ),
    "PUT /calendars/{calendar_id}/ (finalise)": lambda w: w.mina.put(
        w.path, {"is_finalized": True}
    ),
    "DELETE /calendars/{calendar_id}/": lambda w: w.mina.delete(w.path),
    "POST /calendars/{calendar_id}/transfer/": lambda w: w.mina.post(
        w.path + "transfer/", {"user": w.sam.user.pk}
    ),
    "POST /calendars/{calendar_id}/duplicate/": lambda w: w.mina.post(
        w.path + "duplicate/", {"shift_days": 7}
    ),
    "GET /calendars/{calendar_id}/participants/": lambda w: w.sam.get(w.path + "participants/"),
    "POST /calendars/{calendar_id}/participants/": lambda w: w.mina.post(
        w.path + "participants/", {"user": w.spare.pk}
    ),
    "GET /calendars/{calendar_id}/participants/{participant_id}/": lambda w: w.sam.get(
        f"{w.path}participants/{w.seat.pk}/"
    ),
    "PUT /calendars/{calendar_id}/participants/{participant_id}/": lambda w: w.mina.put(
        f"{w.path}participants/{w.seat.pk}/", {"required": False}
    ),
    "DELETE /calendars/{calendar_id}/participants/{participant_id}/": lambda w: w.mina.delete(
        f"{w.path}participants/{w.seat.pk}/"
    ),
    "GET /calendars/{calendar_id}/nonbusytimes/": lambda w: w.sam.get(w.path + "nonbusytimes/"),
    "POST /calendars/{calendar_id}/nonbusytimes/": lambda w: w.sam.post(
        w.path + "nonbusytimes/", {"start_time": LATER, "end_time": iso(build.day(10, days=90))}
    ),
    "PUT /calendars/{calendar_id}/nonbusytimes/": lambda w: w.sam.put(
        w.path + "nonbusytimes/",
        {"from": iso(build.day(0)), "to": iso(build.day(0, days=400)), "windows": rows(w)},
    ),
    "GET /calendars/{calendar_id}/nonbusytimes/{window_id}/": lambda w: w.sam.get(
        f"{w.path}nonbusytimes/{w.window.pk}/"
    ),
    "PUT /calendars/{calendar_id}/nonbusytimes/{window_id}/": lambda w: w.sam.put(
        f"{w.path}nonbusytimes/{w.window.pk}/",
        {"end_time": iso(w.window.end_time - timedelta(minutes=30))},
    ),
    "DELETE /calendars/{calendar_id}/nonbusytimes/{window_id}/": lambda w: w.sam.delete(
        f"{w.path}nonbusytimes/{w.window.pk}/"
    ),
    "GET /calendars/{calendar_id}/availability/": lambda w: w.sam.get(w.path + "availability/"),
    "GET /calendars/{calendar_id}/meetings/": lambda w: w.sam.get(w.path + "meetings/"),
    "POST /calendars/{calendar_id}/meetings/": lambda w: w.mina.post(
        w.path + "meetings/", {"deadline": SOON}
    ),
    "POST /calendars/{calendar_id}/meetings/ (attendees)": lambda w: w.mina.post(
        w.path + "meetings/",
        {"deadline": SOON, "required": [w.sam.user.pk], "optional": [w.mina.user.pk]},
    ),
    "POST /calendars/{calendar_id}/one-on-ones/": lambda w: w.mina.post(
        w.path + "one-on-ones/", {"deadline": SOON}
    ),
    "GET /calendars/{calendar_id}/plan/": lambda w: w.mina.get(w.path + "plan/"),
    "POST /calendars/{calendar_id}/plan/": lambda w: w.mina.post(
        w.path + "plan/", {"meetings": [str(w.meeting.pk)], "time_limit_s": 1}
    ),
    "POST /calendars/{calendar_id}/plan/stop/": lambda w: w.mina.post(w.path + "plan/stop/"),
    "POST /calendars/{calendar_id}/plan/apply/": lambda w: w.mina.post(w.path + "plan/apply/"),
    "GET /calendars/{calendar_id}/meetings/{meeting_id}/": lambda w: w.sam.get(w.at),
    "PUT /calendars/{calendar_id}/meetings/{meeting_id}/": lambda w: w.mina.put(
        w.at, {"title": "Rehearsal"}
    ),
    "PUT /calendars/{calendar_id}/meetings/{meeting_id}/ (fix)": lambda w: w.mina.put(
        w.at, {"final_time": LATER}
    ),
    "PUT /calendars/{calendar_id}/meetings/{meeting_id}/ (attendees)": lambda w: w.mina.put(
        w.at, {"required": [w.sam.user.pk]}
    ),
    "DELETE /calendars/{calendar_id}/meetings/{meeting_id}/": lambda w: w.mina.delete(w.at),
    "DELETE /calendars/{calendar_id}/meetings/{meeting_id}/ (scheduled)": lambda w: w.mina.delete(
        f"{w.path}meetings/{w.scheduled.pk}/"
    ),
    "GET /calendars/{calendar_id}/meetings/{meeting_id}/invite.ics/": lambda w: w.sam.get(
        f"{w.path}meetings/{w.scheduled.pk}/invite.ics"
    ),
    "GET /calendars/meetings/{meeting_id}/suggestions/": lambda w: w.sam.get(w.suggestions),
    "POST /calendars/meetings/{meeting_id}/suggestions/": lambda w: w.sam.post(
        w.suggestions, {"suggested_time": LATER}
    ),
    "DELETE /calendars/meetings/{meeting_id}/suggestions/{suggestion_id}/": lambda w: w.sam.delete(
        f"{w.suggestions}{w.suggestion.pk}/"
    ),
    "GET /calendars/meetings/{meeting_id}/insights/": lambda w: w.sam.get(
        w.suggestions.replace("suggestions", "insights")
    ),
    "GET /calendars/invitations/": lambda w: w.sam.get("/calendars/invitations/"),
    "POST /calendars/invitations/": lambda w: w.mina.post(
        "/calendars/invitations/", {"calendar": str(w.calendar.pk), "receiver": w.spare.pk}
    ),
    "POST /calendars/invitations/ (address)": lambda w: w.mina.post(
        "/calendars/invitations/", {"calendar": str(w.calendar.pk), "email": "new@example.org"}
    ),
    "GET /calendars/invitations/{invitation_id}/": lambda w: w.sam.get(
        f"/calendars/invitations/{w.invitation.pk}/"
    ),
    "PUT /calendars/invitations/{invitation_id}/": lambda w: w.sam.put(
        f"/calendars/invitations/{w.invitation.pk}/", {"status": "accepted"}
    ),
    "PUT /calendars/invitations/{invitation_id}/ (decline)": lambda w: w.sam.put(
        f"/calendars/invitations/{w.invitation.pk}/", {"status": "declined"}
    ),
    "DELETE /calendars/invitations/{invitation_id}/": lambda w: w.mina.delete(
        f"/calendars/invitations/{w.invitation.pk}/"
    ),
    "GET /calendars/get-user-id/{username}/": lambda w: w.mina.get(
        f"/calendars/get-user-id/{w.sam.user.username}"
    ),
    "POST /calendars/send-email/": lambda w: w.mina.post(
        "/calendars/send-email/", {"username": w.sam.user.username}
    ),
    "POST /calendars/send-email/ (calendar, note)": lambda w: w.mina.post(
        "/calendars/send-email/",
        {"username": w.sam.user.username, "calendar": str(w.calendar.pk), "note": "Hello"},
    ),
    "GET /contacts/": lambda w: w.mina.get("/contacts/"),
    "POST /contacts/add/": lambda w: w.mina.post("/contacts/add/", {"contactee": w.guest.user.pk}),
    "POST /contacts/add/ (name)": lambda w: w.mina.post(
        "/contacts/add/", {"contactee": w.guest.user.username}
    ),
    "DELETE /contacts/delete/{username}/": lambda w: w.mina.delete(
        f"/contacts/delete/{w.sam.user.username}/"
    ),
    "GET /healthz/": lambda w: caller().get("/healthz"),
    "GET /readyz/": lambda w: caller().get("/readyz"),
}


Cost = tuple[int, int]  # statements of the request itself, and what it asks for the mails it queues
FOR_MAILS = {
    "_scheduled",
    "raise_sequence",
    "_tell_of_lost_yes",
    "_to_come_for",
}  # and all of calendars/tasks/notices.py


def counts_of(world: World) -> dict[str, Cost]:
    counts = {}
    for name, ask in REQUESTS.items():
        with cast.undone():
            with counting() as counted:
                answer = ask(world)
            assert 200 <= answer.status_code < 300, f"{name}: {answer.content[:300]}"
            counts[name] = (counted[False], counted[True])
    return counts


@contextmanager
def counting() -> Iterator[Counter[bool]]:
    """Count statements by whether they are for mails."""
    counted: Counter[bool] = Counter()

    def count(execute: Any, sql: str, *rest: Any) -> Any:
        if counts(sql):
            counted[is_for_mails()] += 1
        return execute(sql, *rest)

    with connection.execute_wrapper(count):
        yield counted


def is_for_mails() -> bool:
    frame = inspect.currentframe()
    while frame := frame and frame.f_back:
        code = frame.f_code
        if code.co_name in FOR_MAILS or code.co_filename.endswith(
            "commontime/calendars/tasks/notices.py"
        ):
            return True
    return False


def counts(sql: str) -> bool:
    is_control = sql.startswith(
        ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "SELECT pg_advisory_xact_lock")
    )
    return not is_control and "mail_message" not in sql and "django_ox" not in sql


@pytest.fixture(scope="module")
def counted(
    django_db_setup, django_db_blocker
) -> Iterator[tuple[dict[str, Cost], dict[str, Cost]]]:
    """The numbers for one of everything, and for many."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield counts_of(world(1)), counts_of(world(MANY))
        transaction.set_rollback(True)


def table(costs: dict[str, Cost]) -> str:
    """Write the numbers down; those above the aim are marked."""
    lines = []
    for name, (own, mails) in costs.items():
        mark = "!" if own > (READS if name.startswith("GET") else WRITES) else " "
        lines.append(f"{own:2}{f'+{mails}' if mails else '  '}{mark} {name}")
    return "\n".join(lines)


def test_every_operation_is_counted():
    patches = {
        f"PATCH {path}" for path, method in OPERATIONS if method == "patch"
    }  # the same code as PUT

    assert {name.partition(" (")[0] for name in REQUESTS} | patches == {
        f"{method.upper()} {path}" for path, method in OPERATIONS
    }


def test_many_things_cost_as_many_statements_as_one(counted):
    one, many = counted

    assert {
        name: (one[name], many[name]) for name in REQUESTS if sum(one[name]) < sum(many[name])
    } == {}


def test_no_request_costs_more_than_the_table_says(counted):
    print(f"\n{table(counted[0])}")
    known = {
        line[6:]: (int(line[:2]), int(line[3:4].strip() or 0))
        for line in TABLE.strip("\n").splitlines()
    }

    assert known.keys() == counted[0].keys()
    assert {
        name: (cost, known[name])
        for name, cost in counted[0].items()
        if max(a - b for a, b in zip(cost, known[name], strict=True)) > 0
    } == {}


def test_a_statement_for_each_thing_is_noticed(monkeypatch):
    """The same with a list that asks once more for each of its rows."""
    json_list = contacts.json_list

    def asks_for_each(rows: Any, links: Any) -> Any:
        return json_list([(row, build.User.objects.count())[0] for row in rows], links)

    monkeypatch.setattr(contacts, "json_list", asks_for_each)
    costs = []
    for size in (2, 5):
        few = world(size)
        with CaptureQueriesContext(connection) as statements:
            few.mina.get("/contacts/")
        costs.append(len(statements))

    assert costs[1] == costs[0] + 3

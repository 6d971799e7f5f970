"""What the tests of the API share: a group that is planning, and changes that are undone."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django_ox.models import OxTask

from commontime.accounts.models import UserSetting
from commontime.api import schema
from commontime.calendars.models import (
    Calendar,
    Invitation,
    Meeting,
    NonBusyTime,
    ScheduleSuggestion,
)
from commontime.contacts.models import Contact
from commontime.core import cache, clock
from tests import build
from tests.client import Caller, caller

# 2026-03-29 02:30 does not exist in Berlin, 2026-10-25 02:30 comes twice; these do so in years to
# come too.
GAP, OVERLAP = "2031-03-30T02:30:00", "2031-10-26T02:30:00"


@dataclass
class Group:
    """Mina owns the calendar, Sam takes part, Iris is invited, Eve is a stranger.

    asked: Iris invites Sam to a calendar of hers.
    """

    mina: Caller
    sam: Caller
    iris: Caller
    eve: Caller
    calendar: Calendar
    meeting: Meeting
    scheduled: Meeting
    suggestion: ScheduleSuggestion
    window: NonBusyTime
    invitation: Invitation
    asked: Invitation

    @property
    def path(self) -> str:
        return f"/calendars/{self.calendar.pk}/"


def group() -> Group:
    mina, sam, iris, eve = (caller(name) for name in ("mina", "sam", "iris", "eve"))
    calendar = build.calendar(owner=mina.user, participants=[sam.user])
    windows = [
        build.window(calendar, person, build.day(9), build.day(17))
        for person in (mina.user, sam.user)
    ]
    meeting = build.meeting(calendar=calendar)
    scheduled = build.meeting(calendar=calendar, final_time=build.day(10))
    suggestion = build.suggestion(meeting, sam.user, build.day(11))
    Contact.objects.create(owner=mina.user, contactee=sam.user, created_at=clock.now())
    invitation = build.invitation(calendar, iris.user)
    asked = build.invitation(build.calendar(owner=iris.user), sam.user)
    return Group(
        mina,
        sam,
        iris,
        eve,
        calendar,
        meeting,
        scheduled,
        suggestion,
        windows[1],
        invitation,
        asked,
    )


def crowd(count: int, name: str = "one") -> list[User]:
    """Make many people at little cost; nobody can sign in as one of them."""
    people = User.objects.bulk_create(
        User(username=f"{name}{n}", email=f"{name}{n}@example.org", password="!")
        for n in range(count)
    )
    UserSetting.objects.bulk_create(
        UserSetting(user=person, username_key=person.username, email_key=person.email)
        for person in people
    )
    return people


def iso(moment: datetime) -> str:
    """Return the moment as an answer shows it."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}" + (f".{moment:%f}" if moment.microsecond else "") + "Z"


def fields_of(component: str) -> set[str]:
    """Return the fields of this shape in the OpenAPI text."""
    return set(json.loads(schema.text()[0])["components"]["schemas"][component]["properties"])


def refused(answer: Any, status: int, code: str, *fields: str) -> bool:
    """Return whether this is a refusal in the one shape, `{code, detail, fields?}`."""
    expected = {"code", "detail", "fields"} if status == 400 else {"code", "detail"}
    assert answer.status_code == status, answer.content
    assert answer.data["code"] == code, answer.content
    assert expected <= set(answer.data) <= expected | {"warnings"}, answer.content
    assert set(answer.data.get("fields", ())) >= set(fields), answer.content
    return answer["Content-Type"] == "application/json" and len(answer.data["detail"]) > 10


def a_worker_took_a_task(ago: timedelta = timedelta(), **fields: Any) -> OxTask:
    moment = clock.now() - ago
    values = {"status": "SUCCESSFUL", "enqueued_at": moment, "last_attempted_at": moment}
    return OxTask.objects.create(task_path="a.task", backend_name="default", **{**values, **fields})


@contextmanager
def undone() -> Iterator[None]:
    """Undo whatever is changed inside."""
    try:
        with transaction.atomic():
            yield
            transaction.set_rollback(True)
    finally:
        cache.clear()

"""One-on-ones: a meeting of the owner with each who has none yet, through the API's door."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from commontime.calendars import actions, queries
from commontime.calendars.models import Calendar, Meeting
from commontime.core import clock
from commontime.core.errors import Conflict, InvalidInput, NotAllowed
from tests import build
from tests.client import caller

pytestmark = pytest.mark.django_db
NAMES = ("sam", "iris", "noor")


@pytest.fixture
def people():
    return {name: build.user(name) for name in NAMES}


@pytest.fixture
def calendar(mina, people):
    return build.calendar(owner=mina, participants=people.values())


def make(calendar: Calendar, **fields):
    made, _ = actions.create_one_on_ones(
        calendar,
        by=fields.pop("by", calendar.owner),
        deadline=clock.now() + timedelta(days=3),
        **fields,
    )
    return made


def test_everybody_gets_one_with_the_owner(calendar, mina, people):
    made = make(calendar, duration_minutes=20, buffer_minutes=5)

    stored = queries.meetings.meetings_of(calendar).order_by("title")
    assert [meeting.title for meeting in stored] == ["Mina & Iris", "Mina & Noor", "Mina & Sam"]
    assert {meeting.attendee_marks for meeting in made} == {
        f"{mina.pk}r,{person.pk}r" for person in people.values()
    }
    assert {
        (meeting.duration_minutes, meeting.buffer_minutes, meeting.for_everyone)
        for meeting in stored
    } == {(20, 5, False)}


def test_who_has_one_gets_no_second(calendar, mina, people):
    met = build.meeting(
        calendar=calendar, required=[mina], optional=[people["sam"]], final_time=build.day(9)
    )
    build.meeting(
        calendar=calendar, required=[mina, people["iris"], people["noor"]]
    )  # three are no one-on-one

    first = make(calendar)
    again = make(calendar)

    assert sorted(meeting.title for meeting in first) == ["Mina & Iris", "Mina & Noor"]
    assert again == []
    assert Meeting.objects.filter(pk=met.pk).exists()


def test_only_those_named(calendar, people):
    sam = people["sam"]

    assert [meeting.title for meeting in make(calendar, people=[sam.pk, sam.pk])] == ["Mina & Sam"]
    assert make(calendar, people=[]) == []


@pytest.mark.parametrize("whom", ["mina", "eve"])
def test_only_with_others_who_take_part(calendar, whom):
    build.user("eve")

    with pytest.raises(InvalidInput) as refusal:
        make(calendar, people=[build.User.objects.get(username=whom).pk])

    assert set(refusal.value.fields) == {"with"}
    assert not Meeting.objects.exists()


def test_only_the_owner_and_only_while_it_runs(calendar, people):
    with pytest.raises(NotAllowed):
        make(calendar, by=people["sam"])
    Calendar.objects.update(is_finalized=True)
    with pytest.raises(Conflict):
        make(calendar)

    assert not Meeting.objects.exists()


def test_as_many_statements_for_forty_as_for_three(calendar):
    def cost(calendar: Calendar) -> int:
        with CaptureQueriesContext(connection) as statements:
            make(calendar)
        return len(statements)

    crowd = build.calendar(owner=build.user(), participants=[build.user() for _ in range(40)])

    assert cost(calendar) == cost(crowd)
    assert Meeting.objects.filter(calendar=crowd).count() == 40


def test_over_http():
    mina, sam = caller("mina"), caller("sam")
    calendar = build.calendar(owner=mina.user, participants=[sam.user])
    path = f"/calendars/{calendar.pk}/one-on-ones/"
    deadline = (clock.now() + timedelta(days=3)).isoformat()

    answer = mina.post(path, {"deadline": deadline, "duration_minutes": 20, "with": [sam.user.pk]})
    (made,) = answer.json()
    again = mina.post(path, {"deadline": deadline})

    assert (answer.status_code, again.status_code, again.json()) == (201, 201, [])
    assert (made["title"], made["required"], made["status"]) == (
        "Mina & Sam",
        [mina.user.pk, sam.user.pk],
        "open",
    )
    refused = mina.post(path, {"deadline": "2020-01-01T00:00:00Z", "with": ["everybody"]})
    assert (refused.status_code, set(refused.json()["fields"])) == (400, {"with.0"})
    assert set(mina.post(path, {}).json()["fields"]) == {"deadline"}

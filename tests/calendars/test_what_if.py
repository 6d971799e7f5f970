"""What-if: suggestions for a changed meeting, without storing anything."""

from types import SimpleNamespace

import pytest

from commontime.calendars.models import Calendar, Meeting, MeetingAttendee, NonBusyTime
from tests import build
from tests.access_world import everything_stored
from tests.client import caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    """Mina and Sam have the morning of a day, Iris only from 11:07; on the next day all have an
    hour.
    """
    mina, sam, iris = (caller(name) for name in ("mina", "sam", "iris"))
    calendar = build.calendar(
        owner=mina.user, participants=[sam.user, iris.user], window_end=build.day(24)
    )
    for person in (mina, sam):
        build.window(calendar, person.user, build.day(9), build.day(12), 8)
    build.window(
        calendar,
        iris.user,
        build.day(11) + (build.day(1) - build.day(0)) * 7 / 60,
        build.day(12),
        3,
    )
    for person in (mina, sam, iris):
        build.window(calendar, person.user, build.day(9, days=31), build.day(10, days=31), 10)
    meeting = build.meeting(calendar=calendar)
    path = f"/calendars/meetings/{meeting.pk}/"

    def ask(**parameters):
        before = everything_stored()
        answer = sam.get(
            path
            + "suggestions/?"
            + "&".join(f"{name}={value}" for name, value in parameters.items())
        )
        assert everything_stored() == before
        return answer

    return SimpleNamespace(
        path=path, ask=ask, calendar=calendar, meeting=meeting, mina=mina, sam=sam, iris=iris
    )


def best(answer) -> tuple[str, int, int]:
    first = answer.json()[0]
    return (
        first["suggested_time"][8:16].replace(build.day(0).strftime("%d"), "day"),
        first["attending"],
        first["missing_required"],
    )


def at(answer) -> str:
    return answer.json()[0]["suggested_time"][11:16]


def test_as_it_is(world):
    assert best(world.ask())[1:] == (2, 1)
    assert at(world.ask()) == "09:00"


def test_without_somebody(world):
    first = world.ask(without=world.iris.user.pk).json()[0]

    assert (first["attending"], first["missing_required"], first["cannot"]) == (2, 0, 0)
    assert first["people"]["attending"] == [world.mina.user.pk, world.sam.user.pk]


@pytest.mark.parametrize(
    ("visibility", "status"),
    [("counts", {"sam": 403, "mina": 403}), ("owner", {"sam": 403, "mina": 200})],
)
@pytest.mark.parametrize("path", ["suggestions/", "insights/"])
def test_leaving_somebody_out_tells_nobody_what_they_may_not_see(world, visibility, status, path):
    """The counts with and without Iris, side by side, would be her answer."""
    Calendar.objects.update(visibility=visibility)

    asked = {
        name: getattr(world, name).get(f"{world.path}{path}?without={world.iris.user.pk}")
        for name in status
    }

    assert {name: answer.status_code for name, answer in asked.items()} == status


SUPPOSED = [
    "duration_minutes=1",
    "earliest=2031-01-01T00:00Z",
    "latest=2031-01-01T00:00Z",
    "quorum=2",
    "align_minutes=60",
]


@pytest.mark.parametrize("visibility", ["counts", "owner"])
@pytest.mark.parametrize("path", ["suggestions/", "insights/"])
def test_what_if_does_not_probe_when_one_of_a_few_can(world, visibility, path):
    """A minute of meeting asked for after the other, the counts would be the times of the one other
    person.
    """
    noor = caller("noor")
    build.window(
        world.calendar,
        build.participant(world.calendar, noor.user).user,
        build.day(9),
        build.day(12),
    )
    Calendar.objects.update(visibility=visibility)

    def asked(by) -> set[int]:
        return {by.get(f"{world.path}{path}?{query}").status_code for query in SUPPOSED}

    assert asked(world.sam) == {200}
    assert asked(world.mina) == {200}
    MeetingAttendee.objects.bulk_create(
        MeetingAttendee(meeting_id=world.meeting.pk, user=who.user)
        for who in (world.sam, world.iris, noor)
    )
    Meeting.objects.update(for_everyone=False)
    assert asked(world.sam) == {403}  # two others
    assert asked(world.mina) == {200}  # three, or she sees each answer
    NonBusyTime.objects.filter(user=noor.user).delete()
    assert asked(world.mina) == ({403} if visibility == "counts" else {200})
    assert world.sam.get(f"{world.path}{path}").status_code == 200
    Calendar.objects.update(visibility="open")
    assert asked(world.sam) == {200}


@pytest.mark.parametrize("visibility", ["counts", "owner"])
@pytest.mark.parametrize("path", ["suggestions/", "insights/"])
def test_best_times_of_a_few_are_for_them_and_the_owner(world, visibility, path):
    """Of a one-on-one, counts and scores are the answers of two people."""
    noor = caller("noor")
    build.window(
        world.calendar,
        build.participant(world.calendar, noor.user).user,
        build.day(9),
        build.day(12),
    )
    MeetingAttendee.objects.bulk_create(
        MeetingAttendee(meeting_id=world.meeting.pk, user=who.user)
        for who in (world.mina, world.iris)
    )
    Meeting.objects.update(for_everyone=False)
    Calendar.objects.update(visibility=visibility)

    asked = {
        who: getattr(world, who).get(f"{world.path}{path}").status_code
        for who in ("mina", "iris", "sam")
    }

    assert asked == {"mina": 200, "iris": 200, "sam": 403}
    Calendar.objects.update(visibility="open")
    assert world.sam.get(f"{world.path}{path}").status_code == 200


def test_without_several(world):
    both = f"{world.iris.user.pk}&without={world.mina.user.pk}"

    assert world.ask(without=both).json()[0]["people"]["attending"] == [world.sam.user.pk]


def test_another_duration(world):
    first = world.ask(duration_minutes=45).json()[0]

    assert first["suggested_time"][11:16] == "11:07"
    assert first["end_time"][11:16] == "11:52"
    assert first["attending"] == 3


def test_more_days(world):
    first = world.ask(latest=build.day(24, days=31).isoformat().replace("+", "%2B")).json()[0]

    assert (first["attending"], first["score"]) == (3, 30)


def test_a_quorum_puts_those_that_reach_it_first(world):
    reasons = world.ask(quorum=3).json()[0]["reasons"]

    assert "1 short of the 3 needed." in reasons
    assert world.ask(quorum=3, duration_minutes=30).json()[0]["attending"] == 3


def test_starts_on_the_quarter(world):
    assert at(world.ask(duration_minutes=45, align_minutes=15)) == "11:15"
    assert [
        each["suggested_time"][14:16]
        for each in world.ask(duration_minutes=40, align_minutes=30).json()
    ] != []


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"without": "sam"}, "without"),
        ({"without": 999_999}, "without"),
        ({"duration_minutes": 0}, "duration_minutes"),
        ({"quorum": "many"}, "quorum"),
        ({"align_minutes": 1441}, "align_minutes"),
        ({"latest": "tomorrow"}, "latest"),
        ({"earliest": "2026-01-02T00:00:00Z", "latest": "2026-01-01T00:00:00Z"}, "latest"),
    ],
)
def test_bad_questions_are_refused(world, parameters, field):
    answer = world.ask(**parameters)

    assert (answer.status_code, set(answer.json()["fields"])) == (400, {field})

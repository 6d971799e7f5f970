"""Why a start stands where it does, in words that read well for one person and for many."""

import pytest

from commontime.calendars.models import CalendarParticipant
from commontime.calendars.planning import groups, suggestions
from commontime.core import clock
from tests import build

pytestmark = pytest.mark.django_db


def first_reasons(meeting) -> str:
    best, *_ = suggestions.rank(
        meeting, groups.group_for(meeting), [], now=clock.now(), limit=1, with_names=True
    )
    return " ".join(best.reasons)


@pytest.mark.parametrize(
    ("answering", "said"),
    [
        (1, "The only person who answered can come. 2 no answer yet."),
        (2, "All 2 people who answered can come. 1 no answer yet."),
        (3, "All 3 people who answered can come."),
    ],
)
def test_all_who_answered(answering, said):
    people = [build.user() for _ in range(3)]
    calendar = build.calendar(owner=people[0], participants=people[1:])
    for person in people[:answering]:
        build.window(calendar, person, build.day(9), build.day(11))

    assert first_reasons(build.meeting(calendar=calendar)) == said


def test_how_many_can_is_counted_of_all_people_and_followed_by_who_is_still_silent():
    people = [build.user() for _ in range(5)]
    calendar = build.calendar(owner=people[0], participants=people[1:])
    for person in people[:2]:
        build.window(calendar, person, build.day(9), build.day(11))
    build.window(calendar, people[2], build.day(15), build.day(16))

    assert first_reasons(build.meeting(calendar=calendar)).startswith(
        "2 of 5 can come. 2 no answer yet. "
    )


@pytest.mark.parametrize(
    ("required", "said"),
    [
        (1, "The one required person can come; 2 of 3 in all. Bao can’t come."),
        (2, "All 2 required people can come; 2 of 3 in all. Bao can’t come."),
    ],
)
def test_all_who_are_required(required, said):
    mina, sam, bao = people = [build.user(name) for name in ("mina", "sam", "bao")]
    calendar = build.calendar(owner=mina, participants=[sam, bao])
    CalendarParticipant.objects.filter(user__in=people[required:]).update(required=False)
    for person in (mina, sam):
        build.window(calendar, person, build.day(9), build.day(11))
    build.window(calendar, bao, build.day(15), build.day(16))

    assert first_reasons(build.meeting(calendar=calendar)) == said

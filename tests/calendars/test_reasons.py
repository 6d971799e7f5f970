"""Why a start stands where it does, in words that read well for one person and for many."""

import pytest
from django.utils import translation

from commontime.calendars.models import CalendarParticipant
from commontime.calendars.planning import suggestions
from commontime.core import clock
from tests import build

pytestmark = pytest.mark.django_db


def first_reasons(meeting) -> str:
    best, *_ = suggestions.rank(
        meeting, build.group(meeting), [], now=clock.now(), limit=1, with_names=True
    )
    return " ".join(best.reasons)


@pytest.mark.parametrize(
    ("answering", "said"),
    [
        (1, "The only person who answered can come. 2 haven’t answered yet."),
        (2, "Both people who answered can come. 1 hasn’t answered yet."),
        (3, "All 3 people who answered can come."),
    ],
)
def test_all_who_answered(answering, said):
    people = [build.user() for _ in range(3)]
    calendar = build.calendar(owner=people[0], participants=people[1:])
    for person in people[:answering]:
        build.window(calendar, person, build.day(9), build.day(11))

    assert first_reasons(build.meeting(calendar=calendar)) == said


@pytest.mark.parametrize(
    ("language", "sentences"),
    [
        (
            "en",
            [
                "The only person who answered can come. 2 haven’t answered yet.",
                "Both people who answered can come. 1 hasn’t answered yet.",
                "All 3 people who answered can come.",
            ],
        ),
        (
            "de",
            [
                "Die einzige Person, die geantwortet hat, kann kommen. 2 Antworten fehlen noch.",
                "Beide, die geantwortet haben, können kommen. 1 Antwort fehlt noch.",
                "Alle 3, die geantwortet haben, können kommen.",
            ],
        ),
        (
            "fr",
            [
                "La seule personne qui a répondu peut venir. 2 réponses manquent encore.",
                "Les deux personnes qui ont répondu peuvent venir. 1 réponse manque encore.",
                "Les 3 personnes qui ont répondu peuvent toutes venir.",
            ],
        ),
    ],
)
def test_one_two_and_many_read_well_in_each_language(language, sentences):
    people = [build.user() for _ in range(3)]
    calendar = build.calendar(owner=people[0], participants=people[1:])
    meeting = build.meeting(calendar=calendar)
    heard = []

    for person in people:
        build.window(calendar, person, build.day(9), build.day(11))
        meeting.refresh_from_db()
        with translation.override(language):
            heard.append(first_reasons(meeting))

    assert heard == sentences


def test_a_time_that_suits_nobody_is_not_counted_as_0_of_3():
    mina, sam, bao = (build.user(name) for name in ("mina", "sam", "bao"))
    calendar = build.calendar(owner=mina, participants=[sam, bao])
    build.window(calendar, mina, build.day(9), build.day(11))
    meeting = build.meeting(calendar=calendar)
    at_night = build.suggestion(meeting, sam, build.day(22))

    *_, last = suggestions.rank(
        meeting, build.group(meeting), [at_night], now=clock.now(), limit=1, with_names=False
    )

    assert last.reasons == [
        "Nobody who answered can come.",
        "2 haven’t answered yet.",
        "1 required person can’t come.",
    ]


def test_how_many_can_is_counted_of_all_people_and_followed_by_who_is_still_silent():
    people = [build.user() for _ in range(5)]
    calendar = build.calendar(owner=people[0], participants=people[1:])
    for person in people[:2]:
        build.window(calendar, person, build.day(9), build.day(11))
    build.window(calendar, people[2], build.day(15), build.day(16))

    assert first_reasons(build.meeting(calendar=calendar)).startswith(
        "2 of 5 can come. 2 haven’t answered yet. "
    )


@pytest.mark.parametrize(
    ("required", "said"),
    [
        (1, "The only required person can come; 2 of 3 in all. Bao can’t come."),
        (2, "Both required people can come; 2 of 3 in all. Bao can’t come."),
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


def test_whoever_is_required_for_a_part_of_it_is_not_said_to_miss_minutes_of_the_1_hour():
    mina, sam = build.user("mina"), build.user("sam")
    calendar = build.calendar(owner=mina, participants=[sam])
    build.window(calendar, mina, build.day(9), build.day(10))
    build.window(calendar, sam, build.day(9.25), build.day(10))

    assert first_reasons(build.meeting(calendar=calendar)).startswith(
        "1 of 2 can come. Sam is required but would miss 15 minutes."
    )

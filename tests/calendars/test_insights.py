"""What is behind the best start, in words and numbers, and what is told to whom."""

import numpy as np
import pytest

from commontime.calendars.models import CalendarParticipant
from commontime.calendars.planning import insights, suggestions
from commontime.core import clock
from tests import build

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    return [build.user(name) for name in ("mina", "sam", "bao", "ana")]


@pytest.fixture
def calendar(people):
    mina, *others = people
    return build.calendar(owner=mina, participants=others)


def told(calendar, asker=None, *, with_names=True, align=None, **fields):
    meeting = build.meeting(calendar=calendar, **fields)
    asker = asker or calendar.owner
    return insights.insights_for(
        meeting,
        build.group(meeting),
        now=clock.now(),
        with_names=with_names,
        asker=asker.pk,
        align=align,
    )


def answer(calendar, person, *hours, preference=5):
    for start, end in hours:
        build.window(calendar, person, build.day(start), build.day(end), preference)


def names(people):
    return [person.username for person in people]


def test_without_answers_there_is_nothing_to_explain(calendar):
    assert told(calendar) is None


def test_the_smallest_ask_is_the_exact_time_of_the_fewest(calendar, people):
    mina, sam, bao, _ana = people
    answer(calendar, mina, (9, 12))
    answer(calendar, sam, (9, 12))
    answer(calendar, bao, (9, 9.5), (14, 15))

    ask = told(calendar).ask

    assert ask.start == build.day(9)
    assert [(person.username, start, end) for person, start, end in ask.wanted] == [
        ("bao", build.day(9.5), build.day(10))
    ]
    assert (ask.minutes, ask.own_short, names(ask.silent)) == (30, 0, ["ana"])
    assert ask.first[0][0].username == "bao"
    assert ask.detail == "Bao would need to free up 30 minutes."
    assert (
        told(calendar, with_names=False).ask.detail
        == "1 required person would need to free up 30 minutes."
    )


def test_whom_to_ask_first_counts_the_starts_that_are_asked_for(calendar, people):
    mina, sam, *_others = people
    answer(calendar, mina, (9, 12))
    answer(calendar, sam, (14, 15))

    def first(align):
        return [
            (person.username, starts) for person, starts in told(calendar, align=align).ask.first
        ]

    assert first(None) == [("sam", 121), ("mina", 1)]
    assert first(30) == [("sam", 5), ("mina", 1)]


def test_the_owner_is_not_asked_but_told_when_their_own_time_is_short(calendar, people):
    mina, sam, bao, _ana = people
    answer(calendar, mina, (9, 9.5))
    answer(calendar, sam, (9, 12))
    answer(calendar, bao, (10, 12))

    own = told(calendar, mina, duration_minutes=120).ask

    assert (own.own_short, own.detail) == (
        90,
        "Even at best, you’re 1 h 30 min short yourself, so asking others won’t help.",
    )
    of_sam = told(calendar, sam, duration_minutes=120).ask.detail
    assert (
        of_sam
        == "Even at best, Mina, the organiser, is 1 h 30 min short, so asking others won’t help."
    )
    hidden = told(calendar, sam, with_names=False, duration_minutes=120).ask
    assert hidden.own_short == 0
    assert hidden.detail.endswith("required person would need to free up 2 hours.")
    assert told(calendar, mina, with_names=False, duration_minutes=120).ask.own_short == 90


def test_others_are_asked_where_the_owner_can_come(calendar, people):
    mina, sam, bao, _ana = people
    answer(calendar, mina, (9, 10))
    answer(calendar, sam, (14, 15))
    answer(calendar, bao, (14, 15))

    ask = told(calendar).ask

    assert (ask.start, names(ask.people)) == (build.day(9), ["sam", "bao"])
    assert ask.detail == "Sam and Bao would need to free up 2 hours between them."


def test_two_sessions_reach_everybody(calendar, people):
    mina, sam, bao, ana = people
    answer(calendar, mina, (9, 10), (14, 15))
    answer(calendar, sam, (9, 10))
    answer(calendar, bao, (14, 15))

    sessions = told(calendar).sessions

    assert (sessions.first.start, sessions.second.start) == (build.day(9), build.day(14))
    assert (sessions.proved, sessions.cannot, sessions.detail) == (
        True,
        [],
        "Two sessions reach everybody who answered.",
    )
    answer(calendar, ana, (18, 19))
    assert (
        told(calendar).sessions.detail
        == "Two sessions reach 3 of the 4 people who answered. Ana can’t come to either."
    )
    assert (
        told(calendar, with_names=False).sessions.detail
        == "Two sessions reach 3 of the 4 people who answered."
    )


def test_a_second_session_that_reaches_nobody_more_is_not_told(calendar, people):
    mina, *others = people
    answer(calendar, mina, (9, 10))
    for person in others:
        answer(calendar, person, (14, 15))

    assert told(calendar, quorum=2).no_sessions == ""
    assert (
        told(calendar, latest=build.day(15), earliest=build.day(14)).no_sessions
        == "No two sessions fit."
    )
    answer(calendar, mina, (14, 15))
    insight = told(calendar)
    assert (insight.sessions, insight.no_sessions) == (
        None,
        "Everybody who answered can come at the best time, so one session is enough.",
    )


def test_where_two_sessions_were_not_looked_for_is_said(calendar, people, monkeypatch):
    monkeypatch.setattr(insights, "MOST_CELLS", 1)
    answer(calendar, people[0], (9, 10))
    answer(calendar, people[1], (14, 15))

    said = told(calendar).no_sessions

    assert said == (
        "There are too many people and times to search for two sessions. Narrow the dates and "
        "try again."
    )


def test_plan_b_is_named_and_so_is_who_brings_it_about(calendar, people):
    mina, sam, bao, _ana = people
    for person in people:
        answer(calendar, person, (9, 10))
    for person in (mina, sam, bao):
        answer(calendar, person, (14, 15), preference=9)

    insight = told(calendar)

    assert insight.plan_b.outcome.start == build.day(14)
    assert names(insight.plan_b.overtakes) == ["mina", "sam", "bao", "ana"]
    assert insight.plan_b.detail == "If Mina, Sam, Bao or Ana drops out, this one is better."
    assert not any(
        person.first_name in told(calendar, with_names=False).plan_b.detail for person in people
    )
    for person in (mina, sam):
        person.non_busy_times.filter(start_time=build.day(14)).delete()
    assert (
        told(calendar).plan_b.detail == "No single person dropping out would change the best time."
    )


def test_whose_answer_alone_can_change_the_winner(calendar, people):
    mina, sam, bao, ana = people
    for person in (mina, sam, bao):
        answer(calendar, person, (9, 10), (14, 15))

    decisive = told(calendar).decisive

    assert (names(decisive.people), decisive.start) == (["ana"], build.day(14))
    assert decisive.detail == "Ana could still change the best time by answering."
    hidden = told(calendar, with_names=False).decisive.detail
    assert hidden == "One person could still change the best time by answering."
    answer(calendar, ana, (9, 10))
    assert told(calendar).decisive.detail == "Everybody has answered."


def test_nobody_alone_can_change_a_clear_winner(calendar, people):
    mina, sam, bao, ana = people
    for person in (mina, sam, bao):
        answer(calendar, person, (9, 10))
    answer(calendar, mina, (14, 15))
    CalendarParticipant.objects.filter(user=ana).update(required=False)

    decisive = told(calendar).decisive

    assert (decisive.people, decisive.start) == ([], None)
    assert decisive.detail == "None of the missing answers could change the best time on its own."


def test_time_beyond_all_that_is_known_may_decide_too(calendar, people):
    """The meeting has no end: with only one required person there, a start that suits the other
    alone is as good.
    """
    mina, _sam, *others = people
    answer(calendar, mina, (9, 10), preference=2)
    CalendarParticipant.objects.filter(user__in=others).delete()

    decisive = told(calendar, earliest=build.day(9)).decisive

    assert names(decisive.people) == ["sam"]
    assert decisive.start >= build.day(10)
    assert told(calendar, earliest=build.day(9), latest=build.day(10)).decisive.people == []


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        (
            [(9, 10), (9, 10), (9, 10)],
            "Every time that works for everybody is less than ideal for at least 3 people.",
        ),
        ([(9, 10), (9, 10), (14, 15)], "At any time, at least 1 required person can’t come."),
    ],
)
def test_why_no_start_is_better(calendar, people, hours, said):
    for person, each in zip(people, hours, strict=False):
        answer(calendar, person, each)

    assert told(calendar).why_not_better == said


@pytest.mark.parametrize(
    ("required", "said"),
    [
        (0, "No time suits more than 1 person."),
        (1, "Of the times that suit everybody required, none suits more than 1 person."),
    ],
)
def test_of_times_for_few_it_is_said_for_how_many(calendar, people, required, said):
    CalendarParticipant.objects.filter(user__in=people[required:]).update(required=False)
    for person, each in zip(people, [(9, 10), (11, 12)], strict=False):
        answer(calendar, person, each)

    assert told(calendar).why_not_better == said


def test_who_may_drop_out_is_said_by_what_the_meeting_needs(calendar, people):
    mina, sam, *others = people
    for person in people:
        answer(calendar, person, (9, 10))
    CalendarParticipant.objects.filter(user__in=others).update(required=False)

    def still_works(**fields):
        return listed(calendar, **fields)[0].beside.still_works

    assert still_works() == "Still works if up to 2 optional people drop out."
    assert still_works(quorum=3) == "Still works if 1 person drops out."
    assert still_works(quorum=2) == "Still works if up to 2 people drop out."
    assert still_works(quorum=4) == ""
    assert (
        still_works(required=[mina, sam], optional=others[:1])
        == "Still works if 1 optional person drops out."
    )


def listed(calendar, *, with_names=True, **fields):
    meeting = build.meeting(calendar=calendar, **fields)
    return suggestions.rank(
        meeting, build.group(meeting), [], now=clock.now(), limit=5, with_names=with_names
    )


def test_each_start_says_what_it_loses_and_bears_and_where_it_may_end(calendar, people):
    mina, sam, bao, _ana = people
    answer(calendar, mina, (9, 10), (14, 15))
    answer(calendar, sam, (9, 10))
    answer(calendar, bao, (9, 10))
    answer(calendar, sam, (14, 15), preference=2)

    best, other = (each.beside for each in listed(calendar)[:2])

    assert (best.loses_against_best, best.optimistic_rank, best.pessimistic_rank) == ("", 1, 1)
    assert (
        other.loses_against_best
        == "Compared with the best time: Bao can’t come; 1 more only if need be."
    )
    assert (other.optimistic_rank, other.pessimistic_rank, best.survives) == (2, 2, 0)
    hidden = listed(calendar, with_names=False)[1].beside.loses_against_best
    assert (
        hidden
        == "Compared with the best time: 1 more required person can’t come; 1 more only if need be."
    )
    assert [each.beside.survives for each in listed(calendar, quorum=2)[:2]] == [1, 0]


def test_a_start_that_is_as_good_is_only_later(calendar, people):
    answer(calendar, people[0], (9, 10), (14, 15))

    best, other = (each.beside for each in listed(calendar))

    assert other.loses_against_best == "Compared with the best time: just as good, only later."
    assert [(each.optimistic_rank, each.pessimistic_rank) for each in (best, other)] == [
        (1, 2),
        (1, 2),
    ]


def test_the_pair_and_the_ask_agree_with_the_outcomes(calendar, people):
    """From the same arrays: what is told of a start is what its own outcome says."""
    chance = np.random.default_rng(3)
    for person in people:
        for hour in chance.choice(np.arange(8, 20), 4, replace=False).tolist():
            answer(calendar, person, (hour, hour + 0.75))

    insight = told(calendar, duration_minutes=40)

    both = {
        person.username
        for outcome in (insight.sessions.first, insight.sessions.second)
        for person in outcome.attending
    }
    assert both == set(names(insight.sessions.reached))
    assert set(names(insight.plan_b.overtakes)) <= set(names(insight.best.attending))

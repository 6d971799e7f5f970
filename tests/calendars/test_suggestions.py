"""Suggesting a time, and taking it back."""

from datetime import timedelta

import pytest

from commontime.calendars import actions, queries
from commontime.calendars.models import Calendar, CalendarParticipant, Meeting, ScheduleSuggestion
from commontime.core import clock
from commontime.core.errors import Conflict, InvalidInput, NotAllowed, NotFound
from tests import build
from tests.calendars.cast import refuses

pytestmark = pytest.mark.django_db
TEN = build.day(10)


@pytest.fixture
def meeting(mina, sam):
    return build.meeting(calendar=build.calendar(owner=mina, participants=[sam]))


def test_the_owner_and_participants_suggest(mina, sam, meeting, post):
    exact = TEN + timedelta(seconds=30, microseconds=7)

    stored = actions.suggest_time(meeting, by=sam, suggested_time=exact)
    actions.suggest_time(meeting, by=mina, suggested_time=TEN)

    assert (stored.author, stored.suggested_time) == (sam, exact)
    assert {(s.author, s.suggested_time) for s in ScheduleSuggestion.objects.all()} == {
        (sam, exact),
        (mina, TEN),
    }
    assert post.told() == []


def test_the_same_time_twice_is_a_conflict_whoever_suggests_it(mina, sam, meeting):
    actions.suggest_time(meeting, by=sam, suggested_time=TEN)

    for who in (sam, mina):
        with refuses(Conflict, "duplicate_suggestion"):
            actions.suggest_time(meeting, by=who, suggested_time=TEN)


def test_another_meeting_may_be_suggested_for_the_same_time(sam, meeting):
    other = build.meeting(calendar=meeting.calendar)

    for each in (meeting, other):
        actions.suggest_time(each, by=sam, suggested_time=TEN)

    assert ScheduleSuggestion.objects.count() == 2


def test_a_suggestion_is_still_to_come(sam, meeting):
    for past in (clock.now(), clock.now() - timedelta(seconds=1)):
        with refuses(InvalidInput, field="suggested_time"):
            actions.suggest_time(meeting, by=sam, suggested_time=past)


def test_a_stranger_suggests_nothing(meeting, eve):
    with refuses(NotFound):
        actions.suggest_time(meeting, by=eve, suggested_time=TEN)


def test_who_was_removed_a_moment_ago_suggests_nothing(sam, meeting):
    CalendarParticipant.objects.filter(user=sam).delete()

    with refuses(NotFound):
        actions.suggest_time(meeting, by=sam, suggested_time=TEN)


def test_after_the_deadline_only_the_owner_suggests(mina, sam, meeting):
    Meeting.objects.update(deadline=clock.now() - timedelta(seconds=1))

    with refuses(Conflict, "deadline_passed"):
        actions.suggest_time(meeting, by=sam, suggested_time=TEN)
    actions.suggest_time(meeting, by=mina, suggested_time=TEN)

    assert ScheduleSuggestion.objects.get().author == mina


def test_a_meeting_with_its_final_time_takes_no_suggestions(mina, sam, meeting):
    Meeting.objects.update(final_time=TEN)  # a moment ago: `meeting` was read before

    for who in (mina, sam):
        with refuses(Conflict, "meeting_scheduled"):
            actions.suggest_time(meeting, by=who, suggested_time=TEN)


def test_suggestions_are_frozen_while_the_calendar_is_finalised(mina, sam, meeting):
    suggestion = actions.suggest_time(meeting, by=sam, suggested_time=TEN)
    Calendar.objects.update(is_finalized=True)

    with refuses(Conflict, "calendar_finalized"):
        actions.suggest_time(meeting, by=mina, suggested_time=build.day(11))
    with refuses(Conflict, "calendar_finalized"):
        actions.withdraw_suggestion(suggestion, by=sam)


def test_a_meeting_deleted_a_moment_ago_takes_none(sam, meeting):
    Meeting.objects.all().delete()

    with refuses(NotFound):
        actions.suggest_time(meeting, by=sam, suggested_time=TEN)


def test_its_author_and_the_owner_withdraw_a_suggestion(mina, sam, meeting):
    for who in (sam, mina):
        suggestion = actions.suggest_time(meeting, by=sam, suggested_time=TEN)
        actions.withdraw_suggestion(queries.meetings.suggestion_for(meeting, suggestion.pk), by=who)

        assert not ScheduleSuggestion.objects.exists()


def test_nobody_else_withdraws_it_and_nobody_twice(mina, sam, meeting, iris):
    build.participant(meeting.calendar, iris)
    suggestion = actions.suggest_time(meeting, by=sam, suggested_time=TEN)

    with refuses(NotAllowed):
        actions.withdraw_suggestion(suggestion, by=iris)
    actions.withdraw_suggestion(ScheduleSuggestion.objects.get(), by=sam)
    with refuses(NotFound):
        actions.withdraw_suggestion(suggestion, by=sam)


def test_a_suggestion_outlives_its_authors_account(sam, meeting):
    actions.suggest_time(meeting, by=sam, suggested_time=TEN)

    sam.delete()

    assert ScheduleSuggestion.objects.get().author is None

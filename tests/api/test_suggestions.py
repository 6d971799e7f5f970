"""Suggestions, stored and computed, over HTTP."""

import json
from datetime import timedelta

import pytest

from commontime.api.schema import text
from commontime.calendars.models import Calendar, Meeting, ScheduleSuggestion
from commontime.core import clock
from tests import build
from tests.api.cast import fields_of, iso, refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def path(group) -> str:
    return f"/calendars/meetings/{group.meeting.pk}/suggestions/"


def test_a_time_is_suggested_with_what_is_printed(group, path):
    answer = group.sam.post(path, {"suggested_time": iso(build.day(13))})

    assert answer.status_code == 201
    assert set(answer.data) == fields_of("SuggestionOutput")
    assert (answer.data["author"], answer.data["suggested_time"]) == (
        group.sam.user.pk,
        iso(build.day(13)),
    )
    assert answer.data["id"] in [row["id"] for row in group.mina.get(answer["Location"]).data]


def test_the_same_start_is_suggested_once(group, path):
    assert refused(
        group.mina.post(path, {"suggested_time": iso(build.day(11))}), 409, "duplicate_suggestion"
    )


@pytest.mark.parametrize("value", [iso(build.day(days=-1)), None, "", 7, "2026-11-23", "11:00"])
def test_a_suggestion_is_a_moment_to_come(group, path, value):
    assert refused(
        group.sam.post(path, {"suggested_time": value}), 400, "invalid_input", "suggested_time"
    )
    assert ScheduleSuggestion.objects.filter(meeting=group.meeting).count() == 1


def test_after_the_deadline_only_the_owner_suggests(group, path):
    Meeting.objects.filter(pk=group.meeting.pk).update(deadline=clock.now() - timedelta(minutes=1))

    assert refused(
        group.sam.post(path, {"suggested_time": iso(build.day(13))}), 409, "deadline_passed"
    )
    assert group.mina.post(path, {"suggested_time": iso(build.day(13))}).status_code == 201


def test_a_meeting_with_a_time_takes_no_suggestion(group):
    path = f"/calendars/meetings/{group.scheduled.pk}/suggestions/"

    assert refused(
        group.sam.post(path, {"suggested_time": iso(build.day(13))}), 409, "meeting_scheduled"
    )


def test_the_list_ranks_stored_and_computed_starts_with_reasons(group, path):
    rows = group.sam.get(path).data

    assert set(rows[0]) == fields_of("RankedOutput")
    assert set(rows[0]["people"]) == fields_of("People")
    assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
    best = rows[0]
    assert (best["suggested_time"], best["end_time"], best["attending"]) == (
        iso(build.day(9)),
        iso(build.day(10)),
        2,
    )
    assert best["reasons"] == ["Both people who answered can come."]
    assert [row["author"] for row in rows if row["id"] == str(group.suggestion.pk)] == [
        group.sam.user.pk
    ]


def test_the_list_can_leave_out_what_people_stored(group, path):
    rows = group.sam.get(f"{path}?computed=only&limit=1").data

    assert len(rows) == 1
    assert rows[0]["id"] is None


def test_the_list_names_nobody_where_answers_are_hidden(group, path):
    Calendar.objects.filter(pk=group.calendar.pk).update(visibility="owner")

    assert group.sam.get(path).data[0]["people"] is None
    assert group.mina.get(path).data[0]["people"] is not None


def test_the_list_offers_nobody_who_is_in_another_meeting_of_the_calendar(group, path):
    moved = group.mina.put(
        f"{group.path}meetings/{group.scheduled.pk}/", {"final_time": iso(build.day(9))}
    )
    assert moved.status_code == 200

    rows = group.sam.get(path).data

    assert (rows[0]["suggested_time"], rows[0]["attending"]) == (iso(build.day(10)), 2)
    asked = group.sam.get(
        f"{path}?earliest={iso(build.day(9))}&latest={iso(build.day(10))}&computed=only"
    ).data
    assert asked == []
    assert group.sam.get(path.replace("suggestions", "insights")).data["best"][
        "suggested_time"
    ] == iso(build.day(10))


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=²", "limit"),
        ("computed=yes", "computed"),
    ],
)
def test_the_list_is_asked_for_in_order(group, path, query, field):
    assert refused(group.sam.get(f"{path}?{query}"), 400, "invalid_input", field)


def test_a_suggestion_is_withdrawn_by_its_author_or_the_owner(group, path):
    by_mina = group.mina.post(path, {"suggested_time": iso(build.day(13))}).data["id"]

    assert refused(group.sam.delete(f"{path}{by_mina}/"), 403, "not_allowed")
    assert group.sam.delete(f"{path}{group.suggestion.pk}/").status_code == 204
    assert refused(group.sam.delete(f"{path}{group.suggestion.pk}/"), 404, "not_found")
    assert group.mina.delete(f"{path}{by_mina}/").status_code == 204


def test_a_suggestion_of_another_meeting_is_not_there(group):
    elsewhere = f"/calendars/meetings/{group.scheduled.pk}/suggestions/{group.suggestion.pk}/"

    assert refused(group.sam.delete(elsewhere), 404, "not_found")
    assert ScheduleSuggestion.objects.filter(pk=group.suggestion.pk).exists()


def test_attending_counts_those_who_can_come_only_if_need_be_and_the_schema_says_so(group, path):
    group.window.preference_level = 2
    group.window.save()

    best = group.mina.get(f"{path}?computed=only").data[0]
    described = json.loads(text()[0])["components"]["schemas"]["RankedOutput"]["properties"]

    assert (best["attending"], best["if_need_be"]) == (2, 1)
    assert set(best["people"]["if_need_be"]) < set(best["people"]["attending"])
    assert "`if_need_be`" in described["attending"]["description"]
    counts = {name for name, field in described.items() if field.get("type") == "integer"}
    assert {name for name in counts if not described[name].get("description")} == set()

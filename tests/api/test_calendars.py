"""Calendars over HTTP."""

from datetime import timedelta

import pytest

from commontime.calendars.models import Calendar, Meeting
from tests import build
from tests.api.cast import GAP, fields_of, iso, refused
from tests.client import caller

pytestmark = pytest.mark.django_db


def test_a_calendar_is_made_with_what_is_printed(group):
    answer = group.eve.post("/calendars/", {"name": "Choir", "is_finalized": False})

    assert answer.status_code == 201
    assert set(answer.data) == fields_of("CalendarOutput")
    assert answer.data["name"] == "Choir"
    assert answer.data["is_finalized"] is False
    assert answer.data["owner"] == group.eve.user.pk
    assert answer["Location"] == f"/calendars/{answer.data['id']}/"
    people = group.eve.get(answer["Location"] + "participants/").data
    assert [person["user"] for person in people] == [group.eve.user.pk]


def test_a_calendar_takes_everything_that_a_calendar_has(group):
    sent = {
        "name": "  Choir  ",
        "is_finalized": False,
        "description": "Two\nlines",
        "location": "Hall",
        "time_zone": "Europe/Berlin",
        "duration_minutes": 90,
        "visibility": "counts",
        "window_start": "2031-01-06T09:00:00",
        "window_end": "2031-01-10T17:00:00+02:00",
    }

    answer = group.eve.post("/calendars/", sent)

    assert answer.status_code == 201
    assert {name: answer.data[name] for name in sent} == {
        **sent,
        "name": "Choir",
        "window_start": "2031-01-06T08:00:00Z",  # local in the zone sent with it
        "window_end": "2031-01-10T15:00:00Z",
    }


def test_a_new_calendar_has_its_owners_zone():
    nova = caller(build.user("nova", time_zone="Asia/Kathmandu"))

    answer = nova.post("/calendars/", {"name": "Choir", "window_start": "2031-01-06T09:00:00"})

    assert answer.data["time_zone"] == "Asia/Kathmandu"
    assert answer.data["window_start"] == "2031-01-06T03:15:00Z"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "),
        ("name", "x" * 201),
        ("time_zone", "Mars/Olympus"),
        ("time_zone", 7),
        ("duration_minutes", 0),
        ("duration_minutes", 44_641),
        ("visibility", "all"),
        ("is_finalized", "no"),
        ("window_start", "Monday"),
        ("window_end", "1999-12-31T23:59:59Z"),
    ],
)
def test_a_calendar_is_refused_by_its_bad_field(group, field, value):
    answer = group.eve.post("/calendars/", {"name": "Choir", field: value})

    assert refused(answer, 400, "invalid_input", field)
    assert not Calendar.objects.filter(owner=group.eve.user).exists()


def test_a_window_that_ends_before_it_starts_is_refused(group):
    answer = group.mina.put(
        group.path, {"window_start": iso(build.day(10)), "window_end": iso(build.day(9))}
    )

    assert refused(answer, 400, "invalid_input", "window_end")


def test_the_list_shows_own_and_joined_calendars_with_what_counts(group):
    rows = group.sam.get("/calendars/").data

    assert [row["id"] for row in rows] == [str(group.calendar.pk)]
    assert set(rows[0]) == fields_of("CalendarListed")
    expected = {
        "my_role": "participant",
        "answered": True,
        "participant_count": 2,
        "meeting_count": 2,
    }
    assert {name: rows[0][name] for name in expected} == expected


def test_the_list_can_be_asked_for_one_role(group):
    assert group.sam.get("/calendars/?role=owner").data == []
    assert len(group.sam.get("/calendars/?role=participant").data) == 1
    assert len(group.mina.get("/calendars/?role=participant,owner").data) == 1
    assert refused(group.sam.get("/calendars/?role=boss"), 400, "invalid_input", "role")


def test_one_calendar_is_shown_to_those_in_it(group):
    answer = group.sam.get(group.path)

    assert answer.status_code == 200
    assert set(answer.data) == fields_of("CalendarOutput")
    assert answer.data["my_role"] == "participant"


def test_a_calendar_is_renamed_with_what_is_printed(group):
    answer = group.mina.put(group.path, {"name": "Band", "is_finalized": False})

    assert answer.status_code == 200
    assert answer.data["name"] == group.sam.get(group.path).data["name"] == "Band"
    assert "warnings" not in answer.data


def test_finalising_warns_of_meetings_without_a_time(group):
    answer = group.mina.put(group.path, {"name": "Choir", "is_finalized": True})

    assert answer.status_code == 200
    assert answer.data["is_finalized"] is True
    warning = answer.data["warnings"][0]
    assert (warning["code"], warning["meeting"]) == ("meeting_still_open", str(group.meeting.pk))


def test_strictly_a_warning_is_a_refusal(group):
    answer = group.mina.put(group.path, {"is_finalized": True, "strict": True})

    assert refused(answer, 409, "meeting_still_open")
    assert answer.data["warnings"][0]["meeting"] == str(group.meeting.pk)
    assert group.mina.get(group.path).data["is_finalized"] is False


def test_strict_is_true_or_false(group):
    assert refused(group.mina.put(group.path, {"strict": "yes"}), 400, "invalid_input", "strict")


def test_a_finalised_calendar_takes_no_changes_until_it_is_reopened(group):
    group.mina.put(group.path, {"is_finalized": True})
    start, end = iso(build.day(20)), iso(build.day(21))
    meeting = f"{group.path}meetings/{group.meeting.pk}/"

    frozen = [
        group.sam.post(
            group.path + "nonbusytimes/",
            {"start_time": start, "end_time": end, "preference_level": 5},
        ),
        group.sam.put(group.path + "nonbusytimes/", {"from": start, "to": end, "windows": []}),
        group.sam.put(f"{group.path}nonbusytimes/{group.window.pk}/", {"preference_level": 9}),
        group.sam.delete(f"{group.path}nonbusytimes/{group.window.pk}/"),
        group.sam.post(
            f"/calendars/meetings/{group.meeting.pk}/suggestions/", {"suggested_time": start}
        ),
        group.mina.post(group.path + "participants/", {"user": group.eve.user.pk}),
        group.mina.post(group.path + "meetings/", {"deadline": start}),
        group.mina.put(meeting, {"final_time": start}),
        group.mina.delete(meeting),
        group.mina.post(
            "/calendars/invitations/",
            {"calendar": str(group.calendar.pk), "receiver": group.eve.user.pk},
        ),
        group.iris.put(f"/calendars/invitations/{group.invitation.pk}/", {"status": "accepted"}),
    ]

    assert all(refused(answer, 409, "calendar_finalized") for answer in frozen)
    assert group.mina.put(group.path, {"is_finalized": False}).status_code == 200
    assert group.mina.put(meeting, {"title": "Again"}).status_code == 200


def test_a_deleted_calendar_is_gone_for_everybody(group):
    assert group.mina.delete(group.path).status_code == 204
    assert refused(group.mina.get(group.path), 404, "not_found")
    assert refused(group.mina.delete(group.path), 404, "not_found")
    assert refused(group.sam.get(group.path), 404, "not_found")


def test_only_the_owner_changes_a_calendar(group):
    refusals = [
        group.sam.put(group.path, {"name": "X"}),
        group.sam.delete(group.path),
        group.sam.post(group.path + "transfer/", {"user": group.sam.user.pk}),
        group.sam.post(group.path + "duplicate/", {}),
    ]

    assert all(refused(answer, 403, "not_allowed") for answer in refusals)
    assert group.mina.get(group.path).data["name"] == "Choir"


def test_a_calendar_is_handed_to_a_participant(group):
    answer = group.mina.post(group.path + "transfer/", {"user": group.sam.user.pk})

    assert answer.status_code == 200
    assert (answer.data["owner"], answer.data["my_role"]) == (group.sam.user.pk, "participant")
    assert refused(group.mina.put(group.path, {"name": "X"}), 403, "not_allowed")


@pytest.mark.parametrize("user", [0, -1, 2**31, 2**63, 10**30])
def test_nobody_takes_a_calendar_over_who_is_not_in_it(group, user):
    assert refused(
        group.mina.post(group.path + "transfer/", {"user": user}), 400, "invalid_input", "user"
    )
    assert refused(
        group.mina.post(group.path + "transfer/", {"user": group.eve.user.pk}),
        400,
        "invalid_input",
        "user",
    )


def test_a_duplicate_is_shifted_and_nobody_takes_part_yet(group):
    answer = group.mina.post(group.path + "duplicate/", {"shift_days": 7})

    assert answer.status_code == 201
    assert set(answer.data) == fields_of("CalendarOutput")
    copies = group.mina.get(answer["Location"] + "meetings/").data
    assert [copy["deadline"] for copy in copies] == [
        iso(meeting.deadline + timedelta(days=7))
        for meeting in Meeting.objects.filter(calendar=group.calendar).order_by("created_at", "id")
    ]
    assert {copy["final_time"] for copy in copies} == {None}
    assert [
        person["user"] for person in group.mina.get(answer["Location"] + "participants/").data
    ] == [group.mina.user.pk]
    assert answer.data["id"] in [
        row["calendar"] for row in group.sam.get("/calendars/invitations/").data
    ]


@pytest.mark.parametrize("days", [3661, -3661, 10**18, "7", True])
def test_a_duplicate_can_not_be_shifted_anywhere(group, days):
    assert refused(
        group.mina.post(group.path + "duplicate/", {"shift_days": days}),
        400,
        "invalid_input",
        "shift_days",
    )


def test_a_local_time_of_a_calendar_is_read_in_its_zone(group):
    Calendar.objects.filter(pk=group.calendar.pk).update(time_zone="Europe/Berlin")

    answer = group.mina.put(group.path, {"window_start": GAP})

    assert refused(answer, 400, "nonexistent_time", "window_start")
    assert group.mina.get(group.path).data["window_start"] is None

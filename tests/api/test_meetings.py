"""Meetings over HTTP."""

from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine

from commontime.calendars.models import Calendar, Meeting
from tests import build
from tests.api.cast import GAP, OVERLAP, fields_of, iso, refused

pytestmark = pytest.mark.django_db

SOON = iso(build.day(days=7))


def meeting_path(group, meeting: Meeting | None = None) -> str:
    return f"{group.path}meetings/{(meeting or group.meeting).pk}/"


def test_a_meeting_is_looked_for_with_what_is_printed(group):
    answer = group.mina.post(group.path + "meetings/", {"deadline": SOON})

    assert answer.status_code == 201
    assert set(answer.data) == fields_of("MeetingOutput")
    assert (answer.data["deadline"], answer.data["final_time"], answer.data["status"]) == (
        SOON,
        None,
        "open",
    )
    assert [person["username"] for person in answer.data["attendees"]] == ["mina", "sam"]
    assert group.sam.get(answer["Location"]).data == answer.data


def test_a_meeting_takes_everything_that_a_meeting_has(group):
    sent = {
        "deadline": SOON,
        "title": "Rehearsal",
        "description": "Two\nlines",
        "location": "Hall",
        "duration_minutes": 45,
        "required": [group.sam.user.pk],
        "optional": [group.mina.user.pk],
        "quorum": 2,
        "earliest": iso(build.day(9)),
        "latest": iso(build.day(17)),
        "buffer_minutes": 15,
        "auto_finalize": True,
    }

    answer = group.mina.post(group.path + "meetings/", sent)

    assert answer.status_code == 201
    assert {name: answer.data[name] for name in sent} == sent
    assert {person["username"]: person["required"] for person in answer.data["attendees"]} == {
        "mina": False,
        "sam": True,
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("deadline", iso(build.day(days=-1))),
        ("deadline", None),
        ("deadline", "2026-11-23"),
        ("duration_minutes", 0),
        ("quorum", 0),
        ("title", "two\nlines"),
        ("buffer_minutes", -1),
        ("buffer_minutes", 1441),
        ("auto_finalize", 1),
        ("latest", iso(build.day(8))),
        ("required", [99_999_999]),
        ("optional", [0]),
        ("required", "all"),
        ("required", [True]),
        ("required", [2**70]),
    ],
)
def test_a_meeting_is_refused_by_its_bad_field(group, field, value):
    answer = group.mina.post(
        group.path + "meetings/", {"deadline": SOON, "earliest": iso(build.day(9)), field: value}
    )

    assert refused(answer, 400, "invalid_input")
    assert field in {name.partition(".")[0] for name in answer.data["fields"]}
    assert Meeting.objects.filter(calendar=group.calendar).count() == 2


def test_only_people_of_the_calendar_attend(group):
    assert refused(
        group.mina.post(
            group.path + "meetings/", {"deadline": SOON, "optional": [group.eve.user.pk]}
        ),
        400,
        "invalid_input",
        "optional",
    )


def test_a_deadline_is_compared_when_it_is_asked(group):
    assert group.sam.get(meeting_path(group)).data["status"] == "open"
    with time_machine.travel(group.meeting.deadline, tick=False):
        token = group.sam.post("/login/", {"username": "sam", "password": build.PASSWORD}).data[
            "access"
        ]

        assert (
            group.sam.get(meeting_path(group), authorization=f"Bearer {token}").data["status"]
            == "closed"
        )


def test_the_list_shows_the_meetings_in_the_order_they_were_made(group):
    rows = group.sam.get(group.path + "meetings/").data

    assert [row["id"] for row in rows] == [str(group.meeting.pk), str(group.scheduled.pk)]
    assert [row["status"] for row in rows] == ["open", "scheduled"]
    assert rows[1] == group.sam.get(meeting_path(group, group.scheduled)).data


def test_a_scheduled_meeting_shows_who_can_come(group):
    shown = group.sam.get(meeting_path(group, group.scheduled)).data

    assert shown["answers"] == {"yes": 2, "if_need_be": 0, "no": 0, "unanswered": 0}
    assert [person["answer"] for person in shown["attendees"]] == ["yes", "yes"]
    assert shown["end_time"] == iso(build.day(11))


def test_where_answers_are_hidden_one_sees_only_ones_own(group):
    Calendar.objects.filter(pk=group.calendar.pk).update(visibility="counts")

    shown = group.sam.get(meeting_path(group, group.scheduled)).data

    assert [person.get("answer") for person in shown["attendees"]] == [None, "yes"]
    assert shown["answers"]["yes"] == 2


def test_a_time_is_fixed_with_what_is_printed(group):
    answer = group.mina.put(
        meeting_path(group), {"final_time": iso(build.day(14)), "deadline": SOON}
    )

    assert answer.status_code == 200
    assert (answer.data["final_time"], answer.data["deadline"], answer.data["status"]) == (
        iso(build.day(14)),
        SOON,
        "scheduled",
    )
    assert "warnings" not in answer.data
    assert answer.data["sequence"] == 0


def test_only_a_real_change_raises_the_sequence(group):
    path = meeting_path(group, group.scheduled)

    same = group.mina.put(path, {"final_time": iso(build.day(10)), "title": ""})
    moved = group.mina.put(path, {"final_time": iso(build.day(11))})
    withdrawn = group.mina.put(path, {"final_time": None})

    assert [answer.data["sequence"] for answer in (same, moved, withdrawn)] == [0, 1, 2]
    assert withdrawn.data["status"] == "open"


@pytest.mark.parametrize(
    ("final_time", "code"),
    [
        (build.day(10, days=-2), "in_the_past"),
        (build.day(20), "required_missing"),
        (build.day(10.5), "double_booked"),
    ],
)
def test_a_time_that_is_probably_not_wanted_is_warned_of_or_strictly_refused(
    group, final_time, code
):
    path, sent = meeting_path(group), {"final_time": iso(final_time)}

    strict = group.mina.put(path, {**sent, "strict": True})
    assert strict.status_code == 409
    assert code in [warning["code"] for warning in strict.data["warnings"]]
    assert strict.data["code"] == strict.data["warnings"][0]["code"]
    assert group.mina.get(path).data["final_time"] is None

    loose = group.mina.put(path, sent)
    assert loose.status_code == 200
    assert loose.data["warnings"] == strict.data["warnings"]
    assert loose.data["final_time"] == iso(final_time)


def test_nobody_has_answered_is_a_warning(group):
    made = group.eve.post("/calendars/", {"name": "Choir"})["Location"]
    meeting = group.eve.post(made + "meetings/", {"deadline": SOON})["Location"]

    answer = group.eve.put(meeting, {"final_time": iso(build.day(10))})

    assert [warning["code"] for warning in answer.data["warnings"]] == ["nobody_answered"]


def test_a_local_time_is_read_in_the_calendars_zone(group):
    Calendar.objects.filter(pk=group.calendar.pk).update(time_zone="Europe/Berlin")

    assert (
        group.mina.put(meeting_path(group), {"final_time": "2031-07-01T10:00"}).data["final_time"]
        == "2031-07-01T08:00:00Z"
    )
    for local, code, choices in [
        (GAP, "nonexistent_time", ("2031-03-30T00:30:00Z", "2031-03-30T01:30:00Z")),
        (OVERLAP, "ambiguous_time", ("2031-10-26T00:30:00Z", "2031-10-26T01:30:00Z")),
    ]:
        answer = group.mina.put(meeting_path(group), {"final_time": local})
        assert refused(answer, 400, code, "final_time")
        assert all(choice in answer.data["fields"]["final_time"][0] for choice in choices)
    assert group.mina.get(meeting_path(group)).data["final_time"] == "2031-07-01T08:00:00Z"


def test_a_participant_does_not_fix_times(group):
    assert refused(
        group.sam.put(meeting_path(group), {"final_time": iso(build.day(14))}), 403, "not_allowed"
    )
    assert refused(group.sam.delete(meeting_path(group)), 403, "not_allowed")
    assert refused(group.sam.post(group.path + "meetings/", {"deadline": SOON}), 403, "not_allowed")
    assert group.sam.get(meeting_path(group)).data["final_time"] is None


def test_a_meeting_under_another_calendar_is_not_there(group):
    other = build.calendar(owner=group.mina.user)
    elsewhere = f"/calendars/{other.pk}/meetings/{group.meeting.pk}/"

    for answer in (
        group.mina.get(elsewhere),
        group.mina.put(elsewhere, {"title": "X"}),
        group.mina.delete(elsewhere),
    ):
        assert refused(answer, 404, "not_found")
    assert refused(group.mina.get(f"{group.path}meetings/{uuid4()}/"), 404, "not_found")


def test_a_deleted_meeting_is_gone(group):
    assert group.mina.delete(meeting_path(group)).status_code == 204
    assert refused(group.mina.delete(meeting_path(group)), 404, "not_found")


def test_the_invitation_file_is_icalendar(group):
    answer = group.sam.get(meeting_path(group, group.scheduled) + "invite.ics")

    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    assert b"BEGIN:VEVENT" in answer.content
    assert str(group.scheduled.pk).encode() in answer.content
    assert refused(group.sam.get(meeting_path(group) + "invite.ics"), 409, "not_scheduled")


def test_the_times_of_one_meeting_do_not_drift(group):
    """An edit of something else must not touch the final time, not by a microsecond."""
    exact = build.day(10) + timedelta(microseconds=123_456)
    path = meeting_path(group)
    group.mina.put(path, {"final_time": exact.isoformat()})

    group.mina.put(path, {"title": "Renamed"})

    assert group.mina.get(path).data["final_time"] == exact.isoformat().replace("+00:00", "Z")

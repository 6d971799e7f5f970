"""Non-busy times, and the availability that follows, over HTTP."""

from datetime import timedelta

import pytest

from commontime.calendars.models import Calendar, Meeting, NonBusyTime
from commontime.core import clock
from tests import build
from tests.api.cast import fields_of, iso, refused

pytestmark = pytest.mark.django_db


def window(start: float, end: float, preference: int = 5, *, days: int = 31) -> dict[str, object]:
    return {
        "start_time": iso(build.day(start, days=days)),
        "end_time": iso(build.day(end, days=days)),
        "preference_level": preference,
    }


def times(group) -> list[NonBusyTime]:
    return list(
        NonBusyTime.objects.filter(calendar=group.calendar, user=group.sam.user).order_by(
            "start_time"
        )
    )


# Times --------------------------------------------------------------------------------------------


def test_a_time_is_given_with_what_is_printed(group):
    answer = group.sam.post(group.path + "nonbusytimes/", window(9, 10, 7))

    assert answer.status_code == 201
    assert set(answer.data) == fields_of("WindowOutput")
    assert {
        **answer.data,
        **window(9, 10, 7),
        "user": group.sam.user.pk,
        "calendar": str(group.calendar.pk),
    } == answer.data
    assert group.sam.get(answer["Location"]).data == answer.data


def test_the_preference_is_in_the_middle_if_none_is_sent(group):
    sent = window(9, 10)
    del sent["preference_level"]

    assert group.sam.post(group.path + "nonbusytimes/", sent).data["preference_level"] == 5


def test_times_may_touch_but_not_overlap(group):
    group.sam.post(group.path + "nonbusytimes/", window(9, 10))

    assert group.sam.post(group.path + "nonbusytimes/", window(10, 11)).status_code == 201
    assert refused(
        group.sam.post(group.path + "nonbusytimes/", window(8, 9.5)), 409, "overlapping_window"
    )
    assert group.mina.post(group.path + "nonbusytimes/", window(8, 9.5)).status_code == 201


def test_a_time_is_for_the_caller_in_the_calendar_of_the_path(group):
    other = build.calendar(owner=group.sam.user)

    answer = group.sam.post(
        group.path + "nonbusytimes/",
        {**window(9, 10), "user": group.mina.user.pk, "calendar": str(other.pk)},
    )

    assert (answer.data["user"], answer.data["calendar"]) == (
        group.sam.user.pk,
        str(group.calendar.pk),
    )


@pytest.mark.parametrize(("start", "end"), [(9, 9), (10, 9), (0, 31 * 24 + 1 / 60)])
def test_a_time_has_a_length_up_to_31_days(group, start, end):
    before = times(group)

    assert refused(
        group.sam.post(group.path + "nonbusytimes/", window(start, end)),
        400,
        "invalid_input",
        "end_time",
    )
    assert times(group) == before


def test_a_time_of_just_31_days_and_one_in_the_past_are_fine(group):
    assert group.sam.post(group.path + "nonbusytimes/", window(0, 31 * 24)).status_code == 201
    assert group.sam.post(group.path + "nonbusytimes/", window(9, 10, days=-3)).status_code == 201


def test_two_thousand_times_are_enough(group):
    start = build.day(0, days=40)
    NonBusyTime.objects.bulk_create(
        NonBusyTime(
            calendar=group.calendar,
            user=group.sam.user,
            start_time=start + timedelta(hours=n),
            end_time=start + timedelta(hours=n, minutes=30),
        )
        for n in range(1999)
    )

    assert refused(
        group.sam.post(group.path + "nonbusytimes/", window(9, 10)), 400, "invalid_input", "windows"
    )
    rows = [window(n, n + 0.5, days=300) for n in range(2001)]
    many = {"from": rows[0]["start_time"], "to": rows[-1]["end_time"], "windows": rows}
    assert refused(
        group.sam.put(group.path + "nonbusytimes/", many), 400, "invalid_input", "windows"
    )
    assert len(times(group)) == 2000


def test_the_list_shows_everybodys_times_in_an_open_calendar(group):
    rows = group.sam.get(group.path + "nonbusytimes/").data

    assert {row["user"] for row in rows} == {group.mina.user.pk, group.sam.user.pk}
    assert set(rows[0]) == fields_of("WindowOutput")


@pytest.mark.parametrize(
    ("visibility", "sams", "minas"), [("open", 2, 2), ("counts", 1, 1), ("owner", 1, 2)]
)
def test_the_list_follows_the_visibility(group, visibility, sams, minas):
    Calendar.objects.filter(pk=group.calendar.pk).update(visibility=visibility)

    assert len(group.sam.get(group.path + "nonbusytimes/").data) == sams
    assert len(group.mina.get(group.path + "nonbusytimes/").data) == minas


def test_the_list_can_be_narrowed(group):
    path = group.path + "nonbusytimes/"

    def at(hour: float) -> str:
        return iso(build.day(hour))

    assert len(group.sam.get(f"{path}?user={group.mina.user.pk}").data) == 1
    assert len(group.sam.get(f"{path}?from={at(16.9)}").data) == 2
    assert group.sam.get(f"{path}?from={at(17)}").data == []  # half-open: what ends then is over
    assert group.sam.get(f"{path}?to={at(9)}").data == []
    assert refused(group.sam.get(f"{path}?from={at(9)}&to={at(9)}"), 400, "invalid_input", "to")
    assert refused(group.sam.get(f"{path}?user=x"), 400, "invalid_input", "user")


def test_a_range_is_replaced_and_cut_at_its_edges(group):
    sent = {
        "from": iso(build.day(10)),
        "to": iso(build.day(12)),
        "windows": [window(10.5, 11, 9, days=30)],
    }

    answer = group.sam.put(group.path + "nonbusytimes/", sent)

    assert answer.status_code == 200
    assert [(row["start_time"], row["preference_level"]) for row in answer.data] == [
        (iso(build.day(10.5)), 9)
    ]
    assert [(row.start_time, row.end_time) for row in times(group)] == [
        (build.day(9), build.day(10)),
        (build.day(10.5), build.day(11)),
        (build.day(12), build.day(17)),
    ]


@pytest.mark.parametrize(
    ("rows", "field"),
    [
        ([window(9, 10), window(11, 10)], "windows.1.end_time"),
        ([window(9, 10), window(9.5, 11)], "windows.1.start_time"),
        ([window(9, 10), window(23, 25)], "windows.1.start_time"),
        ([window(9, 10), {"start_time": "soon"}], "windows.1.start_time"),
        ([window(9, 10), {**window(10, 11), "preference_level": 11}], "windows.1.preference_level"),
    ],
)
def test_a_range_with_a_bad_row_changes_nothing_and_names_it(group, rows, field):
    before = [(row.pk, row.start_time) for row in times(group)]
    sent = {"from": iso(build.day(0, days=31)), "to": iso(build.day(24, days=31)), "windows": rows}

    assert refused(group.sam.put(group.path + "nonbusytimes/", sent), 400, "invalid_input", field)
    assert [(row.pk, row.start_time) for row in times(group)] == before


def test_ones_own_time_is_changed_in_part(group):
    path = f"{group.path}nonbusytimes/{group.window.pk}/"

    answer = group.sam.put(path, {"preference_level": 0})

    assert answer.status_code == 200
    assert answer.data == group.sam.get(path).data
    assert (answer.data["preference_level"], answer.data["start_time"]) == (0, iso(build.day(9)))
    assert refused(
        group.sam.put(path, {"end_time": iso(build.day(8))}), 400, "invalid_input", "end_time"
    )


def test_nobody_changes_another_persons_time(group):
    path = f"{group.path}nonbusytimes/{group.window.pk}/"

    assert refused(group.mina.put(path, {"preference_level": 0}), 403, "not_allowed")
    assert refused(group.mina.delete(path), 403, "not_allowed")
    assert group.sam.get(path).data["preference_level"] == 5
    assert group.sam.delete(path).status_code == 204
    assert refused(group.sam.delete(path), 404, "not_found")


def test_answers_close_when_every_meeting_is_past_its_deadline(group):
    Meeting.objects.filter(calendar=group.calendar).update(
        deadline=clock.now() - timedelta(minutes=1)
    )

    assert refused(
        group.sam.post(group.path + "nonbusytimes/", window(9, 10)), 409, "answers_closed"
    )
    assert refused(
        group.sam.delete(f"{group.path}nonbusytimes/{group.window.pk}/"), 409, "answers_closed"
    )


# Availability -------------------------------------------------------------------------------------


def test_the_availability_has_exact_pieces_with_names(group):
    group.sam.put(
        f"{group.path}nonbusytimes/{group.window.pk}/",
        {"start_time": iso(build.day(12)), "preference_level": 9},
    )

    answer = group.sam.get(group.path + "availability/")

    assert set(answer.data) == fields_of("Availability")
    assert (answer.data["participants"], answer.data["answered"], answer.data["unanswered"]) == (
        2,
        2,
        0,
    )
    assert [
        (piece["start"], piece["end"], piece["available"], piece["preference_sum"])
        for piece in answer.data["pieces"]
    ] == [
        (iso(build.day(9)), iso(build.day(12)), 1, 5),
        (iso(build.day(12)), iso(build.day(17)), 2, 14),
    ]
    assert answer.data["pieces"][1]["who"] == {
        "ideal": [group.sam.user.pk],
        "works": [group.mina.user.pk],
        "if_need_be": [],
        "cannot": [],
    }


def test_the_availability_counts_without_names_where_answers_are_hidden(group):
    Calendar.objects.filter(pk=group.calendar.pk).update(visibility="counts")

    answer = group.sam.get(group.path + "availability/")

    assert answer.data["people"] is None
    assert [("who" in piece, piece["available"]) for piece in answer.data["pieces"]] == [(False, 2)]


def test_the_availability_of_a_long_meeting_holds_its_starts(group):
    answer = group.sam.get(f"{group.path}availability/?duration_minutes=120")

    assert answer.data["duration_minutes"] == 120
    piece = next(piece for piece in answer.data["pieces"] if piece["available"] == 2)
    assert (piece["start"], piece["end"]) == (
        iso(build.day(9)),
        iso(build.day(15) + timedelta(minutes=1)),
    )  # 15:00 is the last start


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("duration_minutes=0", "duration_minutes"),
        ("duration_minutes=x", "duration_minutes"),
        ("from=soon", "from"),
    ],
)
def test_the_availability_is_asked_for_in_order(group, query, field):
    assert refused(group.sam.get(f"{group.path}availability/?{query}"), 400, "invalid_input", field)


def test_the_availability_spans_400_days_at_most(group):
    start, end = build.day(0, days=0), build.day(0, days=401)

    assert refused(
        group.sam.get(f"{group.path}availability/?from={iso(start)}&to={iso(end)}"),
        400,
        "invalid_input",
        "to",
    )


def test_the_availability_of_a_new_calendar_is_empty(group):
    made = group.eve.post("/calendars/", {"name": "Choir"})

    answer = group.eve.get(made["Location"] + "availability/")

    assert answer.status_code == 200
    assert (answer.data["pieces"], answer.data["from"], answer.data["unanswered"]) == ([], None, 1)

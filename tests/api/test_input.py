"""Input is taken exactly or refused by name, and never a server error (VA-01 to VA-20)."""

import json
import time
from typing import Any

import pytest

from commontime.calendars.models import Calendar, NonBusyTime
from tests import build
from tests.api.cast import fields_of, iso, refused
from tests.client import caller

pytestmark = pytest.mark.django_db

START, END = iso(build.day(20)), iso(build.day(21))


def give(group, **sent: Any):
    return group.sam.post(
        group.path + "nonbusytimes/", {"start_time": START, "end_time": END, **sent}
    )


def raw(group, body: bytes):
    return group.sam.post(group.path + "nonbusytimes/", body)


# Times (VA-01 to VA-04, VA-16, VA-17) -------------------------------------------------------------

NO_MOMENTS = [
    "2031-01-06",
    1_930_000_000,
    1.5,
    "1930000000",
    "tomorrow",
    "noon",
    "",
    None,
    True,
    [],
    {},
    "2031-01-06T09",
    "09:00",
    "2031-W02-1",
]
NO_MOMENTS += [
    "2031-01-06T24:00:00Z",
    "2031-01-06T23:60:00Z",
    "2031-01-06T23:59:60Z",
    "2031-02-29T09:00Z",
    "2031-13-01T09:00Z",
    "２０３１-01-06T09:00Z",
]
NO_MOMENTS += [
    "2031-01-06T09:00:00,5Z",
    "2031-01-06T09:00:00.Z",
    "2031-01-06T09:00:00.１Z",
    "2031-01-06T09:00.5Z",
    "2031-01-06T09:00:001Z",
    "20310106T090000Z",
    "2031-01-06T09:00+24:00",
    "2031-01-06T09:00+2400",
    "2031-01-06T09:00+01:60",
    "2031-01-06T09:00-0199",
    "2031-01-06T09:00+01",
    "2031-01-06T09:00+1:00",
    "2031-01-06T09:00+010",
    "2031-01-06T09:00+01:00:30",
    "2031-01-06T09:00Z+01:00",
    "2031-01-06T09:00−01:00",
]
NO_MOMENTS += [
    "2031-01-06T09:00:00 Z",
    " 2031-01-06T09:00Z",
    "2031-01-06_09:00Z",
    "2031-01-06tT09:00Z",
    "2031-01-06T09:00u",
    "2031-01-06T09:00:00[Europe/Berlin]",
    "+12031-01-06T09:00Z",
]
FAR_MOMENTS = [
    "0001-01-01T00:00:00+14:00",
    "0001-01-01T00:00:00-14:00",
    "1900-01-01T00:00:00Z",
    "9999-12-31T23:59:59-14:00",
]
FAR_MOMENTS += [
    "9999-12-31T23:59:59.999999+14:00",
    "1999-12-31T23:59:59.999999Z",
    "2100-01-01T00:00:00Z",
    "2000-01-01T00:00:00+00:01",
]


@pytest.mark.parametrize("value", [*NO_MOMENTS, *FAR_MOMENTS], ids=str)
def test_what_is_no_moment_is_refused_by_name(group, value):
    before = NonBusyTime.objects.count()

    assert refused(give(group, start_time=value), 400, "invalid_input", "start_time")
    assert refused(give(group, end_time=value), 400, "invalid_input", "end_time")
    assert NonBusyTime.objects.count() == before


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("2031-01-06T09:00Z", "2031-01-06T09:00:00Z"),
        ("2031-01-06 09:00:00Z", "2031-01-06T09:00:00Z"),
        ("2031-01-06T09:00:00+23:59", "2031-01-05T09:01:00Z"),
        ("2031-01-06T09:00:00-23:59", "2031-01-07T08:59:00Z"),
        ("2031-01-06T09:00:00-00:00", "2031-01-06T09:00:00Z"),
        ("2031-01-06T09:00:00.000001Z", "2031-01-06T09:00:00.000001Z"),
        ("2031-01-06T09:00:00.5Z", "2031-01-06T09:00:00.500000Z"),
        ("2031-01-06T09:00:00.1234567Z", "2031-01-06T09:00:00.123456Z"),
        ("2031-01-06T09:00:00.123456999+01:00", "2031-01-06T08:00:00.123456Z"),
        ("2031-01-06T23:59:59.9999999999Z", "2031-01-06T23:59:59.999999Z"),
        (f"2031-01-06T09:00:00.{'0' * 500}1Z", "2031-01-06T09:00:00Z"),
        ("2031-01-06T09:00:00.0000009", "2031-01-06T09:00:00Z"),
        ("2031-01-06T09:00:00+0100", "2031-01-06T08:00:00Z"),
        ("2031-01-06T09:00-0930", "2031-01-06T18:30:00Z"),
        ("2031-01-06t09:00:00Z", "2031-01-06T09:00:00Z"),
        ("2031-01-06T09:00:00z", "2031-01-06T09:00:00Z"),
        ("2031-01-06t09:00:00.1234567+0545", "2031-01-06T03:15:00.123456Z"),
        ("2031-01-06 09:00z", "2031-01-06T09:00:00Z"),
        ("2000-01-01T00:00:00Z", "2000-01-01T00:00:00Z"),
        ("2099-12-31T23:59:59.999999Z", "2099-12-31T23:59:59.999999Z"),
        ("2032-02-29T12:00:00Z", "2032-02-29T12:00:00Z"),
    ],
)
def test_a_moment_is_kept_exactly_and_shown_in_utc(group, sent, stored):
    answer = group.mina.put(group.path, {"window_start": sent})

    assert answer.data["window_start"] == group.mina.get(group.path).data["window_start"] == stored


@pytest.mark.parametrize("offset", ["Z", "+00:00", "+05:45", "-11:00"])
def test_two_spellings_of_one_moment_are_no_length(group, offset):
    spelled = {
        "Z": "09:00Z",
        "+00:00": "09:00+00:00",
        "+05:45": "14:45+05:45",
        "-11:00": "22:00-11:00",
    }[offset]
    day = "2031-01-05" if offset == "-11:00" else "2031-01-06"

    assert refused(
        give(group, start_time="2031-01-06T09:00Z", end_time=f"{day}T{spelled}"),
        400,
        "invalid_input",
        "end_time",
    )


def test_a_query_takes_the_same_moments(group):
    path = group.path + "nonbusytimes/"

    for value in ("soon", "2031-01-06", "9999-12-31T23:59:59-14:00", "1", "%00"):
        assert refused(group.sam.get(f"{path}?from={value}"), 400, "invalid_input", "from")
    # A + that nobody encoded arrives as a blank.
    assert group.sam.get(f"{path}?from=2031-01-06T09:00:00+01:00").status_code == 200
    assert group.sam.get(f"{path}?from=2031-01-06T09:00:00%2B01:00").status_code == 200
    assert group.sam.get(f"{path}?from=2031-01-06t09:00:00.1234567+0100").status_code == 200
    assert group.sam.get(f"{path}?from=2031-01-06%2009:00z").status_code == 200


@pytest.mark.parametrize(
    ("local", "code"),
    [("2031-03-30T02:30", "nonexistent_time"), ("2031-10-26T02:30", "ambiguous_time")],
)
def test_a_local_time_of_a_changing_clock_is_refused_wherever_it_stands(group, local, code):
    Calendar.objects.filter(pk=group.calendar.pk).update(time_zone="Europe/Berlin")
    meeting = f"{group.path}meetings/{group.meeting.pk}/"
    rows = [{"start_time": local, "end_time": "2031-12-01T00:00"}]
    answers = {
        "start_time": give(group, start_time=local),
        "deadline": group.mina.put(meeting, {"deadline": local}),
        "earliest": group.mina.post(
            group.path + "meetings/", {"deadline": START, "earliest": local}
        ),
        "suggested_time": group.sam.post(
            f"/calendars/meetings/{group.meeting.pk}/suggestions/", {"suggested_time": local}
        ),
        "windows.0.start_time": group.sam.put(
            group.path + "nonbusytimes/",
            {"from": "2031-01-01T00:00", "to": "2032-01-01T00:00", "windows": rows},
        ),
        "to": group.sam.get(f"{group.path}availability/?to={local}"),
        "window_end": caller(build.user(time_zone="Europe/Berlin")).post(
            "/calendars/", {"name": "x", "window_end": local}
        ),
    }

    for field, answer in answers.items():
        assert refused(answer, 400, code, field)


def test_beside_another_bad_field_there_is_no_one_code(group):
    Calendar.objects.filter(pk=group.calendar.pk).update(time_zone="Europe/Berlin")

    assert refused(
        give(group, start_time="2031-03-30T02:30", end_time="soon"),
        400,
        "invalid_input",
        "start_time",
        "end_time",
    )


def test_a_final_time_in_the_past_is_strictly_refused(group):
    past = {"final_time": iso(build.day(days=-2))}

    assert refused(
        group.mina.put(f"{group.path}meetings/{group.meeting.pk}/", {**past, "strict": True}),
        409,
        "in_the_past",
    )
    assert refused(
        group.mina.post(group.path + "meetings/", {"deadline": past["final_time"]}),
        400,
        "invalid_input",
        "deadline",
    )


# Numbers (VA-05, VA-14) ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        b"-5",
        b"-1",
        b"11",
        b"1.5",
        b"5.0",
        b"true",
        b'"1"',
        b"9223372036854775808",
        b"null",
        b"[]",
        b"{}",
        b"1e1",
        b"-0.0",
    ],
)
def test_a_preference_is_a_whole_number_from_0_to_10(group, value):
    body = b'{"start_time": "%s", "end_time": "%s", "preference_level": %s}' % (
        START.encode(),
        END.encode(),
        value,
    )

    assert refused(raw(group, body), 400, "invalid_input", "preference_level")


@pytest.mark.parametrize("value", [b"NaN", b"Infinity", b"1e400", b"-1e400", b"0x5", b"05", b"+5"])
def test_a_number_that_json_does_not_have_is_no_json(group, value):
    body = b'{"start_time": "%s", "end_time": "%s", "preference_level": %s}' % (
        START.encode(),
        END.encode(),
        value,
    )

    assert raw(group, body).status_code == 400


@pytest.mark.parametrize("value", [0, 10])
def test_the_edges_of_the_preference_are_in_it(group, value):
    assert give(group, preference_level=value).data["preference_level"] == value


@pytest.mark.parametrize("digits", [19, 20, 400, 5000, 100_000])
def test_a_huge_number_is_refused_at_once(group, digits):
    began = time.perf_counter()

    answers = [
        raw(
            group,
            b'{"start_time": "%s", "end_time": "%s", "preference_level": %s}'
            % (START.encode(), END.encode(), b"9" * digits),
        ),
        group.mina.post(group.path + "participants/", b'{"user": %s}' % (b"9" * digits)),
        group.mina.post("/contacts/add/", b'{"contactee": -%s}' % (b"9" * digits)),
        group.mina.post("/calendars/", b'{"name": "x", "duration_minutes": %s}' % (b"9" * digits)),
        group.mina.post(
            "/calendars/", b'{"name": "x", "unknown": %s, "duration_minutes": 0}' % (b"9" * digits)
        ),
    ]

    assert {answer.status_code for answer in answers} == {400}
    assert time.perf_counter() - began < 2


def test_many_and_long_keys_are_ignored(group):
    many = json.dumps({"name": "x", **{f"k{n}": 1 for n in range(60_000)}}).encode()
    long = json.dumps({"name": "x", "k" * 900_000: 1}).encode()

    assert [group.mina.post("/calendars/", body).status_code for body in (many, long)] == [201, 201]


def test_of_a_key_that_comes_twice_the_last_counts(group):
    assert (
        group.mina.post("/calendars/", b'{"name": "first", "name": "second"}').data["name"]
        == "second"
    )


# Text (VA-06, VA-08 to VA-10) ---------------------------------------------------------------------

BREAKS = [
    "\r",
    "\n",
    "\x0b",
    "\x1b",
    "\x85",
    "\u2028",
    "\u2029",
    "\x00",
    "\x7f",
    "\u202e",
    "\u2066",
    "\ufeff",
]
ONE_LINE = [
    ("calendar", "name"),
    ("calendar", "location"),
    ("meeting", "title"),
    ("meeting", "location"),
]
SEVERAL_LINES = [("calendar", "description"), ("meeting", "description")]


def write(group, thing: str, field: str, value: Any):
    if thing == "calendar":
        return group.mina.put(group.path, {field: value})
    return group.mina.put(f"{group.path}meetings/{group.meeting.pk}/", {field: value})


@pytest.mark.parametrize("char", BREAKS, ids=ascii)
@pytest.mark.parametrize(("thing", "field"), ONE_LINE)
def test_one_line_has_no_breaks_and_controls(group, thing, field, char):
    assert refused(write(group, thing, field, f"a{char}b"), 400, "invalid_input", field)


@pytest.mark.parametrize("char", ["\x00", "\x1b", "\x7f"], ids=ascii)
@pytest.mark.parametrize(("thing", "field"), SEVERAL_LINES)
def test_several_lines_have_no_controls(group, thing, field, char):
    assert refused(write(group, thing, field, f"a{char}b"), 400, "invalid_input", field)


@pytest.mark.parametrize(("thing", "field"), SEVERAL_LINES)
def test_pasted_lines_lose_what_nobody_sees(group, thing, field):
    for char in ("\x0b", "\x85", "\u2028", "\u2029", "\r", "\r\n"):
        assert write(group, thing, field, f"a{char}\tb").data[field] == "a\n\tb", ascii(char)
    for char in ("\u202e", "\u2066", "\ufeff"):
        assert write(group, thing, field, f"a{char}b").data[field] == "ab", ascii(char)


@pytest.mark.parametrize(
    ("field", "char"),
    [(field, char) for field in ("username", "first_name", "last_name", "email") for char in BREAKS]
    # Other names may join letters without a width, as Persian and Hindi do.
    + [(field, char) for field in ("username", "email") for char in "\u200b\u200f"],
    ids=ascii,
)
def test_a_persons_names_have_none_either(field, char):
    account = {
        "username": "nova",
        "email": "nova@example.org",
        "first_name": "Nova",
        "last_name": "Ng",
        "password": build.PASSWORD,
    }

    assert refused(
        caller().post("/signup/", {**account, field: f"a{char}{account[field]}"}),
        400,
        "invalid_input",
        field,
    )


@pytest.mark.parametrize("unseen", ["\u200b", " \u2060 ", "\u3164\ufe0f"], ids=ascii)
def test_what_may_be_empty_does_not_only_look_so(group, unseen):
    account = {
        "username": "nova",
        "email": "nova@example.org",
        "first_name": "",
        "last_name": "",
        "password": build.PASSWORD,
    }

    for field in ("first_name", "last_name"):
        assert refused(
            caller().post("/signup/", {**account, field: unseen}), 400, "invalid_input", field
        )
        assert refused(
            group.mina.post("/profile/edit/", {field: unseen}), 400, "invalid_input", field
        )
    for thing, field in [*ONE_LINE, *SEVERAL_LINES]:
        assert refused(write(group, thing, field, unseen), 400, "invalid_input", field)
    assert caller().post("/signup/", account).status_code == 201
    assert group.mina.post("/profile/edit/", {"first_name": "", "last_name": ""}).status_code == 200


@pytest.mark.parametrize(
    ("name", "fine"),
    [
        ("x" * 200, True),
        ("x" * 201, False),
        ("é" * 200, True),
        ("😀" * 200, True),
        ("😀" * 201, False),
    ],
)
def test_a_name_has_200_characters_at_most(group, name, fine):
    answer = write(group, "calendar", "name", name)

    assert answer.data["name"] == name if fine else refused(answer, 400, "invalid_input", "name")


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "\t",
        "\u200b",
        "\u202e",
        "\u00ad",
        "\ufe0f",
        " \u200d ",
        None,
        7,
        True,
        ["x"],
        {"x": 1},
    ],
    ids=ascii,
)
def test_a_name_shows_something(group, name):
    assert refused(write(group, "calendar", "name", name), 400, "invalid_input", "name")
    assert group.mina.get(group.path).data["name"] == "Choir"


@pytest.mark.parametrize(
    "text",
    [
        "👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽",
        "e\u0301\u0327\u0302" * 10,
        "مرحبا بالعالم",
        "𠀋𡈽𪚥",
        "नमस्ते",
        "ﬁ ½ Å",
        "<b>&amp;\"'</b>",
        "{{7*7}}",
        "\\ud800",
    ],
)
@pytest.mark.parametrize(("thing", "field"), [*ONE_LINE, *SEVERAL_LINES])
def test_text_comes_back_as_it_was(group, thing, field, text):
    assert write(group, thing, field, text).data[field] == text


@pytest.mark.parametrize("value", [7, True, None, [], {}, 1.5])
@pytest.mark.parametrize("field", ["username", "email", "first_name", "last_name", "password"])
def test_what_is_no_text_is_refused_by_name(field, value):
    account = {
        "username": "nova",
        "email": "nova@example.org",
        "first_name": "",
        "last_name": "",
        "password": build.PASSWORD,
    }

    assert refused(
        caller().post("/signup/", {**account, field: value}), 400, "invalid_input", field
    )


# Addresses of things (VA-19, VA-20) ---------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        7,
        None,
        True,
        "",
        "x",
        [],
        {},
        "{calendar}x",
        "urn:uuid:",
        "\ud83d",
        "00000000-0000-0000-0000-00000000000g",
    ],
)
def test_an_id_in_a_body_is_an_id(group, value):
    sent = {
        "calendar": value.replace("{calendar}", str(group.calendar.pk))
        if isinstance(value, str)
        else value,
        "receiver": 1,
    }

    assert group.mina.post("/calendars/invitations/", sent).status_code == 400


def test_a_very_long_address_is_no_error_of_ours(group):
    assert refused(group.mina.get("/calendars/" + "a" * 16_000), 404, "not_found")
    assert group.mina.get("/calendars/?x=" + "a" * 16_000).status_code == 200
    assert refused(group.mina.get("/calendars/get-user-id/" + "a" * 16_000), 404, "not_found")


def test_many_headers_are_no_error_of_ours(group):
    assert (
        group.mina.get("/profile/", **{f"x_{n}": "y" * 50 for n in range(200)}).status_code == 200
    )


def test_unknown_fields_are_ignored_everywhere(group):
    extra = {"unknown": {"deep": [1]}, "id": "x", "": 1, "strict": False}

    made = group.eve.post("/calendars/", {"name": "X", **extra})
    assert made.status_code == 201
    assert set(made.data) == fields_of("CalendarOutput")
    assert give(group, **extra).status_code == 201
    assert group.mina.put(f"{group.path}meetings/{group.meeting.pk}/", extra).status_code == 200

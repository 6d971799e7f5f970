"""What the three texts say, read back by two readers."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import icalendar
import pytest

from commontime import ical
from tests.ical.cast import meeting
from tests.ical.strict import read


def test_a_request_says_who_when_and_what():
    event = meeting(
        description="Bring\nnumbers",
        location="Room 4",
        url="https://plan.example.org/app/m/1/",
        sequence=3,
    )

    document = read(ical.request(event))

    assert document.name == "VCALENDAR"
    assert document.one("METHOD").value == "REQUEST"
    assert document.one("VERSION").value == "2.0"
    assert document.one("PRODID").text
    (vevent,) = document.components
    assert vevent.name == "VEVENT"
    assert vevent.one("UID").text == event.uid
    assert vevent.one("SEQUENCE").value == "3"
    assert vevent.one("DTSTAMP").value == "20260501T080030Z"
    assert vevent.one("DTSTART").value == "20260505T080000Z"
    assert vevent.one("DTEND").value == "20260505T093000Z"
    assert vevent.one("SUMMARY").text == "Budget"
    assert vevent.one("DESCRIPTION").text == "Bring\nnumbers"
    assert vevent.one("LOCATION").text == "Room 4"
    assert vevent.one("URL").value == "https://plan.example.org/app/m/1/"
    assert vevent.one("STATUS").value == "CONFIRMED"
    assert vevent.one("ORGANIZER").value == "mailto:mina@example.org"
    assert vevent.one("ORGANIZER").parameters == {"CN": "Mina Okafor"}
    sam, iris = vevent.all("ATTENDEE")
    assert sam.value == "mailto:sam@example.org"
    assert sam.parameters == {
        "CUTYPE": "INDIVIDUAL",
        "ROLE": "REQ-PARTICIPANT",
        "PARTSTAT": "ACCEPTED",
        "RSVP": "FALSE",
        "CN": "Sam",
    }
    assert iris.parameters["ROLE"] == "OPT-PARTICIPANT"
    assert iris.parameters["PARTSTAT"] == "NEEDS-ACTION"
    assert iris.parameters["RSVP"] == "TRUE"


def test_the_icalendar_library_reads_a_request():
    document = icalendar.Calendar.from_ical(ical.request(meeting()))

    (vevent,) = document.events
    assert document["METHOD"] == "REQUEST"
    assert vevent.start == meeting().start
    assert vevent.end == meeting().end
    assert vevent["UID"] == meeting().uid
    assert [str(attendee) for attendee in vevent["ATTENDEE"]] == [
        "mailto:sam@example.org",
        "mailto:iris@example.org",
    ]


def test_a_cancel_is_for_all_attendees():
    document = read(ical.cancel(meeting(sequence=4)))

    (vevent,) = document.components
    assert document.one("METHOD").value == "CANCEL"
    assert vevent.one("STATUS").value == "CANCELLED"
    assert vevent.one("SEQUENCE").value == "4"
    assert vevent.one("UID").text == meeting().uid
    assert len(vevent.all("ATTENDEE")) == 2


def test_a_feed_holds_all_events_and_no_attendee():
    feed = ical.publish([meeting(), meeting(uid="other@plan.example.org")], "Mina's meetings")

    document = read(feed)
    assert document.one("METHOD").value == "PUBLISH"
    assert document.one("X-WR-CALNAME").text == "Mina's meetings"
    assert [vevent.one("UID").text for vevent in document.components] == [
        "b1946ac9@plan.example.org",
        "other@plan.example.org",
    ]
    assert all("ATTENDEE" not in vevent.names for vevent in document.components)
    assert len(icalendar.Calendar.from_ical(feed).events) == 2


def test_an_empty_feed_is_a_calendar_without_events():
    assert read(ical.publish([], "Nothing yet")).components == []


def test_a_feed_need_not_name_the_organizer():
    (vevent,) = read(ical.publish([meeting(organizer=None)], "Mine")).components

    assert "ORGANIZER" not in vevent.names


def test_the_same_values_give_the_same_bytes():
    assert ical.request(meeting()) == ical.request(meeting())
    assert ical.publish([meeting()], "Mine") == ical.publish([meeting()], "Mine")


def test_uid_stays_and_sequence_grows_over_twenty_edits():
    start = meeting().start
    read_back = []
    for edit in range(20):
        moved = meeting(
            sequence=edit,
            stamp=meeting().stamp + timedelta(minutes=edit),
            start=start + timedelta(hours=edit),
            end=start + timedelta(hours=edit + 1),
        )
        read_back.append(read(ical.request(moved)).components[0])

    assert {vevent.one("UID").text for vevent in read_back} == {meeting().uid}
    assert [int(vevent.one("SEQUENCE").value) for vevent in read_back] == list(range(20))
    assert all(
        vevent.one(name).value.endswith("Z")
        for vevent in read_back
        for name in ("DTSTAMP", "DTSTART", "DTEND")
    )
    stamps = [vevent.one("DTSTAMP").value for vevent in read_back]
    assert stamps == sorted(set(stamps))


@pytest.mark.parametrize(
    ("start", "written"),
    [
        (
            datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=0),
            "20261025T003000Z",
        ),
        (
            datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=1),
            "20261025T013000Z",
        ),
        (datetime(2028, 2, 29, 12, tzinfo=UTC), "20280229T120000Z"),
        (datetime(2026, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), "20261231T235959Z"),
        (datetime(1, 1, 1, tzinfo=UTC), "00010101T000000Z"),
        (datetime(9999, 12, 31, 0, 0, tzinfo=UTC), "99991231T000000Z"),
    ],
)
def test_times_are_written_in_utc(start, written):
    (vevent,) = read(
        ical.publish([meeting(start=start, end=start.astimezone(UTC) + timedelta(hours=1))], "Mine")
    ).components

    assert vevent.one("DTSTART").value == written


@pytest.mark.parametrize(
    "changes",
    [
        {"start": datetime(2026, 5, 5, 8, 0)},  # noqa: DTZ001
        {"stamp": datetime(2026, 5, 5, 8, 0)},  # noqa: DTZ001
        {"start": datetime.min.replace(tzinfo=ZoneInfo("Asia/Kathmandu"))},
        {"end": datetime.max.replace(tzinfo=ZoneInfo("America/New_York"))},
        {"end": meeting().start},
        {"end": meeting().start - timedelta(hours=1)},
        {"uid": " "},
        {"sequence": -1},
        {"url": "javascript:alert(1)"},
    ],
)
def test_what_no_calendar_could_show_is_refused(changes):
    with pytest.raises(ValueError):
        meeting(**changes)


def test_a_request_needs_an_organizer_and_attendees():
    for event in (meeting(organizer=None), meeting(attendees=())):
        with pytest.raises(ValueError):
            ical.request(event)
        with pytest.raises(ValueError):
            ical.cancel(event)

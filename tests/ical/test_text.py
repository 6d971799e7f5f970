"""What people type stays text: cases IC-07 and IC-08."""

import re

import icalendar
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from commontime import ical
from commontime.ical import Attendee, Person, lines
from tests.ical.cast import meeting
from tests.ical.strict import read

NASTY = [
    "two\r\nlines",
    "a;b:c",
    "a,b,,c",
    "C:\\New\\new\\N\\;\\,\\\\",
    "\"quoted\" 'text' ^n ^^ ^'",
    "x\r\nBEGIN:VALARM\r\nACTION:EMAIL\r\nEND:VALARM",
    "END:VEVENT\r\nEND:VCALENDAR\r\n",
    "👩‍👩‍👧‍👦🇳🇵" * 300,
    "ends with \\",
    " begins and ends blank ",
    "ATTENDEE;CN=Eve:mailto:eve@example.org",
    "مرحبا שלום 漢字𠮷 é e\u0301\u0323\u0302",
    "%0D%0ABEGIN:VEVENT &amp; <b>",
    "tab\there",
]
BREAKS = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
DROPPED = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

typed = st.one_of(
    st.text(),
    st.text("\r\n\v\f\x1b\x00\x85\u2028\u202e\ud800\\;,:\"'^nN \t"),
    st.sampled_from(NASTY),
    st.text("é漢🙂a", min_size=60, max_size=200),
)


def meant(text):
    return DROPPED.sub("", BREAKS.sub("\n", text))


def everywhere(text):
    """A request that has the text in every field a person fills."""
    person = Person(text, "sam@example.org")
    return ical.request(
        meeting(
            uid="m" + text,
            summary=text,
            description=text,
            location=text,
            organizer=person,
            attendees=(Attendee(person),),
        )
    )


@given(typed)
@example(NASTY[3])
@example(NASTY[7])
def test_text_comes_back_as_typed_in_the_strict_reader(text):
    document = read(everywhere(text))

    (vevent,) = document.components
    fields = [
        "UID",
        "SEQUENCE",
        "DTSTAMP",
        "DTSTART",
        "DTEND",
        "SUMMARY",
        "DESCRIPTION",
        "LOCATION",
        "ORGANIZER",
        "ATTENDEE",
        "STATUS",
    ]
    filled = [name for name in fields if text or name not in ("DESCRIPTION", "LOCATION")]
    assert vevent.names == [*filled, "TRANSP"]
    assert vevent.components == []
    assert vevent.one("UID").text == "m" + meant(text)
    for name in {"SUMMARY", "DESCRIPTION", "LOCATION"} & set(filled):
        assert vevent.one(name).text == meant(text)
    for name in ("ORGANIZER", "ATTENDEE"):
        assert vevent.one(name).parameters.get("CN", "") == meant(text).replace("\n", " ")
        assert vevent.one(name).value == "mailto:sam@example.org"


@given(typed)
@example(NASTY[3])
def test_text_comes_back_as_typed_in_the_icalendar_library(text):
    (vevent,) = icalendar.Calendar.from_ical(everywhere(text)).events

    assert vevent.errors == []
    assert vevent.subcomponents == []
    assert vevent["SUMMARY"] == meant(text)
    assert vevent.get("DESCRIPTION", "") == meant(text)
    assert str(vevent["ATTENDEE"]) == "mailto:sam@example.org"
    if (
        "\\" not in text
    ):  # its reader takes a backslash in a parameter for an escape, which RFC 5545 does not know
        assert vevent["ORGANIZER"].params.get("CN", "") == meant(text).replace("\n", " ")


@given(typed)
def test_a_feed_name_is_text(text):
    feed = ical.publish([meeting(summary=text)], text)

    assert read(feed).one("X-WR-CALNAME").text == meant(text)
    (vevent,) = icalendar.Calendar.from_ical(feed).events
    assert vevent["SUMMARY"] == meant(text)


@pytest.mark.parametrize(
    "text",
    [
        "a\rb",
        "a\0b",
        "a\vb",
        "a\x1bb",
        "a\u0085b",
        "a\u2028b",
        "a\u2029b",
        "a\u202eb",
        "a\u2066b",
        "a\ud800b",
    ],
)
def test_control_characters_never_come_out_raw(text):
    document = everywhere(text).decode("utf-8")

    assert not DROPPED.search(document)
    assert not BREAKS.search(document.replace("\r\n", ""))
    assert (
        document.splitlines() == document.split("\r\n")[:-1]
    )  # so also a careless reader sees our lines


def test_without_cleaning_the_controls_would_come_out(monkeypatch):
    monkeypatch.setattr(lines, "clean", lambda text: text)

    with pytest.raises(AssertionError, match="a control"):
        read(everywhere("a\x1bb"))
    with pytest.raises(AssertionError, match="a control"):
        read(everywhere("x\r\nBEGIN:VALARM"))


@given(typed)
@example('"<b>"@x.org')
@example("eve@example.org,mailto:sam@example.org")
@example("é@bücher.example")
def test_an_address_can_not_leave_its_value(address):
    (vevent,) = read(
        ical.request(meeting(attendees=(Attendee(Person("Sam", address)),)))
    ).components

    value = vevent.one("ATTENDEE").value
    assert re.fullmatch(r"mailto:[A-Za-z0-9@!$'*+._~%-]*", value)


def test_plain_addresses_are_written_as_they_are():
    for address in ("o'brien+team.x-1@mail.example.co.uk", "a_b!c$d*e~f@example.org"):
        (vevent,) = read(
            ical.request(meeting(attendees=(Attendee(Person("", address)),)))
        ).components

        assert vevent.one("ATTENDEE").value == f"mailto:{address}"
        assert "CN" not in vevent.one("ATTENDEE").parameters


def test_a_url_can_not_leave_its_value():
    (vevent,) = read(
        ical.request(meeting(url='https://x.example/\r\nBEGIN:VALARM/"é<a>\\;?q=a b#c%20'))
    ).components

    assert vevent.components == []
    assert (
        vevent.one("URL").value
        == "https://x.example/%0ABEGIN:VALARM/%22%C3%A9%3Ca%3E%5C;?q=a%20b#c%20"
    )

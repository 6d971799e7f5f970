"""What the letters say: plain words, our own links only, and typed text that stays text."""

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.template import TemplateDoesNotExist
from django.template.loader import get_template

from commontime.mail import letters, writing
from commontime.mail.writing import excerpt, link, when
from tests.mail.examples import BERLIN, EVERY_LETTER, HALF_PAST_ELEVEN, TEN, reader
from tests.pages import as_read

every_letter = pytest.mark.parametrize("write", EVERY_LETTER.values(), ids=EVERY_LETTER)
BASE = "https://plan.example.org/"

NASTY = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '" autofocus onfocus=alert(1) x="',
    "{{ 7|add:7 }}{% debug %}",
    "&lt;b&gt;",
    "two\r\nlines\vand\u2028more",
    "Bcc: eve@example.org",
    "\u202eevil",
    "null\0esc\x1b[31m",
    "surrogate \ud800",
]


class Page(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.extend(attributes)

    def handle_data(self, data: str) -> None:
        self.text += data

    @property
    def links(self) -> set[str]:
        return {value or "" for name, value in self.attributes if name in ("href", "src", "action")}


@every_letter
def test_every_letter_says_the_same_in_text_and_html(write):
    letter = write("Budget")

    assert letter.subject
    assert letter.to_name == "Budget"
    assert letter.text.startswith("Hello Budget,\n\n")
    words = " ".join(Page(letter.html).text.split())
    for sentence in re.findall(r"^[A-Z][^\n]*\.$", letter.text, re.MULTILINE):
        assert sentence in words
    assert set(re.findall(r"https?://\S+", letter.text)) == Page(letter.html).links


@every_letter
def test_every_letter_keeps_our_manners(write):
    letter = write("Budget")

    for part in (letter.subject, letter.text, Page(letter.html).text):
        assert "!" not in part.replace("<!doctype", "")
        assert "non-busy" not in part.lower()
    assert not letter.subject.endswith(".")
    assert "\n\n\n" not in letter.text
    assert letter.text.count("{") == letter.html.count("{{") == 0
    assert "<style" not in letter.html
    assert "<img" not in letter.html


@every_letter
def test_every_link_is_ours(write):
    assert all(
        link.startswith(BASE)
        for link in Page(write("https://evil.example/ www.evil.example").html).links
    )


@every_letter
@pytest.mark.parametrize("typed", NASTY)
def test_what_people_type_stays_text(write, typed):
    plain, letter = write("Budget"), write(typed)

    page = Page(letter.html)
    assert page.tags == Page(plain.html).tags
    assert page.attributes == Page(plain.html).attributes
    for part in (letter.subject, letter.text, letter.html):
        assert not re.search(
            "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]", part
        )
    assert "\n" not in letter.subject
    assert letter.text.count("\n") == plain.text.count("\n")


@every_letter
@pytest.mark.parametrize(
    "typed",
    [
        "http://evil.example/x",
        "www.evil.example",
        "evil.example",
        "mailto:eve@evil.example",
        "//evil.example",
    ],
)
def test_a_name_never_becomes_a_link(write, typed):
    letter = write(typed)

    for part in (letter.text, Page(letter.html).text):
        assert typed not in part
        assert typed in part.replace("\u200b", "")
        assert not re.search(r"evil\.\w|://evil|www\.evil|\w@evil", part)


def test_without_that_care_it_would(monkeypatch):
    monkeypatch.setattr(letters, "name", writing.one_line)

    with pytest.raises(AssertionError):
        test_a_name_never_becomes_a_link(EVERY_LETTER["invitation"], "http://evil.example/x")


def test_ordinary_names_are_written_as_they_are():
    letter = EVERY_LETTER["invitation"]("Dr. Anna-María O'Neil, 3.5 h/week")

    assert "Dr. Anna-María O'Neil, 3.5 h/week" in letter.text


def test_a_note_keeps_its_lines_and_is_quoted():
    letter = letters.note(
        reader(),
        sender="Mina",
        calendar="Team",
        text="Bring:\n<b>cake</b>",
        url=link("/app/c/1/"),
    )

    assert "> Bring:\n> <b>cake</b>\n" in letter.text
    assert "Bring:<br>&lt;b&gt;cake&lt;/b&gt;" in letter.html


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "javascript:alert(1)",
        "https://plan.example.org.evil.example/",
        "/app/",
    ],
)
def test_an_address_that_is_not_ours_is_a_mistake(url):
    meeting = letters.ScheduledMeeting("Budget", "Team", TEN, HALF_PAST_ELEVEN, url=url)
    with pytest.raises(ValueError, match="BASE_URL"):
        letters.invitation(reader(), sender="Mina", calendar="Team", url=url)
    with pytest.raises(ValueError, match="BASE_URL"):
        letters.attendee_lost(reader(), attendee="Sam", meeting=meeting)
    with pytest.raises(ValueError, match="BASE_URL"):
        letters.account_deleted(letters.Reader("Sam", unsubscribe_url=url), username="sam")


def test_the_base_url_is_the_configured_one(settings):
    settings.COMMONTIME_BASE_URL = "https://other.example"

    letter = letters.password_reset(
        letters.Reader("Sam"), username="sam", url=link("/password_reset/x/y/")
    )

    assert "https://other.example/password_reset/x/y/" in letter.text
    assert Page(letter.html).links == {
        "https://other.example/",
        "https://other.example/password_reset/x/y/",
    }


@pytest.mark.parametrize(
    ("start", "end", "hour_cycle", "words"),
    [
        (TEN, HALF_PAST_ELEVEN, "h23", "Tuesday 5 May 2026, 10:00–11:30 (Europe/Berlin)"),
        (TEN, HALF_PAST_ELEVEN, "h12", "Tuesday 5 May 2026, 10:00 AM–11:30 AM (Europe/Berlin)"),
        (TEN, None, "h23", "Tuesday 5 May 2026, 10:00 (Europe/Berlin)"),
        (
            datetime(2026, 12, 31, 23, tzinfo=UTC),
            datetime(2027, 1, 1, 1, tzinfo=UTC),
            "h23",
            "Thursday 31 December 2026, 23:00 – Friday 1 January 2027, 1:00 (UTC)",
        ),
        (
            datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=BERLIN),
            None,
            "h23",
            "Sunday 25 October 2026, 2:30 (second time, CET) (Europe/Berlin)",
        ),
        (
            datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN),
            datetime(2026, 10, 25, 2, 0, fold=1, tzinfo=BERLIN),
            "h23",
            "Sunday 25 October 2026, 2:30 (first time, CEST)–2:00 (second time, CET) "
            "(Europe/Berlin)",
        ),
    ],
)
def test_times_are_said_in_the_readers_zone(start, end, hour_cycle, words):
    assert when(start, end, hour_cycle=hour_cycle) == words


def test_a_meeting_without_a_title_is_called_by_its_calendar():
    meeting = letters.ScheduledMeeting("", "Team", TEN, HALF_PAST_ELEVEN)

    assert letters.meeting_cancelled(
        reader(), organizer="Mina", meeting=meeting, document=b"x"
    ).subject.startswith("Cancelled: Team, ")


def test_a_report_without_choices_says_so():
    letter = letters.deadline_report(reader(), title="Budget", calendar="Team", url=link("/app/"))

    assert "No time suits" in letter.text
    assert "Everybody has answered." in letter.text


@pytest.mark.parametrize(
    ("calendar", "sender", "subject", "sentence"),
    [
        (
            "Team",
            "Mina",
            "Team: when can you come?",
            "Mina is waiting for your answer in Team: when can you come?",
        ),
        (
            "Team",
            "",
            "Team: when can you come?",
            "You haven’t answered in Team yet: when can you come?",
        ),
        ("", "Mina", "When can you come?", "Mina is waiting for your answer: when can you come?"),
        ("", "", "When can you come?", "You haven’t answered yet: when can you come?"),
    ],
)
def test_a_reminder_is_for_one_calendar_or_for_all(calendar, sender, subject, sentence):
    letter = letters.reminder(reader(), url=link("/app/"), calendar=calendar, sender=sender)

    assert letter.subject == subject
    assert f"\n{sentence}\n" in letter.text
    assert f"<p>{sentence}</p>" in as_read(letter.html)


def test_the_old_address_sees_only_the_beginning_of_the_new_one():
    letter = letters.email_changed(reader(), username="sam", new_email="secret.name@new.example")

    assert "secret" not in letter.text + letter.html
    assert "s…@" in letter.text


def test_a_very_long_title_gives_a_subject_of_bounded_length():
    assert len(EVERY_LETTER["meeting_request"]("x" * 5000).subject) == letters.LONGEST_SUBJECT


def test_every_template_belongs_to_a_letter():
    folder = Path(get_template("mail/base.html").origin.name).parent
    names = {path.name.split(".")[0] for path in folder.iterdir()} - {"base"}

    assert {name for name in names if not name.startswith("_")} == set(EVERY_LETTER)
    for name in EVERY_LETTER:
        for kind in ("subject.txt", "txt", "html"):
            try:
                get_template(f"mail/{name}.{kind}")
            except TemplateDoesNotExist:
                pytest.fail(f"{name}.{kind} is missing")


@every_letter
def test_a_mail_has_the_colours_of_the_pages(write):
    tokens = Path(letters.__file__).parents[1] / "web/static/web/css/tokens.css"
    light = set(re.findall(r"light-dark\((#\w+)", tokens.read_text()))

    assert set(re.findall(r"#[0-9a-f]{6}\b", write("Team").html)) <= light


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("short", "short"),
        ("exactly 15 long", "exactly 15 long"),
        ("cut between the words", "cut between …"),
        ("x" * 20, "x" * 15 + " …"),
        ("two\r\nlines", "two\nlines"),
        ("  ", ""),
    ],
)
def test_a_long_text_is_cut_between_words(typed, text):
    assert excerpt(typed, 15) == text


def test_of_many_who_have_not_answered_the_report_names_the_first():
    letter = letters.deadline_report(
        reader(),
        title="Budget",
        calendar="Team",
        url=link("/app/"),
        missing=[f"Person {number}" for number in range(62)],
    )

    assert "Person 49 and 12 more" in letter.text
    assert "Person 49 and 12 more" in letter.html
    assert "Person 50" not in letter.text


@pytest.mark.parametrize(
    ("calendar", "text", "subject", "sentence"),
    [
        (
            "Team",
            "Hi",
            "Mina wrote to you about Team",
            "Mina, who shares the calendar Team with you, wrote:",
        ),
        ("", "Hi", "Mina wrote to you", "Mina wrote to you:"),
        (
            "Team",
            "",
            "Team: Mina asks you to have a look",
            "Mina asks you to look at the calendar Team.",
        ),
        (
            "",
            "",
            "Mina asks you to look at your calendars",
            "Mina asks you to look at your calendars.",
        ),
    ],
)
def test_a_note_is_about_one_calendar_or_all_with_words_or_without(
    calendar, text, subject, sentence
):
    letter = letters.note(reader(), sender="Mina", calendar=calendar, text=text, url=link("/app/"))

    assert letter.subject == subject
    assert f"\n{sentence}\n" in letter.text
    assert f"<p>{sentence}</p>" in as_read(letter.html)


def test_a_meeting_that_changed_in_an_unknown_way_shows_what_it_is_now():
    meeting = letters.ScheduledMeeting("Budget", "Team", TEN, HALF_PAST_ELEVEN)

    letter = letters.meeting_moved(reader(), organizer="Mina", meeting=meeting, document=b"x")

    assert "Mina has changed this meeting. The new details:" in letter.text
    assert "Previously" not in letter.text

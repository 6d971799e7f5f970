"""What is stored is what was checked, so that a form saved untouched changes nothing."""

import re
from datetime import timedelta
from html.parser import HTMLParser
from importlib import import_module
from types import SimpleNamespace
from typing import Any
from unicodedata import normalize

import pytest
from django.apps import apps
from django.db import connection

from commontime.accounts.models import UserSetting
from commontime.calendars import actions, queries
from commontime.calendars.models import Calendar, Meeting
from tests import build
from tests.calendars.cast import changes_nothing
from tests.client import caller
from tests.web.test_calendar_page import browser_of

pytestmark = pytest.mark.django_db
TYPED, CHECKED = "  First the choir,\r\nthen the band.\r\n", "First the choir,\nthen the band."


class _Form(HTMLParser):
    """The fields of the form that has the field `marker`, as a browser sends them."""

    def __init__(self, html: str, marker: str) -> None:
        super().__init__()
        self.forms: list[dict[str, list[str]]] = []
        self.area = self.select = ""
        self.options: list[tuple[str, bool]] = []
        self.feed(html)
        (self.fields,) = [form for form in self.forms if marker in form]

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        values = {name: value or "" for name, value in attrs}
        name = values.get("name", "")
        if tag == "form":
            self.forms.append({})
        elif tag == "input" and self.forms and name:
            can_be_checked = values.get("type") in ("radio", "checkbox")
            if not can_be_checked or "checked" in values:
                value = values.get("value", "on" if can_be_checked else "")
                self.forms[-1].setdefault(name, []).append(value)
        elif tag == "textarea" and self.forms:
            self.area = name
            self.forms[-1][name] = [""]
        elif tag == "select" and self.forms:
            self.select, self.options = name, []
        elif tag == "option" and self.select:
            self.options.append((values.get("value", ""), "selected" in values))

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self.area:
            text = self.forms[-1][self.area][0].removeprefix("\n")
            self.forms[-1][self.area] = [text.replace("\n", "\r\n")]
            self.area = ""
        elif tag == "select" and self.select:
            chosen = [value for value, is_selected in self.options if is_selected]
            self.forms[-1][self.select] = chosen or [value for value, _ in self.options[:1]]
            self.select = ""

    def handle_data(self, data: str) -> None:
        if self.area:
            self.forms[-1][self.area][0] += data


def save_untouched(browser, path: str, marker: str, **button: str) -> None:
    form = _Form(browser.get(path).content.decode(), marker)
    answer = browser.post(path, {**form.fields, **button})
    assert answer.status_code == 302, re.findall(r'class="mend".*?</ul>', answer.text)


@pytest.fixture
def mina():
    return build.user("mina", time_zone="Europe/Berlin")


@pytest.fixture
def calendar(mina):
    calendar = build.calendar(
        owner=mina,
        participants=[build.user("sam")],
        description=CHECKED,
        time_zone="Europe/Berlin",
        window_start=build.day(8) + timedelta(seconds=20),
        window_end=build.day(22) + timedelta(seconds=40),
    )
    build.window(calendar, mina, build.day(9), build.day(12))
    return calendar


@pytest.fixture
def scheduled(calendar):
    return build.meeting(
        calendar=calendar,
        title="Concert",
        description=CHECKED,
        final_time=build.day(10),
        sequence=1,
    )


def fresh(meeting: Meeting) -> Meeting:
    return queries.meetings.with_attendees().select_related("calendar__owner").get(pk=meeting.pk)


def test_a_change_nobody_sees_was_mailed_to_everybody(mina, calendar, scheduled, post):
    page = f"/app/calendars/{calendar.pk}/meetings/{scheduled.pk}/edit/"
    browser, program = browser_of(mina), caller(mina)
    form = _Form(browser.get(page).content.decode(), "description").fields
    assert browser.post(page, {**form, "description": "Two\r\nlines"}).status_code == 302
    assert post.told() == ["moved mina", "moved sam"]
    told = Meeting.objects.get(pk=scheduled.pk)

    path = f"/calendars/{calendar.pk}/meetings/{scheduled.pk}/"
    later = (scheduled.deadline + timedelta(days=1)).isoformat()
    assert program.put(path, {"deadline": later}).status_code == 200
    assert program.put(path, {"quorum": 2}).status_code == 200
    assert program.put(path, {"buffer_minutes": 5}).status_code == 200

    now = Meeting.objects.get(pk=scheduled.pk)
    assert now.description == "Two\nlines"
    assert now.sequence == told.sequence
    assert post.told() == []


def test_actions_store_what_their_checks_return(mina, calendar, scheduled):
    texts = {"description": TYPED, "location": " Hall 2 "}

    made, _ = actions.create_meeting(
        calendar, by=mina, deadline=scheduled.deadline, title=" Tour ", **texts
    )
    edited, *_ = actions.edit_meeting(fresh(scheduled), by=mina, title=" Tour ", **texts)
    actions.edit_calendar(calendar, by=mina, name=" Choir 2 ", **texts)

    for row in (made, edited, Meeting.objects.get(pk=made.pk), fresh(scheduled)):
        assert (row.title, row.description, row.location) == ("Tour", CHECKED, "Hall 2")
    stored = Calendar.objects.get(pk=calendar.pk)
    assert (stored.name, stored.description, stored.location) == ("Choir 2", CHECKED, "Hall 2")


def test_the_same_text_typed_otherwise_is_no_change(mina, calendar, scheduled):
    program = caller(mina)

    with changes_nothing():
        actions.edit_meeting(fresh(scheduled), by=mina, title=" Concert ", description=TYPED)
        actions.edit_calendar(calendar, by=mina, description=TYPED)
        answers = [
            program.put(f"/calendars/{calendar.pk}/", {"description": TYPED}),
            program.put(
                f"/calendars/{calendar.pk}/meetings/{scheduled.pk}/", {"description": TYPED}
            ),
        ]

    assert [answer.status_code for answer in answers] == [200, 200]


@pytest.mark.parametrize(("stored", "typed"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_a_text_with_its_accents_composed_otherwise_was_a_change(
    mina, calendar, scheduled, stored, typed
):
    calendar_texts = {"name": "Chœur Zoë", "location": "Züri", "description": "Hä 한글"}
    texts = {"title": "Äpfel", "location": "Züri", "description": "Hä 한글"}
    for row, values in ((calendar, calendar_texts), (scheduled, texts)):
        composed = {field: normalize(stored, value) for field, value in values.items()}
        type(row).objects.filter(pk=row.pk).update(**composed)
    program, path = caller(mina), f"/calendars/{calendar.pk}/"
    meeting_path = f"{path}meetings/{scheduled.pk}/"

    with changes_nothing():
        answers = [
            program.put(path, {f: normalize(typed, v) for f, v in calendar_texts.items()}),
            program.put(meeting_path, {f: normalize(typed, v) for f, v in texts.items()}),
        ]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[1].data["title"] == normalize(stored, "Äpfel")
    assert answers[1].headers["ETag"] == program.get(meeting_path).headers["ETag"]


@pytest.mark.parametrize(
    ("path", "marker"),
    [
        ("/app/calendars/{calendar}/meetings/{meeting}/edit/", "description"),
        ("/app/calendars/{calendar}/settings/", "description"),
    ],
)
def test_a_page_saved_untouched_changes_nothing(mina, calendar, scheduled, path, marker):
    path = path.format(calendar=calendar.pk, meeting=scheduled.pk)

    with changes_nothing():
        save_untouched(browser_of(mina), path, marker)


def test_the_profile_saved_untouched_changes_nothing(mina):
    browser = browser_of(mina)

    with changes_nothing():
        before = list(UserSetting.objects.values())
        for section, field in (
            ("names", "first_name"),
            ("time", "time_zone"),
            ("mail", "mail_invitations"),
            ("privacy", "who_may_add_me"),
        ):
            save_untouched(browser, "/app/settings/", field, do=section)
        assert list(UserSetting.objects.values()) == before


def test_a_person_made_what_they_are_already_is_no_change(mina, calendar):
    seat = calendar.participants.get(user__username="sam")
    page = f"/app/calendars/{calendar.pk}/people/"
    browser = browser_of(mina)

    with changes_nothing():
        browser.post(page, {"do": "required", "participant": str(seat.pk)})
        answer = caller(mina).put(
            f"/calendars/{calendar.pk}/participants/{seat.pk}/", {"required": True}
        )

    assert answer.status_code == 200


def test_texts_stored_as_they_were_typed_are_mended(calendar, scheduled):
    Meeting.objects.filter(pk=scheduled.pk).update(
        title=" Concert ", description=TYPED, location=" Hall "
    )
    untouched = build.meeting(calendar=calendar, title="Talk")
    migration = import_module("commontime.calendars.migrations.0006_checked_texts")

    migration.clean_texts(apps, SimpleNamespace(connection=connection))

    now = Meeting.objects.get(pk=scheduled.pk)
    assert (now.title, now.description, now.location) == ("Concert", CHECKED, "Hall")
    assert (now.version, now.sequence) == (scheduled.version, scheduled.sequence)
    assert Meeting.objects.get(pk=untouched.pk).title == "Talk"

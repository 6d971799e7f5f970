"""What somebody typed into a form is still there after they had to sign in again.

All forms of all pages are tried: the pages are found in the table of addresses.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import signing
from django.urls import reverse

from commontime.accounts.models import Session
from commontime.calendars import actions
from commontime.calendars.models import Calendar, CalendarParticipant, Meeting, Plan
from commontime.calendars.planning.plans import Question
from commontime.contacts import actions as contacts
from commontime.core import clock, links
from commontime.web import typed
from tests import build
from tests.pages import Client
from tests.routes import url_patterns
from tests.web.forms import Form, forms_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_passwords")]
# Addresses without a page for somebody signed in: parts, files, what only takes a form, and pages
# for people who are not signed in.
NO_PAGE = {
    "answer_invitation", "ask_for_reset", "asset", "choose_password", "export", "invite_file",
    "live", "meeting_live", "paint", "plan_live", "remove_participant", "sign_in", "sign_out",
    "sign_up", "stop_mails", "take_part", "welcome", "who",
}  # fmt: skip


@dataclass
class Choir:
    """Mina's choir with Sam and Noor: two open meetings, a plan that is done, an invitation."""

    mina: User
    sam: User
    calendar: Calendar
    open: Meeting
    link: str

    def pages(self) -> dict[str, str]:
        """Return the addresses of all pages by their names."""
        arguments: dict[str, Any] = {
            "calendar_id": self.calendar.pk,
            "meeting_id": self.open.pk,
            "token": self.link,
        }
        names = {pattern.name for pattern in url_patterns() if _is_page(pattern.lookup_str)}
        assert names > NO_PAGE
        return {
            pattern.name: reverse(
                f"web:{pattern.name}",
                kwargs={name: arguments[name] for name in pattern.pattern.converters},
            )
            for pattern in url_patterns()
            if _is_page(pattern.lookup_str) and pattern.name not in NO_PAGE
        }


def _is_page(view: str) -> bool:
    return view.startswith("commontime.web.")


@pytest.fixture
def choir(monkeypatch) -> Choir:
    mina, sam, noor = (build.user(name) for name in ("mina", "sam", "noor"))
    calendar = build.calendar(owner=mina, participants=[sam, noor])
    for person in (mina, sam):
        build.window(calendar, person, build.day(9), build.day(20))
    meeting = build.meeting(calendar=calendar, title="Rehearsal")
    build.meeting(calendar=calendar, title="Solo", required=[sam])
    contacts.add_contact(sam, by=mina)
    actions.make_plan(calendar, by=mina, question=Question())
    assert Plan.objects.get().answer
    invitation = actions.invite_address(calendar.pk, by=mina, email="ana@example.org")
    link = links.token(links.Kind.INVITATION, invitation.pk)
    return Choir(mina, sam, calendar, meeting, link)


def browser_of(person: User) -> Client:
    browser = Client(enforce_csrf_checks=True)
    sign_in(browser, "/app/sign-in/", person.username)
    return browser


def sign_in(browser: Client, path: str, username: str, page: str = "") -> Any:
    """Sign in on the sign-in page that is shown."""
    (form,) = forms_in(page or browser.get(path).content.decode(), path)
    fields = form.data(identifier=username, password=build.PASSWORD)
    return browser.post(form.action.partition("#")[0], fields)


def end_sign_ins() -> None:
    Session.objects.update(ended_at=clock.now())


def fill(form: Form) -> None:
    """Type something else into everything a person sees."""
    for control in form.typed:
        if control.kind == "checkbox":
            control.is_on = not control.is_on
        elif control.kind == "select":
            control.value = control.options[-1]
        elif control.kind == "textarea":
            control.value = "ana@example.org\r\n“two”"
        elif control.kind != "radio":
            control.value = TEXTS.get(control.kind, "<Müller & Söhne>")
    for name in {control.name for control in form.typed if control.kind == "radio"}:
        radios = [control for control in form.typed if control.name == name]
        chosen = next((radio for radio in radios if not radio.is_on), radios[0])
        for radio in radios:
            radio.is_on = radio is chosen


TEXTS = {
    "number": "17",
    "date": "2031-05-06",
    "time": "07:15",
    "datetime-local": "2031-05-06T07:15",
    "password": build.PASSWORD,
}


def shape(form: Form) -> tuple[Any, ...]:
    return form.action.partition("#")[0], sorted({c.name for c in form.controls}), form.buttons


def shown_fields(form: Form, names: set[str]) -> list[tuple[str, str]]:
    return sorted((name, value) for name, value in form.fields if name in names)


def forms_to_type_in(browser: Client, path: str) -> Iterator[Form]:
    for form in forms_in(browser.get(path).content.decode(), path):
        if form.typed:
            yield form


def test_every_form_to_type_in_says_who_looked_at_it(choir):
    browser = browser_of(choir.mina)
    forms = {
        (name, number): form
        for name, path in choir.pages().items()
        for number, form in enumerate(forms_to_type_in(browser, path))
    }

    assert len(forms) > 15
    mark = typed.mark_of(choir.mina)
    assert [where for where, form in forms.items() if (typed.MARK, mark) not in form.fields] == []
    passwords = {
        control.name
        for form in forms.values()
        for control in form.typed
        if control.kind == "password"
    }
    assert passwords
    assert all("password" in name for name in passwords)


def test_what_was_typed_into_any_form_is_there_after_signing_in(choir):
    lost = {}
    for name, path in choir.pages().items():
        count = len([*forms_to_type_in(browser_of(choir.mina), path)])
        for number in range(count):
            browser = browser_of(choir.mina)
            form = [*forms_to_type_in(browser, path)][number]
            before = stored()
            fill(form)
            names = {c.name for c in form.typed if c.kind != "password"}
            sent = {**form.data(), **dict(form.buttons[:1])}
            end_sign_ins()

            page = browser.post(form.action.partition("#")[0], sent)
            assert page.status_code == 401, (name, number)
            back = sign_in(browser, path, "mina", page.content.decode())

            assert back.status_code == 200, (name, number, back)
            assert "What you typed is still here." in back.text, (name, number)
            assert stored() == before, (name, number)
            again = [f for f in forms_in(back.content.decode(), path) if shape(f) == shape(form)]
            assert len(again) == 1, (name, number, shape(form))
            if shown_fields(again[0], names) != shown_fields(form, names):
                lost[name, number] = set(shown_fields(form, names)) ^ set(
                    shown_fields(again[0], names)
                )
    assert lost == {}


def stored() -> Any:
    return (
        sorted(Meeting.objects.values_list("pk", "title", "version", "deadline")),
        sorted(Calendar.objects.values_list("pk", "name", "version")),
        sorted(CalendarParticipant.objects.values_list("pk", "packed", "required")),
        sorted(User.objects.values_list("pk", "username", "email", "password", "first_name")),
        Plan.objects.values_list("pk", flat=True).get(),
    )


def new_meeting(choir: Choir, title: str = "Concert") -> tuple[Client, Any]:
    """Send a new meeting after the sign-in ended, and return the sign-in page."""
    path = f"/app/calendars/{choir.calendar.pk}/meetings/new/"
    browser = browser_of(choir.mina)
    (form,) = forms_to_type_in(browser, path)
    end_sign_ins()
    return browser, browser.post(path, form.data(title=title))


def test_it_is_kept_over_a_wrong_password_and_sent_by_one_press_of_a_button(choir):
    path = f"/app/calendars/{choir.calendar.pk}/meetings/new/"
    browser, page = new_meeting(choir)
    (form,) = forms_in(page.content.decode(), path)

    wrong = browser.post(form.action, form.data(identifier="mina", password="wrong"))
    assert wrong.status_code == 422
    back = sign_in(browser, path, "mina", wrong.content.decode())
    (filled,) = forms_to_type_in_text(back, path)
    assert browser.post(path, filled.data()).status_code == 302

    assert Meeting.objects.filter(title="Concert").count() == 1


def forms_to_type_in_text(page: Any, path: str) -> list[Form]:
    return [form for form in forms_in(page.content.decode(), path) if form.typed]


@pytest.mark.parametrize("when", ["a second click", "a reload"])
def test_it_was_lost_when_the_sign_in_was_sent_twice(choir, when):
    path = f"/app/calendars/{choir.calendar.pk}/meetings/new/"
    browser, page = new_meeting(choir)
    (form,) = forms_in(page.content.decode(), path)
    before, sent = browser.cookies.copy(), form.data(identifier="mina", password=build.PASSWORD)

    browser.post(path, sent)
    if when == "a second click":
        browser.cookies = before  # the first answer has not come yet
    back = browser.post(path, sent)

    assert back.status_code == 200
    (filled,) = forms_to_type_in_text(back, path)
    assert dict(filled.fields)["title"] == "Concert"
    assert browser.post(path, filled.data()).status_code == 302


def test_it_was_lost_when_somebody_signed_in_and_out_in_another_window(choir):
    path = f"/app/calendars/{choir.calendar.pk}/meetings/new/"
    browser, page = new_meeting(choir)
    (form,) = forms_in(page.content.decode(), path)
    browser.cookies.clear()

    again = browser.post(path, form.data(identifier="mina", password=build.PASSWORD))
    assert again.status_code == 401
    back = sign_in(browser, path, "mina", again.content.decode())

    (filled,) = forms_to_type_in_text(back, path)
    assert dict(filled.fields)["title"] == "Concert"


def test_nobody_else_gets_it(choir):
    browser, page = new_meeting(choir)
    CalendarParticipant.objects.filter(user=choir.sam).update(required=True)
    path = f"/app/calendars/{choir.calendar.pk}/meetings/new/"

    answer = sign_in(browser, path, "sam", page.content.decode())

    assert (answer.status_code, answer["Location"]) == (302, path)
    assert "Concert" not in browser.get(path, follow=True).text
    assert "Concert" not in browser.get("/app/calendars/new/").text


@pytest.mark.parametrize("spoiled", ["", "nonsense", "old"])
def test_what_was_not_carried_by_us_is_not_shown(choir, spoiled, monkeypatch):
    browser, page = new_meeting(choir)
    path = f"/app/calendars/{choir.calendar.pk}/meetings/new/"
    (form,) = forms_in(page.content.decode(), path)
    packed = dict(form.fields)[typed.FIELD]
    if spoiled == "old":
        monkeypatch.setattr(typed, "LASTS", -1)

    fields = form.data(identifier="mina", password=build.PASSWORD)
    answer = browser.post(path, {**fields, typed.FIELD: packed if spoiled == "old" else spoiled})

    assert "Concert" not in answer.text
    assert not Meeting.objects.filter(title="Concert").exists()


def test_no_password_is_carried(choir):
    browser = browser_of(choir.mina)
    form = next(
        form
        for form in forms_to_type_in(browser, "/app/settings/")
        if {"current_password", "email"} <= {control.name for control in form.controls}
    )
    end_sign_ins()

    sent = form.data(email="new@example.org", current_password="my secret horse", do="email")
    page = browser.post("/app/settings/", sent)

    (sign_in_form,) = forms_in(page.content.decode(), "/app/settings/")
    _mark, fields = signing.loads(dict(sign_in_form.fields)[typed.FIELD], salt=typed._SALT)
    assert "email=new%40example.org" in fields
    assert "horse" not in fields
    assert "my secret horse" not in page.text


def test_what_is_too_long_is_not_carried_and_the_page_says_so(choir, monkeypatch):
    monkeypatch.setattr(typed, "LONGEST", 50)

    browser, page = new_meeting(choir)

    assert page.status_code == 401
    assert "too long to be kept" in page.text
    assert typed.FIELD not in {
        name for form in forms_in(page.content.decode(), "/") for name, _ in form.fields
    }
    answer = sign_in(browser, "/app/sign-in/", "mina", page.content.decode())
    assert answer["Location"] == f"/app/calendars/{choir.calendar.pk}/meetings/new/"


def test_who_signed_in_again_in_another_window_finds_it_too(choir):
    path = f"/app/calendars/{choir.calendar.pk}/meetings/new/"
    browser = browser_of(choir.mina)
    (form,) = forms_to_type_in(browser, path)
    end_sign_ins()
    sign_in(browser, "/app/sign-in/", "mina")

    back = browser.post(path, form.data(title="Concert"))

    assert "What you typed is still here." in back.text
    (filled,) = forms_to_type_in_text(back, path)
    assert dict(filled.fields)["title"] == "Concert"
    assert not Meeting.objects.filter(title="Concert").exists()
    assert browser.post(path, filled.data()).status_code == 302
    assert Meeting.objects.filter(title="Concert").count() == 1


def test_somebody_else_who_signed_in_there_does_not(choir):
    path = "/app/calendars/new/"
    browser = browser_of(choir.mina)
    (form,) = forms_to_type_in(browser, path)
    sign_in_as = browser_of(choir.sam)
    browser.cookies = sign_in_as.cookies

    answer = browser.post(path, form.data(name="Concert"))

    assert answer.status_code == 403
    assert "Concert" not in answer.text


def test_a_button_alone_leads_back_to_its_page(choir):
    browser = browser_of(choir.sam)
    seat = CalendarParticipant.objects.get(user=choir.sam, calendar=choir.calendar)
    here = f"/app/calendars/{choir.calendar.pk}/"
    leave = next(
        form
        for form in forms_in(browser.get(here).content.decode(), here)
        if str(seat.pk) in form.action
    )
    end_sign_ins()

    answer = browser.post(leave.action, leave.data())
    back = sign_in(browser, answer["Location"], "sam")

    assert back["Location"] == here
    assert CalendarParticipant.objects.filter(pk=seat.pk).exists()

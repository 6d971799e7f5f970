"""A second click on a form lands where the first did; nothing is made or mailed twice."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import Sum
from django_ox.models import OxTask

from commontime.accounts.models import Session
from commontime.calendars import actions
from commontime.calendars.models import (
    Calendar,
    CalendarParticipant,
    Invitation,
    Meeting,
    ScheduleSuggestion,
)
from commontime.contacts.models import Contact
from commontime.core.models import RememberedAnswer, Throttle
from commontime.mail.models import Message
from tests import build
from tests.pages import Client
from tests.security.test_password_reset import link_for
from tests.web.forms import Form, forms_in
from tests.web.test_calendar_page import browser_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_passwords")]
TABLES = (
    User,
    Calendar,
    CalendarParticipant,
    Invitation,
    Meeting,
    ScheduleSuggestion,
    Contact,
    Message,
)


@dataclass
class Choir:
    """Mina's choir with Sam, an open meeting, an invitation to Noor and one to Mina."""

    mina: User
    sam: User
    calendar: Calendar
    meeting: Meeting

    @property
    def here(self) -> str:
        return f"/app/calendars/{self.calendar.pk}/"

    @property
    def at_meeting(self) -> str:
        return f"{self.here}meetings/{self.meeting.pk}/"


@pytest.fixture
def choir() -> Choir:
    mina, sam, noor = (build.user(name) for name in ("mina", "sam", "noor"))
    calendar = build.calendar(owner=mina, participants=[sam])
    meeting = build.meeting(calendar=calendar, title="Rehearsal")
    actions.invite_person(calendar.pk, by=mina, receiver=noor.pk)
    actions.invite_person(build.calendar(owner=sam).pk, by=sam, receiver=mina.pk)
    return Choir(mina, sam, calendar, meeting)


def stored() -> dict[str, int]:
    return {table.__name__: table.objects.count() for table in TABLES}


def form_with(browser: Client, path: str, button: tuple[str, str] | None, **holds: str) -> Form:
    """Return the form of a page that has this button, or this field."""
    forms = [
        form
        for form in forms_in(browser.get(path).content.decode(), path)
        if (button is None or button in form.buttons or button in form.fields)
        and all((name, value) in form.fields for name, value in holds.items())
    ]
    assert forms, f"{path} has no such form."
    return forms[0] if button else max(forms, key=lambda form: len(form.fields))


def pressing(form: Form, button: tuple[str, str] | None, **typed: Any) -> dict[str, Any]:
    return form.data(**typed, **({button[0]: button[1]} if button else {}))


Case = tuple[
    Callable[[Choir], str],
    tuple[str, str] | None,
    Callable[[Choir], dict[str, Any]],
    dict[str, int],
]


def nothing(choir: Choir) -> dict[str, Any]:
    return {}


# By what is done: on which page, with which button, what is typed, and what there is more of then.
FORMS: dict[str, Case] = {
    "a new calendar": (
        lambda choir: "/app/calendars/new/",
        None,
        lambda choir: {"name": "Concert", "others": "sam ana@example.org"},
        {"Calendar": 1, "CalendarParticipant": 1, "Meeting": 1, "Invitation": 2, "Message": 2},
    ),
    "a new meeting": (
        lambda choir: f"{choir.here}meetings/new/",
        None,
        lambda choir: {"title": "Concert"},
        {"Meeting": 1},
    ),
    "a copy": (
        lambda choir: f"{choir.here}settings/",
        ("do", "duplicate"),
        lambda choir: {"shift_days": "7"},
        {"Calendar": 1, "CalendarParticipant": 1, "Invitation": 1, "Meeting": 1},
    ),
    "one-on-ones": (
        lambda choir: f"{choir.here}plan/",
        ("do", "one-on-ones"),
        nothing,
        {"Meeting": 1},
    ),
    "an invitation": (
        lambda choir: f"{choir.here}people/",
        ("do", "invite"),
        lambda choir: {"who": "ana@example.org"},
        {"Invitation": 1, "Message": 1},
    ),
    "an invitation taken back": (
        lambda choir: f"{choir.here}people/",
        ("do", "revoke"),
        nothing,
        {"Invitation": -1},
    ),
    "a reminder": (
        lambda choir: f"{choir.here}people/",
        ("do", "remind"),
        nothing,
        {"Message": 1},
    ),
    "a reminder from the meeting": (
        lambda choir: choir.at_meeting,
        ("do", "remind"),
        lambda choir: {"who": ["sam"]},
        {"Message": 1},
    ),
    "a suggestion": (
        lambda choir: choir.at_meeting,
        ("do", "suggest"),
        lambda choir: {"suggested_time": f"{build.day(14):%Y-%m-%dT%H:%M}"},
        {"ScheduleSuggestion": 1},
    ),
    "a meeting deleted": (
        lambda choir: choir.at_meeting,
        ("do", "delete"),
        nothing,
        {"Meeting": -1},
    ),
    "a meeting changed": (
        lambda choir: f"{choir.at_meeting}edit/",
        None,
        lambda choir: {"title": "Concert"},
        {},
    ),
    "a calendar deleted": (
        lambda choir: f"{choir.here}settings/",
        ("do", "delete"),
        nothing,
        {"Calendar": -1, "CalendarParticipant": -2, "Meeting": -1, "Invitation": -1},
    ),
    "a contact": (
        lambda choir: "/app/people/",
        ("do", "add"),
        lambda choir: {"contactee": "sam"},
        {"Contact": 1},
    ),
    "an invitation accepted": (
        lambda choir: "/app/",
        ("status", "accepted"),
        nothing,
        {"CalendarParticipant": 1},
    ),
    "an invitation declined": (
        lambda choir: "/app/",
        ("status", "declined"),
        nothing,
        {},
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_second_click_makes_nothing_and_lands_on_the_same_page(choir, name):
    path, button, typed, more = FORMS[name]
    browser = browser_of(choir.mina)
    form = form_with(browser, path(choir), button)
    sent = pressing(form, button, **typed(choir))
    before = stored()

    first = browser.post(form.action, sent)
    then = stored()
    second = browser.post(form.action, sent)

    assert first.status_code == 302, first.content.decode()[:5000]
    changed = {table: then[table] - before[table] for table in then if then[table] != before[table]}
    assert {
        table: n for table, n in changed.items() if table != "Message" or "Message" in more
    } == more
    assert (second.status_code, second.headers["Location"]) == (302, first.headers["Location"])
    assert stored() == then
    assert browser.get(first.headers["Location"]).status_code == 200


def test_a_form_of_another_look_at_the_page_makes_another(choir):
    browser = browser_of(choir.mina)
    path = f"{choir.here}meetings/new/"

    for _ in range(2):
        form = form_with(browser, path, None)
        assert browser.post(path, form.data(title="Concert")).status_code == 302

    assert Meeting.objects.filter(title="Concert").count() == 2


def test_who_goes_back_and_changes_a_field_makes_another(choir):
    browser = browser_of(choir.mina)
    path = f"{choir.here}meetings/new/"
    form = form_with(browser, path, None)

    for title in ("Concert", "Party", "Concert"):
        assert browser.post(path, form.data(title=title)).status_code == 302

    assert sorted(Meeting.objects.values_list("title", flat=True)) == [
        "Concert",
        "Party",
        "Rehearsal",
    ]


def test_what_was_refused_can_be_sent_again(choir):
    browser = browser_of(choir.mina)
    path = f"{choir.here}people/"
    form = form_with(browser, path, ("do", "invite"))
    sent = pressing(form, ("do", "invite"), who="nobody-here")

    assert browser.post(path, sent).status_code == 422
    build.user("nobody-here")
    assert browser.post(path, sent).status_code == 302

    assert Invitation.objects.filter(receiver__username="nobody-here").count() == 1


def uses_counted() -> int:
    return Throttle.objects.aggregate(uses=Sum("used"))["uses"]


def test_a_refused_form_still_counts_guesses(choir):
    browser = browser_of(choir.mina)
    path = f"{choir.here}people/"
    form = form_with(browser, path, ("do", "invite"))
    before = uses_counted()

    browser.post(path, pressing(form, ("do", "invite"), who="nobody-here"))

    assert uses_counted() == before + 1


def test_what_does_no_harm_twice_is_done_twice(choir):
    """Somebody goes back to an old page, and means what they press there."""
    browser = browser_of(choir.mina)
    seat = CalendarParticipant.objects.get(user=choir.sam, calendar=choir.calendar)
    old = form_with(browser, f"{choir.here}people/", ("do", "optional"), participant=str(seat.pk))

    def press(form: Form, what: str) -> bool:
        browser.post(form.action, pressing(form, ("do", what)))
        seat.refresh_from_db()
        return seat.required

    assert press(old, "optional") is False
    new = form_with(browser, f"{choir.here}people/", ("do", "required"), participant=str(seat.pk))
    assert press(new, "required") is True
    assert press(old, "optional") is False


def test_two_people_never_share_an_answer(choir):
    """A token is nobody else's: what one sent says nothing to another who sends the same."""
    fields = {"csrfmiddlewaretoken": "same", "contactee": "noor", "do": "add"}

    for person in (choir.mina, choir.sam):
        browser_of(person).post("/app/people/", fields)

    assert Contact.objects.count() == 2
    assert RememberedAnswer.objects.count() == 2


# Signed out ---------------------------------------------------------------------------------------


def test_a_second_click_on_a_forgotten_password_sent_a_second_mail():
    build.user("mina")
    browser = Client()
    form = form_with(browser, "/app/password_reset/", None)
    sent = form.data(email="mina@example.org")

    first, second = (browser.post(form.action, sent) for _ in range(2))

    assert (first.status_code, second.status_code) == (200, 200)
    assert "Check your email" in first.text
    assert "Check your email" in second.text
    assert OxTask.objects.filter(task_path__endswith=".send_password_reset").count() == 1
    again = form_with(browser, "/app/password_reset/", None)
    browser.post(again.action, again.data(email="mina@example.org"))
    assert OxTask.objects.filter(task_path__endswith=".send_password_reset").count() == 2


# Signing up ---------------------------------------------------------------------------------------


def sign_up_twice(**changed: str) -> tuple[Any, Any]:
    browser, second = Client(), Client()
    form = form_with(browser, "/app/sign-up/", None)
    sent = form.data(username="rio", email="rio@example.org", password=build.PASSWORD)
    # The browser has not got the first answer, with its cookie, when it sends again.
    second.cookies = browser.cookies.copy()
    return browser.post("/app/sign-up/", sent), second.post("/app/sign-up/", {**sent, **changed})


def test_a_second_click_on_signing_up_is_signed_in_too():
    first, second = sign_up_twice()

    assert (first.status_code, second.status_code) == (302, 302)
    assert first.headers["Location"] == second.headers["Location"] == "/app/"
    assert User.objects.count() == 1
    assert second.client.get("/app/").status_code == 200
    assert Session.objects.filter(ended_at=None).count() == 2


@pytest.mark.parametrize("changed", [{"password": "another horse battery"}, {"first_name": "Rio"}])
def test_a_form_with_other_fields_is_told_that_the_name_is_taken(changed):
    first, second = sign_up_twice(**changed)

    assert (first.status_code, second.status_code) == (302, 422)
    assert "This username is taken." in second.text
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("name", "status"), [("mina", 302), ("MINA@example.org", 302), ("sam", 403)]
)
def test_signing_in_on_an_old_page_went_on_as_who_had_signed_in_meanwhile(choir, name, status):
    browser = Client(enforce_csrf_checks=True)
    form = form_with(browser, "/app/sign-in/", None)
    browser.post("/app/sign-in/", form.data(identifier="mina", password=build.PASSWORD))

    answer = browser.post("/app/sign-in/", form.data(identifier=name, password=build.PASSWORD))

    assert answer.status_code == status


# Choosing a password ------------------------------------------------------------------------------


def test_a_second_click_on_a_new_password_was_told_that_the_link_is_used(choir):
    browser, path = Client(), f"/app{link_for(choir.mina)}"
    form = form_with(browser, path, None)
    sent = form.data(password="another horse battery")

    first, second = browser.post(form.action, sent), browser.post(form.action, sent)

    assert first.status_code == second.status_code == 200
    assert "Your password has been changed" in second.text
    assert Message.objects.filter(user=choir.mina, kind="password_changed").count() <= 1
    other = browser.post(form.action, {**sent, "password": "a third horse battery"})
    assert other.status_code == 422
    choir.mina.refresh_from_db()
    assert choir.mina.check_password("another horse battery")

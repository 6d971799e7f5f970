"""Home, a new calendar, people and settings, as a browser without scripts meets them; and that they
do what the API does.
"""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from html.parser import HTMLParser
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from commontime import __version__
from commontime.accounts.models import Mute, Session, UserSetting
from commontime.calendars import queries
from commontime.calendars.models import (
    Calendar,
    CalendarParticipant,
    Invitation,
    Meeting,
    NonBusyTime,
)
from commontime.calendars.planning import groups
from commontime.contacts.models import Contact
from commontime.core import clock
from commontime.mail.models import Message
from commontime.web import example
from commontime.web.profile import device
from tests import build
from tests.client import caller
from tests.test_both_doors import undone
from tests.web.browser import Browser, browser_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_passwords")]
HOSTILE = (
    "<script>alert(1)</script>\"' autofocus onfocus=alert(1) {{7*7}} {% debug %} hx-get=/canary"
)


def shown(browser: Browser, path: str = "") -> str:
    if path:
        browser.get(path)
    return unescape(re.sub(r"<[^>]*>", "", browser.page.text))


def post(browser: Browser, path: str, **typed: Any) -> Any:
    """Send a page's form with what it holds, of which only this is typed anew."""
    token = browser.client.cookies["csrf"].value
    browser.page = browser.client.post(path, {"csrfmiddlewaretoken": token, **typed}, follow=True)
    browser.page.path = browser.page.redirect_chain[-1][0] if browser.page.redirect_chain else path
    return browser.page


# The first page -----------------------------------------------------------------------------------


def test_the_first_page_shows_a_heat_map_that_says_it_is_an_example():
    text = shown(browser := Browser(), "/")

    assert "An example" in text
    assert "made-up choir" in text
    assert "Everybody can come" in text
    assert 'class="hours"' in browser.page.text


@pytest.mark.parametrize("path", ["/", "/app/sign-in/", "/app/none/", "/app/"])
def test_every_page_says_which_version_it_is(sam, path):
    for browser in (Browser(), browser_of(sam)):
        page = browser.get(path)
        assert f'<footer class="about">Commontime {__version__}</footer>' in page.content.decode()


def test_whoever_is_signed_in_goes_on_to_home():
    browser = browser_of(build.user("mina"))

    assert browser.get("/").redirect_chain == [("/app/", 302)]
    assert "An example" not in browser.page.text


def test_the_example_counts_what_its_people_wrote_and_finds_the_evening_they_all_can():
    sample = example.choir(datetime(2026, 11, 25, tzinfo=UTC).date())

    assert sample.summary == f"{len(example.CHOIR)} of {len(example.CHOIR)} answered."
    assert 'class="all"' in sample.best
    assert "Wed 2 Dec, 19:00–20:30" in sample.best
    assert "30" in sample.table


def test_packing_is_what_the_database_packs(sam):
    calendar = build.calendar(participants=[sam])
    times = [
        (build.day(9), build.day(10) + timedelta(seconds=30), 0),
        (build.day(12) + timedelta(seconds=1), build.day(14), 10),
    ]
    for start, end, level in times:
        build.window(calendar, sam, start, end, level)

    assert groups.pack(times) == CalendarParticipant.objects.get(user=sam).packed


# Home ---------------------------------------------------------------------------------------------


def test_home_says_what_to_do_first():
    text = shown(browser_of(build.user("mina")))

    assert "Start with a calendar" in text
    assert "You’re not in any calendars yet" in text


def test_home_gathers_what_needs_somebody():
    mina = build.user("mina", time_zone="Asia/Kathmandu", hour_cycle="h12")
    own = build.calendar(owner=mina, name="Choir")
    build.window(own, mina, build.day(9), build.day(12))
    late = build.meeting(
        calendar=own, title="Recording", deadline=datetime(2026, 1, 2, 12, tzinfo=UTC)
    )
    build.calendar(owner=build.user("sam"), participants=[mina], name="Band")
    build.invitation(build.calendar(name="Trip"), mina)

    browser = browser_of(mina)
    text = shown(browser)

    assert "3 things are waiting for you" in text
    assert re.search(r"Recording\s+Choir · answers were due Fri 2 Jan, 5:45 pm", text)
    assert f"/app/calendars/{late.calendar_id}/" in browser.page.text
    assert re.search(r"Band\s+you haven’t answered yet", text)
    assert re.search(r"Trip\s+invited by", text)


@pytest.mark.parametrize(
    ("what", "needed"),
    [
        ("fresh", True),
        ("open", True),
        ("open and closed", True),
        ("closed", False),
        ("scheduled", False),
        ("finished", False),
        ("answered", False),
    ],
)
def test_a_calendar_needs_an_answer_as_long_as_one_makes_a_difference(what, needed, sam):
    calendar = build.calendar(participants=[sam], name="Choir", is_finalized=what == "finished")
    if what.startswith("open"):
        build.meeting(calendar=calendar)
    if what.endswith("closed"):
        build.meeting(calendar=calendar, deadline=clock.now() - timedelta(hours=1))
    if what == "scheduled":
        build.meeting(calendar=calendar, final_time=build.day(18))
    if what == "answered":
        build.window(calendar, sam, build.day(9), build.day(12))

    assert ("Add your times for Choir" in browser_of(sam).page.text) is needed


def test_coming_up_shows_ones_own_final_times_in_ones_own_zone():
    sam, iris = (
        build.user("sam", time_zone="America/New_York", hour_cycle="h12"),
        build.user("iris"),
    )
    calendar = build.calendar(participants=[sam, iris], location="Parish hall")
    build.meeting(
        calendar=calendar, title="Concert", final_time=datetime(2031, 1, 15, 18, 30, tzinfo=UTC)
    )
    build.meeting(
        calendar=calendar,
        title="Solo",
        final_time=datetime(2031, 1, 16, 18, tzinfo=UTC),
        required=[iris],
    )
    build.meeting(
        calendar=calendar, title="Long ago", final_time=datetime(2021, 1, 16, 18, tzinfo=UTC)
    )

    text = shown(browser_of(sam))

    assert re.search(r"Wed\s*15\s*Jan\s*Concert\s*1:30 pm–2:30 pm · Choir · Parish hall", text)
    assert "Solo" not in text
    assert "Long ago" not in text


# A new calendar -----------------------------------------------------------------------------------


def fields_of(browser: Browser, path: str = "/app/calendars/new/") -> dict[str, Any]:
    """Return what a browser would send if nothing were typed."""
    form = browser.form(path)
    text = browser.page.text
    ticked = re.findall(r'name="(\w+)" value="([^"]*)"[^>]*\schecked', text)
    return (
        {
            name: value
            for name, value in form.fields.items()
            if name not in ("contacts", "look", "visibility")
        }
        | dict(ticked)
        | {"look": "on"}
    )


def test_with_its_defaults_a_name_is_all_a_calendar_needs_and_the_grid_comes_next():
    mina = build.user("mina", time_zone="Europe/Berlin")
    with time_machine.travel("2026-11-24T12:00Z", tick=False):
        browser = browser_of(mina)
        browser.get("/app/calendars/new/")
        post(browser, "/app/calendars/new/", **{**fields_of(browser), "name": "Summer concert"})

    calendar = Calendar.objects.get()
    berlin = ZoneInfo("Europe/Berlin")
    assert browser.page.path == f"/app/calendars/{calendar.pk}/"
    assert "When can you come?" in browser.page.text
    assert (calendar.name, calendar.time_zone, calendar.duration_minutes, calendar.visibility) == (
        "Summer concert",
        str(berlin),
        60,
        "open",
    )
    assert calendar.window_start == datetime(2026, 12, 7, 8, tzinfo=berlin)
    assert calendar.window_end == datetime(2026, 12, 20, 22, tzinfo=berlin)
    assert Meeting.objects.get().deadline == datetime(2026, 12, 4, 18, tzinfo=berlin)


SHEET = {
    "name": "Choir",
    "first_day": "2031-05-05",
    "last_day": "2031-05-09",
    "earliest_hour": "18:00",
    "latest_hour": "00:00",
    "duration_minutes": "90",
    "visibility": "counts",
    "time_zone": "Asia/Kathmandu",
    "look": "on",
    "title": "Rehearsal",
    "deadline": "2031-05-01T12:00",
    "others": "sam, iris@example.org\n  sam",
}


def test_a_calendar_is_made_with_its_meeting_and_its_people():
    mina, sam, nina = build.user("mina"), build.user("sam"), build.user("nina")
    build.user("iris")
    Contact.objects.create(owner=mina, contactee=nina, created_at=clock.now())
    browser = browser_of(mina)

    post(browser, "/app/calendars/new/", **SHEET, contacts=[nina.pk])

    calendar, kathmandu = Calendar.objects.get(), ZoneInfo("Asia/Kathmandu")
    assert browser.page.path.startswith(f"/app/calendars/{calendar.pk}/?new=")
    assert "Invited: Nina, Sam, iris@example.org." in shown(browser)
    assert calendar.window_start == datetime(2031, 5, 5, 18, tzinfo=kathmandu)
    assert calendar.window_end == datetime(2031, 5, 10, 0, tzinfo=kathmandu)
    meeting = Meeting.objects.get()
    assert (meeting.title, meeting.deadline) == (
        "Rehearsal",
        datetime(2031, 5, 1, 12, tzinfo=kathmandu),
    )
    invited = set(Invitation.objects.values_list("receiver", "email"))
    assert invited == {(sam.pk, ""), (nina.pk, ""), (None, "iris@example.org")}


def test_without_the_tick_there_is_no_meeting():
    browser = browser_of(build.user("mina"))

    post(browser, "/app/calendars/new/", **{**SHEET, "look": "", "deadline": "", "others": ""})

    assert (Calendar.objects.count(), Meeting.objects.count()) == (1, 0)


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"name": " "}, "name", "can’t be blank"),
        ({"name": "two\u202elines"}, "name", "invisible character (U+202E"),
        ({"last_day": "2031-05-04"}, "last_day", "before the first"),
        ({"last_day": "2039-05-04"}, "last_day", "at most"),
        ({"first_day": "0001-01-01"}, "first_day", "2000 to 2099"),
        ({"last_day": "9999-12-31"}, "first_day", "2000 to 2099"),
        ({"latest_hour": "18:00"}, "latest_hour", "end after it begins"),
        ({"time_zone": "Europe/Atlantis"}, "time_zone", "IANA"),
        ({"duration_minutes": "0"}, "duration_minutes", "whole number from 1"),
        ({"deadline": ""}, "deadline", "Set a deadline"),
        ({"deadline": "2021-05-01T12:00"}, "deadline", "in the future"),
        (
            {"deadline": "2031-03-30T02:30", "time_zone": "Europe/Berlin"},
            "deadline",
            "the clocks go forward past it",
        ),
        ({"visibility": "everybody"}, "visibility", "valid choice"),
        ({"others": "nobody-here, sam"}, "others", "nobody-here: Nobody here has this username."),
        ({"others": "mina"}, "others", "can’t invite yourself"),
        ({"others": "@example"}, "others", "email address like"),
        ({"others": " ".join(f"p{n}@example.org" for n in range(101))}, "others", "at most 100"),
        ({"contacts": ["1000000"]}, "", ""),
    ],
)
def test_a_refused_calendar_keeps_what_was_typed_and_makes_nothing(changes, field, said, mina):
    build.user("sam")
    browser = browser_of(mina)
    typed = {**SHEET, **changes}

    answer = post(browser, "/app/calendars/new/", **typed)

    # a stranger's number among the contacts is none of theirs: there is no such field without
    # contacts
    if not field:
        assert Calendar.objects.count() == 1
        return
    assert answer.status_code == 422
    form = answer.context["form"]
    assert said in " ".join(form.errors[field])
    assert all(str(form[name].value()) == value for name, value in typed.items() if name != "look")
    assert re.search(rf'id="id_{field}_error"', answer.text)
    assert not Calendar.objects.exists()
    assert not Meeting.objects.exists()
    assert not Invitation.objects.exists()
    assert not Message.objects.exists()


def test_guessing_names_in_the_sheet_counts_although_nothing_is_made(settings):
    settings.LIMITS = {**settings.LIMITS, "look_up": (2, 3600)}
    browser = browser_of(build.user("mina"))

    for name in ("aa", "bb"):
        assert "Nobody here" in unescape(
            post(browser, "/app/calendars/new/", **{**SHEET, "others": name}).text
        )

    assert (
        "reached the limit"
        in post(browser, "/app/calendars/new/", **{**SHEET, "others": "cc"}).text
    )


def test_somebody_elses_contact_can_not_be_ticked():
    mina, sam, nina = build.user("mina"), build.user("sam"), build.user("nina")
    Contact.objects.create(owner=mina, contactee=sam, created_at=clock.now())

    answer = post(browser_of(mina), "/app/calendars/new/", **SHEET, contacts=[nina.pk])

    assert answer.status_code == 422
    assert "contacts" in answer.context["form"].errors
    assert not Calendar.objects.exists()


# People -------------------------------------------------------------------------------------------


def test_a_contact_is_added_by_name_and_removed():
    mina, sam = build.user("mina"), build.user("sam")
    build.calendar(owner=mina, participants=[sam], name="Choir")
    browser = browser_of(mina)
    assert "No contacts yet" in shown(browser, "/app/people/")

    post(browser, "/app/people/", do="add", contactee="SAM")
    assert "Added: Sam." in shown(browser)
    assert re.search(r"Sam\s+sam\s+you’re both in\s+Choir", shown(browser))
    assert Contact.objects.get().contactee == sam

    post(browser, "/app/people/", do="remove", username="sam")
    assert not Contact.objects.exists()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nobody", "Nobody here"),
        ("mina", "own contact"),
        ("cara", "already"),
        ("", "can’t be blank"),
    ],
)
def test_a_refused_contact_is_told_why(name, said):
    mina, cara = build.user("mina"), build.user("cara")
    Contact.objects.create(owner=mina, contactee=cara, created_at=clock.now())

    answer = post(browser_of(mina), "/app/people/", do="add", contactee=name)

    assert answer.status_code == 422
    assert said in shown_errors(answer)
    assert answer.context["form"]["contactee"].value() == name
    assert Contact.objects.count() == 1


def shown_errors(answer: Any) -> str:
    return " ".join(
        sentence for sentences in answer.context["form"].errors.values() for sentence in sentences
    )


def test_invitations_are_answered_and_taken_back_among_people():
    mina, sam = build.user("mina"), build.user("sam")
    sent = build.invitation(build.calendar(owner=mina, name="Choir"), sam)
    build.invitation(build.calendar(owner=sam, name="Band"), mina)
    browser = browser_of(mina)
    text = shown(browser, "/app/people/")
    assert re.search(r"Band\s+from Sam", text)
    assert re.search(r"Sam\s+to\s+Choir", text)

    browser.send("/answer/", status="accepted")
    post(browser, "/app/people/", do="revoke", invitation=str(sent.pk))

    assert CalendarParticipant.objects.filter(user=mina, calendar__name="Band").exists()
    assert not Invitation.objects.filter(pk=sent.pk).exists()


def test_one_takes_back_only_what_one_sent():
    nina = build.user("nina")
    invitation = build.invitation(build.calendar(), build.user("sam"))
    browser = browser_of(nina)
    browser.get("/app/people/")

    for thing in (str(invitation.pk), "nonsense", ""):
        assert post(browser, "/app/people/", do="revoke", invitation=thing).status_code == 404

    assert Invitation.objects.count() == 1


@pytest.mark.parametrize(
    ("path", "do"), [("/app/people/", "dance"), ("/app/people/", ""), ("/app/settings/", "dance")]
)
def test_what_is_no_button_does_nothing(path, do):
    browser = browser_of(build.user("mina"))
    browser.get(path)

    assert post(browser, path, do=do).status_code == 422


# Settings -----------------------------------------------------------------------------------------


def test_settings_are_stored_section_by_section():
    mina, sam = build.user("mina"), build.user("sam")
    browser = browser_of(mina)
    browser.get("/app/settings/")

    post(
        browser,
        "/app/settings/",
        do="names",
        first_name="Wilhelmina",
        last_name="Park",
        username="mina",
    )
    assert browser.page.path == "/app/settings/?saved=names#names"
    assert "Saved" in shown(browser)
    post(
        browser,
        "/app/settings/",
        do="time",
        time_zone="Asia/Kathmandu",
        hour_cycle="h12",
        week_start="sunday",
        locale="de",
    )
    post(browser, "/app/settings/", do="mail", mail_meetings="on")
    post(browser, "/app/settings/", do="privacy", who_may_add_me="contacts", muted="SAM")

    mina = User.objects.get(username="mina")
    setting = UserSetting.objects.get(user=mina)
    assert mina.get_full_name() == "Wilhelmina Park"
    assert (setting.time_zone, setting.hour_cycle, setting.week_start, setting.locale) == (
        "Asia/Kathmandu",
        "h12",
        "sunday",
        "de",
    )
    assert (setting.mail_invitations, setting.mail_meetings, setting.mail_reminders) == (
        False,
        True,
        False,
    )
    assert setting.who_may_add_me == "contacts"
    assert Mute.objects.get().sender == sam
    post(browser, "/app/settings/", do="privacy", who_may_add_me="anyone", muted="")
    assert not Mute.objects.exists()


@pytest.mark.parametrize(
    ("what", "typed", "field"),
    [
        ("names", {"username": "SAM", "first_name": "Wilhelmina"}, "username"),
        ("names", {"username": "", "first_name": "Wilhelmina"}, "username"),
        (
            "time",
            {"time_zone": "Mars", "hour_cycle": "h12", "week_start": "monday", "locale": "en"},
            "time_zone",
        ),
        (
            "time",
            {"time_zone": "UTC", "hour_cycle": "h99", "week_start": "monday", "locale": "en"},
            "hour_cycle",
        ),
        ("privacy", {"who_may_add_me": "anyone", "muted": "nobody-here"}, "muted"),
        ("email", {"email": "new@example.org", "current_password": "wrong"}, "current_password"),
        ("email", {"email": "sam@example.org", "current_password": build.PASSWORD}, "email"),
        ("email", {"email": "nowhere", "current_password": build.PASSWORD}, "email"),
        (
            "password",
            {"password": "another fine day for singing", "current_password": "wrong"},
            "current_password",
        ),
        ("password", {"password": "short", "current_password": build.PASSWORD}, "password"),
    ],
)
def test_a_refused_section_keeps_what_was_typed_and_changes_nothing(what, typed, field, mina):
    build.user("sam")
    browser = browser_of(mina)
    browser.get("/app/settings/")
    before = (mina.username, mina.email, mina.password, mina.first_name)

    answer = post(browser, "/app/settings/", do=what, **typed)

    assert answer.status_code == 422
    form = answer.context["form"]
    assert form.errors[field]
    assert all(form[name].value() == value for name, value in typed.items())
    assert f'id="id_{what}_{field}_error"' in answer.text
    assert build.PASSWORD not in answer.text
    mina.refresh_from_db()
    assert (mina.username, mina.email, mina.password, mina.first_name) == before
    assert UserSetting.objects.get(user=mina).time_zone == "UTC"
    assert not Mute.objects.exists()


@pytest.mark.parametrize("what", ["email", "password"])
def test_new_credentials_end_all_sign_ins_but_the_one_they_came_from(what):
    build.user("mina")
    elsewhere, browser = browser_of("mina"), browser_of("mina")
    browser.get("/app/settings/")
    typed = {
        "email": {"email": "new@example.org"},
        "password": {"password": "another fine day for singing"},
    }[what]

    post(browser, "/app/settings/", do=what, current_password=build.PASSWORD, **typed)

    assert browser.page.path == f"/app/settings/?saved={what}#{what}"
    assert browser.client.get("/app/").status_code == 200
    assert elsewhere.client.get("/app/").status_code == 302
    assert [session.door for session in Session.objects.filter(ended_at=None)] == ["web"]


def test_wrong_passwords_in_settings_count_like_wrong_sign_ins(settings):
    browser = browser_of(build.user("mina"))
    browser.get("/app/settings/")
    for _ in range(settings.LIMITS["password"][0]):
        post(
            browser, "/app/settings/", do="email", email="new@example.org", current_password="wrong"
        )

    answer = post(
        browser,
        "/app/settings/",
        do="email",
        email="new@example.org",
        current_password=build.PASSWORD,
    )

    assert "reached the limit" in shown_errors(answer)
    assert User.objects.get().email == "mina@example.org"


def test_one_sees_where_one_is_signed_in_and_ends_it():
    mina, nina = build.user("mina"), build.user("nina")
    elsewhere, browser, other = browser_of(mina), browser_of(mina), browser_of(nina)
    assert len(browser.get("/app/settings/").context["sessions"]) == 2
    first = Session.objects.filter(user=mina).order_by("created_at")[0]

    other.get("/app/settings/")
    for thing in (str(first.pk), "nonsense"):
        assert post(other, "/app/settings/", do="end", session=thing).status_code == 404
    post(browser, "/app/settings/", do="end", session=str(first.pk))

    assert elsewhere.client.get("/app/").status_code == 302
    own = Session.objects.get(user=mina, ended_at=None)
    post(browser, "/app/settings/", do="end", session=str(own.pk))
    assert browser.page.path == "/"
    assert browser.client.get("/app/").status_code == 302


@pytest.mark.parametrize(
    ("user_agent", "said"),
    [
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0",
            "Firefox on Linux",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/129.0.0.0 Safari/537.36 "
            "Edg/129.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 "
            "Version/17.0 Safari/604.1",
            "Safari on iPhone",
        ),
        ("curl/8.5.0", "curl"),
        ("", "Unknown program"),
    ],
)
def test_a_device_is_named_as_people_call_it(user_agent, said):
    assert device(user_agent) == said


def test_the_devices_zone_is_taken_at_sign_up_and_offered_at_home():
    browser = Browser()
    browser.get("/app/sign-up/")
    browser.send(
        "/app/sign-up/",
        username="mina",
        email="mina@example.org",
        password=build.PASSWORD,
        time_zone="Asia/Kathmandu",
    )
    assert UserSetting.objects.get().time_zone == "Asia/Kathmandu"
    assert 'data-stored="Asia/Kathmandu Asia/Katmandu"' in browser.page.text

    post(browser, "/app/settings/", do="zone", time_zone="Europe/Berlin")

    assert browser.page.path == "/app/"
    assert UserSetting.objects.get().time_zone == "Europe/Berlin"
    assert post(browser, "/app/settings/", do="zone", time_zone="Mars").status_code == 422


def test_the_export_is_a_file_with_what_the_api_exports(mina):
    build.window(build.calendar(owner=mina), mina, build.day(9), build.day(12))
    answer = browser_of(mina).client.get("/app/settings/export/")

    assert answer.headers["Content-Disposition"] == 'attachment; filename="commontime.json"'
    exported, by_api = json.loads(answer.content), caller(mina).get("/profile/export/").data
    assert exported.keys() == by_api.keys()
    for part in exported.keys() - {
        "exported_at",
        "sessions",
        "non_busy_times",
        "owned_calendars",
        "participations",
    }:
        assert exported[part] == by_api[part]
    assert len(exported["non_busy_times"]) == 1
    assert not re.search(r"password|hash|_key", answer.text)


# The end of the account ---------------------------------------------------------------------------


def test_deleting_shows_first_what_it_affects_and_needs_the_password():
    mina, sam = build.user("mina"), build.user("sam")
    calendar = build.calendar(owner=mina, participants=[sam], name="Choir")
    build.meeting(calendar=calendar, final_time=build.day(18))
    build.calendar(owner=sam, participants=[mina], name="Band")
    browser = browser_of(mina)
    text = shown(browser, "/app/settings/delete/")
    assert "Your calendar “Choir”, with 2 people in it." in text
    assert "1 upcoming meeting" in text
    assert "in 1 calendar organised by somebody else" in text
    assert "Sam becomes the organiser" in text

    for password in ("", "wrong"):
        answer = post(browser, "/app/settings/delete/", current_password=password)
        assert answer.status_code == 422
        assert answer.context["form"].errors["current_password"]
    assert User.objects.filter(username="mina").exists()

    post(browser, "/app/settings/delete/", current_password=build.PASSWORD)
    assert browser.page.path == "/?gone"
    assert "Your account and everything in it has been deleted." in shown(browser)
    assert not User.objects.filter(username="mina").exists()
    assert not Calendar.objects.filter(name="Choir").exists()


def test_calendars_go_to_whom_one_chooses():
    mina, sam, nina = build.user("mina"), build.user("sam"), build.user("nina")
    for name in ("Choir", "Band"):
        build.calendar(owner=mina, participants=[sam] if name == "Band" else [sam, nina], name=name)
    browser = browser_of(mina)
    assert "Nina becomes" not in shown(browser, "/app/settings/delete/")

    assert (
        post(
            browser,
            "/app/settings/delete/",
            current_password=build.PASSWORD,
            transfer_to=str(nina.pk),
        ).status_code
        == 422
    )
    post(browser, "/app/settings/delete/", current_password=build.PASSWORD, transfer_to=str(sam.pk))

    assert set(Calendar.objects.values_list("owner__username", flat=True)) == {"sam"}


def test_who_can_become_the_owner_takes_part_in_all_and_is_active():
    mina, sam, ina = build.user("mina"), build.user("sam"), build.user("ina", is_active=False)
    build.calendar(owner=mina, participants=[sam, ina])
    assert list(queries.people.possible_heirs(mina)) == [sam]

    build.calendar(owner=mina)
    assert list(queries.people.possible_heirs(mina)) == []


# What all these pages have in common --------------------------------------------------------------

PAGES = ["/app/", "/app/people/", "/app/settings/", "/app/settings/delete/", "/app/calendars/new/"]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_costs_the_same_queries_however_much_it_shows(path):
    costs = []
    for many in (1, 4):
        sam = build.user()
        browser = browser_of(sam)
        for _ in range(many):
            person = build.user()
            Contact.objects.create(owner=sam, contactee=person, created_at=clock.now())
            Mute.objects.create(user=sam, sender=person)
            own = build.calendar(owner=sam, participants=[person])
            build.meeting(calendar=own, deadline=clock.now() - timedelta(hours=1))
            build.meeting(calendar=own, final_time=build.day(18))
            build.calendar(owner=person, participants=[sam])
            build.invitation(build.calendar(), sam)
            build.invitation(own, build.user())
            browser_of(sam)
        with CaptureQueriesContext(connection) as asked:
            assert browser.get(path).status_code == 200
        costs.append(len(asked))

    assert costs[0] == costs[1] <= 8


def attributes_of(page: str) -> set[str]:
    names: set[str] = set()
    parser = HTMLParser()
    parser.handle_starttag = (  # type: ignore[method-assign]
        lambda tag, attributes: names.update(name for name, _ in attributes)
    )
    parser.feed(page)
    return names


@pytest.mark.parametrize("path", PAGES)
def test_what_people_typed_stays_text(path):
    sam = build.user("sam", first_name=HOSTILE[:140], last_name=HOSTILE[:140])
    person = build.user("nina", first_name=HOSTILE[:140])
    Contact.objects.create(owner=sam, contactee=person, created_at=clock.now())
    own = build.calendar(owner=sam, participants=[person], name=HOSTILE, location=HOSTILE)
    build.meeting(calendar=own, title=HOSTILE, deadline=clock.now() - timedelta(hours=1))
    build.meeting(calendar=own, title=HOSTILE, location=HOSTILE, final_time=build.day(18))
    build.invitation(build.calendar(owner=person, name=HOSTILE), sam)
    build.invitation(own, build.user("iris", first_name=HOSTILE[:140]))
    Session.objects.update(user_agent=HOSTILE)

    browser = browser_of(sam)
    Session.objects.update(user_agent=HOSTILE)
    text = browser.get(path).text

    assert "<script>alert" not in text
    assert not attributes_of(text) & {"autofocus", "onfocus", "hx-get"}
    assert "&lt;script&gt;alert(1)" in text
    assert "{{7*7}}" in unescape(text)


@pytest.mark.parametrize("path", PAGES)
def test_one_link_of_the_frame_is_where_one_is(path):
    text = browser_of(build.user("mina")).get(path).text

    assert re.findall(r'<a href="([^"]*)" aria-current="page"', text) == (
        [path] if path != "/app/settings/delete/" else []
    )


@pytest.mark.parametrize(
    ("path", "typed"),
    [
        ("/app/calendars/new/", SHEET),
        ("/app/people/", {"do": "add", "contactee": "sam"}),
        ("/app/settings/", {"do": "names", "username": "mina", "first_name": "X"}),
        ("/app/settings/", {"do": "zone", "time_zone": "Europe/Berlin"}),
        ("/app/settings/delete/", {"current_password": build.PASSWORD}),
    ],
)
def test_another_site_can_send_none_of_the_forms(path, typed):
    build.user("sam")
    browser = browser_of(build.user("mina"))

    assert browser.client.post(path, typed).status_code == 403

    assert (Calendar.objects.count(), Contact.objects.count(), User.objects.count()) == (0, 0, 2)
    assert UserSetting.objects.get(user__username="mina").time_zone == "UTC"


# Both doors ---------------------------------------------------------------------------------------


def stored() -> Any:
    """Return what these actions change, without ids and moments, which each request makes anew."""
    return (
        sorted(
            User.objects.values_list(
                "username",
                "email",
                "first_name",
                "usersetting__time_zone",
                "usersetting__who_may_add_me",
            )
        ),
        sorted(
            Calendar.objects.values_list(
                "name", "owner__username", "time_zone", "duration_minutes", "window_start"
            ),
            key=str,
        ),
        sorted(CalendarParticipant.objects.values_list("calendar__name", "user__username")),
        sorted(Contact.objects.values_list("owner__username", "contactee__username")),
        sorted(Mute.objects.values_list("user__username", "sender__username")),
        sorted(NonBusyTime.objects.values_list("user__username", "start_time")),
        sorted(Message.objects.values_list("kind", "recipient")),
        Session.objects.filter(ended_at=None).count(),
    )


@pytest.mark.parametrize(
    ("what", "good"),
    [
        ("calendar", {"name": "Band"}),
        ("calendar", {"name": "Ba\u202end"}),
        ("names", {"first_name": "Wilhelmina", "username": "mina"}),
        ("names", {"first_name": "Wilhelmina", "username": "sam"}),
        ("email", {"email": "new@example.org"}),
        ("email", {"email": "sam@example.org"}),
        ("password", {"password": "another fine day for singing"}),
        ("password", {"password": "12345"}),
        ("time", {"time_zone": "Asia/Kathmandu"}),
        ("time", {"time_zone": "Mars"}),
        ("add", {"contactee": "sam"}),
        ("add", {"contactee": "cara"}),
        ("add", {"contactee": "nobody"}),
        ("remove", {"username": "cara"}),
        ("remove", {"username": "sam"}),
        ("end", {"mine": True}),
        ("end", {"mine": False}),
        ("delete", {"transfer_to": "sam"}),
        ("delete", {"transfer_to": "cara"}),
        ("delete", {}),
    ],
)
def test_both_doors_do_the_same_and_refuse_the_same(what, good):
    mina, sam, cara = build.user("mina"), build.user("sam"), build.user("cara")
    Contact.objects.create(owner=mina, contactee=cara, created_at=clock.now())
    build.calendar(owner=mina, participants=[sam], name="Choir")
    api, browser = caller(mina), browser_of(mina)
    browser.get("/app/settings/")
    session = (
        next(s for s in Session.objects.filter(user=mina) if s.door == "api")
        if good.get("mine")
        else caller(sam) and Session.objects.get(user=sam)
    )
    heir = (
        {"transfer_to": {"sam": sam, "cara": cara}[good["transfer_to"]].pk}
        if "transfer_to" in good
        else {}
    )
    sheet = {**SHEET, "others": "", "look": "", "deadline": ""}
    window = {
        "window_start": "2031-05-05T18:00",
        "window_end": "2031-05-10T00:00",
        "time_zone": "Asia/Kathmandu",
        "duration_minutes": 90,
    }
    setting = {"hour_cycle": "h23", "week_start": "monday", "locale": "en"}
    asked: dict[str, tuple[Any, ...]] = {
        "calendar": (
            ("POST", "/calendars/", {**window, **good, "is_finalized": False}),
            ("calendars/new/", {**sheet, **good}),
        ),
        "names": (("POST", "/profile/edit/", good), ("settings/", {"do": what, **good})),
        "email": (
            ("POST", "/profile/edit/", good),
            ("settings/", {"do": what, "current_password": build.PASSWORD, **good}),
        ),
        "password": (
            ("POST", "/profile/edit/", good),
            ("settings/", {"do": what, "current_password": build.PASSWORD, **good}),
        ),
        "time": (
            ("PUT", "/profile/settings/", {**setting, **good}),
            ("settings/", {"do": what, **setting, **good}),
        ),
        "add": (("POST", "/contacts/add/", good), ("people/", {"do": what, **good})),
        "remove": (
            ("DELETE", f"/contacts/delete/{good.get('username')}/", None),
            ("people/", {"do": what, **good}),
        ),
        "end": (
            ("DELETE", f"/profile/sessions/{session.pk}/", None),
            ("settings/", {"do": what, "session": str(session.pk)}),
        ),
        "delete": (
            ("POST", "/profile/delete/", {"refresh_token": api.refresh, **heir}),
            ("settings/delete/", {"current_password": build.PASSWORD, **heir}),
        ),
    }
    (method, path, body), (page, form) = asked[what]
    before = stored()

    def through(door: Callable[[], Any]) -> tuple[bool, Any]:
        with undone():
            return door().status_code >= 400, stored()

    by_api = through(lambda: api(method, path, body))
    by_page = through(lambda: post(browser, f"/app/{page}", **form))

    assert by_api == by_page
    assert by_api[0] == (by_api[1] == before)

"""The pages as a browser without scripts meets them: forms, cookies, headers, who is signed in."""

import re
from html import unescape

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from commontime.accounts import tasks as accounts
from commontime.accounts.models import Mute, Session
from commontime.calendars import actions
from commontime.calendars.models import CalendarParticipant, Invitation
from commontime.config import errors
from commontime.core import links
from commontime.mail import outbox
from commontime.mail.models import Message
from commontime.web import base
from tests import build
from tests.pages import Client
from tests.web.browser import Browser, browser_of

pytestmark = pytest.mark.django_db
PUBLIC = ["/", "/app/sign-in/", "/app/sign-up/", "/app/password_reset/"]
OTHERS = [
    "/app/",
    "/app/nothing/",
    "/password_reset/MQ/x/",
    "/static/web/css/base.css",
    "/static/nothing.css",
]


# Signing up, in and out ---------------------------------------------------------------------------


def test_a_person_signs_up_and_is_at_home():
    browser = Browser()
    browser.get("/app/sign-up/")

    browser.send(
        "/app/sign-up/",
        username="mina",
        email="mina@example.org",
        first_name="Mina",
        last_name="Park",
        password=build.PASSWORD,
    )

    assert browser.page.path == "/app/"
    assert "Mina Park" in browser.page.text
    assert User.objects.get().username == "mina"


def test_a_refused_sign_up_keeps_what_was_typed_but_the_password_and_says_how_to_mend_it():
    browser = Browser()
    browser.get("/app/sign-up/")

    browser.send(
        "/app/sign-up/", username="mina park", email="nowhere", first_name="Mina", password="12345"
    )

    assert browser.page.status_code == 422
    fields = browser.form("/app/sign-up/").fields
    assert (fields["username"], fields["email"], fields["first_name"], fields["password"]) == (
        "mina park",
        "nowhere",
        "Mina",
        "",
    )
    for name in ("username", "email", "password"):
        assert re.search(
            rf'<input[^>]*name="{name}"[^>]*aria-invalid="true"'
            rf'[^>]*aria-describedby="[^"]*id_{name}_error"',
            browser.page.text,
        )
        assert f'<ul class="mend" id="id_{name}_error">' in browser.page.text
    assert not User.objects.exists()


def test_what_is_said_of_a_new_password_is_what_is_asked_of_it():
    browser = Browser()
    browser.get("/app/sign-up/")
    least = int(re.search(r"At least (\d+) characters, not just digits\.", browser.page.text)[1])
    long = "kq7vzr9wxj2m"[:least]
    assert len(long) == least

    for password in (long[:-1], "8153297408"[:least]):
        browser.get("/app/sign-up/")
        browser.send("/app/sign-up/", username="mina", email="mina@example.org", password=password)
        assert 'id="id_password_error"' in browser.page.text

    browser.get("/app/sign-up/")
    browser.send("/app/sign-up/", username="mina", email="mina@example.org", password=long)
    assert browser.page.path == "/app/"


def test_signing_in_makes_a_new_session_and_signing_out_ends_it():
    build.user("mina")
    browser = Browser()
    browser.client.cookies["session"] = "planted-by-somebody-else"

    browser.sign_in("mina", build.PASSWORD)
    session = browser.client.cookies["session"].value

    assert session != "planted-by-somebody-else"
    browser.send("/app/sign-out/")
    assert browser.page.path == "/"
    assert Session.objects.get().ended_at is not None
    stolen = Client()
    stolen.cookies["session"] = session
    assert stolen.get("/app/").status_code == 302


def test_a_second_sign_in_in_one_browser_gets_another_session_id():
    build.user("mina")
    browser = browser_of("mina")
    first = browser.client.cookies["session"].value

    browser.sign_in("mina", build.PASSWORD)

    assert browser.client.cookies["session"].value != first


def test_a_wrong_password_is_refused_without_saying_which_part_was_wrong():
    build.user("mina")
    said = []
    for name in ("mina", "nobody"):
        browser = Browser()
        browser.get("/app/sign-in/")
        browser.send("/app/sign-in/", identifier=name, password="wrong")
        assert browser.page.status_code == 422
        assert "session" not in browser.client.cookies
        said += re.findall(r'role="alert">(.*?)</div>', browser.page.text)

    assert len(said) == 2
    assert said[0] == said[1]


@pytest.mark.parametrize("target", ["/app/mail/", "/app/?from=mail", "/docs/"])
def test_afterwards_one_is_where_one_wanted_to_go(target):
    build.user("mina")

    assert signed_in_at(target) == target


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example/",
        "/\\evil.example/",
        "\\/evil.example/",
        "/\t/evil.example/",
        " //evil.example/",
        "javascript:alert(1)",
        "app/mail/",
    ],
)
def test_afterwards_one_is_never_elsewhere(target):
    build.user("mina")

    assert signed_in_at(target) == "/app/"


def test_without_the_check_one_would_be_elsewhere(monkeypatch):
    build.user("mina")
    monkeypatch.setattr(base, "url_has_allowed_host_and_scheme", lambda target, allowed_hosts: True)

    assert signed_in_at("//evil.example/") == "//evil.example/"


def signed_in_at(target: str) -> str:
    return (
        Client()
        .post("/app/sign-in/", {"identifier": "mina", "password": build.PASSWORD, "next": target})
        .headers["Location"]
    )


def test_whoever_is_not_signed_in_is_sent_to_sign_in_and_back():
    build.user("mina")
    browser = Browser()

    browser.get("/app/mail/")
    assert browser.page.path == "/app/sign-in/?next=%2Fapp%2Fmail%2F"

    browser.send("/app/sign-in/", identifier="mina", password=build.PASSWORD)
    assert browser.page.path == "/app/mail/"


# Every form needs its token -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/app/sign-in/", "/app/sign-up/", "/app/sign-out/", "/app/password_reset/"]
)
def test_a_form_without_its_token_is_refused(path, mina):
    browser = browser_of(mina)
    before = Session.objects.values_list("pk", "ended_at").get()
    filled = {
        "username": "eve",
        "email": "eve@example.org",
        "identifier": "mina",
        "password": build.PASSWORD,
    }

    answer = browser.client.post(path, filled)

    assert answer.status_code == 403
    assert "Nothing was changed. The page was open too long" in unescape(answer.text)
    assert User.objects.count() == 1
    assert Session.objects.values_list("pk", "ended_at").get() == before


@pytest.mark.parametrize("what", ["accept", "leave"])
def test_nobody_is_moved_in_or_out_of_a_calendar_by_another_site(what):
    sam, iris = build.user("sam"), build.user("iris")
    calendar = build.calendar(participants=[sam])
    invitation = build.invitation(calendar, iris)
    seat = CalendarParticipant.objects.get(user=sam)
    person, path, sent = {
        "accept": (iris, f"/app/invitations/{invitation.pk}/answer/", {"status": "accepted"}),
        "leave": (sam, f"/app/calendars/{calendar.pk}/participants/{seat.pk}/remove/", {}),
    }[what]

    assert browser_of(person).client.post(path, sent).status_code == 403

    assert CalendarParticipant.objects.filter(calendar=calendar).count() == 2


def test_without_the_token_check_another_site_could(iris):
    invitation = build.invitation(build.calendar(), iris)
    browser = browser_of(iris)
    browser.client.handler.enforce_csrf_checks = False

    browser.client.post(f"/app/invitations/{invitation.pk}/answer/", {"status": "accepted"})

    invitation.refresh_from_db()
    assert invitation.status == "accepted"


@pytest.mark.parametrize(
    ("came_from", "again"),
    [
        ("http://testserver/app/people/?page=2", "/app/people/?page=2"),
        ("http://testserver//evil.example/", "/evil.example/"),
        ("http://testserver/\\evil.example/", "/evil.example/"),
        ("https://evil.example/app/people/", None),
        ("", None),
    ],
)
def test_a_form_that_is_too_old_says_the_way_out_in_the_pages_frame(came_from, again):
    build.user("mina", locale="de")
    browser = browser_of("mina")

    answer = browser.client.post(
        "/app/people/", {"do": "add"}, headers={"referer": came_from, "accept-language": "de"}
    )

    assert answer.status_code == 403
    assert "Das wurde nicht abgeschickt" in answer.text
    assert "Lade die Seite neu" in answer.text
    assert '<nav aria-label="' in answer.text
    links = [
        unescape(link) for link in re.findall(r'class="button[^"]*" href="([^"]*)"', answer.text)
    ]
    assert links[0] == (again or "/")
    assert len(links) == (2 if again else 1)


# What is nowhere ----------------------------------------------------------------------------------

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize("path", ["/nope", "/nope/", "/cal", "/app.js", "/wp-login.php"])
def test_a_browser_at_an_address_that_is_nowhere_gets_a_page_and_a_program_json(path):
    build.user("mina", locale="fr")
    browser, json = (
        browser_of("mina"),
        b'{"code":"not_found","detail":"There is nothing here. /docs/ lists every path."}',
    )

    page = browser.client.get(path, headers={"accept": BROWSER})
    answers = [
        browser.client.get(path, headers={"accept": accept} if accept else {})
        for accept in ("*/*", "application/json", "")
    ]

    assert page.status_code == 404
    assert '<html lang="fr">' in page.text
    assert "Il n’y a rien ici" in page.text
    if not path.startswith("/app"):
        assert {(answer.status_code, answer.content) for answer in answers} == {(404, json)}


@pytest.mark.parametrize("path", ["*", "nope"])
def test_what_does_not_begin_with_a_slash_is_nowhere_too(path):
    answer = Client().generic("OPTIONS", "/", PATH_INFO=path)

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    "path",
    [
        "/calendars/nope",
        "/calendars/nope/",
        "/profile/nope/",
        "/docs/nope/",
        "/contacts/x/",
        "/schema/x",
    ],
)
def test_the_apis_paths_answer_json_to_a_browser_too(path):
    page, plain = (
        Client().get(path, headers={"accept": accept}) for accept in (BROWSER, "application/json")
    )

    assert page.status_code == 404
    assert (page.content, page.headers) == (plain.content, plain.headers)


# A forgotten password -----------------------------------------------------------------------------


def test_a_forgotten_password_is_replaced_through_the_pages_and_everything_else_is_signed_out(mina):
    elsewhere = browser_of(mina)
    browser = Browser()
    browser.get(accounts.reset_url(mina).partition(":8000")[2])
    browser.send("/", password="12345")
    assert browser.page.status_code == 422
    browser.send("/", password="another fine day for singing")

    assert "Your password has been changed" in browser.page.text
    assert elsewhere.client.get("/app/").status_code == 302
    Browser().sign_in("mina", "another fine day for singing")


def test_a_reset_link_says_when_it_does_not_work():
    answer = Client().get("/password_reset/MQ/abc-def/")

    assert answer.status_code == 422
    assert "Ask for a new one" in answer.text


def test_asking_for_a_reset_says_the_same_for_every_address():
    build.user("mina")
    said = []
    for address in ("mina@example.org", "nobody@example.org"):
        browser = Browser()
        browser.get("/app/password_reset/")
        browser.send("/app/password_reset/", email=address)
        said.append(re.sub(r'value="[^"]*"', "", browser.page.text))

    assert said[0] == said[1]


# At home ------------------------------------------------------------------------------------------


def test_home_shows_calendars_and_invitations_and_what_to_do_without_any(iris):
    assert "You’re not in any calendars yet" in browser_of(iris).page.text

    build.calendar(owner=iris, name="Iris's choir")
    build.invitation(build.calendar(owner=build.user("mina"), name="Band"), iris)
    shown = unescape(browser_of(iris).page.text)

    assert "Iris's choir" in shown
    assert "you organise · 0 meetings · you haven’t answered yet" in shown
    assert "0 of 1 answered" in shown
    assert "Band" in shown
    assert "invited by Mina" in shown
    assert "2 things are waiting for you" in shown


@pytest.mark.parametrize(("answer", "joins"), [("accepted", True), ("declined", False)])
def test_an_invitation_is_answered_at_home(answer, joins, iris):
    calendar = build.calendar(name="Band")
    invitation = build.invitation(calendar, iris)
    browser = browser_of(iris)
    assert browser.form("/answer/").buttons == [("status", "accepted"), ("status", "declined")]

    browser.send("/answer/", status=answer)

    invitation.refresh_from_db()
    assert invitation.status == answer
    assert CalendarParticipant.objects.filter(calendar=calendar, user=iris).exists() is joins
    assert browser.page.path == (f"/app/calendars/{calendar.pk}/" if joins else "/app/")


def test_an_invitation_to_an_address_is_accepted_through_its_link_after_signing_up():
    invitation = actions.invite_address(
        (calendar := build.calendar(name="Band")).pk, by=calendar.owner, email="iris@example.org"
    )
    link = f"/app/invitations/{links.token(links.Kind.INVITATION, invitation.pk)}/"
    browser = Browser()

    browser.get(link)
    browser.get("/app/sign-up/?next=" + browser.page.path.partition("next=")[2])
    browser.send(
        "/app/sign-up/", username="iris", email="iris@example.org", password=build.PASSWORD
    )
    assert "invites you" in browser.page.text
    assert Invitation.objects.get().status == "pending"
    browser.send(link)

    assert browser.page.path == f"/app/calendars/{calendar.pk}/"
    assert Invitation.objects.get().status == "accepted"


def test_a_calendar_shows_its_meetings_in_the_readers_zone_and_clock():
    sam = build.user("sam", time_zone="America/New_York", hour_cycle="h12")
    calendar = build.calendar(participants=[sam], name="Choir", location="Parish hall")
    build.meeting(
        calendar=calendar,
        title="Rehearsal",
        final_time=build.day(18.5).replace(month=1, day=15, year=2031),
    )
    build.meeting(calendar=calendar, title="Concert")
    browser = browser_of(sam)

    browser.get(f"/app/calendars/{calendar.pk}/")

    shown = re.sub(r"<[^>]*>", "", browser.page.text)
    assert "Wed 15 Jan 2031, 1:30 pm–2:30 pm" in shown
    assert "Times in America/New_York" in shown
    assert "Parish hall" in shown
    assert "Concert" in shown
    assert "Answer by" in shown
    assert "Nobody has answered yet" in shown


@pytest.mark.parametrize(("path", "most"), [("/app/", 6), ("/app/calendars/{calendar.pk}/", 8)])
def test_a_page_costs_the_same_queries_however_much_it_shows(path, most):
    costs = []
    for many in (1, 5):
        sam = build.user()
        for _ in range(many):
            calendar = build.calendar(participants=[sam, *(build.user() for _ in range(many))])
            build.invitation(build.calendar(), sam)
            for _ in range(many):
                build.meeting(calendar=calendar, final_time=build.day(18))
        browser = browser_of(sam)
        with CaptureQueriesContext(connection) as asked:
            assert browser.get(path.format(calendar=calendar)).status_code == 200
        costs.append(len(asked))

    assert costs[0] == costs[1] <= most


def test_one_leaves_a_calendar_and_is_a_stranger_to_it_at_once(sam):
    calendar = build.calendar(participants=[sam])
    browser = browser_of(sam)
    browser.get(f"/app/calendars/{calendar.pk}/")

    browser.send("/remove/")

    assert browser.page.path == "/app/"
    assert not CalendarParticipant.objects.filter(calendar=calendar, user=sam).exists()
    assert browser.get(f"/app/calendars/{calendar.pk}/").status_code == 404


def test_the_owner_is_offered_no_way_to_leave():
    calendar = build.calendar(owner=build.user("mina"), participants=[build.user("sam")])
    browser = browser_of(calendar.owner)

    browser.get(f"/app/calendars/{calendar.pk}/")

    assert "/remove/" not in browser.page.text


# Mails --------------------------------------------------------------------------------------------


@pytest.fixture
def _kept_mails(settings, tmp_path):
    settings.MAILERS = {
        "default": {
            "BACKEND": "commontime.mail.backends.FileBackend",
            "OPTIONS": {"folder": str(tmp_path)},
        }
    }


@pytest.mark.usefixtures("_kept_mails")
def test_mails_kept_as_files_are_read_by_their_receiver_with_working_links():
    mina, iris = build.user("mina"), build.user("iris")
    actions.invite_person(build.calendar(owner=mina, name="Choir").pk, by=mina, receiver=iris.pk)
    outbox.deliver_due()

    shown = browser_of(iris).get("/app/mail/").text

    assert "Mina invites you to Choir" in shown
    assert '<a href="http://127.0.0.1:8000/app/">http://127.0.0.1:8000/app/</a>' in shown
    assert "No emails yet" in browser_of(mina).get("/app/mail/").text


@pytest.mark.usefixtures("_kept_mails")
def test_what_people_typed_becomes_no_link_in_a_kept_mail():
    mina, iris = build.user("mina"), build.user("iris")
    build.calendar(owner=mina, participants=[iris])
    note = "See https://evil.example/ <b>now</b>"
    actions.send_letter(by=mina, username="iris", note=note)
    outbox.deliver_due()

    shown = browser_of(iris).get("/app/mail/").text

    assert "See https://evil.example/ &lt;b&gt;now&lt;/b&gt;" in shown
    assert 'href="https://evil' not in shown


def test_the_link_that_stops_mails_changes_nothing_until_its_button_is_pressed():
    sam, mina = build.user("sam"), build.user("mina")
    link = accounts.stop_url(sam, f"mute:{mina.pk}").partition(":8000")[2]
    browser = Browser()

    browser.get(link)
    assert "Stop emails from Mina?" in browser.page.text
    assert not Mute.objects.exists()

    browser.send("/")
    assert "Done" in browser.page.text
    assert Mute.objects.get().sender == mina


# What every page carries --------------------------------------------------------------------------


@pytest.mark.parametrize("path", [*PUBLIC, *OTHERS])
def test_every_answer_carries_the_headers_that_harden_a_browser(path):
    headers = Client().get(path).headers

    policy = dict(
        part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";")
    )
    assert policy["default-src"] == "'self'"
    assert policy["form-action"] == "'self'"
    assert {policy[name] for name in ("object-src", "base-uri", "frame-ancestors")} == {"'none'"}
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    policy = "strict-origin" if path.startswith("/password_reset/MQ/") else "same-origin"
    assert headers["Referrer-Policy"] == policy
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    assert "Access-Control-Allow-Origin" not in headers


def test_pages_stay_in_no_cache(mina):
    browser = browser_of(mina)

    for path in ("/app/", "/app/mail/", "/app/nothing/"):
        headers = browser.client.get(path).headers
        assert headers["Cache-Control"] == "no-store"
        assert {"Cookie", "Authorization"} <= set(headers["Vary"].split(", "))


def test_cookies_are_for_this_site_only():
    build.user("mina")
    browser = browser_of("mina")

    session, csrf = browser.client.cookies["session"], browser.client.cookies["csrf"]
    assert session["httponly"]
    assert (session["samesite"], csrf["samesite"]) == ("Lax", "Lax")
    assert (session["path"], csrf["path"]) == ("/", "/")
    assert (session["domain"], csrf["domain"]) == ("", "")


def test_a_sign_in_ends_when_its_cookie_does(settings):
    build.user("mina")
    browser = browser_of("mina")

    session = Session.objects.get()
    assert session.ends_at - session.created_at == settings.REFRESH_IDLE
    assert browser.client.cookies["session"]["max-age"] == settings.REFRESH_IDLE.total_seconds()
    with time_machine.travel(session.ends_at):
        assert browser.client.get("/app/").status_code == 302


@pytest.mark.parametrize("path", [*PUBLIC, "/app/nothing/"])
def test_no_page_has_a_script_or_style_of_its_own_or_asks_a_third_party(path):
    shown = Client().get(path).text

    assert not re.search(
        r'<script(?! type="module" src="/static/joined/[\w+.-]+\.js"></script>)'
        r"|<style|\sstyle=|\son\w+=",
        shown,
    )
    assert all(
        link.startswith("/") or link.startswith("#")
        for link in re.findall(r'(?:href|src|action)="([^"]*)"', shown)
    )


def test_an_error_page_knows_who_is_signed_in_unless_the_database_is_away(rf, mina):
    browser = browser_of(mina)
    assert "Mina" in browser.get("/app/nothing/").text

    class Away:
        def __bool__(self) -> bool:
            raise AssertionError("A page about an outage must not ask the database.")

    request = rf.get("/app/")
    request.user = Away()
    answer = errors.unavailable(request)
    assert answer.status_code == 503
    assert "try again in a moment" in answer.text


def test_looking_at_pages_changes_nothing(mina):
    calendar = build.calendar(owner=mina)
    build.invitation(build.calendar(), mina)
    browser = browser_of(mina)
    counted = [
        model.objects.count() for model in (Session, Message, Invitation, CalendarParticipant)
    ]

    for path in (
        "/",
        "/app/",
        "/app/mail/",
        f"/app/calendars/{calendar.pk}/",
        accounts.reset_url(mina).partition(":8000")[2],
    ):
        browser.get(path)

    assert [
        model.objects.count() for model in (Session, Message, Invitation, CalendarParticipant)
    ] == counted
    assert Invitation.objects.get().status == "pending"

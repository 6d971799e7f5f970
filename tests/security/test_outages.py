"""The database or the mail server is away: cases CR-04, CR-11, PR-03 and ML-01. See
test_postgresql_away.py too.
"""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.test import Client

from chaos.outages import write_lock
from chaos.races import new_calendar
from stage.crowd import at_once
from stage.servers import wait_until
from tests import build
from tests.client import caller
from tests.security.conftest import LATE, ON_POSTGRESQL


def is_outage_for_programs(answer: Any) -> bool:
    return (
        answer.status_code,
        answer.data["code"],
        set(answer.data),
        answer.headers["Retry-After"],
    ) == (
        503,
        "unavailable",
        {"code", "detail"},
        "5",
    )


def is_outage_for_people(answer: Any) -> bool:
    page = answer.content.decode()
    return (
        answer.status_code == 503
        and answer.headers["Retry-After"] == "5"
        and "Just a moment" in page
        and "<html" in page
    )


# A lock from outside (CR-04) ----------------------------------------------------------------------


@pytest.mark.processes
def test_a_write_waits_three_seconds_for_a_lock_and_readers_do_not(site):
    alice = site.person()
    calendar = new_calendar(alice)
    answers: list[Any] = []
    writing = threading.Thread(
        target=lambda: answers.append(alice.put(calendar, {"name": "Waited"}))
    )

    with write_lock(site):
        began = time.monotonic()
        writing.start()
        time.sleep(0.2)
        read = alice.get(calendar)
        time.sleep(max(0, began + 3 - time.monotonic()))
    writing.join()

    assert read.status_code == 200
    assert read.data["name"] == "Choir"
    assert answers[0].status_code == 200
    assert time.monotonic() - began >= 3
    assert alice.get(calendar).data["name"] == "Waited"


if not ON_POSTGRESQL:  # which waits as long as it takes

    @pytest.mark.processes
    def test_a_lock_that_lasts_too_long_is_an_outage_and_passes(weak_site):
        """This site waits two seconds for SQLite, not twenty."""
        alice = weak_site.person()
        calendar = new_calendar(alice)

        with write_lock(weak_site):
            refused = at_once(
                lambda: alice.put(calendar, {"name": "Never"}),
                lambda: alice.post("/calendars/", {"name": "Never"}),
            )

        assert all(is_outage_for_programs(answer) for answer in refused)
        assert [one["name"] for one in alice.get("/calendars/").data] == ["Choir"]
        assert alice.put(calendar, {"name": "Again"}).status_code == 200


# What an outage looks like (CR-11) ----------------------------------------------------------------


@pytest.fixture
def away(monkeypatch, request, db) -> Iterator[None]:
    """While the test runs every statement fails as it does when the database is away."""

    def fail(*args: object) -> None:
        raise request.param("host 10.1.2.3, user secret, lost")

    with monkeypatch.context() as patch:
        patch.setattr(connection, "cursor", fail)
        yield


OUTAGES = pytest.mark.parametrize("away", [OperationalError, InterfaceError], indirect=True)


@OUTAGES
def test_programs_get_json_and_people_a_page_and_neither_any_detail(away):
    answers = {
        "login": caller().post("/login/", {"username": "mina", "password": build.PASSWORD}),
        "reset": caller().post("/password_reset/", {"email": "mina@example.org"}),
    }
    browser = Client(raise_request_exception=False)
    pages = {
        "sign in": browser.post(
            "/app/sign-in/", {"identifier": "mina", "password": build.PASSWORD}
        ),
        "link": browser.get("/password_reset/MQ/c0-0/", HTTP_ACCEPT="text/html"),
    }

    for name, answer in answers.items():
        assert is_outage_for_programs(answer), name
    assert is_outage_for_people(pages["sign in"])
    for name, answer in {**answers, **pages}.items():
        assert answer.status_code == 503, name
        assert "10.1.2.3" not in answer.content.decode()
        assert answer.headers["Cache-Control"] == "no-store"


@OUTAGES
def test_the_process_is_alive_but_not_ready(away):
    alive, ready = caller().get("/healthz"), caller().get("/readyz")

    assert (alive.status_code, alive.content) == (200, b"ok")
    assert is_outage_for_programs(ready)


@pytest.mark.django_db
def test_an_outage_where_a_page_keeps_its_session_is_an_outage_too(monkeypatch):
    """The session is stored after the view, by a middleware, where no view can catch it."""
    from django.contrib.sessions.backends.db import SessionStore

    build.user("mina")
    browser = Client(raise_request_exception=False)

    def fail(self: Any, *args: Any, **kwargs: Any) -> None:
        raise OperationalError("lost")

    monkeypatch.setattr(SessionStore, "save", fail)

    assert is_outage_for_people(
        browser.post("/app/sign-in/", {"identifier": "mina", "password": build.PASSWORD})
    )


@pytest.mark.django_db
@pytest.mark.parametrize("mistake", [DatabaseError("no such column"), RuntimeError("a bug")])
def test_our_own_mistakes_are_no_outage(monkeypatch, mistake):
    from commontime.accounts.actions import sign_ins

    def fail(*args: Any, **kwargs: Any) -> None:
        raise mistake

    monkeypatch.setattr(sign_ins, "sign_in", fail)
    browser = Client(raise_request_exception=False)

    program = browser.post(
        "/login/", {"username": "mina", "password": "x"}, content_type="application/json"
    )
    page = browser.post("/app/sign-in/", {"identifier": "mina", "password": "x"})

    assert (program.status_code, page.status_code) == (500, 500)
    assert program.json()["code"] == "our_mistake"
    assert "Retry-After" not in program
    assert "<html" in page.content.decode()


# The mail server is away (PR-03, ML-01) -----------------------------------------------------------


@pytest.mark.processes
def test_what_was_asked_while_the_mail_server_was_away_arrives_once_and_still_works(site):
    """The site's mail server was down when Late asked for a reset (conftest.py)."""
    if not site.sink.received:
        wait_until(lambda: site.count("mail_message", "held"))
        site.sink.start()

    mails = wait_until(
        lambda: [mail for mail in site.sink.received if mail.recipients == [f"{LATE}@example.org"]]
    )

    text = mails[0].message.get_body(("plain",)).get_content()
    link = next(word for word in text.split() if "/password_reset/" in word).partition(
        str(site.port)
    )[2]
    assert site.caller().post(link, {"password": "a wholly new password"}).status_code == 200
    wait_until(
        lambda: (
            len([mail for mail in site.sink.received if mail.recipients == [f"{LATE}@example.org"]])
            >= 2
        )
    )
    subjects = [
        mail.message["Subject"]
        for mail in site.sink.received
        if mail.recipients == [f"{LATE}@example.org"]
    ]
    assert sorted(subjects) == ["Choose a new password", "Your password has been changed"]

"""A forgotten password: cases PR-01, PR-02, PR-04 to PR-09, PR-12 to PR-15 and AU-15. PR-03 is
among the outages, PR-16 the limits.
"""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.http import urlsafe_base64_encode
from django_ox.models import OxTask

from commontime.accounts import tasks
from commontime.mail.models import Message
from tests import build
from tests.client import Caller, caller
from tests.security.test_tokens import can_refresh, is_signed_in

pytestmark = pytest.mark.django_db
NEW = "a wholly new password"


@pytest.fixture
def run_tasks(mails) -> Any:
    """Do what the worker would do: the tasks that wait, then the mails. Returns the mails that went
    out so far.
    """

    def run() -> Any:
        for task in OxTask.objects.filter(
            task_path="commontime.accounts.tasks.send_password_reset"
        ).order_by("enqueued_at"):
            tasks.send_password_reset.func(*task.args)
            task.delete()
        return mails()

    return run


def ask(address: str, **headers: str) -> Any:
    return caller().post("/password_reset/", {"email": address}, **headers)


def link_in(mail: Any) -> str:
    text = mail.message.get_body(("plain",)).get_content()
    link = re.search(r"https?://\S+(/password_reset/\S+)", text)
    assert link, text
    return link[1]


def link_for(user: User) -> str:
    uid = urlsafe_base64_encode(str(user.pk).encode())
    return f"/password_reset/{uid}/{default_token_generator.make_token(user)}/"


def use(link: str, password: str = NEW) -> Any:
    return caller().post(link, {"password": password})


def refused(answer: Any) -> bool:
    return (answer.status_code, answer.data["code"]) == (400, "invalid_or_used_token")


# Asking (PR-01, PR-02, PR-07) ---------------------------------------------------------------------


def test_asking_says_the_same_and_costs_the_same_for_everybody_and_mails_only_to_who_is_here(
    run_tasks,
):
    build.user("mina")
    build.user("gone", is_active=False)
    ask("warm@example.org")
    seen = {}
    for address in (
        "mina@example.org",
        "nobody@example.org",
        "gone@example.org",
        "MINA@Example.org",
        " mina@example.org ",
        "mina",
        "no",
    ):
        with CaptureQueriesContext(connection) as queries:
            answer = ask(address)
        statements = [query["sql"].split(" VALUES ")[0] for query in queries]
        seen[address] = (
            answer.status_code,
            answer.content,
            sorted(answer.headers.items()),
            statements,
        )

    assert {
        address for address, what in seen.items() if what != seen["nobody@example.org"]
    } == set()
    assert seen["mina"][0] == 200
    assert [mail.recipients for mail in run_tasks()] == [["mina@example.org"]] * 3


def test_asking_does_nothing_that_waits_for_a_mail_server(monkeypatch):
    """A slow mail server does not reveal whose address this is: the worker talks to it."""
    import socket

    build.user("mina")
    contacted: list[Any] = []
    monkeypatch.setattr(socket.socket, "connect", lambda self, address: contacted.append(address))

    assert ask("mina@example.org").status_code == 200

    assert not contacted
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "localhost.evil.example"},
        {"host": "a b"},
        {"host": "evil@localhost"},
    ],
)
def test_a_foreign_host_is_refused(headers, run_tasks):
    build.user("mina")

    assert ask("mina@example.org", **headers).status_code == 400
    assert caller().get("/", **headers).status_code == 400

    assert not run_tasks()


@pytest.mark.parametrize(
    "headers",
    [
        {"x_forwarded_host": "evil.example"},
        {"x_forwarded_proto": "gopher"},
        {"origin": "https://evil.example"},
    ],
)
def test_no_header_gets_into_the_link(headers, run_tasks, settings):
    build.user("mina")

    ask("mina@example.org", **headers)

    mail = run_tasks()[0]
    assert b"evil" not in mail.content
    assert (
        re.findall(r"https?://[^/\s\"<]+", mail.message.get_body(("plain",)).get_content())[0]
        == settings.COMMONTIME_BASE_URL
    )


@pytest.mark.parametrize(
    "bad", ["", None, 7, ["mina@example.org"], "mina@example.org\x00", "\ud800"]
)
def test_what_is_no_text_is_refused(bad):
    assert ask(bad).status_code == 400


@pytest.mark.parametrize(
    "odd",
    [
        "x" * 5000,
        "mina@example.org, eve@example.org",
        "mina@example.org\nBcc: eve@example.org",
        "<mina@example.org>",
    ],
)
def test_what_is_no_address_gets_the_same_answer_and_no_mail(odd, run_tasks):
    build.user("mina")

    answer = ask(odd)

    assert (answer.status_code, answer.content) == (200, ask("nobody@example.org").content)
    assert not run_tasks()


# Using the link (PR-04 to PR-06, PR-08, PR-09, PR-12, PR-15) --------------------------------------


def test_the_link_in_the_mail_works_once(run_tasks, mina):
    ask("mina@example.org")
    link = link_in(run_tasks()[0])

    first = use(link)

    assert first.status_code == 200
    assert refused(use(link, "yet another password"))
    mina.refresh_from_db()
    assert mina.check_password(NEW)


def test_of_two_links_either_ends_both(run_tasks, later):
    build.user("mina")
    links = []
    for _ in range(2):
        ask("mina@example.org")
        links.append(link_in(run_tasks()[-1]))
        later(seconds=2)

    assert use(links[0]).status_code == 200
    assert refused(use(links[1], "yet another password"))


def test_a_link_dies_after_an_hour(later):
    link = link_for(build.user("mina"))

    later(minutes=59)
    assert caller().get(link).status_code == 200
    later(minutes=2)

    assert refused(use(link))


@pytest.mark.parametrize(
    "change", [{"email": "other@example.org"}, {"password": "a password in between"}]
)
def test_a_link_dies_with_the_address_or_password_it_was_made_for(change):
    mina = caller("mina")
    link = link_for(User.objects.get())

    assert mina.post("/profile/edit/", change).status_code == 200

    assert refused(use(link))


def test_a_reset_mail_that_waited_was_sent_to_the_address_somebody_had_given_up(mails):
    """Whoever reads the old mailbox asks while the mail server is away; then the owner leaves it.
    The link is made when the mail goes out, so it was a fresh one.
    """
    mina = caller("mina")
    tasks.send_password_reset.func("mina@example.org")

    assert mina.post("/profile/edit/", {"email": "other@example.org"}).status_code == 200

    assert [mail.message["Subject"] for mail in mails()] == [
        "Confirm your email address",
        "Your email address has changed",
    ]


@pytest.mark.parametrize(
    "uid",
    [
        "-",
        "!!!",
        "LTE",
        "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5",
        "bm9ib2R5",
        "NDI0MjQy",
        "AAAA",
        "4pyT",
        "é",
        "MQ" * 3000,
        "%20",
    ],
)
def test_a_link_of_nobody_is_refused_like_any_other(uid, mina):
    token = default_token_generator.make_token(mina)

    answer = use(f"/password_reset/{uid}/{token}/")

    assert refused(answer)
    assert (
        answer.content
        == use(f"/password_reset/{urlsafe_base64_encode(str(mina.pk).encode())}/c0-0/").content
    )


def test_a_link_is_for_one_person():
    mina, sam = build.user("mina"), build.user("sam")
    crossed = link_for(mina).replace(
        urlsafe_base64_encode(str(mina.pk).encode()), urlsafe_base64_encode(str(sam.pk).encode()), 1
    )

    assert refused(use(crossed))
    sam.refresh_from_db()
    assert sam.check_password(build.PASSWORD)


def test_a_link_of_a_closed_account_is_refused(mina):
    link = link_for(mina)
    User.objects.update(is_active=False)

    assert refused(use(link))


def test_a_refused_password_leaves_the_link_usable(hashed):
    link = link_for(build.user("mina"))
    hashed.clear()

    weak = use(link, "mina")

    assert weak.status_code == 400
    assert weak.data["code"] == "invalid_input"
    assert len(weak.data["fields"]["password"]) >= 2
    assert not hashed
    assert use(link).status_code == 200


def test_looking_at_a_link_uses_nothing_up(mina):
    link = link_for(mina)

    for _ in range(10):
        assert caller().get(link).status_code == 200
        assert caller()("HEAD", link).status_code == 200

    assert use(link).status_code == 200


# What follows (AU-15, PR-13, PR-14) ---------------------------------------------------------------


def test_a_reset_ends_every_sign_in_tells_the_owner_and_signs_nobody_in(mails):
    mina = caller("mina")
    browser = Caller(user=mina.user)
    browser.client.post("/app/sign-in/", {"identifier": "mina", "password": build.PASSWORD})
    assert browser.client.get("/app/").status_code == 200

    answer = use(link_for(User.objects.get()))

    assert set(answer.data) == {"detail"}
    assert not answer.cookies
    assert not is_signed_in(mina)
    assert not can_refresh(mina.refresh)
    assert browser.client.get("/app/").status_code == 302
    assert [mail.message["Subject"] for mail in mails()] == ["Your password has been changed"]
    assert (
        caller().post("/login/", {"username": "mina", "password": build.PASSWORD}).status_code
        == 401
    )
    assert caller().post("/login/", {"username": "mina", "password": NEW}).status_code == 200


def test_the_page_behind_the_link_leaks_nothing_and_works(caplog):
    build.user("mina")
    link = link_for(User.objects.get())
    person = caller().client

    page = person.get(link)
    done = person.post(f"/app{link}", {"password": NEW})

    assert page["Referrer-Policy"] == "strict-origin"
    assert page["X-Robots-Tag"] == "noindex"
    assert page["Cache-Control"] == "no-store"
    assert page["Content-Security-Policy"].startswith("default-src 'self';")
    assert not re.findall(r"(?:src|href|action)=\"(?:https?:)?//", page.content.decode())
    assert done.status_code == 200
    assert person.get(link).status_code == 422
    token = link.rstrip("/").rpartition("/")[2]
    assert token not in caplog.text
    assert caller().post("/login/", {"username": "mina", "password": NEW}).status_code == 200


def test_the_page_says_why_a_password_is_refused():
    link = link_for(build.user("mina"))

    page = caller().client.post(f"/app{link}", {"password": "short"})

    assert page.status_code == 422
    assert "too short" in page.content.decode()
    assert use(link).status_code == 200

"""Passwords are hashed in turn, at every door, and nobody waits for a turn in a transaction."""

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction

from commontime.accounts.actions import passwords
from commontime.accounts.tasks import reset_url
from commontime.core import crowd
from commontime.core.errors import TooMany
from tests import build
from tests.client import caller

NEW = "a wholly new password"
NOVA = {"username": "nova", "email": "nova@example.org", "password": NEW}
WAIT = "Try again in a moment"


def reset_link() -> str:
    return (
        "/password_reset/"
        + reset_url(User.objects.get(username="mina")).partition("/password_reset/")[2]
    )


def sign_up() -> Any:
    return caller().post("/signup/", NOVA)


def sign_up_on_a_page() -> Any:
    return caller().client.post("/app/sign-up/", NOVA)


def reset() -> Any:
    return caller().post(reset_link(), {"password": NEW})


def reset_on_a_page() -> Any:
    return caller().client.post(f"/app{reset_link()}", {"password": NEW})


DOORS: dict[str, Callable[[], Any]] = {
    "sign-up": sign_up,
    "sign-up page": sign_up_on_a_page,
    "reset": reset,
    "reset page": reset_on_a_page,
}


@pytest.fixture
def full(monkeypatch) -> crowd.Crowd:
    """The only turn at passwords; nobody may wait for it."""
    only = crowd.Crowd(1)
    monkeypatch.setattr(crowd, "passwords", only)
    monkeypatch.setattr(crowd, "MOST_WAITING", 0)
    return only


def accounts() -> set[tuple[str, str]]:
    return set(User.objects.values_list("username", "password"))


@pytest.mark.django_db
@pytest.mark.parametrize("door", DOORS)
def test_a_new_password_was_hashed_out_of_turn(door, full, mina):
    before = accounts()

    with full.turn():
        answer = DOORS[door]()

    if "page" in door:
        assert (answer.status_code, WAIT in answer.text) == (422, True)
    else:
        assert (answer.status_code, answer["Retry-After"]) == (429, str(crowd.RETRY_AFTER))
        assert WAIT in answer.data["detail"]
    assert accounts() == before
    assert DOORS[door]().status_code in (200, 201, 302)
    assert accounts() != before


@pytest.mark.django_db
def test_a_changed_password_was_hashed_out_of_turn(full, mina):
    person, before = caller(mina), accounts()

    with full.turn():
        answer = person.post("/profile/edit/", {"password": NEW})

    assert (answer.status_code, answer["Retry-After"]) == (429, str(crowd.RETRY_AFTER))
    assert accounts() == before
    assert person.post("/profile/edit/", {"password": NEW}).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_password_was_hashed_while_everybody_waited_for_the_database(monkeypatch):
    build.user("mina")
    hashed, in_transaction = passwords.make_password, []

    def watched(password: str) -> str:
        in_transaction.append(connection.in_atomic_block)
        return hashed(password)

    monkeypatch.setattr(passwords, "make_password", watched)

    for ask in DOORS.values():
        ask()
        User.objects.filter(username="nova").delete()
    browser = caller().client
    browser.post("/app/sign-in/", {"identifier": "mina", "password": NEW})
    browser.post(
        "/app/settings/",
        {"do": "password", "password": NEW + "!", "current_password": NEW},
    )

    assert in_transaction == [False] * 5


@pytest.mark.django_db(transaction=True)
def test_whoever_is_in_a_transaction_waits_a_second_at_most(monkeypatch):
    monkeypatch.setattr(crowd, "PATIENCE_IN_TRANSACTION", 0.1)
    only, end = crowd.Crowd(1), threading.Event()

    def at_work(begun: threading.Event) -> None:
        with only.turn():
            begun.set()
            end.wait(10)

    with ThreadPoolExecutor(1) as pool:
        begun = threading.Event()
        pool.submit(at_work, begun)
        begun.wait(10)
        with transaction.atomic(), pytest.raises(TooMany), only.turn():
            pass
        end.set()


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_on_a_form_make_one_account_and_set_one_password(monkeypatch):
    """The second comes while the first hashes: no lock keeps it away any more."""
    mina, hashed = build.user("mina"), passwords.make_password
    waiting, answers = [], []

    def click(browser: Any, path: str, sent: dict[str, str]) -> None:
        answers.append(browser.post(path, sent))

    def meanwhile(password: str) -> str:
        if waiting:
            click(*waiting.pop())
        return hashed(password)

    monkeypatch.setattr(passwords, "make_password", meanwhile)
    for path, fields in (("/app/sign-up/", NOVA), (f"/app{reset_link()}", {"password": NEW})):
        browser = caller().client
        html = browser.get(path).text
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', html)
        sent = {**fields, "csrfmiddlewaretoken": token[1] if token else ""}
        waiting.append((browser, path, sent))
        answers.clear()

        click(browser, path, sent)

        assert [answer.status_code for answer in answers] in ([302] * 2, [200] * 2)
    assert User.objects.count() == 2
    mina.refresh_from_db()
    assert mina.check_password(NEW)

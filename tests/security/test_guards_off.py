"""What happens without a guard, so that the tests of the guards are known to bite. Those of races
are in test_races.py.
"""

import io
import signal
import subprocess
import sys
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError
from django.test import Client

from commontime.accounts import queries
from commontime.accounts.actions import sign_ins
from commontime.accounts.models import Session
from commontime.config import errors, wsgi
from commontime.core import limits
from stage.servers import PATIENCE
from tests import build
from tests.client import caller
from tests.security.test_tokens import is_signed_in

pytestmark = pytest.mark.django_db


def test_without_the_host_check_a_foreign_host_is_answered(settings):
    settings.MIDDLEWARE = [
        name for name in settings.MIDDLEWARE if not name.endswith("HostMiddleware")
    ]

    assert (
        caller()
        .post("/password_reset/", {"email": "mina@example.org"}, host="evil.example")
        .status_code
        == 200
    )


def test_without_the_look_at_its_depth_json_kills_a_thread_with_granians_stack():
    program = (
        "import sys, threading, msgspec\n"
        "threading.stack_size(2 * 1024 * 1024)\n"
        "thread = threading.Thread(target=msgspec.json.decode, args=(b'[' * 100_000,))\n"
        "thread.start(); thread.join(); print('survived')"
    )

    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )

    assert done.returncode == -signal.SIGSEGV
    assert "survived" not in done.stdout


@pytest.mark.django_db(transaction=True)  # a whole request closes its connection
def test_without_gathering_a_body_in_pieces_is_empty():
    build.user("mina")
    body = f'{{"username": "mina", "password": "{build.PASSWORD}"}}'.encode()
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/login/",
        "HTTP_HOST": "localhost",
        "CONTENT_TYPE": "application/json",
        "HTTP_TRANSFER_ENCODING": "chunked",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
    }
    heard: list[str] = []

    for application in (wsgi.application, wsgi._django):
        application(
            {**environ, "wsgi.input": io.BytesIO(body)},
            lambda status, headers: heard.append(status),
        )

    assert [status[:3] for status in heard] == ["200", "400"]


def test_without_the_session_table_a_signed_token_would_outlive_its_sign_in(monkeypatch):
    mina = caller("mina")
    session = Session.objects.get()
    remembered = queries.signed_in(session.pk, epoch=session.epoch, joins=[None, None])
    mina.post("/logout/", {"refresh_token": mina.refresh})
    assert not is_signed_in(mina)

    monkeypatch.setattr(queries, "signed_in", lambda *args, **kwargs: remembered)

    assert is_signed_in(mina)


def test_without_the_limit_passwords_are_compared_for_ever(monkeypatch, hashed):
    build.user("mina")
    monkeypatch.setattr(limits, "count_each", lambda *uses: [0] * len(uses))
    hashed.clear()

    for _ in range(15):
        assert (
            caller().post("/login/", {"username": "mina", "password": "wrong"}).status_code == 401
        )

    assert len(hashed) == 15


def test_without_somebody_nobody_is_a_name_that_is_not_there_would_be_known_by_its_work(
    monkeypatch, hashed
):
    monkeypatch.setattr(sign_ins, "_nobodys_password", lambda: "")
    monkeypatch.setattr(
        sign_ins,
        "check_password",
        lambda password, encoded: bool(encoded) and hashed.append(password),
    )
    build.user("mina")
    hashed.clear()

    for name in ("mina", "nobody"):
        caller().post("/login/", {"username": name, "password": "wrong"})

    assert hashed == ["wrong"]


@pytest.mark.parametrize(
    "error", [OperationalError("lost"), IntegrityError("FOREIGN KEY constraint failed")]
)
def test_without_their_translation_outages_and_clashes_are_our_mistakes(monkeypatch, error):
    def fail(*args: object, **kwargs: object) -> None:
        raise error

    monkeypatch.setattr(sign_ins, "sign_in", fail)
    browser = Client(raise_request_exception=False)

    def status() -> int:
        return browser.post(
            "/login/", {"username": "mina", "password": "x"}, content_type="application/json"
        ).status_code

    assert status() in (503, 409)
    monkeypatch.setattr(errors, "of_the_database", lambda *about: None)
    assert status() == 500

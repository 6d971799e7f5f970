"""Fixtures: a running product, one with its guards off, time, and outgoing mails."""

import contextlib
import os
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth import hashers

from commontime.accounts.actions import sign_ins
from commontime.config.settings import mailer
from commontime.mail import outbox
from stage.servers import Site, open_site
from stage.sink import Received, Sink

LATE = "late"
ON_POSTGRESQL = os.environ.get("DATABASE_URL", "").startswith("postgres")
# On SQLite there is no server that could go away.
collect_ignore = [] if ON_POSTGRESQL else ["test_postgresql_away.py"]


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """The product as its user runs it. While it starts its mail server is down, and somebody asks
    for a reset mail (ML-01, PR-03).
    """
    with open_site(start=False, COMMONTIME_LIMIT_RESET_TRY="100000") as running:
        running.sink.stop()
        running.start()
        late = running.person(LATE)
        late.post("/password_reset/", {"email": f"{LATE}@example.org"})
        yield running


@pytest.fixture(scope="session")
def weak_site() -> Iterator[Site]:
    """The product with its guards against races off (weakened.py): the tests must notice."""
    weak = {
        "application": "tests.security.weak_wsgi:application",
        "DJANGO_SETTINGS_MODULE": "tests.security.weak_settings",
    }
    with open_site(start=False, **weak) as running:
        running.manage(
            "shell",
            "--no-imports",
            "-c",
            "from tests.security import weakened; weakened.drop_constraints()",
        )
        running.start("web")
        yield running


@pytest.fixture
def later() -> Iterator[Callable[..., None]]:
    """Let time pass: `later(minutes=11)`."""
    with contextlib.ExitStack() as stack:
        traveller = stack.enter_context(time_machine.travel(_now(), tick=True))
        yield lambda **span: traveller.shift(timedelta(**span))


def _now():
    from django.utils import timezone

    return timezone.now()


@pytest.fixture
def mails(settings) -> Iterator[Callable[[], list[Received]]]:
    """Call it to deliver mails as the worker would; it returns all that the server received."""
    sink = Sink()
    sink.start()
    settings.MAILERS = {"default": mailer(sink.url)}

    def deliver() -> list[Received]:
        while outbox.deliver_due():
            pass
        return sink.received

    yield deliver
    sink.stop()


@pytest.fixture
def hashed(monkeypatch) -> list[str]:
    """Every password that was hashed or compared, in order.

    That is the work an attacker can cause, and what takes the time of a sign-in.
    """
    sign_ins._nobodys_password.cache_clear()  # a test before may have made it with a quicker hasher
    sign_ins._nobodys_password()
    passwords: list[str] = []
    real = hashers.get_hasher("default").__class__

    def counted(name: str):
        original = getattr(real, name)

        def call(self, password, *args):
            passwords.append(password)
            return original(self, password, *args)

        return call

    for name in ("encode", "verify"):
        monkeypatch.setattr(real, name, counted(name))
    return passwords

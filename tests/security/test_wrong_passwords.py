"""Guessing from many networks: what is counted beyond one network, and who is never locked out."""

import importlib
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings as configured
from django.db import connection
from django.test.utils import CaptureQueriesContext

from commontime.accounts.actions import tries
from commontime.accounts.models import KnownNetwork
from commontime.accounts.tasks import reset_url
from commontime.core import limits
from commontime.core.models import Throttle
from tests import build
from tests.client import Caller, caller
from tests.security.test_limits import ELSEWHERE, HERE, attempt

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_passwords")]
DOORS = ["/login/", "/token/", "/app/sign-in/"]
OTHER = {"REMOTE_ADDR": "198.51.100.77"}
NEW = "a wholly new password"


def guess(name: str, count: int, *, first: int = 0) -> None:
    """Try a wrong password so often, ten times from each network."""
    for number in range(first, first + count):
        network = number // 10
        address = f"203.0.{network // 250}.{network % 250}"
        assert attempt(name, "a guess", REMOTE_ADDR=address) == 401


@pytest.fixture
def few(settings) -> None:
    """Few tries use up what is counted over all networks."""
    settings.LIMITS = {**settings.LIMITS, "password_day": (20, 86400)}


def entered(status: int) -> bool:
    return status in (200, 302)


# Over all networks --------------------------------------------------------------------------------


def test_after_many_wrong_passwords_a_strange_network_has_three_tries_a_day(few, later):
    build.user("mina")
    assert entered(attempt("mina", build.PASSWORD))
    guess("mina", 19)
    assert [attempt("mina", **OTHER) for _ in range(5)] == [401] * 5
    assert entered(attempt("mina", build.PASSWORD, **HERE))

    tried = [attempt("mina", **ELSEWHERE) for _ in range(3)]

    assert tried == [401] * 3
    for path in DOORS:
        assert attempt("mina", build.PASSWORD, path=path, **ELSEWHERE) in (401, 422)
        assert entered(attempt("mina", build.PASSWORD, path=path))  # where she signed in before
        assert attempt("mina", build.PASSWORD, path=path, **OTHER) in (401, 422)
    later(hours=25)
    assert entered(attempt("mina", build.PASSWORD, **ELSEWHERE))


def test_500_wrong_passwords_a_day_are_many():
    assert configured.LIMITS["password_day"] == (500, 86400)
    assert configured.LIMITS["password_stranger"] == (3, 86400)


def test_the_right_password_is_one_of_the_three_tries(few):
    build.user("mina")
    guess("mina", 25)

    assert [attempt("mina", **ELSEWHERE) for _ in range(2)] == [401] * 2
    assert [attempt("mina", build.PASSWORD, **ELSEWHERE) for _ in range(5)] == [200] * 5
    assert attempt("mina") == 401


def test_without_the_slow_count_a_strange_network_has_ten_tries_in_15_minutes(few, monkeypatch):
    build.user("mina")
    guess("mina", 25)
    monkeypatch.setattr(tries, "is_refused", lambda *args: False)

    assert [attempt("mina", **ELSEWHERE) for _ in range(9)] == [401] * 9
    assert attempt("mina", build.PASSWORD, **ELSEWHERE) == 200


def test_names_and_addresses_count_together_for_an_account(few):
    build.user("mina")
    guess("mina", 10)
    guess("mina@example.org", 15, first=100)

    assert [attempt("MINA", **ELSEWHERE) for _ in range(3)] == [401] * 3
    assert attempt("mina@example.org", build.PASSWORD, **ELSEWHERE) == 401


def test_who_is_refused_slowly_looks_and_works_like_a_name_that_nobody_has(few, hashed):
    build.user("mina")
    build.user("gone", is_active=False)
    assert entered(attempt("mina", build.PASSWORD))
    for name in ("mina", "nobody", "gone"):
        guess(name, 21)
    asked = {}

    for name, password, environ in (
        ("nobody", "wrong", ELSEWHERE),
        ("mina", "wrong", ELSEWHERE),
        ("mina@example.org", "wrong", ELSEWHERE),
        ("gone", build.PASSWORD, ELSEWHERE),
        ("mina", "wrong", HERE),
    ):
        for path in DOORS:
            for number in range(5):
                hashed.clear()
                with CaptureQueriesContext(connection) as queries:
                    status = attempt(name, password, path=path, **environ)
                work = [query["sql"].split(" WHERE ")[0][:60] for query in queries]
                asked[name, environ["REMOTE_ADDR"], path, number] = (
                    status,
                    len(hashed),
                    [w for w in work if "INSERT" in w or "SELECT" in w],
                )

    kinds: dict[Any, set[Any]] = {}
    for (_name, _from, path, number), what in asked.items():
        kinds.setdefault((path, number), set()).add(repr(what))
    assert {key: len(what) for key, what in kinds.items() if len(what) > 1} == {}


def test_a_new_password_starts_a_new_count(few, mina):
    guess("mina", 21)
    for _ in range(4):
        attempt("mina", **ELSEWHERE)
    path = reset_url(mina).partition("/password_reset/")[2]
    assert attempt("mina", build.PASSWORD, **ELSEWHERE) == 401

    answer = caller().client.post(
        f"/password_reset/{path}", {"password": NEW}, content_type="application/json", **ELSEWHERE
    )

    assert answer.status_code == 200
    assert attempt("mina", NEW, **ELSEWHERE) == 200


def test_invented_names_filled_the_table(monkeypatch, later):
    monkeypatch.setattr(tries, "NOBODYS", 4)
    for number in range(30):
        attempt(f"invented{number}")

    later(minutes=61)
    limits.forget_old()

    # This is counted for a day: over all networks, and from this one.
    assert 0 < Throttle.objects.count() <= 2 * 4


# One IPv6 network of a customer -------------------------------------------------------------------


def test_an_ipv6_48_had_65536_counters():
    build.user("mina")
    assert attempt("mina", build.PASSWORD, REMOTE_ADDR="2001:db8:1:fffe::1") == 200
    for number in range(50):
        assert attempt("mina", REMOTE_ADDR=f"2001:db8:1:{number:x}::1") == 401

    for path in DOORS:
        again = attempt("mina", build.PASSWORD, path=path, REMOTE_ADDR="2001:db8:1:aaaa::1")
        assert not entered(again)
        known = attempt("mina", build.PASSWORD, path=path, REMOTE_ADDR="2001:db8:1:fffe::2")
        assert entered(known)
    assert attempt("mina", build.PASSWORD, REMOTE_ADDR="2001:db8:2::1") == 200
    assert attempt("mina", build.PASSWORD) == 200


def test_a_strange_48_has_three_tries_and_not_each_64(few):
    build.user("mina")
    guess("mina", 21)

    for number in range(3):
        assert attempt("mina", REMOTE_ADDR=f"2001:db8:1:{number}::1") == 401

    assert attempt("mina", build.PASSWORD, REMOTE_ADDR="2001:db8:1:9::1") == 401
    assert attempt("mina", build.PASSWORD, REMOTE_ADDR="2001:db8:2:9::1") == 200


# Devices that are signed in -----------------------------------------------------------------------


def change_password(mina: Caller, current: str, address: str) -> int:
    """Change the password, and return the status."""
    return mina.client.post(
        "/profile/edit/",
        {"password": NEW, "current_password": current},
        content_type="application/json",
        HTTP_AUTHORIZATION=f"Bearer {mina.access}",
        REMOTE_ADDR=address,
    ).status_code


def test_a_stolen_sign_in_guessed_the_password_from_many_networks():
    mina = caller("mina")

    tried = [change_password(mina, "wrong", f"203.0.113.{n}") for n in range(12)]

    assert tried == [403] * 10 + [429] * 2
    assert change_password(mina, build.PASSWORD, "203.0.113.99") == 429
    assert attempt("mina", build.PASSWORD) == 200


def test_a_device_that_is_signed_in_is_known_everywhere_and_its_wrong_passwords_count(few):
    mina = caller("mina")
    for number in range(10):
        change_password(mina, "wrong", f"203.0.113.{number}")
    guess("mina", 11)
    assert [attempt("mina", **ELSEWHERE) for _ in range(4)] == [401] * 4

    other = Caller(user=mina.user).sign_in()
    assert change_password(other, build.PASSWORD, ELSEWHERE["REMOTE_ADDR"]) == 200


def test_deleting_an_account_asks_for_the_password_from_wherever_it_is_signed_in(few):
    mina = build.user("mina")
    browser = Caller(user=mina).client
    browser.post("/app/sign-in/", {"identifier": "mina", "password": build.PASSWORD}, **HERE)
    guess("mina", 21)
    for _ in range(4):
        attempt("mina", **ELSEWHERE)

    answer = browser.post(
        "/app/settings/delete/", {"current_password": build.PASSWORD}, **ELSEWHERE
    )

    assert answer.status_code == 302
    assert not type(mina).objects.filter(pk=mina.pk).exists()


# What is kept of networks -------------------------------------------------------------------------


def test_a_hundred_networks_are_kept_the_last_ones(settings, later):
    settings.KNOWN_NETWORKS = 3
    build.user("mina")
    for number in range(5):
        assert attempt("mina", build.PASSWORD, REMOTE_ADDR=f"203.0.113.{number}") == 200
        later(minutes=number + 1)

    assert attempt("mina", build.PASSWORD, REMOTE_ADDR="203.0.113.4") == 200

    hashes = set(KnownNetwork.objects.values_list("network_hash", flat=True))
    assert len(hashes) == configured.KNOWN_NETWORKS == 3
    assert not any("203.0" in each for each in hashes)


def test_the_sign_ins_before_the_upgrade_say_which_networks_are_known(few):
    build.user("mina")
    for address in ("192.0.2.7", "192.0.2.7", "2001:db8:1:2::3"):
        attempt("mina", build.PASSWORD, REMOTE_ADDR=address)
    KnownNetwork.objects.all().delete()

    migration = importlib.import_module("commontime.accounts.migrations.0007_known_networks")
    migration.remember_sign_ins(apps, None)

    assert KnownNetwork.objects.count() == 2
    guess("mina", 21)
    assert [attempt("mina") for _ in range(4)] == [401] * 4
    assert attempt("mina", build.PASSWORD) == 200
    assert attempt("mina", build.PASSWORD, REMOTE_ADDR="2001:db8:1:2::4") == 200

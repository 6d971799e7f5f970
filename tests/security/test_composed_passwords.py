"""One password typed on two devices, which compose its letters differently, is one password."""

import io
import time
import unicodedata
from typing import Any

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher, PBKDF2PasswordHasher
from django.contrib.auth.models import User
from django.core.management import call_command

from commontime.accounts.actions import sign_ins
from commontime.accounts.models import Session
from tests import build
from tests.client import Caller, caller
from tests.security.test_password_reset import link_for
from tests.security.test_sign_in import sign_in, sign_up
from tests.security.test_tokens import is_signed_in

pytestmark = pytest.mark.django_db
COMPOSED = "Zoë trägt Äpfel"
DECOMPOSED = unicodedata.normalize("NFD", COMPOSED)
TYPED = [(COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED), ("ｆｕｌｌ　ｗｉｄｔｈ", "full width")]


def person(password: str) -> User:
    return build.user("mina", password=password)


def hashed_before(password: str) -> User:
    """Return somebody whose password was hashed as typed, as it was done before."""
    mina = build.user("mina")
    User.objects.filter(pk=mina.pk).update(
        password=Argon2PasswordHasher().encode(password, "a salt of 16 characters")
    )
    mina.refresh_from_db()
    return mina


def browser_signs_in(password: str) -> int:
    answer = caller().client.post("/app/sign-in/", {"identifier": "mina", "password": password})
    return answer.status_code


@pytest.mark.parametrize(("first", "then"), TYPED)
def test_it_signs_in_at_both_doors(first, then):
    assert sign_up(username="mina", password=first).status_code == 201

    assert sign_in("mina", then).status_code == 200
    assert browser_signs_in(then) == 302


@pytest.mark.parametrize(("first", "then"), TYPED)
def test_it_proves_who_changes_the_password(first, then, later):
    mina = Caller(user=person(first)).sign_in(password=first)
    later(minutes=11)
    mina.access = caller().post("/token/refresh/", {"refresh": mina.refresh}).data["access"]

    answer = mina.post("/profile/edit/", {"password": first + " 2", "current_password": then})

    assert answer.status_code == 200
    assert sign_in("mina", then + " 2").status_code == 200


@pytest.mark.parametrize(("first", "then"), TYPED)
def test_it_opens_the_account_after_a_reset_and_deletes_it(first, then, mina):
    assert caller().post(link_for(mina), {"password": first}).status_code == 200

    browser = caller().client
    browser.post("/app/sign-in/", {"identifier": "mina", "password": then})
    browser.post("/app/settings/delete/", {"current_password": then})

    assert not User.objects.exists()


def test_it_opens_the_account_an_operator_made(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{DECOMPOSED}\n"))
    call_command("create_account", "mina", "mina@example.org", stdout=io.StringIO())

    assert sign_in("mina", COMPOSED).status_code == 200


@pytest.mark.parametrize("typed", [DECOMPOSED, COMPOSED])
def test_a_hash_made_of_the_text_as_typed_still_opens_and_nobody_is_signed_out(typed):
    mina = hashed_before(typed)
    browser = Caller(user=mina).sign_in(password=typed)

    again = sign_in("mina", typed)

    assert again.status_code == 200
    assert User.objects.get().password == mina.password
    assert Session.objects.filter(ended_at=None).count() == 2
    assert is_signed_in(browser)


@pytest.mark.parametrize(("hashed", "typed"), [*TYPED, (DECOMPOSED, DECOMPOSED)])
def test_a_hash_of_djangos_own_was_compared_with_the_text_as_typed_only(hashed, typed):
    mina = build.user("mina")
    normal = hashed if hashed == typed else unicodedata.normalize("NFKC", hashed)
    User.objects.filter(pk=mina.pk).update(
        password=PBKDF2PasswordHasher().encode(normal, "salt", iterations=1000)
    )

    assert sign_in("mina", typed).status_code == 200
    assert sign_in("mina", hashed).status_code == 200
    assert sign_in("mina", "wrong").status_code == 401


@pytest.fixture
def comparisons(monkeypatch) -> list[str]:
    """Every text that was compared with a hash: the work of a sign-in."""
    sign_ins._nobodys_password.cache_clear()  # a test before may have used a quicker hasher
    compared: list[str] = []
    real = Argon2PasswordHasher.verify

    def verify(self: Any, password: str, encoded: str) -> bool:
        compared.append(password)
        return real(self, password, encoded)

    monkeypatch.setattr(Argon2PasswordHasher, "verify", verify)
    return compared


@pytest.mark.parametrize(("wrong", "tries"), [("wrong", 1), (DECOMPOSED, 2)])
def test_a_wrong_password_costs_the_same_for_everybody(comparisons, wrong, tries):
    build.user("mina")
    build.user("gone", is_active=False)
    for name in ("mina", "nobody", "gone"):
        comparisons.clear()
        assert sign_in(name, wrong).status_code == 401
        assert len(comparisons) == tries


@pytest.mark.parametrize(
    "bad",
    [
        "ｐａｓｓｗｏｒｄ１２３",  # common
        "１２３４５６７８９０１２",  # only digits
        "ﬃﬃﬃ",  # three characters, nine once normalised
    ],
)
def test_lists_judge_it_normalised_and_lengths_as_typed(bad):
    answer = sign_up(password=bad)

    assert (answer.status_code, set(answer.data["fields"])) == (400, {"password"})


@pytest.mark.timeout(20, func_only=True)
@pytest.mark.parametrize("field", ["username", "password"])
def test_a_run_of_marks_that_takes_minutes_to_normalise_is_refused_at_once(field):
    marks = "a" + "\u0300\u0316" * 75_000
    body = {"username": "mina", "password": "wrong", field: marks}

    assert caller().post("/login/", body).status_code == 401
    assert sign_up(**{field: marks}).status_code == 400


@pytest.mark.timeout(60, func_only=True)
@pytest.mark.parametrize("field", ["username", "first_name", "last_name", "email"])
def test_a_name_without_end_was_compared_with_the_password_word_by_word(field):
    """One sign-up took twelve seconds."""
    names = {"username": "mina", "email": "mina@example.org", field: "a " * 200_000}
    began = time.process_time()

    answer = caller().post("/signup/", {**names, "password": "zzqqwwvvy"})

    assert answer.status_code == 400
    assert list(answer.data["fields"]) == [field]
    assert time.process_time() - began < 2

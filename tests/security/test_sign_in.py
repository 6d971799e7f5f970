"""Signing up and in, and changing the password: cases AU-02, AU-14, AU-22, AU-24 and AU-25."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from commontime.accounts.actions import profiles, sign_ins
from commontime.accounts.actions import settings as account_settings
from commontime.accounts.models import UserSetting
from commontime.accounts.queries import SignIn
from commontime.core.clients import Client
from commontime.core.errors import Unidentified
from tests import build
from tests.client import Caller, caller
from tests.security.test_tokens import can_refresh, is_signed_in

pytestmark = pytest.mark.django_db
HERE = Client("192.0.2.7")
NEW = "a wholly new password"


def account(**changes: Any) -> dict[str, Any]:
    return {
        "username": "new",
        "email": "new@example.org",
        "first_name": "",
        "last_name": "",
        "password": build.PASSWORD,
        **changes,
    }


def sign_up(**changes: Any) -> Any:
    return caller().post("/signup/", account(**changes))


def sign_in(name: str, password: str) -> Any:
    return caller().post("/login/", {"username": name, "password": password})


# Every failure is the same (AU-02) ----------------------------------------------------------------


@pytest.fixture
def failures() -> dict[str, tuple[str, str]]:
    build.user("mina")
    build.user("gone", is_active=False)
    keyless = build.user("keyless")
    keyless.set_unusable_password()
    keyless.save()
    return {
        "wrong password": ("mina", "wrong"),
        "wrong password of an address": ("mina@example.org", "wrong"),
        "nobody": ("nobody", "wrong"),
        "nobody's address": ("nobody@example.org", "wrong"),
        "deactivated, right password": ("gone", build.PASSWORD),
        "deactivated, wrong password": ("gone", "wrong"),
        "no password at all": ("keyless", "wrong"),
    }


@pytest.mark.parametrize("path", ["/login/", "/token/"])
def test_every_failure_looks_the_same_and_takes_the_same_work(failures, hashed, path):
    sign_in("warm up", "x")
    seen = {}
    for name, (identifier, password) in failures.items():
        hashed.clear()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            answer = caller().post(path, {"username": identifier, "password": password})
        statements = [query["sql"].split(" WHERE ")[0].split(" VALUES ")[0] for query in queries]
        seen[name] = (
            answer.status_code,
            answer.content,
            sorted(answer.headers.items()),
            len(hashed),
            statements,
        )

    first = seen["nobody"]
    assert first[0] == 401
    assert first[3] == 1
    assert {name for name, what in seen.items() if what != first} == set()


def test_the_page_treats_every_failure_the_same(failures, hashed):
    sign_in("warm up", "x")
    seen = {}
    for name, (identifier, password) in failures.items():
        hashed.clear()
        answer = caller().client.post(
            "/app/sign-in/", {"identifier": identifier, "password": password}
        )
        body = re.sub(
            r'value="\w{64}"', "", answer.content.decode().replace(identifier, "")
        )  # the CSRF token
        seen[name] = (answer.status_code, body, len(hashed))

    assert set(seen.values()) == {seen["nobody"]}
    assert seen["nobody"][2] == 1


def test_the_right_password_costs_one_hash_too(hashed):
    build.user("mina")
    hashed.clear()

    assert sign_in("mina", build.PASSWORD).status_code == 200

    assert len(hashed) == 1


# One name, one person (AU-22, AU-24) --------------------------------------------------------------


@pytest.mark.parametrize(
    "taken",
    [
        {"username": "Alice"},
        {"username": "ALICE"},
        {"username": "ａlice"},
        {"username": " alice "},
        {"email": "Alice@Example.ORG"},
        {"email": "ALICE@example.org"},
        {"username": "new@example.org", "email": "alice@example.org"},
    ],
)
def test_a_name_or_address_in_another_spelling_is_taken(taken):
    build.user("alice")

    answer = sign_up(**taken)

    assert answer.status_code == 400
    assert set(answer.data["fields"]) <= {"username", "email"}
    assert User.objects.count() == UserSetting.objects.count() == 1


def test_the_database_refuses_a_second_spelling_too():
    from django.db import IntegrityError, transaction

    build.user("alice")

    for fields in ({"username": "ALICE"}, {"username": "other", "email": "Alice@Example.org"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            User.objects.create(**fields)


@pytest.mark.parametrize(
    "name",
    [
        "аlice",  # a Cyrillic a
        "alicе",  # a Cyrillic e
        "alοice",  # a Greek omicron
        "ali\u200dce",
        "ali\u200bce",
        "alice\u202e",
        "\u2066alice",
        "ali\u00adce",
        "alice\ufe0f",
        "ali\u3164ce",
        "alice\n",
        "ali\x00ce",
        "ali ce",
    ],
)
def test_a_name_that_could_pass_for_another_is_refused(name):
    build.user("alice")
    eve = caller("eve")

    answer = sign_up(username=name)

    # Blanks and line ends around a name are cut off; then it is simply taken.
    assert answer.status_code == 400
    assert User.objects.count() == 2
    if name.isprintable():
        assert eve.get(f"/calendars/get-user-id/{name}/").status_code == 404


@pytest.mark.parametrize(
    "name",
    ["алиса", "Αλίκη", "אליס", "爱丽丝", "ありすアリス漢字", "앨리스", "zoë.o-brien+1", "mina_2"],
)
def test_a_name_in_one_script_is_welcome(name):
    answer = sign_up(username=name)

    assert answer.status_code == 201
    assert answer.data["username"] == name
    assert sign_in(name.upper(), build.PASSWORD).status_code == 200


# Passwords (AU-25) --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bad",
    [
        "short67",
        "password",
        "12345678",
        "29384756102938",
        "new@example.org",
        "",
        "x" * 4097,
        "x" * 900_000,
        "Ⅷ" * 100_000,
    ],
)
def test_a_refused_password_is_never_hashed(bad, hashed):
    hashed.clear()

    answer = sign_up(password=bad)

    assert answer.status_code == 400
    assert set(answer.data["fields"]) == {"password"}
    assert answer.data["fields"]["password"]
    assert (
        not hashed
    )  # and it ends: a comparison of all pairs of letters would outlast the test's time limit
    assert not User.objects.exists()


def test_a_body_of_more_than_a_megabyte_is_too_large():
    assert sign_up(password="x" * 1_000_001).status_code == 413


@pytest.mark.parametrize(
    "good",
    [
        "x7!kQ" * 13,
        "x7!kQ" * 25,
        "x7!kQ" * 819,
        "        ",
        " leading and trailing ",
        "🦉🦊🐻🐼🐨🐯🦁🐮",
        "пароль с пробелами",
        "e\u0301tude e\u0301tude",
    ],
    ids=["64", "125", "4095", "blanks", "around", "emoji", "cyrillic", "decomposed"],
)
def test_a_password_is_kept_to_the_letter(good):
    assert sign_up(password=good).status_code == 201

    assert sign_in("new", good).status_code == 200
    for near in {good.strip(), good + " ", good[:-1], good.upper(), good[:72]} - {good}:
        assert sign_in("new", near).status_code in (400, 401)


# A new password (AU-14) ---------------------------------------------------------------------------


def test_a_new_password_ends_every_sign_in_and_tells_once(mails):
    mina = caller("mina")
    others = [Caller(user=mina.user).sign_in() for _ in range(3)]
    browser = Caller(user=mina.user)
    browser.client.post("/app/sign-in/", {"identifier": "mina", "password": build.PASSWORD})

    answer = mina.post("/profile/edit/", {"password": NEW})

    assert answer.status_code == 200
    for old in (mina, *others):
        assert not is_signed_in(old)
        assert not can_refresh(old.refresh)
    assert browser.client.get("/app/").status_code == 302
    assert is_signed_in(mina, answer.data["access"])
    assert can_refresh(answer.data["refresh"])
    assert sign_in("mina", build.PASSWORD).status_code == 401
    assert sign_in("mina", NEW).status_code == 200
    assert [(mail.recipients, mail.message["Subject"]) for mail in mails()] == [
        (["mina@example.org"], "Your password has been changed")
    ]


def test_a_new_password_needs_a_fresh_sign_in_or_the_old_one(later):
    mina = caller("mina")
    later(minutes=11)
    mina.access = caller().post("/token/refresh/", {"refresh": mina.refresh}).data["access"]

    for body in (
        {"password": NEW},
        {"email": "other@example.org"},
        {"password": NEW, "current_password": "wrong"},
    ):
        answer = mina.post("/profile/edit/", body)
        assert (answer.status_code, answer.data["code"]) == (403, "reauth_required")
    assert mina.post("/profile/edit/", {"first_name": "Minna"}).status_code == 200
    assert User.objects.get().email == "mina@example.org"

    assert (
        mina.post(
            "/profile/edit/", {"password": NEW, "current_password": build.PASSWORD}
        ).status_code
        == 200
    )


def test_an_edit_that_began_before_a_new_password_does_not_bring_the_old_one_back(mina):
    """Somebody with an old sign-in edits a name while the owner changes the password."""
    attacker, owner = build.sign_in(mina), build.sign_in(mina)

    edit(owner, password=NEW)
    for changes in (
        {"first_name": "Eve"},
        {"password": build.PASSWORD},
        {"email": "eve@example.org"},
    ):
        with pytest.raises(Unidentified):
            edit(attacker, **changes)

    mina.refresh_from_db()
    assert mina.check_password(NEW)
    assert (mina.first_name, mina.email) == ("Mina", "mina@example.org")


def test_two_edits_at_once_both_have_their_effect(mina):
    one, other = build.sign_in(mina), build.sign_in(mina)

    edit(one, first_name="Minna")
    edit(other, last_name="Ek", username="minna")

    mina.refresh_from_db()
    assert (mina.username, mina.first_name, mina.last_name) == ("minna", "Minna", "Ek")


def test_a_sign_in_that_was_checked_before_a_new_password_is_dead(mina):
    """The password is compared for a while; meanwhile it is changed."""
    checked = User.objects.get(pk=mina.pk)
    edit(build.sign_in(mina), password=NEW)

    opened = sign_ins.open_session(checked, door="api", client=HERE)

    from commontime.api import tokens

    pair = tokens.pair_for(opened)
    assert not is_signed_in(caller(), pair["access"])
    assert not can_refresh(pair["refresh"])


@pytest.mark.parametrize("change", [{"time_zone": "Europe/Berlin"}, {"muted": []}])
def test_settings_that_were_read_before_a_new_name_do_not_bring_the_old_one_back(change, mina):
    early = User.objects.select_related("usersetting").get(pk=mina.pk)
    feed = account_settings.rotate_feed(mina)
    edit(build.sign_in(mina), username="minna")

    account_settings.change_settings(early, **change)

    assert sign_in("minna", build.PASSWORD).status_code == 200
    assert sign_in("mina", build.PASSWORD).status_code == 401
    assert sign_up(username="mina").status_code == 201
    from commontime.accounts.queries import hashed

    assert UserSetting.objects.get(user=mina).feed_hash == hashed(feed)


def test_an_account_made_by_a_command_can_sign_in_and_keep_settings():
    User.objects.create_superuser("root", "root@example.org", build.PASSWORD)

    root = caller()
    root.access = sign_in("root", build.PASSWORD).data["access"]
    assert root.put("/profile/settings/", {"time_zone": "Europe/Berlin"}).status_code == 200
    assert root.post("/profile/edit/", {"username": "admin"}).status_code == 200

    assert sign_in("ADMIN", build.PASSWORD).status_code == 200
    assert UserSetting.objects.get().time_zone == "Europe/Berlin"


def edit(sign_in: SignIn, **changes: str) -> None:
    """Change the profile in a request that came with this sign-in."""
    profiles.edit_profile(sign_in.user, by=sign_in.user, sign_in=sign_in, client=HERE, **changes)


@pytest.mark.parametrize("path", ["/login/", "/token/"])
def test_who_signed_in_from_where_was_not_logged(path, caplog):
    mina = build.user("mina")

    with caplog.at_level("INFO"):
        caller().post(path, {"username": "mina", "password": build.PASSWORD})

    assert f"Signed in: user {mina.pk} from 127.0.0.1 by api" in caplog.text
    assert "mina" not in caplog.text
    assert build.PASSWORD not in caplog.text

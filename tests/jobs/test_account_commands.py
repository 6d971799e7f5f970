"""What an operator does with accounts from the terminal."""

import io
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from tests import build
from tests.client import Caller, caller

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_passwords")]


def run(*arguments: str) -> str:
    output = io.StringIO()
    call_command(*arguments, stdout=output)
    return output.getvalue()


@pytest.fixture
def typed(monkeypatch) -> Callable[..., None]:
    """Let the operator type passwords, or pipe one in."""

    def answer(*passwords: str, at_terminal: bool = True) -> None:
        replies = iter(passwords)
        monkeypatch.setattr("getpass.getpass", lambda prompt: next(replies))
        stdin = io.StringIO(
            "" if at_terminal else "".join(f"{password}\n" for password in passwords)
        )
        stdin.isatty = lambda: at_terminal
        monkeypatch.setattr("sys.stdin", stdin)

    return answer


# Closing and opening (AU-16, AU-18) ---------------------------------------------------------------


def browser_of(name: str) -> Client:
    browser = Client()
    browser.post("/app/sign-in/", {"identifier": name, "password": build.PASSWORD})
    assert browser.get("/app/").status_code == 200
    return browser


@pytest.mark.parametrize("name", ["mina", "MINA", "mina@example.org"])
def test_a_deactivated_user_is_out_everywhere_at_once(name):
    mina = caller("mina")
    browser = browser_of("mina")

    said = run("deactivate_user", name)

    assert said == (
        "mina is signed out everywhere and can't sign in until you run: manage.py "
        "reactivate_user mina\n"
    )
    assert mina.get("/profile/").status_code == 401
    assert Caller().post("/token/refresh/", {"refresh": mina.refresh}).status_code == 401
    assert browser.get("/app/").status_code == 302
    assert (
        Caller().post("/login/", {"username": "mina", "password": build.PASSWORD}).status_code
        == 401
    )


def test_others_stay_signed_in():
    mina, sam = caller("mina"), caller("sam")

    run("deactivate_user", "mina")

    assert (mina.get("/profile/").status_code, sam.get("/profile/").status_code) == (401, 200)


def test_a_reactivated_user_signs_in_anew_and_old_tokens_stay_dead():
    mina = caller("mina")
    browser = browser_of("mina")
    run("deactivate_user", "mina")

    said = run("reactivate_user", "mina")

    assert said == "mina can sign in again.\n"
    assert mina.get("/profile/").status_code == 401
    assert Caller().post("/token/refresh/", {"refresh": mina.refresh}).status_code == 401
    assert browser.get("/app/").status_code == 302
    assert mina.sign_in().get("/profile/").status_code == 200


def test_doing_it_again_changes_nothing_and_says_so():
    mina = caller("mina")

    assert run("reactivate_user", "mina") == "mina is already active; nothing was changed.\n"
    assert mina.get("/profile/").status_code == 200
    run("deactivate_user", "mina")
    assert run("deactivate_user", "mina") == "mina is already deactivated.\n"


@pytest.mark.parametrize("command", ["deactivate_user", "reactivate_user"])
@pytest.mark.parametrize("name", ["nobody", "", "m\x00na", "m\udcffna"])
def test_a_name_nobody_has_is_refused_with_a_sentence(command, name):
    build.user("mina")

    with pytest.raises(
        CommandError, match=r"There is no account called .*\. Give a username or an email address\."
    ):
        run(command, name)

    assert User.objects.get().is_active


# Making an account --------------------------------------------------------------------------------


def test_an_account_is_made_with_a_password_typed_twice(typed):
    typed(build.PASSWORD, build.PASSWORD)

    said = run(
        "create_account", "mina", "mina@example.org", "--first-name", "Mina", "--last-name", "Meier"
    )

    assert said == "mina can sign in now.\n"
    profile = Caller(user=User.objects.get()).sign_in().get("/profile/").data
    assert [profile[name] for name in ("username", "email", "first_name", "last_name")] == [
        "mina",
        "mina@example.org",
        "Mina",
        "Meier",
    ]


def test_an_account_is_made_with_a_password_piped_in(typed):
    typed(f"  {build.PASSWORD}  ", at_terminal=False)

    run("create_account", "mina", "mina@example.org")

    assert User.objects.get().check_password(f"  {build.PASSWORD}  ")


def test_two_different_passwords_make_nothing(typed):
    typed(build.PASSWORD, "correct horse batter")

    with pytest.raises(CommandError, match=r"The two passwords don’t match\."):
        run("create_account", "mina", "mina@example.org")

    assert not User.objects.exists()


def test_no_password_makes_nothing(typed):
    typed(at_terminal=False)

    with pytest.raises(
        CommandError, match=r"There is no password\. Send it as the first line of standard input"
    ):
        run("create_account", "mina", "mina@example.org")

    assert not User.objects.exists()


def test_all_refusals_are_told_at_once_and_nothing_is_made(typed):
    build.user("mina")
    typed("12345", at_terminal=False)

    with pytest.raises(CommandError) as refusal:
        run("create_account", "Mina", "nowhere")

    told = str(refusal.value).splitlines()
    assert {line.partition(":")[0] for line in told} == {"username", "email", "password"}
    assert "username: This username is taken." in told
    assert len(told) >= 4
    assert User.objects.count() == 1


def test_no_command_takes_the_password_as_an_argument():
    with pytest.raises(CommandError, match="unrecognized arguments"):
        run("create_account", "mina", "mina@example.org", build.PASSWORD)

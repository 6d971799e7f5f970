"""What an operator does with accounts from the terminal."""

import io
import json
import logging
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from commontime.calendars.models import Calendar
from commontime.core import clock
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

    said = run("deactivate", name)

    assert said == (
        "mina is signed out everywhere and can't sign in until you run: "
        "commontime reactivate mina\n"
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

    run("deactivate", "mina")

    assert (mina.get("/profile/").status_code, sam.get("/profile/").status_code) == (401, 200)


def test_a_reactivated_user_signs_in_anew_and_old_tokens_stay_dead():
    mina = caller("mina")
    browser = browser_of("mina")
    run("deactivate", "mina")

    said = run("reactivate", "mina")

    assert said == "mina can sign in again.\n"
    assert mina.get("/profile/").status_code == 401
    assert Caller().post("/token/refresh/", {"refresh": mina.refresh}).status_code == 401
    assert browser.get("/app/").status_code == 302
    assert mina.sign_in().get("/profile/").status_code == 200


def test_doing_it_again_changes_nothing_and_says_so():
    mina = caller("mina")

    assert run("reactivate", "mina") == "mina is already active; nothing was changed.\n"
    assert mina.get("/profile/").status_code == 200
    run("deactivate", "mina")
    assert run("deactivate", "mina") == "mina is already deactivated.\n"


@pytest.mark.parametrize("command", ["deactivate", "reactivate", "delete_account", "reset_link"])
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


def test_the_operator_makes_accounts_where_nobody_signs_up(typed, settings):
    settings.SIGN_UP, settings.SIGN_UP_DOMAINS = "closed", ["example.net"]
    typed(build.PASSWORD, build.PASSWORD)

    run("create_account", "mina", "mina@example.org")

    assert User.objects.get().username == "mina"


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


# Listing ------------------------------------------------------------------------------------------


def test_accounts_are_listed_in_columns():
    caller("mina")
    User.objects.filter(pk=build.user("sam", is_active=False).pk).update(email="")
    build.user("李小龙", email="li@example.org")

    lines = run("list_accounts").splitlines()

    now = f"{clock.now():%Y-%m-%d}"
    assert lines[0] == "username  address           active  last sign-in (UTC)"
    assert lines[1].startswith(f"mina      mina@example.org  yes     {now} ")
    assert lines[2:] == [
        "sam       -                 no      -",
        "李小龙    li@example.org    yes     -",
    ]


def test_programs_get_the_list_as_json():
    caller("mina")
    build.user("sam", is_active=False)

    mina, sam = json.loads(run("list_accounts", "--json"))

    assert clock.now().isoformat()[:10] == mina.pop("signed_in_at")[:10]
    assert mina == {"username": "mina", "email": "mina@example.org", "is_active": True}
    assert sam == {
        "username": "sam",
        "email": "sam@example.org",
        "is_active": False,
        "signed_in_at": None,
    }


def test_a_longer_list_costs_no_more_queries(django_assert_num_queries):
    for name in ("mina", "sam", "iris"):
        build.user(name)

    with django_assert_num_queries(1):
        run("list_accounts")


# Deleting -----------------------------------------------------------------------------------------


@pytest.fixture
def answered(monkeypatch) -> Callable[[str], None]:
    """Let the operator answer the question."""

    def answer(reply: str) -> None:
        stdin = io.StringIO(f"{reply}\n")
        stdin.isatty = lambda: True
        monkeypatch.setattr("sys.stdin", stdin)

    return answer


def test_an_account_is_deleted_with_its_calendars(mina, sam, answered):
    build.calendar(owner=mina, participants=[sam], name="Choir")
    answered("y")

    said = run("delete_account", "mina")

    assert said == (
        "These calendars are deleted too: Choir.\n"
        "Delete mina (mina@example.org) for good? [y/N] mina is deleted.\n"
    )
    assert list(User.objects.all()) == [sam]
    assert not Calendar.objects.exists()


def test_an_heir_gets_the_calendars(mina, sam, answered):
    calendar = build.calendar(owner=mina, participants=[sam], name="Choir")
    answered("yes")

    said = run("delete_account", "mina@example.org", "--heir", "sam")

    assert said.startswith("sam gets these calendars: Choir.\n")
    calendar.refresh_from_db()
    assert calendar.owner == sam
    assert list(User.objects.all()) == [sam]


@pytest.mark.parametrize("reply", ["", "n", "mina", "yep"])
def test_without_a_yes_nothing_is_deleted(mina, answered, reply):
    answered(reply)

    with pytest.raises(CommandError, match=r"Nothing was deleted\."):
        run("delete_account", "mina")

    assert User.objects.count() == 1


def test_where_nobody_can_be_asked_yes_is_needed(mina, typed):
    typed(at_terminal=False)

    with pytest.raises(CommandError, match="Add --yes to delete without a question"):
        run("delete_account", "mina")
    assert User.objects.count() == 1

    assert run("delete_account", "mina", "--yes") == "mina is deleted.\n"
    assert not User.objects.exists()


def test_an_heir_who_is_not_in_every_calendar_is_refused(mina, sam, eve):
    build.calendar(owner=mina, participants=[sam])
    build.calendar(owner=mina)

    for heir in ("sam", "eve", "mina"):
        with pytest.raises(CommandError, match=f"{heir} must be in every calendar that mina"):
            run("delete_account", "mina", "--heir", heir, "--yes")

    assert User.objects.count() == 3
    assert Calendar.objects.filter(owner=mina).count() == 2


# A link for a new password ------------------------------------------------------------------------


def test_a_reset_link_sets_a_password_once(caplog):
    caplog.set_level(logging.DEBUG)
    mina = caller("mina")

    link = run("reset_link", "mina").strip()

    uid, token = link.removesuffix("/").split("/")[-2:]
    assert token not in caplog.text
    path = f"/password_reset/{uid}/{token}/"
    assert link.endswith(path)
    assert Client().get(path, follow=True).status_code == 200
    assert mina.get("/profile/").status_code == 200  # looking uses nothing up
    assert Caller().post(path, {"password": "another horse battery"}).status_code == 200
    assert User.objects.get().check_password("another horse battery")
    assert Caller().post(path, {"password": build.PASSWORD}).status_code == 400


def test_a_deactivated_account_gets_no_link():
    build.user("mina", is_active=False)

    with pytest.raises(CommandError, match="First run: commontime reactivate mina"):
        run("reset_link", "mina")

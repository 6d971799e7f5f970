"""Which action has which door, and that both doors do the same."""

import ast
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from django_ox.models import OxTask

from commontime.accounts.models import Session, UserSetting
from commontime.accounts.tasks import reset_url
from commontime.calendars.models import CalendarParticipant, Invitation, NonBusyTime
from commontime.core import clock, links
from commontime.mail.models import Message
from tests import build
from tests.client import Caller, caller
from tests.middle import ROOMS, public_functions

pytestmark = pytest.mark.usefixtures("quick_passwords")
PACKAGE = Path(__file__).parents[1] / "src" / "commontime"


def actions() -> set[str]:
    """Return all actions of the middle, as room.action."""
    return {
        f"{room}.{function.__name__}"
        for room, module in ROOMS.items()
        for function in public_functions(module)
    }


def called_in(source: str) -> set[str]:
    """Return the actions that a source calls, however it imports them."""
    tree, modules, called = ast.parse(source), {}, set()
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=str(module), names=names) if module.startswith(
                "commontime."
            ):
                room, _, rest = module.removeprefix("commontime.").partition(".")
                for name in names:
                    if name.name == "actions" or rest == "actions":
                        modules[name.asname or name.name] = room
                    if rest.partition(".")[0] == "actions":
                        called.add(f"{room}.{name.name}")
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id=alias), attr=name) if alias in modules:
                called.add(f"{modules[alias]}.{name}")
    return called & actions()


def doors() -> dict[str, str]:
    """Return which doors call each action."""
    calls = {}
    for door in ("api", "web", "jobs"):
        # What the demo does it does in the name of people; it is no door of theirs.
        sources = [
            path.read_text()
            for path in (PACKAGE / door).rglob("*.py")
            if path.stem not in ("demo", "_choir")
        ]
        calls[door] = {action for source in sources for action in called_in(source)}
    return {
        action: " ".join(door for door, called in calls.items() if action in called)
        for action in sorted(actions())
    }


# Which action has which door ----------------------------------------------------------------------

BOTH = {
    "accounts.change_settings",
    "accounts.confirm_address",
    "accounts.edit_profile",
    "accounts.end_session",
    "accounts.request_password_reset",
    "accounts.reset_password",
    "accounts.send_confirmation",
    "accounts.sign_in",
    "accounts.sign_out",
    "calendars.accept_invitation",
    "calendars.add_participant",
    "calendars.apply_plan",
    "calendars.create_calendar",
    "calendars.create_meeting",
    "calendars.create_one_on_ones",
    "calendars.decline_invitation",
    "calendars.delete_account",
    "calendars.delete_calendar",
    "calendars.delete_meeting",
    "calendars.duplicate_calendar",
    "calendars.edit_calendar",
    "calendars.edit_meeting",
    "calendars.edit_participant",
    "calendars.invite_address",
    "calendars.invite_person",
    "calendars.make_plan",
    "calendars.remove_participant",
    "calendars.require_sign_up",
    "calendars.revoke_invitation",
    "calendars.send_letter",
    "calendars.sign_up",
    "calendars.stop_plan",
    "calendars.suggest_time",
    "calendars.take_part",
    "calendars.transfer_calendar",
    "calendars.withdraw_suggestion",
    "contacts.add_contact",
    "contacts.remove_contact",
}
# The pages for these come with later issues. Whoever adds one moves its action to BOTH, and adds it
# to the comparison below.
PAGE_LATER = {
    "accounts.rotate_feed",
}
# These need one door only, or none.
ONE_DOOR = {
    "accounts.check_email": "api",  # a serializer's `validate_email`
    "accounts.check_new_password": "api",  # a serializer's `validate_password`
    "accounts.count_id": "",  # find_contact and others ask it
    # a page takes the names themselves, and `accounts.find` counts the wrong ones
    "accounts.look_up": "api",
    "accounts.problems_with": "api",  # tells beside a bad password what else is wrong
    "accounts.renew_session": "api",  # a cookie needs no refresh
    # only what was painted, in many places at once; over the API one replaces a range, or one time
    "calendars.paint_windows": "web",
    "calendars.replace_windows": "api",
    "calendars.add_window": "api",  # on a page one paints or writes lines
    "calendars.edit_window": "api",
    "calendars.find_contact": "api",  # on a page one types names
    "calendars.remove_window": "api",
    # a page signs in whoever just signed up; the API leaves that to its client
    "accounts.open_session": "web",
    "accounts.user_of_reset_link": "web",  # shows the form behind the link
    "accounts.user_named_in": "web",  # whose link a second click sends again
    "accounts.stop_mails": "web",  # the unsubscribe link of a mail
    # the link of a mail; over the API it is accept_invitation
    "calendars.accept_invitation_link": "web",
    "calendars.invitation_of_link": "web",  # shows what it invites to
    "accounts.create_account": "jobs",  # for operators; people sign up
    "accounts.deactivate": "jobs",
    "accounts.reactivate": "jobs",
    "calendars.remove_account": "jobs",  # for operators; people use delete_account
    "calendars.finish_deadline": "jobs",  # the clock's
    "accounts.end_sessions": "",  # part of other actions
    # whom the user names mean that are invited with a new calendar; otherwise part of other actions
    "accounts.find": "web",
    # before what can't be undone; the API asks for a fresh sign-in or the password in the body
    "accounts.confirm_password": "web",
    "accounts.erase_account": "",  # calendars.remove_account settles the calendars before
    # parts of other actions, in modules of their own
    "accounts.confirm_by_mail": "",
    "accounts.require_confirmation": "",
    "accounts.check_free": "",
    "accounts.check_names": "",
    "accounts.count_question": "",
    "accounts.is_password_of": "",
    "accounts.keys_of": "",
    "accounts.is_refused": "",
    "accounts.new_hash": "",
    "accounts.password_tries": "",
    "accounts.tries_elsewhere": "",
    "accounts.sign_up": "",  # calendars.sign_up asks whether somebody may
    "accounts.signed_out": "",
}


def test_every_action_has_its_doors():
    """Whoever adds an action decides here which doors it gets."""
    by_action = doors()

    assert BOTH | PAGE_LATER | set(ONE_DOOR) == set(by_action)
    assert {action: by_action[action] for action in ONE_DOOR} == ONE_DOOR
    assert {action: by_action[action] for action in BOTH} == dict.fromkeys(BOTH, "api web")
    assert {action: by_action[action] for action in PAGE_LATER} == dict.fromkeys(PAGE_LATER, "api")


def test_nothing_stands_in_two_of_the_lists():
    assert len(BOTH) + len(PAGE_LATER) + len(ONE_DOOR) == len(BOTH | PAGE_LATER | set(ONE_DOOR))


@pytest.mark.parametrize(
    "source",
    [
        "from commontime.accounts.actions import sign_ins\nsign_ins.sign_in('mina')",
        "from commontime.accounts.actions import sign_ins as s\nsubmit(form, s.sign_in)",
        "from commontime.accounts.actions.sign_ins import sign_in",
        "from commontime.accounts.actions.sign_ins import sign_in as enter",
    ],
)
def test_a_call_is_found_whatever_its_name(source):
    assert called_in(source) == {"accounts.sign_in"}


def test_what_only_looks_like_a_call_is_none():
    assert (
        called_in(
            "from commontime.calendars import "
            "actions\nactions.sign_in('mina')\nother.accept_invitation()"
        )
        == set()
    )


# Both do the same ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """What a request led to: the refusals by field ("" for the whole), and what is stored now."""

    refusals: dict[str, list[str]]
    stored: Any


def through_the_api(
    path: str, body: dict[str, Any], stored: Callable[[], Any], person: Caller | None = None
) -> Outcome:
    with undone():
        answer = (person or Caller()).post(path, body)
        refusals = (
            answer.data.get("fields") or {"": [answer.data["detail"]]}
            if answer.status_code >= 400
            else {}
        )
        return Outcome(refusals, stored())


def through_the_page(
    path: str, form: dict[str, Any], stored: Callable[[], Any], browser: Client | None = None
) -> Outcome:
    with undone():
        answer = (browser or Client()).post(path, form)
        refusals = {}
        if answer.status_code >= 400:
            errors = (
                answer.context["form"].errors
                if "form" in answer.context
                else {"": [answer.context["detail"]]}
            )
            refusals = {
                "" if name == "__all__" else name: list(sentences)
                for name, sentences in errors.items()
            }
        return Outcome(refusals, stored())


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def letters() -> list[tuple[str, str]]:
    return sorted(Message.objects.values_list("kind", "recipient"))


def people_stored() -> list[Any]:
    fields = (
        "username",
        "email",
        "first_name",
        "last_name",
        "is_active",
        "is_staff",
        "usersetting__username_key",
        "usersetting__email_key",
    )
    return list(User.objects.order_by("username").values_list(*fields))


def sign_ins_of(username: str) -> list[bool]:
    """Return for each sign-in of the user whether it holds."""
    sessions = Session.objects.filter(user__username=username).order_by("created_at")
    return [session.ended_at is None for session in sessions]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({}, set()),
        ({"username": "MINA"}, {"username"}),
        ({"email": "Mina@Example.org"}, {"email"}),
        (
            {"username": "sam\u202e", "email": "nowhere", "password": "short"},
            {"username", "email", "password"},
        ),
        ({"password": "sam.newcomer"}, {"password"}),
        ({"first_name": "two\nlines"}, {"first_name"}),
    ],
)
def test_signing_up(changes, refused):
    build.user("mina")
    form = {
        "username": "sam.newcomer",
        "email": "sam@example.org",
        "first_name": "Sam",
        "last_name": "New",
        "password": build.PASSWORD,
        **changes,
    }

    api, page = (
        through_the_api("/signup/", form, people_stored),
        through_the_page("/app/sign-up/", form, people_stored),
    )

    assert api == page
    assert set(api.refusals) == refused
    assert len(api.stored) == (1 if refused else 2)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "password", "enters"),
    [
        ("mina", build.PASSWORD, True),
        ("MINA@example.org", build.PASSWORD, True),
        ("mina", "not it", False),
        ("nobody", build.PASSWORD, False),
        ("ina", build.PASSWORD, False),
    ],
)
def test_signing_in(name, password, enters):
    build.user("mina")
    build.user("ina", is_active=False)

    api = through_the_api(
        "/login/", {"username": name, "password": password}, lambda: sign_ins_of("mina")
    )
    page = through_the_page(
        "/app/sign-in/", {"identifier": name, "password": password}, lambda: sign_ins_of("mina")
    )

    assert api == page
    assert (api.refusals == {}, api.stored) == (enters, [True] if enters else [])


@pytest.mark.django_db
@pytest.mark.parametrize("first", ["api", "page"])
def test_guesses_at_one_door_count_at_the_other(first):
    build.user("mina")
    guess = {
        "api": lambda: Caller().post("/login/", {"username": "mina", "password": "a guess"}),
        "page": lambda: Client().post(
            "/app/sign-in/", {"identifier": "mina", "password": "a guess"}
        ),
    }
    for _ in range(settings.LIMITS["password"][0]):
        assert guess[first]().status_code in (401, 422)

    api = through_the_api(
        "/login/", {"username": "mina", "password": build.PASSWORD}, lambda: sign_ins_of("mina")
    )
    page = through_the_page(
        "/app/sign-in/",
        {"identifier": "mina", "password": build.PASSWORD},
        lambda: sign_ins_of("mina"),
    )

    assert api.stored == page.stored == []
    for outcome in (api, page):
        assert outcome.refusals[""][0].startswith("You’ve reached the limit for now.")


@pytest.mark.django_db
def test_signing_out():
    mina = caller("mina")
    browser = Client()
    browser.post("/app/sign-in/", {"identifier": "mina", "password": build.PASSWORD})

    api = through_the_api(
        "/logout/", {"refresh_token": mina.refresh}, lambda: sign_ins_of("mina"), mina
    )
    page = through_the_page("/app/sign-out/", {}, lambda: sign_ins_of("mina"), browser)

    assert (api, page) == (Outcome({}, [False, True]), Outcome({}, [True, False]))


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address", ["mina@example.org", "MINA@EXAMPLE.ORG", "nobody@example.org", "nowhere"]
)
def test_asking_for_a_reset(address):
    build.user("mina")

    def asked() -> list[Any]:
        return list(
            OxTask.objects.filter(task_path__endswith="send_password_reset").values_list(
                "args", "kwargs"
            )
        )

    api = through_the_api("/password_reset/", {"email": address}, asked)
    page = through_the_page("/app/password_reset/", {"email": address}, asked)

    assert api == page
    assert (api.refusals, len(api.stored)) == ({}, 1)


@pytest.mark.django_db
@pytest.mark.parametrize("is_confirmed", [False, True])
def test_asking_for_the_confirmation_again(is_confirmed):
    mina = caller(build.user("mina", email_confirmed=is_confirmed))
    browser = Client()
    browser.post("/app/sign-in/", {"identifier": "mina", "password": build.PASSWORD})

    api = through_the_api("/profile/confirm-email/", {}, letters, mina)
    page = through_the_page("/app/confirm/", {}, letters, browser)

    assert api == page
    assert (api.refusals == {}) == (not is_confirmed)
    assert api.stored == ([] if is_confirmed else [("confirm_address", "mina@example.org")])


@pytest.mark.django_db
@pytest.mark.parametrize(("days", "counter"), [(0, 0), (8, 0), (0, 1)])
def test_confirming_an_address(days, counter):
    asked_at = clock.now() - timedelta(days=days)
    build.user("mina", email_confirmed=False, confirm_asked_at=asked_at)
    token = links.token(links.Kind.CONFIRMATION, UserSetting.objects.get().pk, counter)

    def stored() -> bool:
        return UserSetting.objects.get().email_confirmed

    api = through_the_api("/confirm-email/", {"token": token}, stored)
    page = through_the_page(f"/app/confirm/{token}/", {}, stored)

    assert api == page
    assert api.stored == (api.refusals == {}) == (not days and not counter)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("password", "link", "refused"),
    [
        ("another correct horse", "good", set()),
        ("short", "good", {"password"}),
        ("mina@example.org", "good", {"password"}),
        ("another correct horse", "used", {""}),
        ("another correct horse", "cut", {""}),
    ],
)
def test_choosing_a_password(password, link, refused):
    caller("mina")
    path = reset_url(User.objects.get(username="mina")).partition(settings.COMMONTIME_BASE_URL)[2]
    if link == "used":
        User.objects.update(password=make_password("changed meanwhile"))
    if link == "cut":
        path = path[:-3] + "/"
    before = User.objects.get().password

    def stored() -> Any:
        mina = User.objects.get(username="mina")
        return (
            mina.check_password(password),
            mina.password == before,
            sign_ins_of("mina"),
            letters(),
        )

    api, page = (
        through_the_api(path, {"password": password}, stored),
        through_the_page(f"/app{path}", {"password": password}, stored),
    )

    assert api == page
    assert set(api.refusals) == refused
    assert api.stored == (
        (False, True, [True], [])
        if refused
        else (True, False, [False], [("password_changed", "mina@example.org")])
    )


class Choir:
    """Mina's calendar, with Sam in it and Iris invited.

    Iris and Sam use both doors.
    """

    def __init__(self, **fields: Any) -> None:
        self.mina, sam, iris = (build.user(name) for name in ("mina", "sam", "iris"))
        self.calendar = build.calendar(owner=self.mina, participants=[sam], **fields)
        build.window(self.calendar, sam, build.day(9), build.day(12))
        self.invitation = build.invitation(self.calendar, iris)
        self.link = build.invitation(
            build.calendar(owner=self.mina, **fields), None, email="iris@example.org"
        )
        self.api = {
            name: caller(User.objects.get(username=name)) for name in ("mina", "sam", "iris")
        }
        self.page = {name: Client() for name in self.api}
        for name, browser in self.page.items():
            browser.post("/app/sign-in/", {"identifier": name, "password": build.PASSWORD})

    def seat(self, name: str) -> CalendarParticipant:
        return CalendarParticipant.objects.get(calendar=self.calendar, user__username=name)

    def stored(self) -> Any:
        answered = sorted(Invitation.objects.values_list("status", flat=True))
        return (
            sorted(CalendarParticipant.objects.values_list("user__username", flat=True)),
            answered,
            NonBusyTime.objects.count(),
            letters(),
        )

    def through_both(
        self, name: str, method: str, path: str, body: Any, page: str, form: dict[str, Any]
    ) -> tuple[Any, Any]:
        """Return the refusal of each door ("" for none), and what is stored after it."""
        with undone():
            answer = self.api[name](method, path, body)
            api = (answer.data["detail"] if answer.status_code >= 400 else "", self.stored())
        with undone():
            answer = self.page[name].post(page, form)
            page_said = answer.context["detail"] if answer.status_code >= 400 else ""
            return api, (page_said, self.stored())


@pytest.mark.django_db
@pytest.mark.parametrize("status", ["accepted", "declined"])
@pytest.mark.parametrize(
    ("name", "is_finalized", "before"),
    [
        ("iris", False, "pending"),
        ("iris", False, "accepted"),
        ("iris", False, "declined"),
        ("iris", True, "pending"),
        ("mina", False, "pending"),
        ("sam", False, "pending"),
    ],
)
def test_answering_an_invitation(status, name, is_finalized, before):
    choir = Choir(is_finalized=is_finalized)
    Invitation.objects.filter(pk=choir.invitation.pk).update(status=before)
    if before == "accepted":
        build.participant(choir.calendar, choir.invitation.receiver)
    path, page = (
        f"/calendars/invitations/{choir.invitation.pk}/",
        f"/app/invitations/{choir.invitation.pk}/answer/",
    )

    by_api, by_page = choir.through_both(
        name, "PUT", path, {"status": status}, page, {"status": status}
    )

    assert by_api == by_page
    is_allowed = (
        name == "iris"
        and before in ("pending", status)
        and (status == "declined" or not is_finalized)
    )
    assert (by_api[0] == "") == is_allowed
    assert (by_api[1] != choir.stored()) == (is_allowed and before == "pending")


@pytest.mark.django_db
@pytest.mark.parametrize("is_finalized", [False, True])
def test_joining_by_the_link_of_a_mail_is_as_accepting(is_finalized):
    choir = Choir(is_finalized=is_finalized)
    link = links.token(links.Kind.INVITATION, choir.link.pk)
    path = f"/calendars/invitations/{choir.invitation.pk}/"

    by_api, by_page = choir.through_both(
        "iris", "PUT", path, {"status": "accepted"}, f"/app/invitations/{link}/", {}
    )

    assert by_api == by_page
    assert (by_api[1] != choir.stored()) == (by_api[0] == "") == (not is_finalized)


@pytest.mark.django_db
@pytest.mark.parametrize("is_finalized", [False, True])
@pytest.mark.parametrize(
    ("name", "whose"),
    [("sam", "sam"), ("sam", "mina"), ("mina", "sam"), ("mina", "mina"), ("iris", "sam")],
)
def test_leaving_and_removing(name, whose, is_finalized):
    choir = Choir(is_finalized=is_finalized)
    seat = choir.seat(whose).pk
    path, page = (
        f"/calendars/{choir.calendar.pk}/participants/{seat}/",
        f"/app/calendars/{choir.calendar.pk}/participants/{seat}/remove/",
    )

    by_api, by_page = choir.through_both(name, "DELETE", path, None, page, {})

    assert by_api == by_page
    assert (
        (by_api[1] != choir.stored())
        == (by_api[0] == "")
        == (whose == "sam" and name != "iris" and not is_finalized)
    )

"""Who may make an account is the operator's to say, at both doors."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from commontime.accounts.actions import passwords
from commontime.calendars import actions
from commontime.calendars.models import CalendarParticipant, Invitation
from commontime.core import links
from tests import build
from tests.client import Caller, caller
from tests.pages import Client
from tests.web.browser import Browser

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_passwords")]

IRIS = {"username": "iris", "email": "iris@example.org", "password": build.PASSWORD}
JOE = {"username": "joe", "email": "joe@example.org", "password": build.PASSWORD}
CLOSED = "Whoever runs this site makes the accounts here."
NEEDED = "To sign up here you need an invitation that nobody has used yet."


@pytest.fixture
def invitation(mina) -> Invitation:
    calendar = build.calendar(owner=mina, name="Band")
    return actions.invite_address(calendar.pk, by=mina, email="iris@example.org")


def token(invitation: Invitation) -> str:
    return links.token(links.Kind.INVITATION, invitation.pk)


def link(invitation: Invitation) -> str:
    return f"/app/invitations/{token(invitation)}/"


def sign_up(account: dict[str, str], **more: Any) -> tuple[int, str]:
    answer = caller().post("/signup/", {**account, **more})
    return answer.status_code, answer.data.get("code", "")


def sign_up_on_a_page(account: dict[str, str], target: str = "") -> Any:
    return Client().post("/app/sign-up/", {**account, "next": target})


def accounts() -> set[str]:
    return set(User.objects.values_list("username", flat=True))


# Closed -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("link_of", [lambda found: "", token], ids=["no link", "a good link"])
def test_nobody_signs_up_where_sign_up_is_closed(settings, invitation, link_of):
    settings.SIGN_UP = "closed"
    sent = link_of(invitation)

    assert sign_up(IRIS, invitation=sent) == (403, "sign_up_closed")
    page = sign_up_on_a_page(IRIS, f"/app/invitations/{sent}/")
    assert (page.status_code, CLOSED in page.text) == (403, True)
    assert accounts() == {"mina"}


def test_a_closed_door_told_which_names_are_taken(settings, mina):
    settings.SIGN_UP = "closed"
    taken = {"username": "mina", "email": "mina@example.org", "password": 1}

    answer = caller().post("/signup/", taken)

    assert (answer.status_code, answer.data["code"]) == (403, "sign_up_closed")
    assert "fields" not in answer.data
    assert "taken" not in sign_up_on_a_page({**IRIS, "username": "mina"}).text


# Invited ------------------------------------------------------------------------------------------


def test_one_link_makes_one_account_over_the_api(settings, invitation):
    settings.SIGN_UP = "invited"

    assert sign_up(IRIS, invitation=token(invitation)) == (201, "")
    assert sign_up(JOE, invitation=token(invitation)) == (403, "invitation_needed")

    assert accounts() == {"mina", "iris"}
    iris = Caller(user=User.objects.get(username="iris")).sign_in()
    (waiting,) = iris.get("/calendars/invitations/").data
    assert (waiting["calendar_name"], waiting["status"]) == ("Band", "pending")


def test_one_link_makes_one_account_on_the_pages(settings, invitation):
    settings.SIGN_UP = "invited"

    assert sign_up_on_a_page(IRIS, link(invitation)).status_code == 302
    refused = sign_up_on_a_page(JOE, link(invitation))

    assert (refused.status_code, NEEDED in refused.text) == (403, True)
    assert accounts() == {"mina", "iris"}


def test_somebody_with_a_link_gets_from_it_into_the_calendar(settings, invitation):
    settings.SIGN_UP = "invited"
    browser = Browser()

    browser.get(link(invitation))
    assert "New here? Sign up" in browser.page.text
    browser.get("/app/sign-up/?next=" + browser.page.path.partition("next=")[2])
    browser.send("/app/sign-up/", **IRIS)
    assert "invites you" in browser.page.text
    browser.send(link(invitation))

    assert browser.page.path == f"/app/calendars/{invitation.calendar_id}/"
    assert CalendarParticipant.objects.filter(user__username="iris").exists()


def test_a_second_click_on_the_sign_up_of_a_link_does_not_find_it_used(settings, invitation):
    settings.SIGN_UP = "invited"
    browser = Browser()
    browser.get(f"/app/sign-up/?next={link(invitation)}")
    form = {**browser.form("/app/sign-up/").fields, **IRIS}

    answers = [browser.client.post("/app/sign-up/", form) for _ in range(2)]

    assert [answer.headers["Location"] for answer in answers] == [link(invitation)] * 2


@pytest.mark.parametrize(
    "bad",
    [
        lambda found: "",
        lambda found: str(found.pk),
        lambda found: token(found)[:-1],
        lambda found: links.token(links.Kind.CONFIRMATION, found.pk),
        lambda found: "\u0141" * 5000,
    ],
    ids=["none", "unsigned", "cut", "of another kind", "long"],
)
def test_a_link_that_is_no_invitation_lets_nobody_in(settings, invitation, bad):
    settings.SIGN_UP = "invited"

    assert sign_up(IRIS, invitation=bad(invitation)) == (403, "invitation_needed")
    assert sign_up_on_a_page(IRIS, f"/app/invitations/{bad(invitation)}/").status_code == 403
    assert accounts() == {"mina"}


@pytest.mark.parametrize(
    "change",
    [{"status": "declined"}, {"sender": "inactive"}, {"receiver": "mina"}],
    ids=["answered", "its sender was closed", "to an account"],
)
def test_an_invitation_that_is_over_lets_nobody_in(settings, invitation, mina, change):
    settings.SIGN_UP = "invited"
    if "sender" in change:
        User.objects.filter(pk=mina.pk).update(is_active=False)
    else:
        values = {"receiver": mina} if "receiver" in change else change
        Invitation.objects.filter(pk=invitation.pk).update(**values)

    assert sign_up(IRIS, invitation=token(invitation)) == (403, "invitation_needed")
    assert sign_up_on_a_page(IRIS, link(invitation)).status_code == 403


def test_a_refused_sign_up_uses_up_no_invitation(settings, invitation):
    settings.SIGN_UP = "invited"

    assert sign_up({**IRIS, "username": "mina"}, invitation=token(invitation))[0] == 400
    assert sign_up_on_a_page({**IRIS, "password": "short"}, link(invitation)).status_code == 422
    assert sign_up(IRIS, invitation=token(invitation)) == (201, "")


def test_two_signed_up_at_once_with_one_link(settings, invitation, monkeypatch):
    settings.SIGN_UP = "invited"
    hash_password, others = passwords.new_hash, [JOE]

    def while_another_is_faster(password: str) -> str:
        if others:
            assert sign_up(others.pop(), invitation=token(invitation)) == (201, "")
        return hash_password(password)

    monkeypatch.setattr(passwords, "new_hash", while_another_is_faster)

    assert sign_up(IRIS, invitation=token(invitation)) == (403, "invitation_needed")
    assert accounts() == {"mina", "joe"}


# Domains ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("email", "enters"),
    [
        ("iris@example.org", True),
        ("iris@EXAMPLE.org", True),
        ("iris@m\u00fcller.example", True),
        ("iris@example.net", False),
        ("iris@sub.example.org", False),
        ("iris@badexample.org", False),
    ],
)
def test_an_address_of_another_domain_signs_nobody_up(settings, email, enters):
    settings.SIGN_UP_DOMAINS = ["example.org", "xn--mller-kva.example"]
    account = {**IRIS, "email": email}

    page = sign_up_on_a_page(account)
    User.objects.all().delete()
    answer = caller().post("/signup/", account)

    assert page.status_code == (302 if enters else 422)
    assert answer.status_code == (201 if enters else 400)
    if not enters:
        sentence = "Sign up with an email address of example.org, xn--mller-kva.example."
        assert sentence in page.text
        assert answer.data["fields"] == {"email": [sentence]}


# What pages say -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("mode", "said"), [("closed", CLOSED), ("invited", NEEDED)])
@pytest.mark.parametrize("path", ["/", "/app/sign-in/", "/app/nothing/"])
def test_no_page_led_to_a_sign_up_that_refuses(settings, mode, said, path):
    settings.SIGN_UP = mode

    shown = Client().get(path).text

    assert "/app/sign-up/" not in shown
    assert (said in shown) == (path != "/app/nothing/")


def test_a_link_where_sign_up_is_closed_says_what_to_do(settings, invitation):
    settings.SIGN_UP = "closed"
    browser = Browser()

    browser.get(link(invitation))

    assert CLOSED in browser.page.text
    assert "/app/sign-up/" not in browser.page.text

"""Nobody gets mails through an address that its account has not confirmed.

Through both doors, and a real mail server where it matters what arrives.
"""

import io
import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.core.management import call_command

from commontime.accounts.models import UserSetting
from commontime.accounts.tasks import mailed_reset_url, reset_url
from commontime.calendars.models import CalendarParticipant, Invitation
from commontime.calendars.queries.invitations import link_to, mailed_link_to
from commontime.config.settings import mailer
from commontime.core import clock, links
from commontime.jobs.tasks import clean_up
from commontime.mail import delivery
from commontime.mail.enums import State
from commontime.mail.models import Message
from stage.sink import Sink
from tests import build
from tests.client import Caller, caller
from tests.pages import Client
from tests.web.browser import Browser, browser_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_passwords")]
NOVA = {
    "username": "nova",
    "email": "nova@example.org",
    "first_name": "Nova",
    "last_name": "",
    "password": build.PASSWORD,
}


@pytest.fixture
def nova() -> Caller:
    """Somebody who signed up and has not confirmed their address."""
    assert caller().post("/signup/", NOVA).status_code == 201
    return Caller(user=User.objects.get(username="nova")).sign_in()


def is_confirmed(person: Caller) -> bool:
    return person.get("/profile/").data["email_confirmed"]


def confirm(person: Caller) -> None:
    token = link_of(person.user).rpartition("/confirm/")[2].strip("/")
    assert caller().post("/confirm-email/", {"token": token}).status_code == 200


def link_of(user: User) -> str:
    """Return the path that the mail to the user's address holds."""
    setting = UserSetting.objects.get(user=user)
    token = links.token(links.Kind.CONFIRMATION, setting.pk, setting.confirm_counter)
    return f"/app/confirm/{token}/"


def path_of(url: str) -> str:
    return url.removeprefix(django_settings.COMMONTIME_BASE_URL)


def sent(mailbox: Any) -> list[str]:
    """Deliver what is due, and return what arrived as `subject → address`."""
    delivery.deliver_due(seconds=100)
    mails = [f"{mail.subject} → {mail.to[0]}" for mail in mailbox]
    mailbox.clear()
    return sorted(mails)


def kept_back() -> list[str]:
    kept = Message.objects.filter(state=State.KEPT_BACK)
    return sorted(kept.values_list("kind", flat=True))


# What arrives -------------------------------------------------------------------------------------


def arrived(sink: Sink) -> list[tuple[str, str]]:
    """Deliver what is due, and return who got which mail."""
    before = len(sink.received)
    delivery.deliver_due(seconds=100)
    return sorted(
        (mail.recipients[0], str(mail.message["Subject"])) for mail in sink.received[before:]
    )


def test_mails_flow_once_the_link_of_the_first_mail_was_used(sink):
    mina = caller("mina")
    answer = caller().post("/signup/", NOVA)
    assert (answer.status_code, set(answer.data)) == (201, {"id", *NOVA} - {"password"})
    nova = Caller(user=User.objects.get(username="nova")).sign_in()
    assert arrived(sink) == [("nova@example.org", "Confirm your email address")]
    text = sink.received[0].message.get_body(("plain",)).get_content()

    # All that is allowed before: mails to others, to strangers, and to oneself wait.
    calendar = nova.post("/calendars/", {"name": "Band", "is_finalized": False}).data["id"]
    added = nova.post(f"/calendars/{calendar}/participants/", {"user": mina.user.pk})
    invited = nova.post(
        "/calendars/invitations/", {"calendar": calendar, "email": "guest@example.org"}
    )
    written = nova.post("/calendars/send-email/", {"username": "mina"})
    build.calendar(owner=mina.user)
    theirs = mina.get("/calendars/?role=owner").data[0]["id"]
    mina.post(f"/calendars/{theirs}/participants/", {"user": nova.user.pk})
    assert [a.status_code for a in (added, invited, written)] == [201, 201, 202]
    assert arrived(sink) == []

    # A scanner opens the link, then the person presses the button, in another browser.
    path = path_of(re.search(r"http\S+/app/confirm/\S+", text)[0])
    Client().get(path)
    assert arrived(sink) == []
    assert not is_confirmed(nova)
    browser = Browser()
    browser.get(path)
    assert "Does nova@example.org belong to the account nova?" in browser.page.text
    browser.send(path)
    assert "Your address is confirmed" in browser.page.text

    assert is_confirmed(nova)
    assert [address for address, _subject in arrived(sink)] == [
        "guest@example.org",
        "mina@example.org",
        "mina@example.org",
        "nova@example.org",
    ]


def test_what_was_kept_back_goes_to_the_address_that_was_confirmed(nova, sink):
    mina = caller("mina")
    calendar = build.calendar(owner=mina.user)
    mina.post(f"/calendars/{calendar.pk}/participants/", {"user": nova.user.pk})
    arrived(sink)

    nova.post("/profile/edit/", {"email": "nova@example.net"})
    assert arrived(sink) == [("nova@example.net", "Confirm your email address")]
    confirm(Caller(user=nova.user))

    assert [address for address, _subject in arrived(sink)] == ["nova@example.net"]


def test_of_two_mails_about_a_meeting_only_the_newest_is_sent(nova, mailoutbox):
    mina = caller("mina")
    calendar = build.calendar(owner=mina.user, participants=[nova.user])
    meeting = build.meeting(calendar=calendar)
    for hour in (9, 10):
        path = f"/calendars/{calendar.pk}/meetings/{meeting.pk}/"
        assert mina.put(path, {"final_time": build.day(hour).isoformat()}).status_code == 200
        sent(mailoutbox)

    confirm(nova)

    assert len(sent(mailoutbox)) == 1


# What is kept back, and how long ------------------------------------------------------------------


def test_what_is_kept_back_is_dropped_after_seven_days(nova, mailoutbox):
    nova.post("/calendars/send-email/", {"username": build.user("mina").username})
    sent(mailoutbox)
    assert kept_back() == ["from_person"]

    with time_machine.travel(clock.now() + timedelta(days=6), tick=False):
        clean_up.call()
        assert kept_back() == ["from_person"]
    with time_machine.travel(clock.now() + timedelta(days=8), tick=False):
        clean_up.call()
        assert kept_back() == []
        message = Message.objects.get(kind="from_person")
        assert (message.state, message.payload) == (State.DROPPED, {})


def test_who_deletes_an_unconfirmed_account_sends_nothing(nova, mina, mailoutbox):
    calendar = nova.post("/calendars/", {"name": "Buy this", "is_finalized": False}).data["id"]
    nova.post(f"/calendars/{calendar}/participants/", {"user": mina.pk})
    nova.post("/profile/delete/", {"refresh_token": nova.refresh})

    assert not User.objects.filter(username="nova").exists()
    assert sent(mailoutbox) == []
    assert kept_back() == []


def test_reset_mails_go_to_an_unconfirmed_address(nova, mailoutbox):
    from commontime.accounts.tasks import send_password_reset

    sent(mailoutbox)
    send_password_reset.call("nova@example.org")

    assert sent(mailoutbox) == ["Choose a new password → nova@example.org"]


# A changed address --------------------------------------------------------------------------------


def test_a_changed_address_is_stored_at_once_and_the_old_one_is_told(mailoutbox):
    mina = caller("mina")
    changes = {"email": "mina@example.net", "current_password": build.PASSWORD}

    answer = mina.post("/profile/edit/", {**changes, "password": "another correct horse"})

    assert (answer.data["email"], answer.data["email_confirmed"]) == ("mina@example.net", False)
    assert sent(mailoutbox) == [
        "Confirm your email address → mina@example.net",
        "Your email address has changed → mina@example.org",
    ]
    # Nothing else goes to either. The rest waits for the new one.
    assert kept_back() == ["password_changed"]
    confirm(mina)
    assert sent(mailoutbox) == ["Your password has been changed → mina@example.net"]


def test_an_address_that_was_never_confirmed_is_told_nothing(nova, mailoutbox):
    sent(mailoutbox)
    nova.post("/profile/edit/", {"email": "nova@example.net"})

    assert sent(mailoutbox) == ["Confirm your email address → nova@example.net"]


def test_a_changed_address_ends_the_links_to_the_one_before(nova):
    old = link_of(nova.user)
    nova.post("/profile/edit/", {"email": "nova@example.net"})

    assert Client().get(old).status_code == 404
    assert Client().post(old).status_code == 404
    assert not UserSetting.objects.get(user=nova.user).email_confirmed


def test_a_mail_that_waited_tells_no_earlier_address_the_link_to_the_new_one(nova, mailoutbox):
    User.objects.filter(pk=nova.user.pk).update(email="nova@example.net")

    assert sent(mailoutbox) == []


# The link -----------------------------------------------------------------------------------------


def test_a_link_that_was_used_says_so(nova):
    path = link_of(nova.user)
    confirm(nova)

    for answer in (Client().get(path), Client().post(path, follow=True)):
        assert answer.status_code == 200
        assert "Your address is confirmed" in answer.text
    token = path.split("/")[3]
    assert caller().post("/confirm-email/", {"token": token}).status_code == 200


def test_a_link_works_for_seven_days(nova):
    path = link_of(nova.user)

    with time_machine.travel(clock.now() + timedelta(days=8), tick=False):
        page = Client().get(path)
        assert "This link is too old" in page.text
        assert 'href="/app/confirm/"' in page.text
        assert Client().post(path).status_code == 409
        answer = caller().post("/confirm-email/", {"token": path.split("/")[3]})
        assert (answer.status_code, answer.data["code"]) == (409, "link_expired")
    assert not UserSetting.objects.get(user=nova.user).email_confirmed


@pytest.mark.parametrize("token", ["x", "c" * 44, "{setting}", "{invitation}", "{other}"])
def test_another_token_confirms_nothing(nova, token):
    setting = UserSetting.objects.get(user=nova.user)
    token = token.format(
        setting=setting.pk,
        invitation=links.token(links.Kind.MAILED_INVITATION, setting.pk, 1),
        other=links.token(links.Kind.CONFIRMATION, setting.pk, 2),
    )

    assert Client().post(f"/app/confirm/{token}/").status_code == 404
    assert caller().post("/confirm-email/", {"token": token}).status_code == 404
    assert not is_confirmed(nova)


def test_the_link_is_nowhere_but_in_the_mail(nova, settings, tmp_path, caplog):
    link = link_of(nova.user).split("/")[3]
    backend = {"BACKEND": "commontime.mail.backends.FileBackend"}
    settings.MAILERS = {"default": {**backend, "OPTIONS": {"folder": str(tmp_path)}}}
    delivery.deliver_due(seconds=100)
    assert link in "".join(file.read_text() for file in tmp_path.iterdir()).replace("=\n", "")
    browser = browser_of("nova")

    for path in ("/app/", "/app/mail/", "/app/settings/", "/app/settings/export/", "/app/confirm/"):
        assert link not in browser.client.get(path).content.decode(), path
    for path in ("/profile/", "/profile/settings/", "/profile/export/"):
        assert link not in nova.get(path).content.decode(), path
    assert link not in caplog.text


def test_the_mail_is_sent_again_three_times_an_hour(nova, mailoutbox):
    again = [nova.post("/profile/confirm-email/").status_code for _ in range(3)]

    # The first of the three was at sign-up.
    assert again == [202, 202, 429]
    assert sent(mailoutbox) == ["Confirm your email address → nova@example.org"] * 3
    with time_machine.travel(clock.now() + timedelta(hours=1, seconds=5), tick=False):
        fresh = Caller(user=nova.user).sign_in()
        assert fresh.post("/profile/confirm-email/").status_code == 202


def test_one_address_gets_three_an_hour_whoever_signs_up_with_it(mailoutbox):
    arrived = []
    for name in ("a1", "a2", "a3", "a4"):
        assert caller().post("/signup/", {**NOVA, "username": name}).status_code == 201
        arrived += sent(mailoutbox)
        User.objects.get(username=name).delete()

    assert arrived == ["Confirm your email address → nova@example.org"] * 3


def test_who_is_confirmed_is_sent_nothing_again(mina, mailoutbox):
    answer = caller(mina).post("/profile/confirm-email/")

    assert (answer.status_code, answer.data["code"]) == (409, "already_confirmed")
    assert sent(mailoutbox) == []


# On pages -----------------------------------------------------------------------------------------


def signed_up() -> Browser:
    browser = Browser()
    browser.get("/app/sign-up/")
    browser.send("/app/sign-up/", **NOVA)
    return browser


def test_each_page_offers_to_send_the_mail_again(mailoutbox):
    browser = signed_up()
    sent(mailoutbox)
    for path in ("/app/", "/app/settings/", "/app/people/"):
        browser.get(path)
        assert "open the link in the email to nova@example.org" in browser.page.text

    browser.send("/app/confirm/")

    assert "An email to nova@example.org is on its way" in browser.page.text
    assert sent(mailoutbox) == ["Confirm your email address → nova@example.org"]
    confirm(Caller(user=User.objects.get(username="nova")))
    browser.get("/app/")
    assert "open the link in the email" not in browser.page.text
    browser.get("/app/confirm/")
    assert "nova@example.org is confirmed" in browser.page.text


def test_a_calendars_page_says_no_longer_that_an_address_waits(nova):
    calendar = build.calendar(owner=nova.user)
    browser = browser_of("nova")
    path = f"/app/calendars/{calendar.pk}/"
    browser.get(path)
    assert "email to nova@example.org" in browser.page.text

    confirm(nova)
    browser.get(path)

    assert "email to nova@example.org" not in browser.page.text


# Other mails that prove an address ----------------------------------------------------------------


def invited(address: str = "nova@example.org") -> Invitation:
    calendar = build.calendar(owner=build.user("mina"))
    return Invitation.objects.create(calendar=calendar, sender=calendar.owner, email=address)


def join_by(link: str) -> None:
    browser = browser_of("nova")
    browser.get(path_of(link))
    assert not UserSetting.objects.get(user__username="nova").email_confirmed
    browser.send(path_of(link))
    assert CalendarParticipant.objects.filter(user__username="nova").exists()


@pytest.mark.parametrize(
    ("link_of", "address", "confirms"),
    [
        (mailed_link_to, "nova@example.org", True),
        (mailed_link_to, "another@example.org", False),
        (link_to, "nova@example.org", False),
    ],
    ids=["mailed", "mailed to another address", "copied"],
)
def test_joining_by_a_mailed_invitation_confirms_its_address(nova, link_of, address, confirms):
    join_by(link_of(invited(address)))

    assert is_confirmed(nova) == confirms


@pytest.mark.parametrize(
    ("link_of", "confirms"), [(mailed_link_to, True), (link_to, False)], ids=["mailed", "copied"]
)
@pytest.mark.parametrize("sign_up", ["open", "invited"])
def test_signing_up_by_a_mailed_invitation_confirms_its_address(
    settings, mailoutbox, sign_up, link_of, confirms
):
    settings.SIGN_UP = sign_up
    token = path_of(link_of(invited())).split("/")[3]

    caller().post("/signup/", {**NOVA, "invitation": token})

    assert UserSetting.objects.get(user__username="nova").email_confirmed == confirms
    assert len(sent(mailoutbox)) == (0 if confirms else 1)


def test_the_invitation_in_the_mail_is_the_mailed_one(mina, mailoutbox):
    calendar = build.calendar(owner=mina)
    caller(mina).post(
        "/calendars/invitations/", {"calendar": str(calendar.pk), "email": "a@example.org"}
    )
    delivery.deliver_due(seconds=100)

    invitation = Invitation.objects.get()
    assert mailed_link_to(invitation) in mailoutbox[0].body
    assert link_to(invitation) not in mailoutbox[0].body
    page = browser_of("mina").client.get(f"/app/calendars/{calendar.pk}/people/").content.decode()
    assert link_to(invitation) in page
    assert mailed_link_to(invitation) not in page


@pytest.mark.parametrize(
    ("url_for", "confirms"), [(mailed_reset_url, True), (reset_url, False)], ids=["mailed", "told"]
)
def test_a_new_password_by_a_mailed_link_confirms_the_address(nova, url_for, confirms):
    path = path_of(url_for(nova.user))

    assert Client().get(path).status_code == 200
    assert not is_confirmed(nova)
    assert caller().post(path, {"password": "another correct horse"}).status_code == 200

    assert UserSetting.objects.get(user=nova.user).email_confirmed == confirms


# Who is warned ------------------------------------------------------------------------------------


def fixed(owner: Caller, *others: User, hour: int = 9, **more: Any) -> Any:
    """Choose a time for a new meeting, which suits everybody."""
    calendar = build.calendar(owner=owner.user, participants=others)
    for person in (owner.user, *others):
        build.window(calendar, person, build.day(9), build.day(15))
    meeting = build.meeting(calendar=calendar)
    path = f"/calendars/{calendar.pk}/meetings/{meeting.pk}/"
    return owner.put(path, {"final_time": build.day(hour).isoformat(), **more})


def test_an_organiser_is_warned_that_nobody_gets_an_email(nova, mina):
    answer = fixed(nova, mina)

    assert answer.status_code == 200
    (warning,) = answer.data["warnings"]
    assert (warning["code"], warning["users"]) == ("address_not_confirmed", [nova.user.pk])
    refused = fixed(nova, mina, hour=12, strict=True)
    assert (refused.status_code, refused.data["code"]) == (409, "address_not_confirmed")


def test_an_organiser_is_warned_of_who_gets_no_email(nova, mina):
    answer = fixed(caller(mina), nova.user)

    (warning,) = answer.data["warnings"]
    assert (warning["code"], warning["users"]) == ("address_not_confirmed", [nova.user.pk])
    assert "Nova" in warning["detail"]


def planned(owner: Caller, *others: User) -> str:
    """Plan a meeting that suits everybody, and return the path of the plan."""
    calendar = build.calendar(owner=owner.user, participants=others)
    for person in (owner.user, *others):
        build.window(calendar, person, build.day(9), build.day(15))
    build.meeting(calendar=calendar)
    path = f"/calendars/{calendar.pk}/plan/"
    assert owner.post(path, {"time_limit_s": 1}).data["placed"]
    return path


def test_applying_a_plan_told_nobody_that_its_emails_are_kept_back(nova, mina):
    owner = caller(mina)

    theirs = owner.post(f"{planned(owner, nova.user)}apply/")
    own = nova.post(f"{planned(nova, mina)}apply/")

    for answer in (theirs, own):
        assert (answer.status_code, answer.data["status"]) == (200, "applied")
        (warning,) = answer.data["warnings"]
        assert (warning["code"], warning["users"]) == ("address_not_confirmed", [nova.user.pk])


def test_a_plan_that_is_applied_at_once_warns_too(nova, mina):
    owner = caller(mina)
    path = planned(owner, nova.user)

    answer = owner.post(path, {"time_limit_s": 1, "apply": True})

    (warning,) = answer.data["warnings"]
    assert (warning["code"], warning["users"]) == ("address_not_confirmed", [nova.user.pk])


def test_a_plan_of_people_with_confirmed_addresses_warns_of_nothing(mina, sam):
    owner = caller(mina)

    assert "warnings" not in owner.post(f"{planned(owner, sam)}apply/").data


def test_the_page_of_a_plan_says_whose_emails_are_kept_back(nova, mina):
    owner = caller(mina)
    path = planned(owner, nova.user)
    browser = Client()
    browser.post("/app/sign-in/", {"identifier": "mina", "password": build.PASSWORD})
    said = "Nova: no emails until they have confirmed their address."

    before = browser.get(f"/app{path}").text
    published = browser.post(f"/app{path}", {"do": "publish"}, follow=True).text
    confirm(nova)
    after = browser.get(f"/app{path}").text

    assert said in before
    assert said in published
    assert "emails are on their way" not in published
    assert said not in after
    assert "emails are on their way" in after


def test_finishing_a_calendar_warns_too(nova):
    calendar = build.calendar(owner=nova.user)

    answer = nova.put(f"/calendars/{calendar.pk}/", {"name": "Choir", "is_finalized": True})

    assert [warning["code"] for warning in answer.data["warnings"]] == ["address_not_confirmed"]


# Where every address counts as confirmed ----------------------------------------------------------


@pytest.fixture(params=["switched off", "no mail server"])
def no_confirming(request, settings, tmp_path) -> None:
    if request.param == "switched off":
        settings.CONFIRM_ADDRESSES = False
    else:
        settings.MAILERS = {"default": mailer("")}
        settings.MAILERS["default"]["OPTIONS"]["folder"] = str(tmp_path)


def test_without_confirming_every_address_is_confirmed(no_confirming, mina):
    caller().post("/signup/", NOVA)
    nova = Caller(user=User.objects.get(username="nova")).sign_in()
    edited = nova.post("/profile/edit/", {"email": "nova@example.net"})
    nova.access = edited.data["access"]

    assert is_confirmed(nova)
    assert UserSetting.objects.get(user=nova.user).email_confirmed
    assert not Message.objects.filter(kind="confirm_address").exists()
    assert nova.post("/profile/confirm-email/").status_code == 409
    assert "warnings" not in fixed(nova, mina).data
    delivery.deliver_due(seconds=100)
    assert kept_back() == []


def test_what_was_kept_back_goes_out_once_confirming_is_switched_off(
    nova, mina, mailoutbox, settings
):
    nova.post("/calendars/send-email/", {"username": "mina"})
    sent(mailoutbox)
    settings.CONFIRM_ADDRESSES = False

    assert is_confirmed(nova)
    clean_up.call()

    assert len(sent(mailoutbox)) == 1


def test_accounts_that_an_operator_makes_are_confirmed(monkeypatch, mailoutbox):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{build.PASSWORD}\n"))

    call_command("create_account", "nova", "nova@example.org", stdout=io.StringIO())

    assert is_confirmed(Caller(user=User.objects.get(username="nova")).sign_in())
    assert sent(mailoutbox) == []

"""Without a mail server people read their mails on a page: theirs, and nobody else's."""

import pytest
from django.contrib.auth.models import User

from commontime.accounts.models import UserSetting
from commontime.accounts.tasks import send_password_reset
from commontime.calendars import actions
from commontime.calendars.models import Calendar
from commontime.mail import outbox
from tests import build
from tests.web.browser import browser_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_passwords")]


@pytest.fixture(autouse=True)
def _no_mail_server(settings, tmp_path) -> None:
    backend = {"BACKEND": "commontime.mail.backends.FileBackend"}
    settings.MAILERS = {"default": {**backend, "OPTIONS": {"folder": str(tmp_path)}}}


@pytest.fixture
def calendar(mina, sam) -> Calendar:
    return build.calendar(owner=mina, participants=[sam], name="Band")


def test_whoever_signs_up_with_an_address_reads_no_mail_sent_there_before(calendar, mina):
    actions.invite_address(calendar.pk, by=mina, email="ana@example.org")
    outbox.deliver_due()
    eve = build.user("eve", email="ana@example.org")

    shown = browser_of(eve).get("/app/mail/").text

    assert "No emails yet" in shown
    assert "Band" not in shown


def test_a_changed_address_takes_no_mails_along_and_leaves_none(calendar, mina, sam):
    actions.send_letter(by=mina, username="sam", note="See you")
    outbox.deliver_due()
    UserSetting.objects.filter(user=sam).update(email_key="elsewhere@example.org")
    User.objects.filter(pk=sam.pk).update(email="elsewhere@example.org")
    eve = build.user("eve", email="sam@example.org")

    assert "See you" in browser_of(sam).get("/app/mail/").text
    assert "See you" not in browser_of(eve).get("/app/mail/").text


def test_a_signed_in_browser_gave_its_finder_a_new_password(sam, tmp_path):
    send_password_reset.func(sam.email)
    outbox.deliver_due()

    shown = browser_of(sam).get("/app/mail/").text

    assert "password_reset" not in shown
    assert "No emails yet" in shown
    (file,) = tmp_path.glob("*.eml")
    assert "/password_reset/" in file.read_text()

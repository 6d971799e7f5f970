"""Without a mail server: each mail is one file, and the account it is for can read it."""

import os
import shutil
from email import message_from_bytes, policy
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import connection

from commontime.config.settings import mailer
from commontime.mail import backends, outbox
from commontime.mail.enums import State
from commontime.mail.mime import message_id
from commontime.mail.models import Message
from commontime.mail.queries import letters_kept_for
from tests.mail.cast import notice

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(settings, tmp_path):
    settings.MAILERS = {"default": mailer("")}
    settings.MAILERS["default"]["OPTIONS"]["folder"] = str(tmp_path / "mail")
    return tmp_path / "mail"


def test_each_mail_is_a_file(folder):
    outbox.post([notice(1), notice(2)])

    outbox.deliver_due()

    files = list(folder.iterdir())
    assert {path.suffix for path in files} == {".eml"}
    subjects = [
        message_from_bytes(path.read_bytes(), policy=policy.default)["Subject"] for path in files
    ]
    assert sorted(subjects) == ["Hello 1", "Hello 2"]
    assert folder.stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in files)


def test_the_same_mail_sent_again_is_the_same_file(folder):
    outbox.post([notice(1)])
    outbox.deliver_due()
    Message.objects.update(state="queued", payload={"number": 1})

    outbox.deliver_due()

    assert len(list(folder.iterdir())) == 1


def test_a_file_is_whole_or_not_there(folder, monkeypatch):
    def fail(*args: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    outbox.post([notice(1)])

    outbox.deliver_due()

    assert not list(folder.iterdir())
    assert Message.objects.get().state == "queued"


def test_receivers_find_their_own_letters_newest_first(folder, later, sam, iris, eve):
    for number in (1, 2, 3):
        outbox.post([notice(number, user_id=(sam if number < 3 else eve).pk)])
        outbox.deliver_due()
        later(60)

    letters = letters_kept_for(sam)

    assert [letter.subject for letter in letters] == ["Hello 2", "Hello 1"]
    assert letters[0].text == "Hello.\n"
    assert not letters_kept_for(iris)


def test_letters_were_gone_with_the_folder_of_another_machine(folder, sam):
    outbox.post([notice(1, user_id=sam.pk)])
    outbox.deliver_due()
    shutil.rmtree(folder)

    assert [letter.subject for letter in letters_kept_for(sam)] == ["Hello 1"]


def test_whoever_got_an_address_later_read_what_was_sent_there_before(folder, sam, eve):
    outbox.post(
        [
            notice(1, recipient="sam@example.org", user_id=sam.pk),
            notice(2, recipient="sam@example.org"),
        ]
    )
    outbox.deliver_due()
    User.objects.filter(pk=sam.pk).update(email="sam@example.net")
    User.objects.filter(pk=eve.pk).update(email="sam@example.org")

    assert not letters_kept_for(User.objects.get(pk=eve.pk))
    assert [letter.subject for letter in letters_kept_for(sam)] == ["Hello 1"]
    assert list(Message.objects.filter(user=None).values_list("subject", "text")) == [("", "")]


def test_with_a_mail_server_no_letters_are_kept(sink, sam):
    outbox.post([notice(1, user_id=sam.pk)])
    outbox.deliver_due()

    assert not letters_kept_for(sam)


def test_letters_go_with_their_account(folder, sam):
    outbox.post([notice(1, user_id=sam.pk)])
    outbox.deliver_due()

    sam.delete()

    assert not Message.objects.exists()


def test_letters_that_were_files_only_are_kept_at_the_upgrade(folder, sam):
    outbox.post([notice(1, user_id=sam.pk), notice(2, user_id=sam.pk), notice(3)])
    outbox.deliver_due()
    gone = Message.objects.get(event="test:2")
    (folder / backends.file_name(message_id(gone))).unlink()
    Message.objects.update(subject="", text="")  # as they were before
    migration = import_module("commontime.mail.migrations.0003_mails_of_an_account")

    migration.take_in_files(apps, SimpleNamespace(connection=connection))

    (letter,) = letters_kept_for(sam)
    assert (letter.subject, letter.text) == ("Hello 1", "Hello.\n")
    assert Message.objects.get(event="test:3").text == ""


def test_old_letters_are_forgotten_with_their_messages(folder, later, sam):
    outbox.post([notice(1, user_id=sam.pk)])
    outbox.deliver_due()
    later(31 * 86400)
    outbox.post([notice(2, user_id=sam.pk)])
    outbox.deliver_due()
    new = folder / backends.file_name(
        str(
            message_from_bytes(max(folder.iterdir(), key=os.path.getmtime).read_bytes())[
                "Message-ID"
            ]
        )
    )
    os.utime(new, (2**32, 2**32))

    outbox.forget_settled(days=30)

    assert [letter.subject for letter in letters_kept_for(sam)] == ["Hello 2"]
    assert len(list(folder.iterdir())) == 1


def test_only_what_can_not_be_delivered_fails(folder):
    outbox.post([notice(1, recipient="no address"), notice(2)])
    outbox.deliver_due()

    assert list(Message.objects.order_by("event").values_list("event", "state")) == [
        ("test:1", State.FAILED),
        ("test:2", State.SENT),
    ]

"""Without a mail server: each mail is one file that its receiver can read."""

import os
from email import message_from_bytes, policy

import pytest

from commontime.config.settings import mailer
from commontime.mail import backends, outbox
from commontime.mail.enums import State
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


def test_receivers_find_their_own_letters_newest_first(folder, later):
    for number in (1, 2, 3):
        outbox.post(
            [notice(number, recipient="sam@example.org" if number < 3 else "eve@example.org")]
        )
        outbox.deliver_due()
        later(60)

    letters = letters_kept_for("Sam@example.org")

    assert [letter.subject for letter in letters] == ["Hello 2", "Hello 1"]
    assert letters[0].text == "Hello.\n"
    assert letters_kept_for("iris@example.org") == []


def test_a_letter_whose_file_was_removed_is_not_listed(folder):
    outbox.post([notice(1, recipient="sam@example.org")])
    outbox.deliver_due()
    for path in folder.iterdir():
        path.unlink()

    assert letters_kept_for("sam@example.org") == []


def test_with_a_mail_server_no_letters_are_kept(sink):
    outbox.post([notice(1, recipient="sam@example.org")])
    outbox.deliver_due()

    assert letters_kept_for("sam@example.org") == []


def test_old_letters_are_forgotten_with_their_messages(folder, later):
    outbox.post([notice(1, recipient="sam@example.org")])
    outbox.deliver_due()
    later(31 * 86400)
    outbox.post([notice(2, recipient="sam@example.org")])
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

    assert [letter.subject for letter in letters_kept_for("sam@example.org")] == ["Hello 2"]
    assert len(list(folder.iterdir())) == 1


def test_only_what_can_not_be_delivered_fails(folder):
    outbox.post([notice(1, recipient="no address"), notice(2)])
    outbox.deliver_due()

    assert list(Message.objects.order_by("event").values_list("event", "state")) == [
        ("test:1", State.FAILED),
        ("test:2", State.SENT),
    ]

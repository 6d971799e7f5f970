"""Sending, over real SMTP: cases ML-01 to ML-03, and what a server can do to us."""

import smtplib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import OperationalError

from commontime.config.settings import mailer
from commontime.core import clock
from commontime.mail import delivery, outbox
from commontime.mail.enums import State
from commontime.mail.models import Message
from stage import sink as sinks
from tests.mail.cast import notice

pytestmark = pytest.mark.django_db


def post(count: int) -> None:
    outbox.post(notice(number) for number in range(count))


def states() -> list[str]:
    return list(Message.objects.order_by("event").values_list("state", flat=True))


def test_each_mail_goes_to_its_one_recipient(sink):
    post(3)

    assert outbox.deliver_due() == 3

    assert sorted(mail.recipients for mail in sink.received) == [
        ["sam0@example.org"],
        ["sam1@example.org"],
        ["sam2@example.org"],
    ]
    assert states() == [State.SENT] * 3
    assert len({mail.message_id for mail in sink.received}) == 3


def test_a_settled_message_forgets_its_payload(sink):
    sink.rcpt.append("550 no such mailbox")
    outbox.post([notice(1), notice(2, payload={"gone": True}), notice(3)])

    outbox.deliver_due()

    assert sorted(Message.objects.values_list("state", "payload")) == [
        (State.DROPPED, {}),
        (State.FAILED, {}),
        (State.SENT, {}),
    ]


def test_who_is_no_longer_entitled_gets_nothing(sink):
    outbox.post([notice(1, payload={"gone": True})])

    outbox.deliver_due()

    assert states() == [State.DROPPED]
    assert sink.received == []


# Refusals -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", ["rcpt", "data"])
def test_three_times_not_now_is_a_delay(sink, later, stage):
    getattr(sink, stage).extend(["451 try again later"] * 3)
    post(1)

    waited = 0
    while not sink.received:
        outbox.deliver_due()
        assert Message.objects.get().attempts <= 3
        later(5)
        waited += 5
        assert waited < 120

    outbox.deliver_due()
    assert states() == [State.SENT]
    assert len(sink.received) == 1


@pytest.mark.parametrize("stage", ["rcpt", "data"])
def test_no_for_good_is_failed_at_once_and_once(sink, later, stage):
    getattr(sink, stage).append("550 no such mailbox")
    post(2)

    outbox.deliver_due()
    later(3600)
    outbox.deliver_due()

    assert sorted(states()) == [State.FAILED, State.SENT]
    failed = Message.objects.get(state=State.FAILED)
    assert failed.error == "550 no such mailbox"
    assert sink.asked == 2


def test_our_own_sender_refused_is_not_the_recipients_fault(sink, monkeypatch):
    def refuse(*args: object) -> None:
        raise smtplib.SMTPSenderRefused(550, b"not you", "commontime@example.org")

    monkeypatch.setattr(smtplib.SMTP, "sendmail", refuse)
    post(1)

    outbox.deliver_due()

    assert states() == [State.QUEUED]


@pytest.mark.parametrize(
    "address", ["not an address", "a@x.org, b@x.org", "jürgen@x.org", "<b>@x.org", "@x.org", "a@"]
)
def test_what_is_no_address_fails_at_once(sink, address):
    outbox.post([notice(1, recipient=address), notice(2)])

    outbox.deliver_due()

    assert sorted(states()) == [State.FAILED, State.SENT]
    assert sink.recipients == ["sam2@example.org"]


def test_one_refused_person_waits_longer_each_time_while_others_get_through(sink, later):
    post(1)
    waits = []
    for number in range(1, 8):
        sink.rcpt.append("452 mailbox full")
        message = Message.objects.get(event="test:0")
        Message.objects.filter(pk=message.pk).update(due_at=clock.now())
        outbox.deliver_due()
        waits.append(
            (Message.objects.get(event="test:0").due_at - clock.now()) / timedelta(seconds=1)
        )
        outbox.post([notice(number)])
        later(1)
        outbox.deliver_due()

    assert [round(wait, -1) for wait in waits[2:]] == [60, 300, 1800, 7200, 7200]


def test_while_everything_is_refused_nobody_waits_long(sink, later):
    post(3)
    for _ in range(100):
        sink.rcpt.extend(["451 temporary lookup failure"] * 3)
        outbox.deliver_due()
        sink.rcpt.clear()
        assert Message.objects.filter(due_at__gt=clock.now() + timedelta(seconds=30)).count() == 0
        later(30)

    outbox.deliver_due()

    assert states() == [State.SENT] * 3


def test_without_the_benefit_of_the_doubt_an_hour_would_be_lost(sink, later, monkeypatch):
    monkeypatch.setattr(delivery, "IN_DOUBT", timedelta(days=1))

    with pytest.raises(AssertionError):
        test_while_everything_is_refused_nobody_waits_long(sink, later)


def test_after_three_days_it_is_given_up(sink, later):
    post(1)
    sink.rcpt.extend(["451 later"] * 2)
    outbox.deliver_due()
    later(3 * 86400)

    outbox.deliver_due()

    assert states() == [State.FAILED]
    assert Message.objects.get().error == "451 later"


# The server is away -------------------------------------------------------------------------------


def test_nothing_is_lost_in_an_outage_of_a_day_and_all_goes_out_a_minute_after_it(sink, later):
    sink.stop()
    post(10)
    for _ in range(24 * 60):
        outbox.deliver_due()
        later(60)
    assert states() == [State.QUEUED] * 10

    sink.start()
    waited = 0
    while len(sink.received) < 10:
        later(15)
        waited += 15
        outbox.deliver_due()
        assert waited <= 60

    assert states() == [State.SENT] * 10
    assert len(set(sink.recipients)) == 10


def test_an_outage_of_four_days_ends_in_failures(sink, later):
    sink.stop()
    post(3)
    later(4 * 86400)

    outbox.deliver_due()

    assert states() == [State.FAILED] * 3


def test_one_failed_connection_keeps_everybody_from_trying_for_a_moment(sink, later):
    sink.stop()
    post(3)
    assert outbox.deliver_due() == 0
    sink.start()

    assert outbox.deliver_due() == 0
    assert not delivery.is_due()
    outbox.post([notice(3)])
    assert outbox.deliver_due() == 0

    later(13)
    assert delivery.is_due()
    assert outbox.deliver_due() == 4


def test_without_the_hold_everybody_would_try(sink, later, monkeypatch):
    monkeypatch.setattr(delivery, "HOLD", timedelta())

    with pytest.raises(AssertionError):
        test_one_failed_connection_keeps_everybody_from_trying_for_a_moment(sink, later)


def test_a_silent_server_blocks_once_and_not_longer_than_its_timeout(settings, later):
    with sinks.silent_server() as port:
        settings.MAILERS = {"default": mailer(f"smtp://127.0.0.1:{port}")}
        assert settings.MAILERS["default"]["OPTIONS"]["timeout"] == 10
        settings.MAILERS["default"]["OPTIONS"]["timeout"] = 1
        post(30)

        started = time.monotonic()
        outbox.deliver_due()
        outbox.deliver_due()

        assert 0.9 < time.monotonic() - started < 30  # one wait, not one for each
    assert states() == [State.QUEUED] * 30


def test_a_server_that_falls_silent_in_the_middle_blocks_once_too(sink, settings):
    settings.MAILERS["default"]["OPTIONS"]["timeout"] = 3
    post(11)
    sink.rcpt.extend(["250 OK", *[sinks.SILENCE] * 10])

    started = time.monotonic()
    outbox.deliver_due()
    outbox.deliver_due()

    assert 2.9 < time.monotonic() - started < 30
    assert sorted(states()) == [State.QUEUED] * 10 + [State.SENT]


@pytest.mark.parametrize(
    ("piece", "pause"),
    [(b"220-hello\r\n" * 1000, 0), (b"220-hello\r\n", 0.1), (b"2", 0.1)],
    ids=["fast lines", "slow lines", "a line without end"],
)
def test_a_server_that_never_came_to_an_end_held_the_worker_for_ever(settings, piece, pause):
    with sinks.endless_server(piece, pause) as port:
        settings.MAILERS = {"default": mailer(f"smtp://127.0.0.1:{port}")}
        settings.MAILERS["default"]["OPTIONS"]["timeout"] = 1
        post(2)

        outbox.deliver_due()

    assert states() == [State.QUEUED] * 2
    assert Message.objects.filter(held=True).count() == 1


@pytest.mark.parametrize(
    "greeting", [b"421 too busy\r\n", b"554 go away\r\n", b"\xff\xfe garbage\r\n", b""]
)
def test_a_server_that_greets_badly_is_away(settings, greeting):
    with sinks.greeting_server(greeting) as port:
        settings.MAILERS = {"default": mailer(f"smtp://127.0.0.1:{port}")}
        post(2)

        outbox.deliver_due()

    assert states() == [State.QUEUED] * 2
    assert Message.objects.filter(held=True).count() == 1


def test_421_in_the_middle_means_the_server_closes(sink, later):
    sink.rcpt.append("421 shutting down")
    post(2)

    outbox.deliver_due()

    assert states() == [State.QUEUED] * 2
    later(15)
    outbox.deliver_due()
    assert states() == [State.SENT] * 2


# The connection breaks ----------------------------------------------------------------------------


@contextmanager
def recovered(later) -> Iterator[None]:
    yield
    outbox.deliver_due()
    later(20)
    outbox.deliver_due()


def test_dropped_before_data_is_one_mail(sink, later):
    sink.rcpt.append(sinks.DROP)
    with recovered(later):
        post(1)

    assert len(sink.received) == 1


def test_dropped_between_the_mail_and_its_250_is_at_most_two_with_one_message_id(sink, later):
    sink.data.append(sinks.LOSE_REPLY)
    with recovered(later):
        post(1)

    assert len(sink.received) == 2
    assert len({mail.message_id for mail in sink.received}) == 1


def test_dropped_after_250_is_one_mail_and_the_batch_goes_on(sink):
    sink.data.extend([sinks.HANG_UP_AFTER] * 2)
    post(1)
    outbox.deliver_due()
    assert len(sink.received) == 1

    outbox.post(notice(number) for number in range(1, 4))
    outbox.deliver_due()

    assert sorted(sink.recipients) == [f"sam{number}@example.org" for number in range(4)]
    assert states() == [State.SENT] * 4


def test_a_server_that_takes_few_mails_a_connection_does_not_stop_the_batch(sink):
    sink.rcpt.extend([*["250 OK"] * 5, "421 enough", *["250 OK"] * 5, "421 enough"])
    post(15)

    outbox.deliver_due()

    assert len(set(sink.recipients)) == len(sink.recipients) == 15


# Bugs of ours -------------------------------------------------------------------------------------


def test_a_bug_in_a_composer_harms_no_other_mail_and_is_bounded(sink, later, caplog):
    outbox.post([notice(1, payload={"broken": True}), notice(2), notice(3, kind="unknown")])

    outbox.deliver_due()
    assert sink.recipients == ["sam2@example.org"]
    assert "could not be composed" in caplog.text
    tries = 1
    while Message.objects.filter(state=State.QUEUED).exists():
        later(1800)
        tries += outbox.deliver_due() > 0

    assert states() == [State.FAILED, State.SENT, State.FAILED]
    assert Message.objects.get(event="test:1").error == "Could not be composed: RuntimeError"
    assert tries < 60


def test_a_bug_in_sending_harms_no_other_mail(sink, monkeypatch):
    from django.core.mail.backends.smtp import EmailBackend

    real = EmailBackend.send_messages

    def fail_once(backend, mails):
        monkeypatch.setattr(EmailBackend, "send_messages", real)
        raise ValueError("a header nobody can write")

    monkeypatch.setattr(EmailBackend, "send_messages", fail_once)
    post(2)

    outbox.deliver_due()

    assert sorted(states()) == [State.QUEUED, State.SENT]


def test_the_database_away_while_composing_is_nobodys_fault(sink, monkeypatch):
    def fail(message: Message) -> None:
        raise OperationalError

    monkeypatch.setitem(delivery._composers, "test", fail)
    post(1)

    with pytest.raises(OperationalError):
        outbox.deliver_due()

    assert Message.objects.get().attempts == 0


@pytest.mark.django_db(transaction=True)
def test_the_database_away_for_a_moment_after_sending_does_not_send_twice(sink, later, monkeypatch):
    real = delivery._finish

    def fail_once(*arguments: object) -> None:
        monkeypatch.setattr(delivery, "_finish", real)
        raise OperationalError

    monkeypatch.setattr(delivery, "_finish", fail_once)
    post(1)

    outbox.deliver_due()
    later(120)
    outbox.deliver_due()

    assert states() == [State.SENT]
    assert len(sink.received) == 1


def test_settled_messages_are_forgotten_after_some_days(sink, later):
    post(1)
    outbox.post([notice(1, payload={"gone": True})])
    outbox.deliver_due()
    later(30 * 86400 + 60)
    outbox.post([notice(2)])

    assert outbox.forget_settled(days=30) == 2

    assert states() == [State.QUEUED]

"""Who may send what when: leases, fencing and order. A worker that sleeps too long is simulated;
real ones are in test_workers.py.
"""

import pytest

from commontime.mail import delivery, outbox
from commontime.mail.enums import State
from commontime.mail.models import Message
from commontime.mail.server import Server
from tests.mail import cast
from tests.mail.cast import notice

pytestmark = pytest.mark.django_db


@pytest.fixture
def meanwhile(monkeypatch):
    """Let something happen once, while the next mail is handed to the server, after it took it or
    before.
    """

    def arrange(happens, *, after_it_took_it: bool = False) -> None:
        real = Server.send

        def send(server, mail):
            monkeypatch.setattr(Server, "send", real)
            if after_it_took_it:
                real(server, mail)
                happens()
            else:
                happens()
                real(server, mail)

        monkeypatch.setattr(Server, "send", send)

    return arrange


def sleep_while_composing(monkeypatch, happens) -> None:
    def compose(message):
        monkeypatch.setitem(delivery._composers, "test", cast.letter)
        happens()
        return cast.letter(message)

    monkeypatch.setitem(delivery._composers, "test", compose)


def another_worker_takes_one(later, slept: float = 90):
    def happens() -> None:
        later(slept)
        outbox.deliver_due(limit=1)

    return happens


def test_a_held_message_is_left_alone(sink, later, meanwhile):
    outbox.post([notice(1)])
    meanwhile(another_worker_takes_one(later, slept=59))

    outbox.deliver_due()

    assert len(sink.received) == 1
    assert Message.objects.get().lease_epoch == 1


def test_a_worker_that_slept_while_sending_sends_and_marks_nothing_more(sink, later, meanwhile):
    outbox.post([notice(1), notice(2), notice(3)])
    meanwhile(another_worker_takes_one(later), after_it_took_it=True)

    outbox.deliver_due()

    # The sleeper's mail, and one of the other worker. The rest waits for the next run.
    assert len(sink.received) == 2
    assert Message.objects.filter(state=State.QUEUED).count() >= 1
    outbox.deliver_due()
    later(90)
    outbox.deliver_due()
    assert set(Message.objects.values_list("state", flat=True)) == {State.SENT}
    assert len(sink.received) <= 4
    assert len({mail.message_id for mail in sink.received}) == 3


def test_a_worker_that_slept_before_sending_does_not_send(sink, later, monkeypatch):
    outbox.post([notice(1)])
    sleep_while_composing(monkeypatch, another_worker_takes_one(later))

    outbox.deliver_due()

    assert len(sink.received) == 1
    assert Message.objects.get().lease_epoch == 2


def test_a_worker_that_slept_a_little_before_sending_starts_again(sink, later, monkeypatch):
    outbox.post([notice(1)])
    sleep_while_composing(monkeypatch, lambda: later(20))

    outbox.deliver_due()

    assert len(sink.received) == 1
    assert Message.objects.get().lease_epoch == 2


def test_without_the_fence_the_sleeper_would_go_on(sink, later, meanwhile, monkeypatch):
    monkeypatch.setattr(
        delivery,
        "_settle",
        lambda message, **changes: Message.objects.filter(pk=message.pk).update(
            lease_until=None, **changes
        ),
    )
    outbox.post([notice(1), notice(2), notice(3)])
    meanwhile(another_worker_takes_one(later), after_it_took_it=True)

    outbox.deliver_due()

    assert len(sink.received) > 2


def test_without_the_look_at_the_clock_the_sleeper_would_send(sink, later, monkeypatch):
    monkeypatch.setattr(delivery, "LONGEST_SEND", -delivery.LEASE * 10)
    outbox.post([notice(1)])
    sleep_while_composing(monkeypatch, another_worker_takes_one(later))

    outbox.deliver_due()

    assert len(sink.received) == 2


def test_only_one_of_two_gets_a_message():
    outbox.post([notice(1)])
    first, second = Message.objects.get(), Message.objects.get()

    assert delivery._claim(first)
    assert not delivery._claim(second)


def test_a_message_that_was_settled_since_it_was_read_is_not_claimed():
    outbox.post([notice(1)])
    stale = Message.objects.get()
    outbox.deliver_due()
    Message.objects.update(lease_epoch=0)

    assert not delivery._claim(stale)


def test_after_a_crash_the_message_is_due_again_when_the_lease_ends(sink, later):
    outbox.post([notice(1)])
    delivery._claim(Message.objects.get())

    assert outbox.deliver_due() == 0
    later(59)
    assert outbox.deliver_due() == 0
    later(2)
    assert outbox.deliver_due() == 1
    assert len(sink.received) == 1


# Order --------------------------------------------------------------------------------------------


def test_a_newer_sequence_replaces_an_older_one_that_has_not_gone_out(sink):
    outbox.post([notice(1, sequence=0)])
    outbox.post([notice(1, sequence=2), notice(1, sequence=1), notice(2)])

    outbox.deliver_due()

    assert dict(Message.objects.filter(event="test:1").values_list("sequence", "state")) == {
        0: State.DROPPED,
        1: State.DROPPED,
        2: State.SENT,
    }
    assert len(sink.received) == 2


def test_a_newer_one_does_not_overtake_the_one_being_sent(sink, later, meanwhile):
    order = []

    def happens() -> None:
        outbox.post([notice(1, sequence=1, payload={"number": "new"})])
        outbox.deliver_due()
        order.extend(sink.received)

    outbox.post([notice(1, sequence=0, payload={"number": "old"})])
    meanwhile(happens)

    outbox.deliver_due()
    later(10)
    outbox.deliver_due()

    assert order == []
    assert [str(mail.message["Subject"]) for mail in sink.received] == ["Hello old", "Hello new"]


def test_without_the_look_at_its_siblings_it_would_overtake(sink, meanwhile, monkeypatch):
    monkeypatch.setattr(delivery, "_is_next", lambda message: True)

    def happens() -> None:
        outbox.post([notice(1, sequence=1, payload={"number": "new"})])
        outbox.deliver_due()

    outbox.post([notice(1, sequence=0, payload={"number": "old"})])
    meanwhile(happens)

    outbox.deliver_due()

    assert [str(mail.message["Subject"]) for mail in sink.received] == ["Hello new", "Hello old"]


def test_an_account_deleted_while_its_mail_is_sent_stops_the_batch_only(sink, meanwhile):
    outbox.post([notice(1), notice(2)])
    meanwhile(lambda: Message.objects.filter(lease_until__isnull=False).delete())

    outbox.deliver_due()
    outbox.deliver_due()

    assert len(sink.received) == 2
    assert Message.objects.get().state == State.SENT

"""Posting: with the caller's transaction, once each, and many cost no more than one."""

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django_ox.models import OxTask
from django_ox.testing import run_tasks

from commontime.mail import outbox
from commontime.mail.enums import State
from commontime.mail.models import Message
from tests.mail.cast import notice

pytestmark = pytest.mark.django_db


def test_a_notice_becomes_a_mail(mailoutbox):
    outbox.post([notice(1)])

    assert outbox.deliver_due() == 1
    (mail,) = mailoutbox
    assert mail.subject == "Hello 1"
    assert mail.to == ["sam1@example.org"]
    message = Message.objects.get()
    assert message.state == State.SENT
    assert message.settled_at is not None
    assert message.lease_until is None


def test_the_wake_up_sends_it(mailoutbox):
    outbox.post([notice(1), notice(2)])

    run_tasks(raise_failures=True)

    assert sorted(mail.subject for mail in mailoutbox) == ["Hello 1", "Hello 2"]


def test_a_long_batch_goes_on_in_another_task(mailoutbox, monkeypatch):
    monkeypatch.setattr(outbox.deliver_due, "__kwdefaults__", {"limit": 2, "seconds": 5})
    outbox.post(notice(number) for number in range(5))

    results = run_tasks(raise_failures=True)

    assert len(results) == 3
    assert len(mailoutbox) == 5


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_is_never_sent(mailoutbox):
    with transaction.atomic():
        outbox.post([notice(1)])
        transaction.set_rollback(True)

    assert not Message.objects.exists()
    assert not OxTask.objects.exists()
    assert outbox.deliver_due() == 0
    assert mailoutbox == []


@pytest.mark.django_db(transaction=True)
def test_without_a_transaction_the_mails_and_the_wake_up_stand_or_fall_together(monkeypatch):
    def fail() -> None:
        raise RuntimeError

    monkeypatch.setattr(outbox, "deliver", type("Broken", (), {"enqueue": staticmethod(fail)}))

    with pytest.raises(RuntimeError):
        outbox.post([notice(1)])

    assert not Message.objects.exists()


def test_posting_again_changes_nothing(mailoutbox):
    outbox.post([notice(1), notice(1)])
    outbox.deliver_due()

    outbox.post([notice(1)])

    assert outbox.deliver_due() == 0
    assert Message.objects.count() == 1
    assert len(mailoutbox) == 1


@pytest.mark.django_db(transaction=True)
def test_without_the_constraint_posting_again_would_mail_again(monkeypatch):
    (constraint,) = Message._meta.constraints
    try:
        # SQLite makes the table anew from the model, so the model has to forget it meanwhile.
        with monkeypatch.context() as patched:
            patched.setattr(Message._meta, "constraints", [])
            with connection.schema_editor() as editor:
                editor.remove_constraint(Message, constraint)
        outbox.post([notice(1), notice(1)])
        assert Message.objects.count() == 2
    finally:
        Message.objects.all().delete()
        with connection.schema_editor() as editor:
            editor.add_constraint(Message, constraint)


def test_every_sequence_and_every_address_is_a_mail_of_its_own():
    outbox.post([notice(1), notice(1, sequence=1), notice(1, recipient="iris@example.org")])

    assert Message.objects.count() == 3


@pytest.mark.parametrize("number", [1, 3, 300])
def test_the_price_does_not_depend_on_the_number(number, django_assert_num_queries):
    notices = [notice(n) for n in range(number)]

    with django_assert_num_queries(2), transaction.atomic(savepoint=False):
        outbox.post(notices)

    assert OxTask.objects.count() == 1


def test_nothing_to_say_costs_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        outbox.post([])
        outbox.post([notice(1, recipient=""), notice(2, recipient="  ")])


@pytest.mark.django_db(transaction=True)
def test_what_was_queued_for_a_person_goes_with_the_account(mailoutbox):
    sam = User.objects.create_user("sam", "sam@example.org")
    outbox.post([notice(1, user_id=sam.pk), notice(2)])

    sam.delete()

    outbox.deliver_due()
    assert [mail.subject for mail in mailoutbox] == ["Hello 2"]


def test_two_composers_for_one_kind_are_a_mistake():
    with pytest.raises(ValueError, match="Two composers"):
        outbox.composer("test")(lambda message: None)

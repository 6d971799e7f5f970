"""Posting: with the caller's transaction, once each, at the same price for one notice as for many."""

import pytest
from django.db import transaction
from django_ox.models import OxTask

from commontime.mail import outbox
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
    assert message.state == "sent"
    assert message.payload == {}
    assert message.settled_at is not None
    assert message.lease_until is None

"""What the tests of this room share: how a refusal leaves everything as it was."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.models import User

from commontime.calendars.models import (
    Calendar,
    CalendarParticipant,
    Invitation,
    Meeting,
    MeetingAttendee,
    NonBusyTime,
    ScheduleSuggestion,
)
from commontime.contacts.models import Contact
from commontime.core.errors import Refusal
from commontime.mail.models import Message

MODELS = [
    User,
    Calendar,
    CalendarParticipant,
    NonBusyTime,
    Meeting,
    MeetingAttendee,
    ScheduleSuggestion,
    Invitation,
    Contact,
    Message,
]


def everything() -> dict[str, list[Any]]:
    """Return every row there is."""
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in MODELS}


@contextmanager
def refuses(kind: type[Refusal], code: str = "", *, field: str = "") -> Iterator[None]:
    """Check that what is done here is refused so, and changes nothing."""
    before = everything()
    with pytest.raises(kind) as refusal:
        yield
    assert code in ("", refusal.value.code)
    assert not field or field in refusal.value.fields
    assert everything() == before


@contextmanager
def changes_nothing() -> Iterator[None]:
    before = everything()
    yield
    assert everything() == before

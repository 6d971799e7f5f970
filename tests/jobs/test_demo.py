"""`make demo`: a believable group, once, and only where nobody else comes."""

from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from unittest.mock import patch

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import transaction
from django.test import override_settings

from commontime.calendars.models import (
    Calendar,
    CalendarParticipant,
    Invitation,
    Meeting,
    NonBusyTime,
    ScheduleSuggestion,
)
from commontime.contacts.models import Contact
from commontime.core import clock
from commontime.jobs.management.commands import _choir as choir
from commontime.jobs.management.commands import demo
from commontime.mail.enums import State
from commontime.mail.models import Message
from tests.client import Caller

pytestmark = pytest.mark.django_db


QUICK_PASSWORDS = {"PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"]}


def mails_as_files(folder: Path) -> dict[str, object]:
    return {
        "MAILERS": {
            "default": {
                "BACKEND": "commontime.mail.backends.FileBackend",
                "OPTIONS": {"folder": str(folder)},
            }
        }
    }


@dataclass
class Made:
    """The demo's output and rows, and the rows of a second run."""

    output: str
    rows: dict[str, list[tuple[object, ...]]]
    rows_again: dict[str, list[tuple[object, ...]]]


@pytest.fixture(scope="module")
def made(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[Made]:
    moment = clock.now()
    as_it_is_run = override_settings(
        **QUICK_PASSWORDS, **mails_as_files(tmp_path_factory.mktemp("mail"))
    )
    with django_db_blocker.unblock(), as_it_is_run, transaction.atomic():
        with patch.object(clock, "now", lambda: moment):
            with transaction.atomic():
                run()
                first = stored()
                transaction.set_rollback(True)
            output = run()
        yield Made(output, first, stored())
        transaction.set_rollback(True)


def run() -> str:
    output = StringIO()
    call_command("demo", stdout=output)
    return output.getvalue()


def stored() -> dict[str, list[tuple[object, ...]]]:
    """Return the rows of the demo, without ids and the moments at which they were stored."""
    return {
        "people": list(
            User.objects.order_by("username").values_list(
                "username", "email", "first_name", "last_name"
            )
        ),
        "seats": list(
            CalendarParticipant.objects.order_by("calendar__name", "user").values_list(
                "calendar__name", "user__username", "packed"
            )
        ),
        "meetings": list(
            Meeting.objects.order_by("title").values_list(
                "title", "final_time", "duration_minutes", "quorum"
            )
        ),
        "invitations": list(
            Invitation.objects.order_by("receiver", "email").values_list(
                "receiver__username", "email", "status"
            )
        ),
        "contacts": list(
            Contact.objects.order_by("owner", "contactee").values_list(
                "owner__username", "contactee__username"
            )
        ),
    }


def test_it_makes_a_group_with_everything_there_is_to_see(made):
    assert User.objects.count() == 40
    assert Calendar.objects.count() >= 5
    assert {meeting.status(clock.now()) for meeting in Meeting.objects.all()} == {
        "open",
        "closed",
        "scheduled",
    }
    assert set(Invitation.objects.values_list("status", flat=True)) == {
        "pending",
        "accepted",
        "declined",
    }
    assert 10 <= CalendarParticipant.objects.filter(packed="").count() <= 30
    assert set(NonBusyTime.objects.values_list("preference_level", flat=True)) == set(range(11))
    assert set(Calendar.objects.values_list("visibility", flat=True)) == {"open", "counts", "owner"}
    assert Calendar.objects.filter(is_finalized=True).count() == 1
    assert Contact.objects.count() >= 20
    assert ScheduleSuggestion.objects.count() >= 2


def test_whom_it_names_can_sign_in_and_sees_their_calendars(made):
    assert "/app/sign-in/" in made.output
    for name in ("ingrid", "tomas", "noor"):
        assert f"\n  {name} " in made.output
        answer = Caller().sign_in(name, choir.PASSWORD).get("/calendars/")
        assert len(answer.data) >= 2
    assert f'the password "{choir.PASSWORD}"' in made.output


def test_a_second_run_changes_nothing_and_says_so(made):
    before = (stored(), list(Message.objects.order_by("pk").values_list("pk", "state")))

    output = run()

    assert "The demo already exists; nothing was changed." in output
    assert (stored(), list(Message.objects.order_by("pk").values_list("pk", "state"))) == before


def test_it_is_the_same_each_time(made):
    assert made.rows_again == made.rows
    assert len(made.rows["seats"]) > 60


def test_only_those_one_signs_in_as_get_mails(made):
    queued = Message.objects.filter(state=State.QUEUED)
    assert set(queued.values_list("user__username", flat=True)) == {"ingrid", "tomas", "noor"}
    assert queued.count() < 20


def test_nothing_goes_to_a_mail_server(made, settings):
    settings.MAILERS = {
        "default": {
            "BACKEND": "commontime.mail.backends.ServerBackend",
            "OPTIONS": {"host": "mail.example.org"},
        }
    }

    demo.keep_mails_quiet()

    assert not Message.objects.filter(state=State.QUEUED).exists()

"""No statement's cost depends on what other people store: a database full of others' rows is
asked everything, and tells what it reads.
"""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import override_settings
from django.utils.module_loading import import_string

from commontime.calendars.models import Meeting
from commontime.core import clock
from commontime.mail import delivery
from commontime.mail.models import Message
from tests import build, cost, others
from tests.access_world import ROWS, Row, World, rolled_back

pytestmark = pytest.mark.django_db

SCHEDULES = settings.TASKS["default"]["OPTIONS"]["SCHEDULES"]


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[World]:
    folder = str(tmp_path_factory.mktemp("mail"))
    mailer = {"BACKEND": "commontime.mail.backends.FileBackend", "OPTIONS": {"folder": folder}}
    changed = override_settings(
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        MAILERS={"default": mailer},
    )
    with changed, django_db_blocker.unblock(), transaction.atomic():
        made = World()
        delivery.deliver_due()
        others.fill()
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                # So that the planner takes an index wherever it can, as in tables of millions.
                cursor.execute("SET LOCAL enable_seqscan = off")
                cursor.execute("SET LOCAL jit = off")
        yield made
        transaction.set_rollback(True)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_no_request_reads_the_rows_of_others(world, row):
    assert cost.report(ask(world, row)) == ""


def ask(world: World, row: Row) -> list[cost.Statement]:
    """Ask as owner, as participant and as stranger, and send the mails that follow."""
    statements = []
    for name in ("mina", "sam", "eve"):
        person = world.people[name]
        for whose in row.expected("owner"):
            path = row.path.format(**world.things(row, person, whose))
            body = world.body(row, person)
            with rolled_back(), cost.watched() as carried_out:
                (person.browse if row.is_page else person)(row.method, path, body)
                delivery.deliver_due()
            statements += carried_out
    return statements


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_scheduled_job_reads_what_is_due_and_no_more(world, schedule):
    with rolled_back():
        make_something_due(world)
        with cost.watched() as statements:
            import_string(SCHEDULES[schedule]["task"]).func()

        assert statements
        assert cost.report(statements) == ""


def make_something_due(world: World) -> None:
    Meeting.objects.filter(pk=world.open.pk).update(
        deadline=clock.now() - timedelta(minutes=1), auto_finalize=True
    )
    Message.objects.filter(user=world.user("mina")).update(settled_at=build.day(0, days=-400))

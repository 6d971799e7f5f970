"""No statement's cost depends on what other people store: a database full of others' rows is
asked everything, and tells what it reads.
"""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Exists, Q
from django.test import override_settings
from django.utils.module_loading import import_string

from commontime.calendars import actions, queries
from commontime.calendars.actions import plans as plan_actions
from commontime.calendars.models import Calendar, Meeting, Plan
from commontime.calendars.planning import plans
from commontime.calendars.tasks.plans import work_on_plan
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


def test_a_long_plan_reads_its_own_calendar(world, monkeypatch):
    monkeypatch.setattr(plan_actions, "AT_ONCE", 0.0)
    with rolled_back():
        Plan.objects.filter(calendar=world.calendar).delete()
        actions.make_plan(world.calendar, by=world.user("mina"), question=plans.Question(seconds=1))
        Plan.objects.filter(calendar=world.calendar).update(status="running")
        with cost.watched() as statements:
            work_on_plan.func(str(Plan.objects.get(calendar=world.calendar).pk))

        assert len(statements) > 3
        assert cost.report(statements) == ""


def test_what_a_row_takes_with_it_is_in_an_index():
    """Or the database would look at every row of a table for each one deleted elsewhere."""
    missing = []
    with connection.cursor() as cursor:
        for model in others.GROWING:
            table = model._meta.db_table
            constraints = connection.introspection.get_constraints(cursor, table).values()
            indexed = [each["columns"] for each in constraints if each["index"] or each["unique"]]
            indexed += [each["columns"] for each in constraints if each["primary_key"]]
            for key in (each["columns"] for each in constraints if each["foreign_key"]):
                if not any(set(columns[: len(key)]) == set(key) for columns in indexed):
                    missing.append((table, key))

    assert missing == []


# Each of these was so once.


def owned_or_joined(user: User) -> object:
    return Calendar.objects.filter(Q(owner=user) | Exists(queries.calendars.seat(user.pk)))


def test_looking_for_ones_calendars_with_or_would_be_noticed(world, monkeypatch):
    monkeypatch.setattr(queries.calendars, "calendars_visible_to", owned_or_joined)

    for path in ("/calendars/", "/app/"):
        (row,) = (row for row in ROWS if str(row) == f"GET {path}")
        assert "calendars_calendar" in cost.report(ask(world, row))


def test_looking_for_heirs_among_all_accounts_would_be_noticed(world, monkeypatch):
    monkeypatch.setattr(
        queries.people, "possible_heirs", lambda user: User.objects.filter(is_active=True)
    )
    (row,) = (row for row in ROWS if str(row) == "GET /app/settings/delete/")

    assert "auth_user" in cost.report(ask(world, row))


@pytest.mark.parametrize(
    ("index", "request_", "table"),
    [
        ("mails_of_an_account", "GET /app/mail/", "mail_message"),
        ("mails_held", "GET /app/mail/", "mail_message"),
    ],
)
def test_a_missing_index_would_be_noticed(world, index, request_, table):
    (row,) = (row for row in ROWS if str(row) == request_)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"DROP INDEX {index}")
        report = cost.report(ask(world, row))
        transaction.set_rollback(True)

    assert table in report

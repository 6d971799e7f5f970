"""The product with its guards against races off, to see that their tests notice.

Never part of the product.
"""

import threading
import time
from functools import wraps
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.backends.sqlite3.base import DatabaseWrapper as SQLite
from django.db.models.query import QuerySet

from commontime.accounts import queries as account_queries
from commontime.accounts.actions import names, passwords, sign_ins
from commontime.accounts.models import UserSetting
from commontime.api import answers, body, view
from commontime.calendars import queries
from commontime.calendars.actions import (
    calendars,
    checks,
    invitations,
    meetings,
    non_busy_times,
    one_on_ones,
    participants,
    plans,
    suggestions,
    taking_part,
)
from commontime.calendars.models import CalendarParticipant, Invitation
from commontime.calendars.planning import plans as planning
from commontime.config import errors
from commontime.contacts.models import Contact
from commontime.core import limits, rows
from commontime.core.models import RememberedAnswer, Throttle

# What the conditional updates of the product look at, apart from the key.
FORGOTTEN = {"Session": {"refresh_hash", "ended_at"}, "User": {"password"}}
CONSTRAINTS = [
    (CalendarParticipant, "one_seat_a_person"),
    (Invitation, "one_pending_invitation_a_person"),
    (Contact, "one_contact_a_person"),
    (RememberedAnswer, "one_answer_a_key"),
]
A_MOMENT = 0.02
_this = threading.local()


def weak(application: Any) -> Any:
    """Return the application with its guards off."""
    switch_off()

    def heeding(environ: Any, start_response: Any) -> Any:
        _this.is_deferred = "HTTP_X_DEFERRED" in environ
        return application(environ, start_response)

    return heeding


def begin(database: Any) -> None:
    """Begin a transaction on SQLite.

    With the guard off it begins as SQLite does by itself: others may write after it has read.
    """
    database.cursor().execute(
        "BEGIN" if getattr(_this, "is_deferred", False) else "BEGIN IMMEDIATE"
    )


def pausing(function: Any) -> Any:
    """Give others time to come in between."""

    @wraps(function)
    def slow(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        time.sleep(A_MOMENT)
        return result

    return slow


def forgetful(method: Any) -> Any:
    """Leave the condition out of a conditional update."""

    @wraps(method)
    def unconditional(self: Any, *args: Any, **kwargs: Any) -> Any:
        if "pk" in kwargs:
            for name in FORGOTTEN.get(self.model.__name__, ()):
                kwargs.pop(name, None)
        return method(self, *args, **kwargs)

    return unconditional


def look_then_count(*uses: limits.Use) -> list[int]:
    """Count tries in two steps instead of one."""
    keys = [limits._key(*use) for use in uses]
    used = [
        Throttle.objects.filter(key=key).values_list("used", flat=True).first() or 0 for key in keys
    ]
    time.sleep(A_MOMENT)
    for key, before in zip(keys, used, strict=True):
        Throttle.objects.update_or_create(
            key=key, defaults={"used": before + 1, "started": int(time.time())}
        )
    most = [limits.settings.LIMITS[name][0] for name, _subject in uses]
    return [900 if before >= many else 0 for before, many in zip(used, most, strict=True)]


def not_held(meeting: Any) -> tuple[Any, Any]:
    return meeting, queries.people.roster_of(meeting.calendar)


def switch_off() -> None:
    SQLite._start_transaction_under_autocommit = begin  # type: ignore[method-assign]
    QuerySet.filter = forgetful(QuerySet.filter)  # type: ignore[method-assign]
    fetch = rows.fetch_one
    rows.fetch_one = pausing(
        lambda sql, parameters: fetch(sql.replace(" FOR NO KEY UPDATE OF c, p", ""), parameters)
    )
    for module, name in (
        (queries.calendars, "calendar_for"),
        (queries.meetings, "meeting_for"),
        (queries.invitations, "invitation_for"),
        # Both look where people are elsewhere, and then set final times.
        (meetings, "_double_booked"),
        (planning, "problem_of"),
    ):
        setattr(module, name, pausing(getattr(module, name)))
    # The weakened process is meant to replace functions.
    body.JSON.parse = pausing(body.JSON.parse)  # type: ignore[method-assign]
    view.matches = answers.matches = lambda header, tag: bool(header)
    view.take_turns = checks.take_turns = lambda what: None
    queries.invitations.locked_invitation_for = queries.invitations.invitation_for
    off = {
        "hold": lambda calendar: None,
        "held_named": queries.calendars.calendar_named,
        "held": not_held,
        "held_unchanged": not_held,
        "require_running": lambda calendar: None,
        "_answer": pausing(lambda invitation, status: True),
    }
    for actions in (
        calendars,
        invitations,
        meetings,
        non_busy_times,
        one_on_ones,
        participants,
        plans,
        suggestions,
        taking_part,
    ):
        for name in off.keys() & vars(actions).keys():
            setattr(actions, name, off[name])
    limits.count_each = look_then_count
    account_queries.epoch_of = lambda user: "0" * 32
    slow = pausing(sign_ins.check_password)  # type: ignore[attr-defined]
    sign_ins.check_password = passwords.check_password = slow  # type: ignore[attr-defined]
    names.check_free = lambda *about, **also: None
    errors._is_orphan = lambda exception: False


def drop_constraints() -> None:
    """Take the database's own guards away."""
    kept: list[
        str
    ] = []  # triggers that guard nothing; SQLite can't make a table anew that they speak of
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_get_functiondef('calendars_packed'::regproc)")
            cursor.execute(cursor.fetchone()[0].replace("IF clash", "IF false"))
            cursor.execute(
                "ALTER TABLE calendars_nonbusytime DROP CONSTRAINT non_busy_times_of_a_seat"
            )
        else:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            for name, sql in cursor.fetchall():
                cursor.execute(f"DROP TRIGGER {name}")
                kept += [] if name.startswith("non_busy_times") else [sql]
        cursor.execute("DROP INDEX accounts_username_ignoring_case")
        cursor.execute("DROP INDEX accounts_email_ignoring_case")
    with connection.schema_editor() as editor:
        # The fields first: SQLite makes the tables around them anew, with all their constraints.
        for model, name in (
            (UserSetting, "username_key"),
            (UserSetting, "email_key"),
            (User, "username"),
        ):
            unique = model._meta.get_field(name)
            plain = unique.clone()
            plain._unique = False
            plain.set_attributes_from_name(name)
            plain.model = model
            editor.alter_field(model, unique, plain)
            unique._unique = False
        for model, name in CONSTRAINTS:
            constraint = next(c for c in model._meta.constraints if c.name == name)
            model._meta.constraints.remove(constraint)
            editor.remove_constraint(model, constraint)
    with connection.cursor() as cursor:
        for sql in kept:
            cursor.execute(sql)

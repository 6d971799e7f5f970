"""Statements that write a person's times, and plans."""

from collections.abc import Sequence
from datetime import datetime
from itertools import batched

from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction

from commontime.calendars.enums import PlanStatus
from commontime.calendars.models import (
    Calendar,
    NonBusyTime,
    Plan,
)
from commontime.core import rows


def delete_windows(user: User, calendar: Calendar, start: datetime, end: datetime) -> int:
    """Delete the user's times that touch `[start, end)`. Returns how many."""
    where = "calendar_id = %s AND user_id = %s AND start_time < %s AND end_time > %s"
    parameters = [rows.uuid(calendar.pk), user.pk, rows.moment(end), rows.moment(start)]
    statement = f"DELETE FROM calendars_nonbusytime WHERE {where}"  # noqa: S608 (no input)
    return rows.execute(statement, parameters)


_INSERT_WINDOWS = (
    "INSERT INTO calendars_nonbusytime (id, user_id, calendar_id, start_time, "
    "end_time, preference_level)"
)


# One array a column, so that the server plans the same statement for one time and for thousands. As
# texts, because the server reads those faster than Python packs them one by one.
_INSERT_ARRAYS = """
    SELECT id, %s, %s, start_time, end_time, preference_level
    FROM unnest(%s::uuid[], %s::timestamptz[], %s::timestamptz[], %s::smallint[])
        AS t (id, start_time, end_time, preference_level)
"""


def insert_windows(windows: Sequence[NonBusyTime]) -> None:
    """Store a person's new times in one calendar.

    One statement. By hand, because the ORM costs more for each row than the database.
    """
    if not windows:
        return
    whose = (windows[0].user_id, rows.uuid(windows[0].calendar_id))
    if connection.vendor == "postgresql":
        columns = zip(
            *[(w.pk, w.start_time, w.end_time, w.preference_level) for w in windows], strict=True
        )
        rows.execute(
            _INSERT_WINDOWS + _INSERT_ARRAYS,
            [*whose, *(f"{{{','.join(map(str, column))}}}" for column in columns)],
        )
        return
    stored = connection.ops.adapt_datetimefield_value
    for some in batched(windows, 1000, strict=False):
        values = [
            value
            for w in some
            for value in (
                w.pk.hex,
                *whose,
                stored(w.start_time),
                stored(w.end_time),
                w.preference_level,
            )
        ]
        rows.execute(
            f"{_INSERT_WINDOWS} VALUES {', '.join(['(%s, %s, %s, %s, %s, %s)'] * len(some))}",
            values,
        )


def store_plan(plan: Plan) -> bool:
    """Store a new plan in place of its calendar's last. False if that is being computed."""
    last = Plan.objects.filter(calendar=plan.calendar).exclude(status=PlanStatus.RUNNING)
    # The row stays, so that whoever waits for it finds the new plan and not nothing.
    if last.update(**{field.name: getattr(plan, field.name) for field in Plan._meta.local_fields}):
        return True
    try:
        with transaction.atomic():
            plan.save(force_insert=True)
    except IntegrityError:
        return False
    return True

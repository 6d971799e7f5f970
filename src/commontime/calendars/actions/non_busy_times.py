from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import TypedDict

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Subquery

from commontime.calendars import planning, queries, rules, tasks
from commontime.calendars.actions.checks import LONGEST_WINDOW, MOST_WINDOWS, require_running
from commontime.calendars.models import PREFERENCES, Calendar, CalendarParticipant, NonBusyTime
from commontime.core import clock
from commontime.core.errors import Conflict, InvalidInput, NotAllowed, NotFound


class WindowInput(TypedDict):
    start_time: datetime
    end_time: datetime
    preference_level: int


@transaction.atomic
def add_window(calendar: Calendar, *, by: User, start_time: datetime, end_time: datetime, preference_level: int = 5) -> NonBusyTime:
    """Say that one is free from start to end."""
    _check(start_time, end_time, preference_level)
    seat = _locked_seat(calendar, by)
    if len(seat.packed) // planning.ENTRY >= MOST_WINDOWS:
        raise _too_many()
    window = NonBusyTime(calendar=calendar, user=by, start_time=start_time, end_time=end_time, preference_level=preference_level)
    _apart(lambda: window.save(force_insert=True))
    return window


@transaction.atomic
def edit_window(
    window: NonBusyTime,
    *,
    by: User,
    start_time: datetime | None = None,
    end_time: datetime | None = None,
    preference_level: int | None = None,
) -> NonBusyTime:
    """Change one's own time; what is None stays."""
    if not rules.may_edit(by, window):
        raise NotAllowed("Only the person themself can change when they are free.")
    before = (window.start_time, window.end_time, window.preference_level)
    window.start_time = start_time or window.start_time
    window.end_time = end_time or window.end_time
    window.preference_level = window.preference_level if preference_level is None else preference_level
    _check(window.start_time, window.end_time, window.preference_level)
    if before == (window.start_time, window.end_time, window.preference_level):
        return window
    seat = _locked_seat(window.calendar, by)
    _apart(lambda: window.save(update_fields=["start_time", "end_time", "preference_level"]))
    _tell_of_lost_yes(seat)
    return window


@transaction.atomic
def remove_window(window: NonBusyTime, *, by: User) -> None:
    if not rules.may_edit(by, window):
        raise NotAllowed("Only the person themself can change when they are free.")
    seat = _locked_seat(window.calendar, by)
    if not NonBusyTime.objects.filter(pk=window.pk).delete()[0]:
        raise NotFound("There is no such time in this calendar.")
    _tell_of_lost_yes(seat)


@transaction.atomic
def replace_windows(calendar: Calendar, *, by: User, start: datetime, end: datetime, windows: Sequence[WindowInput]) -> list[NonBusyTime]:
    """Replace one's times in `[start, end)`: all or nothing. Older ones are cut at its edges. Returns the new ones, in order."""
    if end <= start:
        raise InvalidInput("The range must end after it starts.", field="to")
    _check_rows(windows, start, end)
    seat = _locked_seat(calendar, by)
    rest: list[NonBusyTime] = []
    if seat.packed:
        # Only those that reach over an edge need to be read; what lies inside goes without a look.
        for old in queries.windows_over(by, calendar, start, end) if planning.may_cross(seat.packed, start, end) else ():
            if old.start_time < start:
                rest.append(
                    NonBusyTime(
                        calendar=calendar, user=by, start_time=old.start_time, end_time=start, preference_level=old.preference_level
                    )
                )
            if old.end_time > end:
                rest.append(
                    NonBusyTime(calendar=calendar, user=by, start_time=end, end_time=old.end_time, preference_level=old.preference_level)
                )
        queries.delete_windows(by, calendar, start, end)
    new = [NonBusyTime(calendar=calendar, user=by, **window) for window in sorted(windows, key=lambda window: window["start_time"])]
    _apart(lambda: queries.insert_windows([*rest, *new]))
    if len(seat.packed) // planning.ENTRY + len(new) > MOST_WINDOWS:
        _require_room(calendar, by)
    _tell_of_lost_yes(seat)
    return new


def _check(start: datetime, end: datetime, preference: int) -> None:
    if end <= start:
        raise InvalidInput("The end must come after the start.", field="end_time")
    if end - start > LONGEST_WINDOW:
        raise InvalidInput(f"One time may last at most {LONGEST_WINDOW.days} days.", field="end_time")
    if preference not in PREFERENCES:
        raise InvalidInput("The preference is a whole number from 0 to 10; larger is better.", field="preference_level")


def _check_rows(windows: Sequence[WindowInput], start: datetime, end: datetime) -> None:
    if len(windows) > MOST_WINDOWS:
        raise _too_many()
    for index, window in enumerate(windows):
        try:
            _check(window["start_time"], window["end_time"], window["preference_level"])
            if window["start_time"] < start or window["end_time"] > end:
                raise InvalidInput("This time lies outside the range.", field="start_time")
        except InvalidInput as refusal:
            fields = {f"windows.{index}.{name}": sentences for name, sentences in refusal.fields.items()}
            raise InvalidInput(f"Row {index}: {refusal.detail}", fields=fields) from None
    order = sorted(range(len(windows)), key=lambda index: windows[index]["start_time"])
    for first, second in pairwise(order):
        if windows[second]["start_time"] < windows[first]["end_time"]:
            raise InvalidInput(
                f"Row {second} overlaps row {first}.", fields={f"windows.{second}.start_time": [f"This overlaps row {first}."]}
            )


def _locked_seat(calendar: Calendar, user: User) -> queries.Seat:
    """Return the user's seat, locked until the end of the transaction; refused once answers are closed."""
    seat = queries.locked_seat(user, calendar)
    require_running(seat.calendar)
    if seat.is_over and not seat.waits and not rules.may_manage(user, seat.calendar):
        raise Conflict("The deadline of every meeting here has passed. Ask the owner to move one.", code="answers_closed")
    return seat


def _require_room(calendar: Calendar, user: User) -> None:
    if NonBusyTime.objects.filter(calendar=calendar, user=user).count() > MOST_WINDOWS:
        raise _too_many()


def _too_many() -> InvalidInput:
    return InvalidInput(f"One person may give at most {MOST_WINDOWS} times in a calendar. Join neighbouring ones.", field="windows")


def _apart(write: Callable[[], object]) -> None:
    """Write times; the database refuses those that overlap others of the same person. The refusal ends the action's transaction."""
    try:
        write()
    except IntegrityError:
        raise Conflict(
            "You gave another time that overlaps this one. Change that one, or replace the whole range with PUT.", code="overlapping_window"
        ) from None


def _tell_of_lost_yes(seat: queries.Seat) -> None:
    """Tell the owner if the change takes away somebody's yes from a scheduled meeting."""
    if not seat.has_scheduled or not seat.packed:
        return
    now = Subquery(CalendarParticipant.objects.filter(calendar=seat.calendar, user=seat.user).values("packed"))
    upcoming = queries.meetings_of(seat.calendar).filter(final_time__gt=clock.now()).select_related("calendar").annotate(packed_now=now)
    mine = [m for m in upcoming if not (named := planning.named_in(m)) or seat.user.pk in named]
    if mine and (lost := planning.lost_by(mine, seat.packed, mine[0].packed_now)):
        tasks.tell_attendee_lost(seat, lost)

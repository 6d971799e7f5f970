from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import TypedDict
from uuid import UUID, uuid4

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Subquery
from django.utils.translation import gettext as _

from commontime.calendars import limits, queries, rules, writes
from commontime.calendars.actions.checks import require_running
from commontime.calendars.actions.taking_part import agree
from commontime.calendars.models import Calendar, CalendarParticipant, NonBusyTime
from commontime.calendars.planning import groups, outcomes
from commontime.calendars.tasks import notices
from commontime.core import clock
from commontime.core.errors import Conflict, InvalidInput, NotAllowed, NotFound

type Window = tuple[datetime, datetime, int]  # start, end, preference
FIELDS = ("start_time", "end_time", "preference_level")


class WindowInput(TypedDict):
    start_time: datetime
    end_time: datetime
    preference_level: int


class RunInput(TypedDict):
    start_time: datetime
    end_time: datetime
    preference_level: int | None  # None: not free


@transaction.atomic
def add_window(
    calendar: Calendar,
    *,
    by: User,
    start_time: datetime,
    end_time: datetime,
    preference_level: int = 5,
) -> NonBusyTime:
    """Say that one is free from start to end."""
    _check(start_time, end_time, preference_level)
    seat = _hold_seat(calendar, by)
    _require_room(_given(seat) + 1)
    window = _window(by, calendar, start_time, end_time, preference_level)
    _insert([window], seat)
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
        raise NotAllowed(_("You can change only your own times."))
    before = {field: getattr(window, field) for field in FIELDS}
    window.start_time = start_time or window.start_time
    window.end_time = end_time or window.end_time
    if preference_level is not None:
        window.preference_level = preference_level
    _check(window.start_time, window.end_time, window.preference_level)
    after = {field: getattr(window, field) for field in FIELDS}
    if after == before:
        return window
    seat = _hold_seat(window.calendar, by)
    if not _apart(lambda: NonBusyTime.objects.filter(pk=window.pk).update(**after)):
        raise NotFound(_("There is no such time in this calendar."))
    _tell_of_lost_yes(seat)
    return window


@transaction.atomic
def remove_window(window: NonBusyTime, *, by: User) -> None:
    if not rules.may_edit(by, window):
        raise NotAllowed(_("You can change only your own times."))
    seat = _hold_seat(window.calendar, by)
    if not NonBusyTime.objects.filter(pk=window.pk).delete()[0]:
        raise NotFound(_("There is no such time in this calendar."))
    _tell_of_lost_yes(seat)


@transaction.atomic
def replace_windows(
    calendar: Calendar, *, by: User, start: datetime, end: datetime, windows: Sequence[WindowInput]
) -> list[NonBusyTime]:
    """Replace one's times in `[start, end)`: all or nothing.

    Older ones are cut at its edges. Returns the new ones, in order. Those that are stored already
    stay as they are.
    """
    if end <= start:
        raise InvalidInput(_("The range must end after it starts."), field="to")
    _check_rows(windows, start, end)
    seat = _hold_seat(calendar, by)
    if (stored := _stored_as(windows, seat, start, end)) is not None:
        return stored
    given = _given(seat)
    rest: list[NonBusyTime] = []
    if given:
        # Only those that reach over an edge need to be read; what lies inside goes without a look.
        if groups.may_cross(seat.packed, given, start, end):
            rest = _parts_outside(by, calendar, start, end)
        given -= writes.delete_windows(by, calendar, start, end)
    new = [
        _window(by, calendar, w["start_time"], w["end_time"], w["preference_level"])
        for w in windows
    ]
    new.sort(key=lambda window: window.start_time)
    _require_room(given + len(rest) + len(new))
    _insert([*rest, *new], seat)
    _tell_of_lost_yes(seat)
    return new


def _stored_as(
    windows: Sequence[WindowInput], seat: queries.windows.Seat, start: datetime, end: datetime
) -> list[NonBusyTime] | None:
    """Return the person's times in the range if they are these already, else None."""
    wanted = sorted((w["start_time"], w["end_time"], w["preference_level"]) for w in windows)
    # A look at the first one spares most requests the statement.
    if not wanted or groups.pack(wanted[:1]) not in seat.packed:
        return None
    rows = queries.windows.windows_from_to(seat.user, seat.calendar, start, end)
    stored = [row for row in rows if row.start_time < end and row.end_time > start]
    times = [(row.start_time, row.end_time, row.preference_level) for row in stored]
    return stored if times == wanted else None


def _parts_outside(
    user: User, calendar: Calendar, start: datetime, end: datetime
) -> list[NonBusyTime]:
    """Return what remains of times that cross an edge. The edges are those of `[start, end)`."""
    parts = []
    for old in queries.windows.windows_over(user, calendar, start, end):
        if old.start_time < start:
            parts.append(_window(user, calendar, old.start_time, start, old.preference_level))
        if old.end_time > end:
            parts.append(_window(user, calendar, end, old.end_time, old.preference_level))
    return parts


@transaction.atomic
def paint_windows(calendar: Calendar, *, by: User, runs: Sequence[RunInput]) -> None:
    """Set for each run whether the person is free.

    All or nothing; the rest stays. Times that then touch and have the same preference become one,
    so that painting on doesn't pile up thousands of small ones.
    """
    runs = sorted(runs, key=lambda run: run["start_time"])
    _check_runs(runs)
    seat = _hold_seat(calendar, by)
    given = _given(seat)
    before = _stored_around(runs, by, calendar) if given and runs else {}
    after = _joined([*_outside(list(before), runs), *_free_in(runs)])
    gone = [before[each] for each in before.keys() - set(after)]
    new = [_window(by, calendar, *each) for each in after if each not in before]
    _require_room(given - len(gone) + len(new))
    if gone:
        NonBusyTime.objects.filter(pk__in=gone).delete()
    _insert(new, seat)
    if gone:
        _tell_of_lost_yes(seat)


def _stored_around(runs: Sequence[RunInput], user: User, calendar: Calendar) -> dict[Window, UUID]:
    """Return the ids of the stored times around the runs.

    They lie between the first and the last run, or touch them.
    """
    stored = queries.windows.windows_from_to(
        user, calendar, runs[0]["start_time"], runs[-1]["end_time"]
    )
    return {
        (window.start_time, window.end_time, window.preference_level): window.pk
        for window in stored
    }


def _free_in(runs: Sequence[RunInput]) -> Iterator[Window]:
    for run in runs:
        if run["preference_level"] is not None:
            yield run["start_time"], run["end_time"], run["preference_level"]


def _outside(windows: Sequence[Window], runs: Sequence[RunInput]) -> list[Window]:
    """Return the windows without the runs. Both are in order and apart."""
    rest, first = [], 0
    for start, end, preference in windows:
        while first < len(runs) and runs[first]["end_time"] <= start:
            first += 1
        at = start
        for place in range(first, len(runs)):
            run = runs[place]
            if run["start_time"] >= end:
                break
            if at < run["start_time"]:
                rest.append((at, run["start_time"], preference))
            at = max(at, run["end_time"])
        if at < end:
            rest.append((at, end, preference))
    return rest


def _joined(windows: Sequence[Window]) -> list[Window]:
    joined: list[Window] = []
    for start, end, preference in sorted(windows):
        if (
            joined
            and joined[-1][1:] == (start, preference)
            and end - joined[-1][0] <= limits.LONGEST_WINDOW
        ):
            joined[-1] = (joined[-1][0], end, preference)
        else:
            joined.append((start, end, preference))
    return joined


def _window(
    user: User, calendar: Calendar, start: datetime, end: datetime, preference: int
) -> NonBusyTime:
    # Ids, and by their places: objects and names cost more than all the rest.
    return NonBusyTime(uuid4(), user.pk, calendar.pk, start, end, preference)  # type: ignore[misc]


def _check(start: datetime, end: datetime, preference: int) -> None:
    if end <= start:
        raise InvalidInput(_("The end must come after the start."), field="end_time")
    if start < clock.EARLIEST or end > clock.LATEST:
        raise InvalidInput(
            _("Times must be in the years 2000 to 2099."),
            field="start_time" if start < clock.EARLIEST else "end_time",
        )
    if end - start > limits.LONGEST_WINDOW:
        raise InvalidInput(
            _("A single time can last at most %(n)d days.") % {"n": limits.LONGEST_WINDOW.days},
            field="end_time",
        )
    if not limits.PREFERENCE.has(preference):
        raise InvalidInput(
            _("The preference must be a whole number from 0 to 10; higher is better."),
            field="preference_level",
        )


def _check_rows(windows: Sequence[WindowInput], start: datetime, end: datetime) -> None:
    if len(windows) > limits.MOST_WINDOWS:
        raise _too_many()
    for index, window in enumerate(windows):
        try:
            _check(window["start_time"], window["end_time"], window["preference_level"])
            if window["start_time"] < start or window["end_time"] > end:
                raise InvalidInput(_("This time is outside the range."), field="start_time")
        except InvalidInput as refusal:
            raise _in_row(index, refusal) from None
    _require_apart(windows)


def _in_row(index: int, refusal: InvalidInput) -> InvalidInput:
    """Return a row's refusal as one of the list."""
    fields = {f"windows.{index}.{name}": sentences for name, sentences in refusal.fields.items()}
    sentence = _("Row %(row)d: %(what)s") % {"row": index, "what": refusal.detail}
    return InvalidInput(sentence, fields=fields)


def _require_apart(windows: Sequence[WindowInput]) -> None:
    order = sorted(range(len(windows)), key=lambda index: windows[index]["start_time"])
    for first, second in pairwise(order):
        if windows[second]["start_time"] < windows[first]["end_time"]:
            here = _("This overlaps row %(first)d.") % {"first": first}
            raise InvalidInput(
                _("Row %(second)d overlaps row %(first)d.") % {"second": second, "first": first},
                fields={f"windows.{second}.start_time": [here]},
            )


def _check_runs(runs: Sequence[RunInput]) -> None:
    for run in runs:
        preference = run["preference_level"]
        if preference is not None:
            _check(run["start_time"], run["end_time"], preference)
        elif run["end_time"] <= run["start_time"]:
            raise InvalidInput(_("The end must come after the start."), field="end_time")
    for index, (one, other) in enumerate(pairwise(runs)):
        if other["start_time"] < one["end_time"]:
            raise InvalidInput(
                _("Row %(second)d overlaps row %(first)d.") % {"first": index, "second": index + 1},
                field="runs",
            )


def _hold_seat(calendar: Calendar, user: User) -> queries.windows.Seat:
    """Hold the calendar, and return the user's seat in it.

    Refused once answers are closed.
    """
    seat = queries.windows.hold_seat(user, calendar)
    require_running(seat.calendar)
    if seat.is_over and not seat.waits and not rules.may_manage(user, seat.calendar):
        raise Conflict(
            _("The deadline for every meeting here has passed. Ask the organiser to move one."),
            code="answers_closed",
        )
    return seat


def _given(seat: queries.windows.Seat) -> int:
    """Return how many times the person has.

    The count may be from before a wait, the packed times are not.
    """
    return max(seat.given, len(seat.packed) // groups.ENTRY)


def _require_room(times: int) -> None:
    if times > limits.MOST_WINDOWS:
        raise _too_many()


def _too_many() -> InvalidInput:
    return InvalidInput(
        _("You can add at most %(n)d times to a calendar. Merge times that touch.")
        % {"n": limits.MOST_WINDOWS},
        field="windows",
    )


def _insert(windows: Sequence[NonBusyTime], seat: queries.windows.Seat) -> None:
    """Store new times. Giving one is taking part by one's own doing."""
    _apart(lambda: writes.insert_windows(windows))
    if windows and not seat.has_agreed:
        agree(seat.calendar, seat.user)


def _apart[Written](write: Callable[[], Written]) -> Written:
    """Write times, unless they overlap others of the person.

    The database refuses those, which ends the action's transaction.
    """
    try:
        return write()
    except IntegrityError:
        raise Conflict(
            _(
                "This overlaps another of your times. Change that one, or replace the whole range "
                "with PUT."
            ),
            code="overlapping_window",
        ) from None


def _tell_of_lost_yes(seat: queries.windows.Seat) -> None:
    """Tell the owner if a scheduled meeting loses somebody's yes."""
    if not seat.has_scheduled or not seat.packed or seat.user.pk == seat.calendar.owner_id:
        return
    now = Subquery(
        CalendarParticipant.objects.filter(calendar=seat.calendar, user=seat.user).values("packed")
    )
    upcoming = queries.meetings.meetings_to_come(seat.calendar).annotate(packed_now=now)
    mine = [m for m in upcoming if groups.is_for(m, seat.user.pk)]
    if mine and (lost := outcomes.lost_by(mine, seat.packed, mine[0].packed_now)):
        notices.tell_attendee_lost(seat, lost)

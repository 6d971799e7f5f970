"""Where a meeting may lie: in its own bounds and its calendar's window."""

from datetime import datetime
from typing import NamedTuple

from commontime import engine
from commontime.calendars.models import Meeting
from commontime.calendars.planning.groups import Group
from commontime.core import clock


class Stretch(NamedTuple):
    """A half-open period in which a meeting may lie.

    The whole meeting must fit. Without an end if that is None.
    """

    start: datetime
    end: datetime | None

    def holds(self, start: datetime, end: datetime) -> bool:
        return self.start <= start and (self.end is None or end <= self.end)


def stretches(meeting: Meeting) -> list[Stretch]:
    """Return where the meeting may lie, in order, be that past or not."""
    calendar = meeting.calendar
    starts = (clock.EARLIEST, meeting.earliest, calendar.window_start)
    ends = [moment for moment in (meeting.latest, calendar.window_end) if moment]
    stretch = Stretch(max(moment for moment in starts if moment), min(ends, default=None))
    return [stretch] if stretch.end is None or stretch.start < stretch.end else []


def allow(meeting: Meeting, start: datetime) -> bool:
    """Return whether the meeting may begin at `start`. That may be in the past."""
    end = start + meeting.duration
    return any(stretch.holds(start, end) for stretch in stretches(meeting))


def ticks(meeting: Meeting, *, now: datetime) -> tuple[int, int | None]:
    """Return where the meeting may lie from now on, as [earliest, latest end).

    None if there is no end. The end says nothing of `now`, since plans are known by it.
    """
    allowed = stretches(meeting) or [Stretch(clock.EARLIEST, clock.EARLIEST)]
    end = allowed[-1].end
    earliest = engine.start_tick(max(now, allowed[0].start))
    return earliest, None if end is None else engine.end_tick(end)


def known_ticks(meeting: Meeting, group: Group, *, now: datetime) -> tuple[int, int]:
    """Return where the meeting may lie and people have given times, as [earliest, latest end)."""
    known_end = int(group.free.end.max()) if len(group.free) else 0
    earliest, latest_end = ticks(meeting, now=now)
    return earliest, known_end if latest_end is None else min(known_end, latest_end)

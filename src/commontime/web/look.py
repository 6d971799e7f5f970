"""Which days and hours of a calendar somebody looks at, and in which zone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils.http import urlencode

from commontime.accounts.models import UserSetting
from commontime.calendars.models import Calendar
from commontime.core import clock
from commontime.layout import grid
from commontime.layout.grid import Grid
from commontime.layout.instants import moment
from commontime.web.fields import zone_names

WEEK = 7
USUAL_HOURS = (8 * 60, 20 * 60)
FIRST_WEEKDAY = {"monday": 0, "saturday": 5, "sunday": 6}
ASKED = ("zone", "from", "hours", "step")  # what an address may say about it


@dataclass(frozen=True, slots=True)
class Look:
    """A week or less of a calendar as one person sees it. `asked` is what of it the address said,
    so that links can keep it.
    """

    zone: ZoneInfo
    home: ZoneInfo
    first: date
    days: int
    step: int
    hours: tuple[int, int]
    h12: bool
    asked: Mapping[str, str]
    before: date | None
    after: date | None
    unknown_zone: str = ""  # what was asked for instead of a zone

    @property
    def zones_like_it(self) -> list[tuple[str, str]]:
        """Some zones whose names hold what was asked for, of "new york" America/New_York, each with
        how to ask for it.
        """
        part = self.unknown_zone.strip().lower().replace(" ", "_")
        return [(name, self.query(zone=name)) for name in zone_names() if part in name.lower()][:3]

    @property
    def grid(self) -> Grid:
        return grid.grid(self.zone, self.first, self.days, step=self.step, hours=self.hours)

    @property
    def key(self) -> tuple[object, ...]:
        """What decides how it looks, beside the language."""
        return (
            str(self.zone),
            self.first,
            self.days,
            self.step,
            self.hours,
            self.h12,
            self.before,
            self.after,
        )

    @property
    def span(self) -> tuple[int, int]:
        """The whole of its days, in seconds."""
        return grid.midnight(self.zone, self.first), grid.midnight(
            self.zone, self.first + timedelta(days=self.days)
        )

    def query(self, **changes: str) -> str:
        """Return the address's question with these changes; an empty one leaves its part out."""
        parts = {name: value for name, value in ({**self.asked, **changes}).items() if value}
        return f"?{urlencode(parts)}" if parts else ""

    def written(self, local: datetime | time) -> str:
        if not self.h12:
            return f"{local.hour}:{local.minute:02}"
        return f"{(local.hour - 1) % 12 + 1}:{local.minute:02} {'am' if local.hour < 12 else 'pm'}"

    def time(self, local: datetime) -> str:
        return clock.with_turn(local, self.written(local))

    def times(self, start: datetime, end: datetime, *, later: str = "") -> str:
        """Return from when to when; later: the day on which it ends, if that is another."""
        first, last = clock.span(
            start.astimezone(self.zone), end.astimezone(self.zone), self.written
        )
        return f"{first}–{later}{last}"

    @property
    def twice(self) -> list[tuple[int, int, str]]:
        """The stretches of its days, and of the one on whose midnight they end, that the clocks
        show twice, each with which it is.
        """
        found = grid.turned_back(self.zone, self.first, self.days + 1)
        return [
            (start, end, clock.turn_of(moment(start).astimezone(self.zone))) for start, end in found
        ]


def look(asked: Mapping[str, str], calendar: Calendar, setting: UserSetting, now: datetime) -> Look:
    """Return what an address asks to see; what makes no sense in it is left out."""
    known = {name: asked[name].strip() for name in ASKED if asked.get(name, "").strip()}
    zone = (
        ZoneInfo(known["zone"])
        if known.get("zone") in clock.zones()
        else ZoneInfo(setting.time_zone)
    )
    unknown = known.pop("zone", "") if known.get("zone") not in clock.zones() else ""
    home = ZoneInfo(calendar.time_zone)
    if clock.is_same_zone(str(zone), str(home)):
        home = zone  # under two names
    first, days, before, after = _week(
        _date(known.get("from", "")), calendar, zone, FIRST_WEEKDAY[setting.week_start], now
    )
    hours = grid.WHOLE_DAY
    if known.get("hours") != "all":
        hours = grid.hours_shown(zone, first, days, daily_hours(calendar), home)
    step = 15 if known.get("step") == "15" else 30
    return Look(
        zone,
        home,
        first,
        days,
        step,
        hours,
        setting.hour_cycle == "h12",
        known,
        before,
        after,
        unknown,
    )


def daily_hours(calendar: Calendar) -> tuple[int, int]:
    """Return the hours of the day a calendar is about, in minutes on its own clocks: those its
    window begins and ends with.
    """
    if calendar.window_start and calendar.window_end:
        start, end = (
            moment.astimezone(ZoneInfo(calendar.time_zone))
            for moment in (calendar.window_start, calendar.window_end)
        )
        earliest, latest = start.hour * 60, (end.hour * 60 + bool(end.minute) * 60) or 24 * 60
        if earliest < latest and (earliest, latest) != grid.WHOLE_DAY:
            return earliest, latest
    return USUAL_HOURS


def _week(
    asked: date | None, calendar: Calendar, zone: ZoneInfo, first_weekday: int, now: datetime
) -> tuple[date, int, date | None, date | None]:
    """Return the first day, how many, and a day of the week before and after, None where the
    calendar's window ends.
    """
    begins = calendar.window_start and calendar.window_start.astimezone(zone).date()
    ends = (
        calendar.window_end
        and (calendar.window_end - timedelta(microseconds=1)).astimezone(zone).date()
    )
    day = asked or now.astimezone(zone).date()
    if ends and day > ends:
        day = ends if asked else (begins or ends)
    if begins and day < begins:
        day = begins
    if begins and ends and (ends - begins).days < WEEK:
        return begins, (ends - begins).days + 1, None, None
    first = day - timedelta(days=(day.weekday() - first_weekday) % WEEK)
    last = first + timedelta(days=WEEK - 1)
    before = first - timedelta(days=1) if not begins or first > begins else None
    after = last + timedelta(days=1) if not ends or last < ends else None
    first, last = max(first, begins or first), min(last, ends or last)
    return first, (last - first).days + 1, before, after


def _date(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 < day.year < 2099 else None


def days_of_lines(calendar: Calendar, shown: Look) -> tuple[date, date]:
    """Return the first and last day that "weekdays" in the list form means: the calendar's window,
    else four weeks from the shown one.
    """
    zone = shown.zone
    first = calendar.window_start.astimezone(zone).date() if calendar.window_start else shown.first
    if calendar.window_end:
        last = (calendar.window_end - timedelta(microseconds=1)).astimezone(zone).date()
        return min(first, last), last
    return first, first + timedelta(days=4 * WEEK - 1)

"""Which days and hours of a calendar somebody looks at."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
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
PARAMETERS = ("zone", "from", "hours", "step")  # of a page's address


@dataclass(frozen=True, slots=True)
class Look:
    """A week or less of a calendar as one person sees it.

    asked: the parameters in the page's address, which its links keep.
    before, after: a day of the week before and after; None where the calendar's window ends.
    unknown_zone: the text that was asked for as a zone and is none.
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
    unknown_zone: str = ""

    @property
    def zones_like_it(self) -> list[tuple[str, str]]:
        """Return up to three zones like an unknown one, each with its query."""
        part = self.unknown_zone.strip().lower().replace(" ", "_")
        return [(name, self.query(zone=name)) for name in zone_names() if part in name.lower()][:3]

    @property
    def grid(self) -> Grid:
        return grid.grid(self.zone, self.first, self.days, step=self.step, hours=self.hours)

    @property
    def key(self) -> tuple[object, ...]:
        """Return all that the look depends on, except the language."""
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
        """Return where the days begin and end, in seconds."""
        return grid.midnight(self.zone, self.first), grid.midnight(
            self.zone, self.first + timedelta(days=self.days)
        )

    def query(self, **changes: str) -> str:
        """Return the query of the address with changes; "" removes a part."""
        parts = {name: value for name, value in ({**self.asked, **changes}).items() if value}
        return f"?{urlencode(parts)}" if parts else ""

    def local(self, moment: datetime) -> datetime:
        return moment.astimezone(self.zone)

    def written(self, local: datetime | time) -> str:
        if not self.h12:
            return f"{local.hour}:{local.minute:02}"
        return f"{(local.hour - 1) % 12 + 1}:{local.minute:02} {'am' if local.hour < 12 else 'pm'}"

    def time(self, local: datetime) -> str:
        return clock.with_turn(local, self.written(local))

    def times(self, start: datetime, end: datetime, *, later: str = "") -> str:
        """Return a period as text. later: the day of its end, if it is another one."""
        first, last = clock.span(self.local(start), self.local(end), self.written)
        return f"{first}–{later}{last}"

    @property
    def twice(self) -> list[tuple[int, int, str]]:
        """Return the stretches that clocks show twice, each with its turn.

        They include the day after the last, at whose midnight the days end.
        """
        return [
            (start, end, clock.turn_of(self.local(moment(start))))
            for start, end in grid.turned_back(self.zone, self.first, self.days + 1)
        ]


def look(asked: Mapping[str, str], calendar: Calendar, setting: UserSetting, now: datetime) -> Look:
    """Return what an address asks to see. Senseless parameters are ignored."""
    parameters = {name: asked[name].strip() for name in PARAMETERS if asked.get(name, "").strip()}
    zone, unknown_zone = _zone(parameters, setting)
    home = ZoneInfo(calendar.time_zone)
    if clock.is_same_zone(str(zone), str(home)):
        home = zone  # under two names
    week = _week_asked(parameters, calendar, setting, zone, now)
    hours = grid.WHOLE_DAY
    if parameters.get("hours") != "all":
        hours = grid.hours_shown(zone, week.first, week.days, daily_hours(calendar), home)
    return Look(
        zone=zone,
        home=home,
        first=week.first,
        days=week.days,
        step=15 if parameters.get("step") == "15" else 30,
        hours=hours,
        h12=setting.hour_cycle == "h12",
        asked=parameters,
        before=week.before,
        after=week.after,
        unknown_zone=unknown_zone,
    )


def _zone(parameters: dict[str, str], setting: UserSetting) -> tuple[ZoneInfo, str]:
    """Return the zone, and the text that names none.

    Links keep no unknown zone: it is taken out of the parameters.
    """
    if parameters.get("zone") in clock.zones():
        return ZoneInfo(parameters["zone"]), ""
    return ZoneInfo(setting.time_zone), parameters.pop("zone", "")


def daily_hours(calendar: Calendar) -> tuple[int, int]:
    """Return the window's daily hours, in minutes on its clocks."""
    if calendar.window_start and calendar.window_end:
        start, end = (
            moment.astimezone(ZoneInfo(calendar.time_zone))
            for moment in (calendar.window_start, calendar.window_end)
        )
        earliest, latest = start.hour * 60, (end.hour * 60 + bool(end.minute) * 60) or 24 * 60
        if earliest < latest and (earliest, latest) != grid.WHOLE_DAY:
            return earliest, latest
    return USUAL_HOURS


class _Week(NamedTuple):
    first: date
    days: int
    before: date | None
    after: date | None


type _Window = tuple[date | None, date | None]  # first and last day; None where it is open


def _window_days(calendar: Calendar, zone: ZoneInfo) -> _Window:
    start, end = calendar.window_start, calendar.window_end
    return (
        start.astimezone(zone).date() if start else None,
        (end - timedelta(microseconds=1)).astimezone(zone).date() if end else None,
    )


def _week_asked(
    parameters: Mapping[str, str],
    calendar: Calendar,
    setting: UserSetting,
    zone: ZoneInfo,
    now: datetime,
) -> _Week:
    window = _window_days(calendar, zone)
    day = _date(parameters.get("from", "")) or _first_look(now.astimezone(zone).date(), window)
    return _week(day, window, FIRST_WEEKDAY[setting.week_start])


def _first_look(today: date, window: _Window) -> date:
    """Return the day to begin with.

    That is today, or the first day of a window that is over.
    """
    first, last = window
    return first or last if last and today > last else today


def _week(day: date, window: _Window, first_weekday: int) -> _Week:
    """Return the week of a day, cut to the window.

    A short window is shown whole. A day outside the window becomes its nearest day.
    """
    begin, end = window[0] or date.min, window[1] or date.max
    if (end - begin).days < WEEK:
        return _Week(begin, (end - begin).days + 1, None, None)
    day = min(max(day, begin), end)
    first = day - timedelta(days=(day.weekday() - first_weekday) % WEEK)
    last = first + timedelta(days=WEEK - 1)
    before = first - timedelta(days=1) if first > begin else None
    after = last + timedelta(days=1) if last < end else None
    first, last = max(first, begin), min(last, end)
    return _Week(first, (last - first).days + 1, before, after)


def _date(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 < day.year < 2099 else None


def days_of_lines(calendar: Calendar, look: Look) -> tuple[date, date]:
    """Return the first and last day of times as text.

    That is the calendar's window. Where it is open, it begins with the days shown and lasts four
    weeks.
    """
    window_first, last = _window_days(calendar, look.zone)
    first = window_first or look.first
    if last:
        return min(first, last), last
    return first, first + timedelta(days=4 * WEEK - 1)

"""Reads one line of times. Its grammar is in lines.py."""

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from commontime.layout.grid import BANDS, LONGEST, PREFERENCE, Window, midnight
from commontime.layout.instants import seconds
from commontime.layout.line_words import Patterns, date_text, time_text, words
from commontime.layout.wall_clock import moments_of, put_forward

WINDOW_LIMIT = 2000
RANGE_LIMIT = 400  # days of one range of dates
# A date without a year is neither one of last week nor one of eleven months from now.
SOON = timedelta(days=183)
_TIME = re.compile(
    r"(?P<h>\d{1,2})(?:[:.h](?P<m>\d{2})(?::(?P<s>\d{2}(?:\.\d{1,6})?))?)?"
    r"\s*(?P<half>am|pm|h|uhr)?(?![\w:])"
)


def gettext_noop(text: str) -> str:
    """Mark a text for the catalogues. Its door translates it: this room knows no languages."""
    return text


class Unclear(ValueError):
    """A line can't be read. The message says why; `values` fill its placeholders."""

    def __init__(self, message: str, **values: object) -> None:
        super().__init__(message)
        self.message, self.values = message, values


@dataclass(frozen=True, slots=True)
class WallTime:
    """A time on a clock. `fold` is 1 for the second of two equal times. Hour 24 ends the day."""

    hour: int
    minute: int = 0
    second: float = 0
    fold: int = 0

    @property
    def order(self) -> tuple[int, int, float]:
        return self.hour, self.minute, self.second


@dataclass(frozen=True, slots=True)
class Days:
    """The days that lines can be about, in a zone.

    language: read beside English. h12: messages show times with am and pm.
    """

    zone: ZoneInfo
    first: date
    last: date
    language: str = "en"
    h12: bool = False


type Span = tuple[WallTime, WallTime, date | None]  # start, end, day of the end if written


@dataclass
class LineReader:
    """Reads a line from left to right.

    typed: the line as people wrote it, for messages. text: its plain form, equally long.
    """

    typed: str
    text: str
    days: Days
    patterns: Patterns
    position: int = 0

    def line(self) -> list[Window]:
        days = self._days() or each_day(self.days.first, self.days.last)
        spans = self._spans()
        preference = self._level()
        self._take(self.patterns.and_)
        excluded = self._excluded_days()
        if self.position < len(self.text):
            raise Unclear(
                gettext_noop(
                    "This part isn’t clear: “%(text)s”. Write, for example: Mon 9-12 works"
                ),
                text=self._rest(),
            )
        wanted = [day for day in days if day not in excluded]
        if len(wanted) * len(spans) > WINDOW_LIMIT:
            raise too_many(WINDOW_LIMIT)
        windows = (self._window(day, *span, preference) for day in wanted for span in spans)
        return [window for window in windows if window]

    def _excluded_days(self) -> Container[date]:
        if not self._take(self.patterns.without):
            return ()
        days = self._days()
        if not days:
            raise Unclear(gettext_noop("After “not”, write a day: %(text)s."), text=self._rest())
        return days

    # Days

    def _days(self) -> dict[date, None]:
        """Return the days, each once, as the keys of a dictionary."""
        days: dict[date, None] = {}
        named = 0
        while (more := self._day_or_range()) is not None:
            named += len(more)
            if named > WINDOW_LIMIT:
                raise too_many(WINDOW_LIMIT)
            days |= dict.fromkeys(more)
            back = self.position
            if not (self._take(self.patterns.and_) and self._is_at_day()):
                self.position = back
                break
        self._skip_space()
        return days

    def _day_or_range(self) -> list[date] | None:
        self._skip_space()
        back = self.position
        if self._take(self.patterns.on) and not self._is_at_day():
            self.position = back
        if first := self._date():
            return self._dates_from(first)
        if match := self._take(self.patterns.group):
            return self._on(self.patterns.groups[" ".join(match[0].split())])
        weekday = self._weekday()
        return None if weekday is None else self._weekdays_from(weekday)

    def _dates_from(self, first: date) -> list[date]:
        back = self.position
        if self._take(self.patterns.dash) and (last := self._date()):
            if last < first:
                raise Unclear(gettext_noop("The last day is before the first."))
            if (last - first).days > RANGE_LIMIT:
                raise Unclear(gettext_noop("That’s more than 400 days."))
            return list(each_day(first, last))
        self.position = back
        return [first]

    def _weekdays_from(self, first: int) -> list[date]:
        back = self.position
        if self._take(self.patterns.dash) and (last := self._weekday()) is not None:
            return self._on([(first + step) % 7 for step in range((last - first) % 7 + 1)])
        self.position = back
        return self._on([first])

    def _on(self, weekdays: Container[int]) -> list[date]:
        days = each_day(self.days.first, self.days.last)
        return [day for day in days if day.weekday() in weekdays]

    def _is_at_day(self) -> bool:
        patterns = (self.patterns.date, self.patterns.group, self.patterns.weekday)
        return any(pattern.match(self.text, self.position) for pattern in patterns)

    def _weekday(self) -> int | None:
        match = self.patterns.weekday.match(self.text, self.position)
        if not match:
            return None
        weekday = self.patterns.weekday_of(match["name"])
        if weekday is None:
            message = gettext_noop("“%(name)s” isn’t a day of the week.")
            raise Unclear(message, name=self._quote(match))
        self.position = match.end()
        return weekday

    def _date(self) -> date | None:
        match = self.patterns.date.match(self.text, self.position)
        if not match:
            return None
        try:
            day = self._resolve(match)
        except Unclear:
            raise
        except ValueError:
            raise Unclear(gettext_noop("There is no %(what)s."), what=self._quote(match)) from None
        self._check_weekday(match, day)
        if not 2000 <= day.year < 2100:
            raise Unclear(gettext_noop("Dates must be in the years 2000 to 2099."))
        self.position = match.end()
        return day

    def _check_weekday(self, match: re.Match[str], day: date) -> None:
        """Refuse a date with another weekday written before it."""
        weekday = re.match(self.patterns.day, match[0])
        if weekday and self.patterns.weekday_of(weekday[0]) != day.weekday():
            raise Unclear(
                gettext_noop("%(date)s is not a %(day)s."),
                date=date_text(day, words(self.days.language), with_weekday=False),
                day=weekday[0].title(),
            )

    def _resolve(self, match: re.Match[str]) -> date:
        """Return the matched date. One without a year is searched near the days asked for."""
        parts = {name.strip("_"): value for name, value in match.groupdict().items() if value}
        if "y" in parts:
            return date(int(parts["y"]), int(parts["m"]), int(parts["d"]))
        day = int(parts.get("day") or parts["nd"])
        month = self.patterns.month(parts["month"]) if "month" in parts else int(parts["nm"])
        if year := parts.get("year") or parts.get("ny"):
            return date(int(year), month, day)
        date(2024, month, day)  # raises ValueError for a date of no year, as 2024 is a leap year
        near = self._near(month, day)
        if near is None:
            message = gettext_noop(
                "%(date)s isn’t one of this calendar’s days. If you do mean it, add the year."
            )
            raise Unclear(message, date=self._quote(match))
        return near

    def _near(self, month: int, day: int) -> date | None:
        """Return this date in the first year that fits. It must be near the days asked for."""
        dates = self._in_each_year(month, day)
        return next((d for d in dates if self.days.first <= d < self.days.last + SOON), None)

    def _in_each_year(self, month: int, day: int) -> Iterator[date]:
        for year in range(self.days.first.year, self.days.last.year + 2):
            try:
                yield date(year, month, day)
            except ValueError:
                continue

    # Times

    def _spans(self) -> list[Span]:
        spans = []
        while True:
            spans.append(self._span())
            back = self.position
            if not (self._take(self.patterns.and_) and self._is_at_time()):
                self.position = back
                return spans

    def _is_at_time(self) -> bool:
        patterns = (_TIME, self.patterns.hour, self.patterns.from_)
        return any(pattern.match(self.text, self.position) for pattern in patterns)

    def _span(self) -> Span:
        self._skip_space()
        if self._take(self.patterns.all_day):
            return WallTime(0), WallTime(24), None
        self._take(self.patterns.from_)
        back = self.position
        start, start_half = self._time()
        if not self._take(self.patterns.dash):
            message = gettext_noop("Add an end time, for example 9-12: “%(text)s”.")
            raise Unclear(message, text=self.typed[back:])
        day = self._date()
        self._skip_space()
        end, end_half = self._time()
        if end_half == "pm" and start_half not in ("am", "pm") and start.hour < 12:
            # "1-5pm" means the afternoon; "9-5pm" means from the morning.
            afternoon = replace(start, hour=start.hour + 12)
            start = afternoon if afternoon.order < end.order else start
        return start, end, day

    def _time(self) -> tuple[WallTime, str | None]:
        """Return a time, and "am" or "pm" if written."""
        if word := self._take(self.patterns.hour):
            return WallTime(self.patterns.hours[word["name"]]), None
        match = _TIME.match(self.text, self.position)
        if not match:
            message = gettext_noop("Write a time here, for example 9 or 9:30: “%(text)s”.")
            raise Unclear(message, text=self._rest())
        hour, minute, second = self._checked_time(match)
        self.position = match.end()
        which = self._take(self.patterns.which)
        fold = self.patterns.folds[" ".join(which["name"].split())] if which else 0
        return WallTime(hour, minute, second, fold), match["half"]

    def _checked_time(self, match: re.Match[str]) -> tuple[int, int, float]:
        hour, minute, second = int(match["h"]), int(match["m"] or 0), float(match["s"] or 0)
        if match["half"] in ("am", "pm"):
            if not 1 <= hour <= 12:
                raise Unclear(gettext_noop("There is no %(what)s."), what=self._quote(match))
            hour = hour % 12 + 12 * (match["half"] == "pm")
        is_after_midnight = (hour, minute, second) > (24, 0, 0)
        if is_after_midnight or minute > 59 or second >= 60:
            raise Unclear(gettext_noop("%(time)s isn’t a time of day."), time=self._quote(match))
        return hour, minute, second

    def _level(self) -> int:
        self._skip_space()
        match = self._take(self.patterns.level)
        if not match:
            return PREFERENCE[2]
        preference = self.patterns.levels[" ".join(match["name"].split())]
        if match["exact"] is None:
            return preference
        exact = int(match["exact"])
        if exact > 10 or BANDS[exact + 1] != BANDS[preference + 1]:
            raise Unclear(gettext_noop("0 to 3 means if need be, 4 to 7 works, 8 to 10 ideal."))
        return exact

    def _window(
        self, day: date, start: WallTime, end: WallTime, end_day: date | None, preference: int
    ) -> Window | None:
        """Return the window on this day. None if the end is not after the start."""
        is_next_day = end.order <= start.order and end.hour != 24 and end.fold <= start.fold
        last_day = end_day or (day + timedelta(days=1) if is_next_day else day)
        first, last = self._moment(day, start), self._moment(last_day, end, is_end=True)
        if end_day and last <= first:
            raise Unclear(gettext_noop("It ends before it starts."))
        if last - first > LONGEST:
            raise Unclear(gettext_noop("A single time can last at most 31 days."))
        return (first, last, preference) if first < last else None

    def _moment(self, day: date, at: WallTime, *, is_end: bool = False) -> float:
        zone = self.days.zone
        if at.hour == 24 or at == WallTime(0):
            return midnight(zone, day + timedelta(days=at.hour // 24))
        second, microsecond = divmod(round(at.second * 1_000_000), 1_000_000)
        local = datetime.combine(day, time(at.hour, at.minute, second, microsecond))
        moments, is_skipped = moments_of(local, zone)
        if not is_skipped:
            return seconds(moments[at.fold if len(moments) > 1 else 0])
        before, after = put_forward(moments, zone)
        if not (is_end and local == before):
            raise self._skipped(local, before, after, moments)
        return seconds(moments[1])

    def _skipped(
        self, local: datetime, before: datetime, after: datetime, moments: list[datetime]
    ) -> Unclear:
        """Return the mistake of a time that clocks skip. It says what to write instead."""
        vocabulary = words(self.days.language)

        def show(local: datetime) -> str:
            return time_text(local, vocabulary, self.days.h12)

        earlier, later = (show(moment.astimezone(self.days.zone)) for moment in moments)
        message = gettext_noop(
            "%(time)s doesn’t exist on %(date)s: the clocks go forward from %(from)s to %(to)s. "
            "Write %(earlier)s or %(later)s."
        )
        values = {
            "time": show(local),
            "date": date_text(local.date(), vocabulary),
            "from": show(before),
            "to": show(after),
            "earlier": earlier,
            "later": later,
        }
        return Unclear(message, **values)

    # Text

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        if match := pattern.match(self.text, self.position):
            self.position = match.end()
        return match

    def _skip_space(self) -> None:
        while self.position < len(self.text) and self.text[self.position].isspace():
            self.position += 1

    def _rest(self) -> str:
        return self.typed[self.position :].strip()

    def _quote(self, match: re.Match[str]) -> str:
        return self.typed[slice(*match.span())].strip()


def too_many(most: int) -> Unclear:
    return Unclear(gettext_noop("With this line there are more than %(n)d times."), n=most)


def each_day(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)

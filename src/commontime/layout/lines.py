"""Times as people write them, a line each: "Mon 9-12 works", "weekdays 9-12, not 2 May". Without
guessing.

    line    = [days] times [level] ["," "not" days]
        days    = day { ("," | "and") day }          day = date ["-" date] | weekday ["-" weekday] |
    weekdays | weekends | every day
        date    = [weekday] 4 May [2026] | 2026-05-04     In English also May 4, in German 4.5., in
    French 4/5.
                                                      Without a year it is one asked for, or soon
                                                      after.
    times   = span { ("," | "and") span } | all day   span = time "-" time, or time "-" date time
        time    = (9 | 9:30 | 9am | 9:30 pm | noon | midnight) [which]    An end not after its start
    is on the next day.
        which   = (first time) | (second time, CET)       On a day on which the clocks go back;
    without it, it is the first. Zones are not read.
        level   = if need be | works | ideal [0-10]       Without one it is "works". A number is the
    exact preference.


A time that clocks which are put forward skip is refused; as an end, the one at which they are put
forward is that moment.

The words are English ones or those of the person's language (line_words.py). Where lines say
different things of the same time, the later one holds. Moments are seconds since 1970.
"""

import re
import unicodedata
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from commontime.layout.grid import BANDS, LONGEST, PREFERENCE, Window, merged, midnight, painted
from commontime.layout.instants import moment as instant
from commontime.layout.instants import seconds
from commontime.layout.line_words import Patterns, Words, patterns, words
from commontime.layout.wall_clock import is_shown_twice, moments_of, put_forward

MOST_WINDOWS = 2000
MOST_LINES = 2000
SOON = timedelta(
    days=183
)  # a date without a year is not one of last week, nor of eleven months from now
_TIME = re.compile(
    r"(?P<h>\d{1,2})(?:[:.h](?P<m>\d{2})(?::(?P<s>\d{2}(?:\.\d{1,6})?))?)?\s*(?P<half>am|pm|h|uhr)?(?![\w:])"
)


def gettext_noop(text: str) -> str:
    """Mark a text for the catalogues. Who shows it translates it: this room knows no languages."""
    return text


class Unclear(ValueError):
    """A line can't be read. The message says why and how to write it, with these values in it."""

    def __init__(self, message: str, **values: object) -> None:
        super().__init__(message)
        self.message, self.values = message, values


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong with a line, counted from 1. values: what goes into the places of the message."""

    line: int
    text: str
    message: str
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Clock:
    """(hour, minute, second) on the wall, and whether its second time is meant. Hour 24 is the end
    of the day.
    """

    hour: int
    minute: int = 0
    second: float = 0
    fold: int = 0


@dataclass(frozen=True, slots=True)
class Days:
    """Which days lines can be about, by whose clocks, and in which language they may be beside
    English; h12: how times are told.
    """

    zone: ZoneInfo
    first: date
    last: date
    language: str = "en"
    h12: bool = False


def read(text: str, days: Days) -> tuple[list[Window], list[Mistake]]:
    """Return the windows the text describes, in order and apart from each other, and the lines that
    can't be read.
    """
    windows: list[Window] = []
    mistakes: list[Mistake] = []
    lines = text.splitlines()
    for number, line in enumerate(lines[:MOST_LINES], 1):
        if not line.strip():
            continue
        try:
            for start, end, preference in read_line(line, days):
                windows = _over(windows, (start, end, preference))
            if len(windows) > MOST_WINDOWS:
                raise Unclear(
                    gettext_noop("With this line there are more than %(n)d times."), n=MOST_WINDOWS
                )
        except Unclear as unclear:
            mistakes.append(Mistake(number, line.strip(), unclear.message, unclear.values))
            if len(windows) > MOST_WINDOWS:
                break
    if len(lines) > MOST_LINES:
        message = gettext_noop("Write at most %(n)d lines.")
        mistakes.append(Mistake(MOST_LINES + 1, "", message, {"n": MOST_LINES}))
    return windows, mistakes


def _over(windows: list[Window], new: Window) -> list[Window]:
    """Lay a window over those before it. Lines mostly come in order, so mostly it is only appended."""
    if windows and new[0] <= windows[-1][1]:
        return painted(windows, [(new[0], new[1])], new[2])
    windows.append(new)
    return windows


def read_line(line: str, days: Days) -> list[Window]:
    """Return the windows of one line. Unclear says what can't be read."""
    written = unicodedata.normalize("NFC", line).strip()
    text = written.lower()
    reader = _Reader(
        written if len(written) == len(text) else text, text, days, patterns(days.language)
    )
    found = reader.line()
    if not found:
        raise Unclear(gettext_noop("None of these days belongs to this calendar."))
    return found


@dataclass
class _Reader:
    """Reads a line from left to right. written: the text as it was typed, for what is said of it."""

    written: str
    text: str
    days: Days
    known: Patterns
    at: int = 0

    def line(self) -> list[Window]:
        chosen = self.chosen_days() or list(each_day(self.days.first, self.days.last))
        spans = self.spans()
        preference = self.level()
        self.take(self.known.and_)
        without: set[date] = set()
        if self.take(self.known.without):
            without = set(self.chosen_days())
            if not without:
                raise Unclear(gettext_noop("After “not”, write a day: %(text)s."), text=self.rest())
        if self.at < len(self.text):
            raise Unclear(
                gettext_noop(
                    "This part isn’t clear: “%(text)s”. Write, for example: Mon 9-12 works"
                ),
                text=self.rest(),
            )
        return [
            window
            for day in chosen
            if day not in without
            for span in spans
            if (window := self.window(day, *span, preference))
        ]

    # Days

    def chosen_days(self) -> list[date]:
        found: list[date] = []
        while (some := self.day_or_range()) is not None:
            found += some
            back = self.at
            if not self.take(self.known.and_):
                break
            if not self.sees_day():
                self.at = back
                break
        self.space()
        return list(dict.fromkeys(found))

    def day_or_range(self) -> list[date] | None:
        self.space()
        back = self.at
        if self.take(self.known.on) and not self.sees_day():
            self.at = back
        if one := self.a_date():
            back = self.at
            if self.take(self.known.dash) and (other := self.a_date()):
                if other < one:
                    raise Unclear(gettext_noop("The last day is before the first."))
                if (other - one).days > 400:
                    raise Unclear(gettext_noop("That’s more than 400 days."))
                return list(each_day(one, other))
            self.at = back
            return [one]
        if match := self.take(self.known.group):
            return self.on(self.known.groups[" ".join(match[0].split())])
        if (first := self.weekday()) is None:
            return None
        back = self.at
        if self.take(self.known.dash) and (last := self.weekday()) is not None:
            return self.on([(first + step) % 7 for step in range((last - first) % 7 + 1)])
        self.at = back
        return self.on([first])

    def on(self, weekdays: Container[int]) -> list[date]:
        return [
            day for day in each_day(self.days.first, self.days.last) if day.weekday() in weekdays
        ]

    def sees_day(self) -> bool:
        return any(
            pattern.match(self.text, self.at)
            for pattern in (self.known.date, self.known.group, self.known.weekday)
        )

    def weekday(self) -> int | None:
        match = self.known.weekday.match(self.text, self.at)
        if not match:
            return None
        name = match["name"]
        place = self.known.place(name)
        if place is None:
            raise Unclear(
                gettext_noop("“%(name)s” isn’t a day of the week."), name=self.quoted(match)
            )
        self.at = match.end()
        return place

    def a_date(self) -> date | None:
        match = self.known.date.match(self.text, self.at)
        if not match:
            return None
        try:
            found = self.resolved(match)
        except Unclear:
            raise
        except ValueError:
            raise Unclear(gettext_noop("There is no %(what)s."), what=self.quoted(match)) from None
        if (named := re.match(self.known.day, match[0])) and self.known.place(
            named[0]
        ) != found.weekday():
            on = f"{words(self.days.language).date(found.day, found.month)} {found.year}"
            raise Unclear(gettext_noop("%(date)s is not a %(day)s."), date=on, day=named[0].title())
        if not 2000 <= found.year < 2100:
            raise Unclear(gettext_noop("Dates must be in the years 2000 to 2099."))
        self.at = match.end()
        return found

    def resolved(self, match: re.Match[str]) -> date:
        said = {name.strip("_"): value for name, value in match.groupdict().items() if value}
        if "y" in said:
            return date(int(said["y"]), int(said["m"]), int(said["d"]))
        day = int(said.get("day") or said["nd"])
        month = self.known.month(said["month"]) if "month" in said else int(said["nm"])
        if year := said.get("year") or said.get("ny"):
            return date(int(year), month, day)
        date(2024, month, day)  # a leap year: whether there is such a date at all
        first, last = self.days.first, self.days.last
        for year in range(first.year, last.year + 2):
            try:
                found = date(year, month, day)
            except ValueError:
                continue
            if first <= found < last + SOON:
                return found
        raise Unclear(
            gettext_noop(
                "%(date)s isn’t one of this calendar’s days. If you do mean it, add the year."
            ),
            date=self.quoted(match),
        )

    # Times

    def spans(self) -> list[tuple[Clock, Clock, date | None]]:
        found = []
        while True:
            found.append(self.span())
            back = self.at
            if not (
                self.take(self.known.and_)
                and any(
                    p.match(self.text, self.at) for p in (_TIME, self.known.hour, self.known.from_)
                )
            ):
                self.at = back
                return found

    def span(self) -> tuple[Clock, Clock, date | None]:
        self.space()
        if self.take(self.known.all_day):
            return Clock(0), Clock(24), None
        self.take(self.known.from_)
        back = self.at
        start, early = self.a_time()
        if not self.take(self.known.dash):
            raise Unclear(
                gettext_noop("Add an end time, for example 9-12: “%(text)s”."),
                text=self.written[back:],
            )
        on = self.a_date()
        self.space()
        end, half = self.a_time()
        if half == "pm" and early not in ("am", "pm") and start.hour < 12:
            # "1-5pm" means the afternoon; "9-5pm" means from the morning.
            moved = Clock(start.hour + 12, start.minute, start.second, start.fold)
            start = moved if _order(moved) < _order(end) else start
        return start, end, on

    def a_time(self) -> tuple[Clock, str | None]:
        """Return a time and whether "am" or "pm" stands behind it."""
        if word := self.take(self.known.hour):
            return Clock(self.known.hours[word["name"]]), None
        match = _TIME.match(self.text, self.at)
        if not match:
            raise Unclear(
                gettext_noop("Write a time here, for example 9 or 9:30: “%(text)s”."),
                text=self.rest(),
            )
        hour, minute, second = int(match["h"]), int(match["m"] or 0), float(match["s"] or 0)
        if match["half"] in ("am", "pm"):
            if not 1 <= hour <= 12:
                raise Unclear(gettext_noop("There is no %(what)s."), what=self.quoted(match))
            hour = hour % 12 + 12 * (match["half"] == "pm")
        if hour > 24 or minute > 59 or second >= 60 or (hour == 24 and (minute or second)):
            raise Unclear(gettext_noop("%(time)s isn’t a time of day."), time=self.quoted(match))
        self.at = match.end()
        which = self.take(self.known.which)
        return Clock(
            hour, minute, second, self.known.folds[" ".join(which["name"].split())] if which else 0
        ), match["half"]

    def level(self) -> int:
        self.space()
        match = self.take(self.known.level)
        if not match:
            return PREFERENCE[2]
        usual = self.known.levels[" ".join(match["name"].split())]
        if match["exact"] is None:
            return usual
        exact = int(match["exact"])
        if exact > 10 or BANDS[exact + 1] != BANDS[usual + 1]:
            raise Unclear(gettext_noop("0 to 3 means if need be, 4 to 7 works, 8 to 10 ideal."))
        return exact

    def window(
        self, day: date, start: Clock, end: Clock, on: date | None, preference: int
    ) -> Window | None:
        """Return the window on this day; None if the end is not after the start."""
        ends_on = on or day
        if (
            on is None
            and _order(end) <= _order(start)
            and end.hour != 24
            and not (end.fold > start.fold)
        ):
            ends_on = day + timedelta(days=1)
        first, last = self.moment(day, start), self.moment(ends_on, end, ends=True)
        if on and last <= first:
            raise Unclear(gettext_noop("It ends before it starts."))
        if last - first > LONGEST:
            raise Unclear(gettext_noop("A single time can last at most 31 days."))
        return (first, last, preference) if first < last else None

    def moment(self, day: date, at: Clock, *, ends: bool = False) -> float:
        zone = self.days.zone
        if at.hour == 24 or at == Clock(0):
            return midnight(zone, day + timedelta(days=at.hour // 24))
        whole, part = divmod(round(at.second * 1_000_000), 1_000_000)
        local = datetime.combine(day, time(at.hour, at.minute, whole, part))
        moments, is_skipped = moments_of(local, zone)
        if not is_skipped:
            return seconds(moments[at.fold if len(moments) > 1 else 0])
        before, after = put_forward(moments, zone)
        if not (ends and local == before):
            raise self.skipped(local, before, after, moments)
        return seconds(moments[1])

    def skipped(
        self, local: datetime, before: datetime, after: datetime, moments: list[datetime]
    ) -> Unclear:
        """Say that the clocks skip this time, and what to write instead."""
        known = words(self.days.language)

        def write(local: datetime) -> str:
            return _time(local, known, self.days.h12)

        earlier, later = (write(moment.astimezone(self.days.zone)) for moment in moments)
        message = gettext_noop(
            "%(time)s doesn’t exist on %(date)s: the clocks go forward from %(from)s to %(to)s. "
            "Write %(earlier)s or %(later)s."
        )
        values = {
            "time": write(local),
            "date": _date(local.date(), known),
            "from": write(before),
            "to": write(after),
            "earlier": earlier,
            "later": later,
        }
        return Unclear(message, **values)

    # Text

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        if match := pattern.match(self.text, self.at):
            self.at = match.end()
        return match

    def space(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def rest(self) -> str:
        return self.written[self.at :].strip()

    def quoted(self, match: re.Match[str]) -> str:
        return self.written[slice(*match.span())].strip()


def _order(clock: Clock) -> tuple[int, int, float]:
    return clock.hour, clock.minute, clock.second


def each_day(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


# Back into lines ----------------------------------------------------------------------------------


def write(windows: list[Window], zone: ZoneInfo, language: str = "en", *, h12: bool = False) -> str:
    """Return one line a window, such that `read` gives the same windows again, those joined that
    touch and are the same.
    """
    return "\n".join(_line(window, zone, words(language), h12) for window in merged(windows))


def _line(window: Window, zone: ZoneInfo, known: Words, h12: bool) -> str:
    start, end = (instant(edge).astimezone(zone) for edge in window[:2])
    level = BANDS[window[2] + 1]
    exact = "" if PREFERENCE[level] == window[2] else f" {window[2]}"
    what = f"{known.levels[level - 1][0]}{exact}"
    first, last = _time(start, known, h12), _time(end, known, h12)
    if end.time() == time() and end.date() == start.date() + timedelta(days=1):
        last = last if h12 else "24:00"
    elif end.date() != start.date():
        last = f"{_date(end.date(), known)} {last}"
    return f"{_date(start.date(), known)} {first}-{last} {what}"


def _date(day: date, known: Words) -> str:
    return (
        f"{known.weekdays[day.weekday()][: known.least]} {known.date(day.day, day.month)} "
        f"{day.year}"
    )


def _time(local: datetime, known: Words, h12: bool) -> str:
    text = f"{(local.hour - 1) % 12 + 1 if h12 else local.hour}:{local.minute:02}"
    if local.second or local.microsecond:
        text += f":{local.second:02}" + (
            f".{local.microsecond:06}".rstrip("0") if local.microsecond else ""
        )
    if h12:
        text += " am" if local.hour < 12 else " pm"
    if local.tzinfo and is_shown_twice(local):
        text += f" ({known.which[local.fold][0]})"
    return text

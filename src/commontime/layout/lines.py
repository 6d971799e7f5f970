"""Times as people write them, one line each: "Mon 9-12 works", "weekdays 9-12, not 2 May".

The grammar, where words may also come from the person's language (line_words.py):

    line  = [days] times [level] ["," "not" days]
    days  = day { ("," | "and") day }
    day   = date ["-" date] | weekday ["-" weekday] | weekdays | weekends | every day
    date  = [weekday] 4 May [2026] | 2026-05-04
    times = span { ("," | "and") span } | all day
    span  = time "-" time | time "-" date time
    time  = (9 | 9:30 | 9am | 9:30 pm | noon | midnight) [which]
    which = (first time) | (second time, CET)
    level = if need be | works | ideal [0-10]

- English also reads May 4, German 4.5., French 4/5. A date without a year is one of the days asked
  for, or soon after them.
- An end that is not after its start is on the next day.
- On a day on which the clocks go back, a time without `which` is the first. Zones are not read.
- Without a level it is "works". A number is the exact preference.
- A time that the clocks skip is refused. As an end, the time of the change itself is accepted.
- Where lines contradict each other, the later one wins. Moments are seconds since 1970.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from commontime.layout.grid import BANDS, PREFERENCE, Window, merged, painted
from commontime.layout.instants import moment
from commontime.layout.line_reader import (
    WINDOW_LIMIT,
    Days,
    LineReader,
    Unclear,
    gettext_noop,
    too_many,
)
from commontime.layout.line_words import Words, date_text, patterns, time_text, words

# Times that all lines together name, also where a later line says something else.
NAMED_LIMIT = 10 * WINDOW_LIMIT
LINE_LIMIT = 2000
MISTAKE_LIMIT = 100  # mistakes after which reading ends
# Characters of a line. To normalise a long run of accents takes minutes.
NORMALISED_LIMIT = 2000
_SIGNS = {
    ord(sign): plain
    for plain, signs in {"-": "−~〜⁓ー⁃˗─━➖", ":": "∶꞉ː˸։׃", ",": "、،"}.items()
    for sign in signs
}

_PLAIN = {"Pd": "-", "Cf": ""}  # by the category of a character


@dataclass(frozen=True, slots=True)
class Mistake:
    """A line that can't be read, counted from 1. `values` fill the placeholders of the message."""

    line: int
    text: str
    message: str
    values: Mapping[str, object]


def read(text: str, days: Days) -> tuple[list[Window], list[Mistake]]:
    """Return the windows of a text, and its mistakes.

    The windows are in order and without overlaps.
    """
    windows: list[Window] = []
    mistakes: list[Mistake] = []
    named = 0
    lines = text.splitlines()
    for number, line in enumerate(lines[:LINE_LIMIT], 1):
        if not simplified(line):
            continue
        try:
            new = read_line(line, days)
            named += len(new)
            windows = _with_windows(windows, new)
            for most, count in ((WINDOW_LIMIT, len(windows)), (NAMED_LIMIT, named)):
                if count > most:
                    raise too_many(most)
        except Unclear as unclear:
            mistakes.append(Mistake(number, line.strip(), unclear.message, unclear.values))
            is_enough = len(mistakes) >= MISTAKE_LIMIT
            if is_enough or len(windows) > WINDOW_LIMIT or named > NAMED_LIMIT:
                break
    if len(lines) > LINE_LIMIT:
        message = gettext_noop("Write at most %(n)d lines.")
        mistakes.append(Mistake(LINE_LIMIT + 1, "", message, {"n": LINE_LIMIT}))
    return windows, mistakes


def _with_windows(windows: list[Window], line: Iterable[Window]) -> list[Window]:
    """Paint a line's windows over the earlier ones. They have one preference.

    Lines mostly come in order: then they are appended.
    """
    new = _apart(line)
    if not windows or windows[-1][1] < new[0][0]:
        return windows + merged(new)
    rest = painted(windows, ((start, end) for start, end, _ in new), None)
    return merged([*rest, *new])


def _apart(windows: Iterable[Window]) -> list[Window]:
    """Return the windows in order. What two of them share is left to the first."""
    apart: list[Window] = []
    for start, end, preference in sorted(windows):
        begin = max(start, apart[-1][1]) if apart else start
        if begin < end:
            apart.append((begin, end, preference))
    return apart


def read_line(line: str, days: Days) -> list[Window]:
    """Return the windows of one line, or raise Unclear."""
    typed = line.strip()
    text = simplified(typed)
    if len(text) != len(typed):
        typed = text  # messages quote by position
    windows = LineReader(typed, text, days, patterns(days.language)).line()
    if not windows:
        raise Unclear(gettext_noop("None of these days belongs to this calendar."))
    return windows


def simplified(text: str) -> str:
    """Return the text in lower case, with plain digits, dashes, colons and commas.

    Word processors and East Asian keyboards write many other forms of them (Unicode NFKC, and the
    category Pd of dashes). Invisible marks (category Cf), which come along with pasted text, are
    dropped.
    """
    if len(text) <= NORMALISED_LIMIT:
        text = unicodedata.normalize("NFKC", text)
    plain = text.lower().translate(_SIGNS)
    return "".join(_PLAIN.get(unicodedata.category(c), c) for c in plain).strip()


# Back into lines ----------------------------------------------------------------------------------


def write(windows: list[Window], zone: ZoneInfo, language: str = "en", *, h12: bool = False) -> str:
    """Return one line per window; `read` returns the same windows.

    Windows that touch and have the same preference become one.
    """
    return "\n".join(_line(window, zone, words(language), h12) for window in merged(windows))


def _line(window: Window, zone: ZoneInfo, vocabulary: Words, h12: bool) -> str:
    start, end = (moment(edge).astimezone(zone) for edge in window[:2])
    first, last = time_text(start, vocabulary, h12), _end_text(start, end, vocabulary, h12)
    level = BANDS[window[2] + 1]
    exact = "" if PREFERENCE[level] == window[2] else f" {window[2]}"
    name = vocabulary.levels[level - 1][0]
    return f"{date_text(start.date(), vocabulary)} {first}-{last} {name}{exact}"


def _end_text(start: datetime, end: datetime, vocabulary: Words, h12: bool) -> str:
    text = time_text(end, vocabulary, h12)
    if _is_end_of_day(start.date(), end):
        return text if h12 else "24:00"
    if end.date() != start.date():
        return f"{date_text(end.date(), vocabulary)} {text}"
    return text


def _is_end_of_day(day: date, end: datetime) -> bool:
    return end.time() == time() and end.date() == day + timedelta(days=1)

"""The words of times as text (lines.py), in each language.

English is read everywhere, so that copied lines can be pasted.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache

from commontime.layout.wall_clock import is_shown_twice


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one language.

    Of several alternatives the first one is written. A space in a word matches any whitespace.

    weekdays: from Monday. At least `least` letters of one are read, and that many are written.
    months: the beginnings of their names.
    dot: follows the number of a day. ordinals: other endings of that number that are read.
    numeric: a pattern of a date in digits, where the language has one order of day and month.
    month_first: whether "May 2" is a date.
    levels: if need be, works, ideal.
    which: the first and the second of two equal times, on a day when clocks go back.
    noon, midnight: 12:00 and 0:00.
    """

    weekdays: tuple[str, ...]
    least: int
    months: tuple[tuple[str, ...], ...]
    dot: str
    ordinals: tuple[str, ...]
    numeric: str
    month_first: bool
    levels: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]
    working_days: tuple[str, ...]
    weekends: tuple[str, ...]
    every_day: tuple[str, ...]
    all_day: tuple[str, ...]
    and_: tuple[str, ...]
    from_: tuple[str, ...]
    until: tuple[str, ...]
    but: tuple[str, ...]
    not_: tuple[str, ...]
    on: tuple[str, ...]
    which: tuple[tuple[str, ...], tuple[str, ...]]
    noon: tuple[str, ...]
    midnight: tuple[str, ...]

    def date(self, day: date) -> str:
        """Return a date without its year: "4 May"."""
        return f"{day.day}{self.dot} {self.months[day.month - 1][0]}"


ENGLISH = Words(
    weekdays=("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    least=3,
    months=(
        ("Jan",),
        ("Feb",),
        ("Mar",),
        ("Apr",),
        ("May",),
        ("Jun",),
        ("Jul",),
        ("Aug",),
        ("Sep",),
        ("Oct",),
        ("Nov",),
        ("Dec",),
    ),
    dot="",
    ordinals=("st", "nd", "rd", "th"),
    numeric="",  # 5/4 is April to some and May to others
    month_first=True,
    levels=(("if need be", "maybe"), ("works", "work", "yes"), ("ideal", "best")),
    working_days=("weekdays", "weekday"),
    weekends=("weekends", "weekend"),
    every_day=("daily", "every day"),
    all_day=("all day",),
    and_=("and",),
    from_=("from",),
    until=("to", "until"),
    but=("but",),
    not_=("not", "except"),
    on=("on",),
    which=(("first time",), ("second time",)),
    noon=("noon", "midday"),
    midnight=("midnight",),
)
GERMAN = Words(
    weekdays=("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"),
    least=2,
    months=(
        ("Jan", "Jän"),
        ("Feb",),
        ("März", "Mär", "Maerz"),
        ("Apr",),
        ("Mai",),
        ("Juni", "Jun"),
        ("Juli", "Jul"),
        ("Aug",),
        ("Sep",),
        ("Okt",),
        ("Nov",),
        ("Dez",),
    ),
    dot=".",
    ordinals=(".",),
    numeric=r"(?P<nd>\d{1,2})\.(?P<nm>\d{1,2})\.(?:\s?(?P<ny>\d{4}))?",
    month_first=False,
    levels=(("zur Not", "vielleicht"), ("passt", "ja"), ("ideal", "am besten")),
    working_days=("werktags", "wochentags"),
    weekends=("wochenende", "wochenenden", "am wochenende"),
    every_day=("täglich", "jeden tag"),
    all_day=("ganztags", "den ganzen tag"),
    and_=("und",),
    from_=("von",),
    until=("bis",),
    but=("aber",),
    not_=("nicht", "außer", "ausser"),
    on=("am", "den"),
    which=(("erstes Mal",), ("zweites Mal",)),
    noon=("Mittag", "mittags"),
    midnight=("Mitternacht", "mitternachts"),
)
FRENCH = Words(
    weekdays=("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
    least=3,
    months=(
        ("janv", "jan"),
        ("févr", "fév", "fev"),
        ("mars",),
        ("avr",),
        ("mai",),
        ("juin",),
        ("juil",),
        ("août", "aout"),
        ("sept", "sep"),
        ("oct",),
        ("nov",),
        ("déc", "dec"),
    ),
    dot="",
    ordinals=("er",),
    numeric=r"(?P<nd>\d{1,2})/(?P<nm>\d{1,2})(?:/(?P<ny>\d{4}))?",
    month_first=False,  # "mar 2" is a Tuesday
    levels=(
        ("si nécessaire", "si necessaire", "peut-être"),
        ("convient", "oui"),
        ("idéal", "ideal"),
    ),
    working_days=("en semaine", "semaine"),
    weekends=("week-end", "week-ends", "le week-end"),
    every_day=("tous les jours", "chaque jour"),
    all_day=("toute la journée", "toute la journee"),
    and_=("et",),
    from_=("de",),
    until=("à", "au", "jusqu'à", "jusqu’à"),
    but=("mais",),
    not_=("pas", "sauf"),
    on=("le", "les"),
    which=(("première fois", "premiere fois"), ("deuxième fois", "deuxieme fois", "seconde fois")),
    noon=("midi",),
    midnight=("minuit",),
)
LANGUAGES = {"en": ENGLISH, "de": GERMAN, "fr": FRENCH}
PREFERENCES = (2, 5, 9)  # of the levels


class Patterns:
    """What is understood in one language and in English, as patterns for lower-case text."""

    def __init__(self, words: Words) -> None:
        self._read = list(dict.fromkeys((words, ENGLISH)))
        self._add_names()
        self._add_names_of_times()
        self._add_patterns_of_days(words)
        self._add_patterns_of_times()
        self._add_patterns_between()

    def _add_names(self) -> None:
        """Map the names of days and months to their numbers.

        Weekdays, months, and groups of days.
        """
        self.weekdays = [
            (name.lower(), number)
            for words in self._read
            for number, name in enumerate(words.weekdays)
        ]
        self.months = {
            stem.lower(): month
            for words in reversed(self._read)
            for month, stems in enumerate(words.months, 1)
            for stem in stems
        }
        self.groups: dict[str, range] = {}
        for words in self._read:
            self.groups |= dict.fromkeys(words.working_days, range(5))
            self.groups |= dict.fromkeys(words.weekends, range(5, 7))
            self.groups |= dict.fromkeys(words.every_day, range(7))

    def _add_names_of_times(self) -> None:
        """Map other names to their numbers. Those of levels, of repeated times and of hours."""
        self.levels: dict[str, int] = {}
        self.folds: dict[str, int] = {}
        self.hours: dict[str, int] = {}
        for words in self._read:
            for names, preference in zip(words.levels, PREFERENCES, strict=True):
                self.levels |= {name.lower(): preference for name in names}
            for fold, names in enumerate(words.which):
                self.folds |= {name.lower(): fold for name in names}
            for hour, names in ((12, words.noon), (0, words.midnight)):
                self.hours |= {name.lower(): hour for name in names}

    def _add_patterns_of_days(self, words: Words) -> None:
        stems = (name[: read.least] for read in self._read for name in read.weekdays)
        self.day = rf"(?:{_any(stems)})[^\W\d_]*"
        self.date = re.compile(rf"(?:{self.day}\.?,?\s+)?(?:{'|'.join(self._dates(words))})")
        self.group = re.compile(rf"(?:{_any(self.groups)})\b")
        hour = rf"(?:{_any(self.hours)})(?!\w)"
        self.weekday = re.compile(rf"(?!{hour})(?P<name>{self.day})\b\.?")

    def _dates(self, words: Words) -> list[str]:
        """Return the patterns of a date. Group names with _ are alternatives of the plain name."""
        month = rf"(?:{_any(self.months)})[^\W\d_]*"
        ordinal = rf"(?:{_any(name for read in self._read for name in (*read.ordinals, '.'))})?"
        dates = [
            r"(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})",
            rf"(?P<day>\d{{1,2}}){ordinal}\s+(?P<month>{month})\.?"
            r"(?:\s+(?P<year>\d{4}))?(?![\d:])",
        ]
        if words.numeric:
            dates.append(rf"{words.numeric}(?![\d:])")
        if words.month_first:
            dates.append(
                rf"(?P<month_>{month})\.?\s+(?P<day_>\d{{1,2}}){ordinal}"
                r"(?:,?\s+(?P<year_>\d{4}))?(?![\d:.])(?!\s*[ap]m)"
            )
        return dates

    def _add_patterns_of_times(self) -> None:
        self.hour = re.compile(rf"(?P<name>{_any(self.hours)})(?!\w)")
        self.which = re.compile(rf"\s*\((?P<name>{_any(self.folds)})(?:,[^()]*)?\)")
        self.level = re.compile(rf"(?P<name>{_any(self.levels)})(?:\s+(?P<exact>\d{{1,2}}))?(?!\w)")
        self.all_day = re.compile(rf"(?:{self._words('all_day')})\b")

    def _add_patterns_between(self) -> None:
        self.and_ = re.compile(rf"\s*(?:,|;|&|\b(?:{self._words('and_')})\b)\s*")
        self.dash = re.compile(rf"\s*(?:-+|\b(?:{self._words('until')})(?!\w))\s*")
        self.from_ = re.compile(rf"\s*(?:{self._words('from_')})\s+(?=\d)")
        self.on = re.compile(rf"(?:{self._words('on')})\s+")
        self.without = re.compile("|".join(_without(words) for words in self._read))

    def _words(self, kind: str) -> str:
        """Return a pattern for any word of a kind, in every language that is read."""
        return _any(word for words in self._read for word in getattr(words, kind))

    def month(self, word: str) -> int:
        """Return the number of a month. The longest stem that the word begins with decides."""
        return self.months[max((stem for stem in self.months if word.startswith(stem)), key=len)]

    def weekday_of(self, word: str) -> int | None:
        """Return the weekday that the word abbreviates, from 0. None if it is another word."""
        for name, number in self.weekdays:
            if name.startswith(word) or name.startswith(word.removesuffix("s")):
                return number
        return None


@cache
def patterns(language: str) -> Patterns:
    return Patterns(words(language))


def words(language: str) -> Words:
    return LANGUAGES.get(language, ENGLISH)


def date_text(day: date, words: Words, *, with_weekday: bool = True) -> str:
    """Return a date as `lines.read` understands it: "Mon 4 May 2026"."""
    text = f"{words.date(day)} {day.year}"
    return f"{words.weekdays[day.weekday()][: words.least]} {text}" if with_weekday else text


def time_text(local: datetime, words: Words, h12: bool) -> str:
    """Return a time as `lines.read` understands it, with its turn if the clocks show it twice."""
    text = f"{(local.hour - 1) % 12 + 1 if h12 else local.hour}:{local.minute:02}"
    if local.second or local.microsecond:
        fraction = f".{local.microsecond:06}".rstrip("0") if local.microsecond else ""
        text += f":{local.second:02}{fraction}"
    if h12:
        text += " am" if local.hour < 12 else " pm"
    if local.tzinfo and is_shown_twice(local):
        text += f" ({words.which[local.fold][0]})"
    return text


def _without(words: Words) -> str:
    on = rf"(?:\s+(?:{_any(words.on)}))?"
    return rf"(?:(?:{_any(words.but)})\s+)?(?:{_any(words.not_)}){on}\s+"


def _any(names: Iterable[str]) -> str:
    """Return a pattern for these words, the longest first."""
    return "|".join(
        r"\s+".join(map(re.escape, name.lower().split()))
        for name in sorted(set(names), key=lambda name: (-len(name), name))
    )

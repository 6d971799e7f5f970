"""The words of the list form (lines.py) in each language: how they are written, and what is
understood.

English is understood everywhere, so that what somebody copies from elsewhere can be read.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class Words:
    """What one language calls things. In lists of several words the first is the one written; a
    space in them is any space.

    weekdays: from Monday; whatever begins one with at least `least` letters is understood, and so
    many are written. months: beginnings of their names. dot: what follows the day's number when it
    is written. ordinals: what else may. numeric: a date in numbers, where those who speak the
    language agree on how; month_first: whether "May 2" is one. levels: if need be, works, ideal.
    which: of two times that are the same on clocks which are turned back, the first and the second.
    noon, midnight: for 12:00 and 0:00.
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

    def date(self, day: int, month: int) -> str:
        return f"{day}{self.dot} {self.months[month - 1][0]}"


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
        ("Jan", "Jän"), ("Feb",), ("März", "Mär", "Maerz"), ("Apr",), ("Mai",), ("Juni", "Jun"), ("Juli", "Jul"), ("Aug",), ("Sep",),
        ("Okt",), ("Nov",), ("Dez",),
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
)  # fmt: skip
FRENCH = Words(
    weekdays=("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
    least=3,
    months=(
        ("janv", "jan"), ("févr", "fév", "fev"), ("mars",), ("avr",), ("mai",), ("juin",), ("juil",), ("août", "aout"), ("sept", "sep"),
        ("oct",), ("nov",), ("déc", "dec"),
    ),
    dot="",
    ordinals=("er",),
    numeric=r"(?P<nd>\d{1,2})/(?P<nm>\d{1,2})(?:/(?P<ny>\d{4}))?",
    month_first=False,  # "mar 2" is a Tuesday
    levels=(("si nécessaire", "si necessaire", "peut-être"), ("convient", "oui"), ("idéal", "ideal")),
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
)  # fmt: skip
LANGUAGES = {"en": ENGLISH, "de": GERMAN, "fr": FRENCH}
PREFERENCES = (2, 5, 9)  # of the levels


class Patterns:
    """What a language and English understand, to match in lower case."""

    def __init__(self, words: Words) -> None:
        known = list(dict.fromkeys((words, ENGLISH)))
        self.weekdays = [
            (full.lower(), place) for each in known for place, full in enumerate(each.weekdays)
        ]
        self.months = {
            stem.lower(): month
            for each in reversed(known)
            for month, stems in enumerate(each.months, 1)
            for stem in stems
        }
        self.groups = {
            name: days
            for each in known
            for names, days in (
                (each.working_days, range(5)),
                (each.weekends, range(5, 7)),
                (each.every_day, range(7)),
            )
            for name in names
        }
        self.levels = {
            name.lower(): preference
            for each in known
            for names, preference in zip(each.levels, PREFERENCES, strict=True)
            for name in names
        }
        self.folds = {
            name.lower(): fold
            for each in known
            for fold, names in enumerate(each.which)
            for name in names
        }
        self.hours = {
            name.lower(): hour
            for each in known
            for hour, names in ((12, each.noon), (0, each.midnight))
            for name in names
        }
        self.hour = re.compile(rf"(?P<name>{_any(self.hours)})(?!\w)")
        self.which = re.compile(rf"\s*\((?P<name>{_any(self.folds)})(?:,[^()]*)?\)")
        self.day = (
            rf"(?:{_any(full[: each.least] for each in known for full in each.weekdays)})[^\W\d_]*"
        )
        month = rf"(?:{_any(self.months)})[^\W\d_]*"
        ordinal = rf"(?:{_any(o for each in known for o in (*each.ordinals, '.'))})?"
        shapes = [
            r"(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})",
            rf"(?P<day>\d{{1,2}}){ordinal}\s+(?P<month>{month})\.?(?:\s+(?P<year>\d{{4}}))?(?![\d:])",
        ]
        if words.numeric:
            shapes.append(rf"{words.numeric}(?![\d:])")
        if words.month_first:
            shapes.append(
                rf"(?P<month_>{month})\.?\s+(?P<day_>\d{{1,2}}){ordinal}(?:,?\s+(?P<year_>\d{{4}}))?(?![\d:.])(?!\s*[ap]m)"
            )
        self.date = re.compile(rf"(?:{self.day}\.?,?\s+)?(?:{'|'.join(shapes)})")
        self.group = re.compile(rf"(?:{_any(self.groups)})\b")
        self.weekday = re.compile(
            rf"(?!{self.hour.pattern.replace('?P<name>', '?:')})(?P<name>{self.day})\b\.?"
        )
        self.level = re.compile(rf"(?P<name>{_any(self.levels)})(?:\s+(?P<exact>\d{{1,2}}))?(?!\w)")
        self.and_ = re.compile(
            rf"\s*(?:,|;|&|\b(?:{_any(w for each in known for w in each.and_)})\b)\s*"
        )
        self.dash = re.compile(
            rf"\s*(?:-|–|—|−|\b(?:{_any(w for each in known for w in each.until)})(?!\w))\s*"
        )
        self.from_ = re.compile(rf"\s*(?:{_any(w for each in known for w in each.from_)})\s+(?=\d)")
        self.on = re.compile(rf"(?:{_any(w for each in known for w in each.on)})\s+")
        self.all_day = re.compile(rf"(?:{_any(w for each in known for w in each.all_day)})\b")
        self.without = re.compile("|".join(_without(each) for each in known))

    def month(self, word: str) -> int:
        """Return the month that the word, which `date` matched, begins like: by the longest
        beginning.
        """
        return self.months[max((stem for stem in self.months if word.startswith(stem)), key=len)]

    def place(self, word: str) -> int | None:
        """Return which weekday the word begins like, from 0; None if it only begins like one."""
        return next(
            (
                place
                for full, place in self.weekdays
                if full.startswith(word) or full.startswith(word.removesuffix("s"))
            ),
            None,
        )


@cache
def patterns(language: str) -> Patterns:
    return Patterns(words(language))


def words(language: str) -> Words:
    return LANGUAGES.get(language, ENGLISH)


def _without(each: Words) -> str:
    return rf"(?:(?:{_any(each.but)})\s+)?(?:{_any(each.not_)})(?:\s+(?:{_any(each.on)}))?\s+"


def _any(names: Iterable[str]) -> str:
    """Return a pattern for any of the words, the longest first."""
    return "|".join(
        r"\s+".join(map(re.escape, name.lower().split()))
        for name in sorted(set(names), key=lambda name: (-len(name), name))
    )

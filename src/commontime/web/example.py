"""The first page's example: an invented choir. Its times are computed like everybody's."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from commontime.calendars.models import Calendar, Meeting
from commontime.calendars.planning import groups, suggestions
from commontime.calendars.queries.people import Person
from commontime.layout import lines
from commontime.layout.instants import moment
from commontime.layout.line_reader import Days
from commontime.web import best_times, heat_map, jinja, tables
from commontime.web.heat_map import heat
from commontime.web.look import Look

ZONE = ZoneInfo("UTC")
EVENINGS = (17 * 60, 22 * 60)
LENGTH = 90
LEADERS = 2  # the first people are required
# Names and times.
CHOIR = {
    "Ada Lind": "Mon 18-20 if need be\nTue 18:30-21\nWed 18:30-21:30 ideal\nThu 19-22",
    "Ben Osei": "Tue 19-22\nWed 17-22\nSat 17-19 if need be",
    "Carla Moreno": "Mon 17-19\nWed 18:30-22 ideal\nThu 18-21\nSun 17-20",
    "Dev Patel": "Mon 19-22\nTue 19-21:30\nWed 19-21 if need be\nThu 19-22 ideal",
    "Edda Kruse": "Tue 17-20\nWed 18-21\nThu 17-20",
    "Farid Aziz": "Mon 18-21\nWed 18:30-20:30\nThu 19-21:30\nFri 17-19 if need be",
    "Greta Holm": "Tue 18-20:30 ideal\nWed 18-21\nSun 17-19",
    "Hugo Blanc": "Mon 20-22 if need be\nWed 19-22\nThu 18-20:30\nSat 17-20",
    "Inés Vidal": "Tue 17-20\nWed 19-21\nFri 18-21",
}


@dataclass(frozen=True, slots=True)
class Example:
    table: SafeString
    legend: SafeString
    best: SafeString
    summary: str


def choir(today: date) -> Example:
    """Return the example for the choir's coming week."""
    return _made(today + timedelta(days=7 - today.weekday()), get_language() or "")


@lru_cache(maxsize=8)
def _made(monday: date, language: str) -> Example:
    people = _people(monday)
    group = groups.group_of(people)
    look = Look(
        zone=ZONE,
        home=ZONE,
        first=monday,
        days=7,
        step=30,
        hours=EVENINGS,
        h12=False,
        asked={},
        before=None,
        after=None,
    )
    counts = heat(group, look)
    meeting, start = _rehearsal(monday)
    ranked = suggestions.rank(meeting, group, [], now=start, limit=3, with_names=True)
    best = best_times.best_times(meeting, ranked, len(people), look)
    return Example(
        tables.heat_table(look, counts),
        heat_map.legend(counts).html,
        jinja.render("web/best.html", {"bests": [best]}),
        heat_map.summary(counts),
    )


def _people(monday: date) -> list[Person]:
    days = Days(ZONE, monday, monday + timedelta(days=6))
    return [
        Person(number, "", name, "", "", True, number < LEADERS, _packed(text, days), True, name)
        for number, (name, text) in enumerate(CHOIR.items())
    ]


def _packed(text: str, days: Days) -> str:
    windows, _mistakes = lines.read(text, days)
    return groups.pack((moment(start), moment(end), level) for start, end, level in windows)


def _rehearsal(monday: date) -> tuple[Meeting, datetime]:
    """Return the meeting, and its earliest start."""
    start = datetime.combine(monday, datetime.min.time(), ZONE)
    deadline = start - timedelta(days=1, hours=-18)
    calendar = Calendar(duration_minutes=LENGTH)
    return Meeting(calendar=calendar, title=_("Rehearsal"), deadline=deadline), start

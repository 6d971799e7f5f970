"""The demo's people and their times, as plain values."""

import random
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Berlin")
PASSWORD = "a choir of forty"  # noqa: S105 (public; used only locally)
DOMAIN = "harbour-choir.example"


@dataclass(frozen=True, slots=True)
class Singer:
    username: str
    first_name: str
    last_name: str
    voice: str
    life: str

    @property
    def email(self) -> str:
        return f"{self.username}@{DOMAIN}"


# Who they are: name, voice, and what kind of week they have.
_SINGERS = """
    ingrid Ingrid Solheim     conductor office
    tomas  Tomás  Ferreira    tenor     office
    priya  Priya  Raghunathan soprano   office
    amara  Amara  Okonkwo     alto      parent
    noor   Noor   El-Amin     alto      student
    henrik Henrik Lindqvist   bass      retired
    yuki   Yuki   Tanabe      soprano   student
    marta  Marta  Kowalczyk   alto      shifts
    jonas  Jonas  Petersen    tenor     office
    leila  Leila  Haddad      soprano   parent
    samuel Samuel Adeyemi     bass      office
    chiara Chiara Bianchi     alto      student
    anton  Anton  Weber       bass      retired
    sofia  Sofia  Marinou     soprano   office
    dagmar Dagmar Voss        alto      retired
    mateo  Mateo  Quispe      tenor     shifts
    elif   Elif   Yıldız      soprano   office
    ronan  Ronan  Gallagher   bass      parent
    hanna  Hanna  Virtanen    alto      office
    bao    Bao    Nguyen      tenor     student
    greta  Greta  Hoffmann    soprano   retired
    pavel  Pavel  Dvořák      bass      shifts
    zoe    Zoé    Lambert     alto      office
    kwame  Kwame  Mensah      tenor     office
    ivana  Ivana  Horvat      soprano   parent
    lars   Lars   Nygaard     bass      retired
    rosa   Rosa   Delgado     alto      shifts
    ahmed  Ahmed  Rahimi      tenor     student
    milena Milena Petrova     soprano   office
    oskar  Oskar  Brandt      bass      office
    fatou  Fatou  Diallo      alto      parent
    david  David  Rosenberg   tenor     retired
    annika Annika Sjöberg     soprano   student
    viktor Viktor Szabó       bass      office
    lucia  Lucía  Romero      soprano   shifts
    tiago  Tiago  Almeida     tenor     parent
    nele   Nele   Janssen     alto      student
    emil   Emil   Baumann     bass      student
    clara  Clara  Winkler     soprano   parent
    jakob  Jakob  Krüger      tenor     office
"""
SINGERS = [Singer(*line.split()) for line in _SINGERS.strip().splitlines()]
BY_NAME = {singer.username: singer for singer in SINGERS}


def voice(name: str) -> list[str]:
    return [singer.username for singer in SINGERS if singer.voice == name]


# When they have time ------------------------------------------------------------------------------

Window = tuple[datetime, datetime, int]
CHOIR_NIGHT = 2  # Wednesday, as long as anybody can remember: most keep it free
NIGHT_FALLS = 19

# By kind of week: on which weekdays (0 is Monday), from and to what hour, how much they like it,
# and how often it is so.
_WEEKS: dict[str, list[tuple[range, float, float, int, float]]] = {
    "office": [
        (range(0, 4), 18.5, 22, 7, 0.8),
        (range(4, 5), 18, 21, 3, 0.4),
        (range(5, 7), 10, 17, 5, 0.6),
    ],
    "student": [
        (range(0, 5), 14, 18, 5, 0.5),
        (range(0, 5), 18, 23, 8, 0.8),
        (range(5, 7), 12, 20, 6, 0.6),
    ],
    "parent": [
        (range(0, 5), 9, 11.5, 6, 0.4),
        (range(0, 5), 19.5, 22, 5, 0.7),
        (range(5, 6), 14, 18, 2, 0.4),
    ],
    "retired": [
        (range(0, 5), 9.5, 12.5, 9, 0.8),
        (range(0, 5), 15, 20.5, 6, 0.7),
        (range(5, 7), 11, 16, 3, 0.3),
    ],
    "shifts": [(range(0, 7), 8, 13, 4, 0.4), (range(0, 7), 17, 22, 6, 0.4)],
}


def windows_of(singer: Singer, first_day: date, days: int, chance: random.Random) -> list[Window]:
    """Return a singer's windows. They follow their kind of week, with some chance."""
    windows: list[Window] = []
    for day in (first_day + timedelta(days=n) for n in range(days)):
        windows += _usual(singer, day, chance)
        if day.weekday() == CHOIR_NIGHT and chance.random() < 0.9:
            windows.append(_choir_night(day, chance))
    return windows


def _usual(singer: Singer, day: date, chance: random.Random) -> list[Window]:
    """Return the singer's usual windows on a day. Choir night is left out."""
    windows = []
    for weekdays, start, end, liking, likely in _WEEKS[singer.life]:
        is_choir_night = day.weekday() == CHOIR_NIGHT and end > NIGHT_FALLS
        if is_choir_night or day.weekday() not in weekdays or chance.random() > likely:
            continue
        begins = local(day, start + chance.choice([0, 0, 0.25, 0.5]))
        ends = local(day, end - chance.choice([0, 0, 0.5, 1]))
        preference = liking + chance.choice([-2, -1, 0, 0, 1, 2])
        windows.append((begins, ends, max(0, min(10, preference))))
    return windows


def _choir_night(day: date, chance: random.Random) -> Window:
    begins = local(day, NIGHT_FALLS + chance.choice([0, 0, 0.5]))
    return begins, local(day, 22), chance.choice([2, 6, 8, 8, 9, 10])


def local(day: date, hour: float) -> datetime:
    """Return the moment of an hour in the choir's zone."""
    return datetime.combine(day, time(int(hour), int(hour % 1 * 60)), ZONE)

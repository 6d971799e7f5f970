"""The zones people choose from, and the years we know."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from commontime.core import clock

ROOT = Path(__file__).parents[2]


def test_the_zones_are_those_people_live_in():
    zones = clock.zones()

    assert {
        "Europe/Berlin",
        "Asia/Kathmandu",
        "Australia/Lord_Howe",
        "America/Argentina/Ushuaia",
        "UTC",
    } <= zones
    assert not {"posixrules", "localtime", "Factory"} & zones
    assert not [name for name in zones if name.startswith(("posix/", "right/"))]


def test_every_zone_can_be_used_in_every_year_we_know():
    for name in clock.zones():
        zone = ZoneInfo(name)
        for moment in (clock.EARLIEST, datetime(2026, 7, 1, tzinfo=UTC), clock.LATEST):
            assert moment.astimezone(zone).astimezone(UTC) == moment


@pytest.mark.parametrize(
    ("moment", "zone", "said"),
    [
        (datetime(2026, 10, 24, 23, 59, tzinfo=UTC), "Europe/Berlin", ""),
        (datetime(2026, 10, 25, 0, 0, tzinfo=UTC), "Europe/Berlin", "first time, CEST"),
        (datetime(2026, 10, 25, 1, 59, tzinfo=UTC), "Europe/Berlin", "second time, CET"),
        (datetime(2026, 10, 25, 2, 0, tzinfo=UTC), "Europe/Berlin", ""),
        (datetime(2026, 3, 29, 1, 0, tzinfo=UTC), "Europe/Berlin", ""),  # turned forward
        (datetime(2027, 4, 3, 14, 45, tzinfo=UTC), "Australia/Lord_Howe", "first time, UTC+11"),
        (datetime(2027, 4, 3, 15, 15, tzinfo=UTC), "Australia/Lord_Howe", "second time, UTC+10:30"),
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "Asia/Kathmandu", ""),
    ],
)
def test_moments_that_clocks_show_twice_are_told_apart(moment, zone, said):
    assert clock.turn_of(moment.astimezone(ZoneInfo(zone))) == said


LENGTHS = {
    1: ("1 minute", "1 Minute", "1 minute"),
    45: ("45 minutes", "45 Minuten", "45 minutes"),
    60: ("1 hour", "1 Stunde", "1 heure"),
    90: ("1 h 30 min", "1 h 30 min", "1 h 30 min"),
    240: ("4 hours", "4 Stunden", "4 heures"),
    1440: ("1 day", "1 Tag", "1 jour"),
    3105: ("2 days 3 h 45 min", "2 Tage 3 h 45 min", "2 jours 3 h 45 min"),
}


@pytest.mark.parametrize("minutes", LENGTHS)
def test_a_length_is_told_in_words(minutes):
    said = []
    for language in ("en", "de", "fr"):
        with translation.override(language):
            said.append(clock.length(timedelta(minutes=minutes)))

    assert tuple(said) == LENGTHS[minutes]


def test_what_somebody_offers_is_told_in_hours_however_long_it_is():
    assert clock.hours(timedelta(hours=31)) == "31 hours"
    assert clock.hours(timedelta(hours=31, minutes=5)) == "31 h 5 min"


def test_now_is_an_instant():
    assert clock.now().utcoffset() is not None
    assert abs((clock.now() - datetime.now(UTC)).total_seconds()) < 5


STATEMENTS = """
import django
django.setup()
from datetime import UTC, datetime, timedelta
from commontime.api.fields import instant, zone_of
from commontime.core import clock, text
from commontime.mail.letters import when
berlin = zone_of("Europe/Berlin")
moment = instant("2026-03-29T03:30", berlin)
is_now = abs((clock.now() - datetime.now(UTC)).total_seconds()) < 5
print(moment, when(moment.astimezone(berlin)), text.canonical("ISTANBUL"), is_now)
"""


@pytest.mark.parametrize(
    "server",
    [
        {"TZ": "UTC", "LC_ALL": "C.UTF-8"},
        {"TZ": "Asia/Kathmandu", "LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8"},
    ],
)
def test_the_zone_and_language_of_the_server_do_not_matter(server):
    """DS-06."""
    environment = {
        **os.environ,
        **server,
        "PYTHONPATH": "src",
        "DJANGO_SETTINGS_MODULE": "commontime.config.settings",
    }

    done = subprocess.run(
        [sys.executable, "-c", STATEMENTS],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )

    assert (
        done.stdout
        == "2026-03-29 01:30:00+00:00 Sunday 29 March 2026, 3:30 (Europe/Berlin) istanbul True\n"
    )

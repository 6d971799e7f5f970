"""The clock, the known time zones, and times in words."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from zoneinfo import available_timezones

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from commontime.layout.wall_clock import is_shown_twice


def now() -> datetime:
    return timezone.now()


@cache
def zones() -> frozenset[str]:
    """Return the IANA zones a person can choose, without the database's own files."""
    names = available_timezones() - {"posixrules", "localtime", "Factory"}
    return frozenset(name for name in names if not name.startswith(("posix/", "right/")))


# Zones of their own in some editions of the database, with the rules of these. Only their
# abbreviation or their past before 1970 differs.
_SAME_IN_ALL_BUT_NAME = {
    "Etc/GMT": "Etc/UTC",
    "EST5EDT": "America/New_York",
    "CST6CDT": "America/Chicago",
    "MST7MDT": "America/Denver",
    "PST8PDT": "America/Los_Angeles",
}


def canonical_zone(name: str) -> str:
    """Return the main name of a zone: Asia/Kolkata for Asia/Calcutta."""
    return _links().get(name, name)


def is_same_zone(name: str, other: str) -> bool:
    """Return whether two names are one zone. Europe/Kiev and Europe/Kyiv are."""
    return canonical_zone(name) == canonical_zone(other)


def names_of_zone(name: str) -> list[str]:
    """Return all names of a zone."""
    zone = canonical_zone(name)
    return sorted({name, zone, *(link for link, target in _links().items() if target == zone)})


@cache
def _links() -> dict[str, str]:
    """Return the main name of each other name.

    The time zone database has a line "L target name" for each.
    """
    lines = resources.files("tzdata").joinpath("zoneinfo/tzdata.zi").read_text().splitlines()
    targets = {line.split()[2]: line.split()[1] for line in lines if line.startswith("L ")}
    targets |= _SAME_IN_ALL_BUT_NAME
    return {name: targets.get(target, target) for name, target in targets.items()}


def turn_of(local: datetime) -> str:
    """Return which turn of a repeated time this is.

    For example "first time, CEST". Returns an empty text unless clocks that go back show the time
    twice.
    """
    if not is_shown_twice(local):
        return ""
    name = local.tzname() or ""
    zone = name if name.isalpha() else f"UTC{name[:3]}{name[3:] and ':' + name[3:]}"
    return (_("second time, %(zone)s") if local.fold else _("first time, %(zone)s")) % {
        "zone": zone
    }


def with_turn(local: datetime, text: str, *, unless: str = "") -> str:
    """Add its turn in brackets to a repeated time."""
    turn = turn_of(local)
    return f"{text} ({turn})" if turn and turn != unless else text


def span(start: datetime, end: datetime, write: Callable[[datetime], str]) -> tuple[str, str]:
    """Return the texts of a start and an end.

    If both are in the same turn of a repeated hour, only the end says so.
    """
    return with_turn(start, write(start), unless=turn_of(end)), with_turn(end, write(end))


def length(time: timedelta) -> str:
    """Return a duration in words: "45 minutes", "1 h 30 min", "2 days 4 hours"."""
    days, rest = divmod(time, timedelta(days=1))
    if not days:
        return hours(time)
    text = ngettext("%(n)d day", "%(n)d days", days) % {"n": days}
    return f"{text} {hours(rest)}" if rest >= timedelta(minutes=1) else text


def hours(time: timedelta) -> str:
    """Return a duration in words without days: "31 hours" of somebody's week."""
    whole, minutes = divmod(time // timedelta(minutes=1), 60)
    if whole and minutes:
        return _("%(hours)d h %(minutes)d min") % {"hours": whole, "minutes": minutes}
    if whole:
        return ngettext("%(n)d hour", "%(n)d hours", whole) % {"n": whole}
    return (
        ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes}
        if minutes
        else _("less than a minute")
    )


EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)


def is_stored(moment: datetime) -> bool:
    """Return whether the moment is in the years that are stored."""
    return EARLIEST <= moment < LATEST

"""The one clock, and the zones we know."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import available_timezones

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from commontime.layout.wall_clock import is_shown_twice


def now() -> datetime:
    return timezone.now()


@cache
def zones() -> frozenset[str]:
    """The IANA zones a person can choose: without the database's own files and placeholders."""
    names = available_timezones() - {"posixrules", "localtime", "Factory"}
    return frozenset(name for name in names if not name.startswith(("posix/", "right/")))


def which(local: datetime) -> str:
    """Say which of two moments this is, if clocks that are turned back show it twice: "first time,
    CEST". Otherwise nothing.
    """
    if not is_shown_twice(local):
        return ""
    name = local.tzname() or ""
    zone = name if name.isalpha() else f"UTC{name[:3]}{name[3:] and ':' + name[3:]}"
    return (_("second time, %(zone)s") if local.fold else _("first time, %(zone)s")) % {
        "zone": zone
    }


def told(local: datetime, text: str, *, unless: str = "") -> str:
    """Return the text of a time with which of two it is, unless that is said anyway."""
    said = which(local)
    return f"{text} ({said})" if said and said != unless else text


def span(start: datetime, end: datetime, write: Callable[[datetime], str]) -> tuple[str, str]:
    """Return how both are written. Of two moments in the same repeated hour, only the end says in
    which.
    """
    return told(start, write(start), unless=which(end)), told(end, write(end))


def length(time: timedelta) -> str:
    """Return how long something is, in words: "45 minutes", "4 hours", "1 h 30 min", "2 days 4
    hours".
    """
    days, rest = divmod(time, timedelta(days=1))
    if not days:
        return hours(time)
    said = ngettext("%(n)d day", "%(n)d days", days) % {"n": days}
    return f"{said} {hours(rest)}" if rest >= timedelta(minutes=1) else said


def hours(time: timedelta) -> str:
    """Return the same where days would mislead, as in what somebody offers in a week: "31 hours"."""
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

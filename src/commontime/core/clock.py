"""The one clock, and the zones we know."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from zoneinfo import available_timezones

from django.utils import timezone
from django.utils.translation import gettext as _


def now() -> datetime:
    return timezone.now()


@cache
def zones() -> frozenset[str]:
    """The IANA zones a person can choose: without the database's own files and placeholders."""
    names = available_timezones() - {"posixrules", "localtime", "Factory"}
    return frozenset(name for name in names if not name.startswith(("posix/", "right/")))


def which(local: datetime) -> str:
    """Say which of two moments this is, if clocks that are turned back show it twice: "first time, CEST". Otherwise nothing."""
    if local.replace(fold=0).utcoffset() <= local.replace(fold=1).utcoffset():  # type: ignore[operator]
        return ""  # also where clocks are turned forward: there the offset grows
    name = local.tzname() or ""
    zone = name if name.isalpha() else f"UTC{name[:3]}{name[3:] and ':' + name[3:]}"
    return (_("second time, %(zone)s") if local.fold else _("first time, %(zone)s")) % {"zone": zone}


def told(local: datetime, text: str, *, unless: str = "") -> str:
    """Return the text of a time with which of two it is, unless that is said anyway."""
    said = which(local)
    return f"{text} ({said})" if said and said != unless else text


def span(start: datetime, end: datetime, write: Callable[[datetime], str]) -> tuple[str, str]:
    """Return how both are written. Of two moments in the same repeated hour, only the end says in which."""
    return told(start, write(start), unless=which(end)), told(end, write(end))


EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)

"""The one clock, and the zones we know."""

from datetime import UTC, datetime
from functools import cache
from zoneinfo import available_timezones

from django.utils import timezone


def now() -> datetime:
    return timezone.now()


@cache
def zones() -> frozenset[str]:
    """The IANA zones a person can choose: without the database's own files and placeholders."""
    names = available_timezones() - {"posixrules", "localtime", "Factory"}
    return frozenset(name for name in names if not name.startswith(("posix/", "right/")))


EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)

"""The largest and smallest of everything in calendars. Doors quote them, actions check them."""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils.translation import gettext as _

from commontime.core import clock
from commontime.core.errors import InvalidInput


class Range(NamedTuple):
    """The whole numbers from `least` to `most`, both included."""

    least: int
    most: int

    def has(self, value: object) -> bool:
        return type(value) is int and self.least <= value <= self.most


DAY = 24 * 60

# Texts, in characters
NAME = 200
PLACE = 200
DESCRIPTION = 10_000
TIME_ZONE = 64
NOTE = 500

# Meetings and calendars
LONGEST_MEETING = timedelta(days=31)
DURATION_MINUTES = Range(1, 31 * DAY)
BUFFER_MINUTES = Range(0, DAY)
QUORUM = Range(1, 1000)
MOST_NAMED = 1000
LONGEST_CALENDAR = timedelta(days=400)
SHIFT_DAYS = Range(-3660, 3660)

# Non-busy times
LONGEST_WINDOW = timedelta(days=31)
MOST_WINDOWS = 2000
PREFERENCE = Range(0, 10)

# Plans
MOST_PLANNED = 500
PRIORITY = Range(1, 1000)
ALIGN_MINUTES = Range(1, DAY)
SEARCH_SECONDS = Range(1, 300)
SHORT_PLAN = 30  # seconds; what takes no longer never waits for what does

# Invitations
DECLINED_LATELY = timedelta(days=7)


def check_whole(value: object, allowed: Range, *, field: str) -> None:
    """Refuse what is not a whole number within these limits."""
    if not allowed.has(value):
        raise InvalidInput(
            _("Choose a whole number from %(least)d to %(most)d.") % allowed._asdict(), field=field
        )


def check_moment(moment: datetime | None, *, field: str) -> None:
    """Refuse a moment outside the years that are stored."""
    if moment is not None and not clock.is_stored(moment):
        raise InvalidInput(_("Times must be in the years 2000 to 2099."), field=field)


def check_bounds(earliest: datetime | None, latest: datetime | None) -> None:
    """Refuse bounds between which no meeting can lie."""
    if earliest and latest and latest <= earliest:
        raise InvalidInput(_("The latest end must be after the earliest start."), field="latest")

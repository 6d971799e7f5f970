"""Minutes since 1970-01-01T00:00Z, and the moments they stand for.

The only file of the engine that knows datetimes.
"""

from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)


def start_tick(moment: datetime) -> int:
    """Return the first whole minute not before an aware moment.

    ValueError if it has no zone. Window starts round up and window ends round down, so that nobody
    is promised a minute they did not offer.
    """
    return -((_EPOCH - _aware(moment)) // _MINUTE)


def end_tick(moment: datetime) -> int:
    """Return the last whole minute not after an aware moment. ValueError if it has no zone."""
    return (_aware(moment) - _EPOCH) // _MINUTE


def moment_of(tick: int) -> datetime:
    """Return the aware UTC datetime of a tick."""
    return _EPOCH + int(tick) * _MINUTE


def moments_of(ticks: NDArray[np.int64]) -> list[datetime]:
    """Return the aware UTC datetimes of many ticks at once."""
    return [
        moment.replace(tzinfo=UTC)
        for moment in ticks.astype("datetime64[m]").astype("datetime64[s]").tolist()
    ]


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise ValueError(f"{moment!r} has no time zone, so it is not a moment.")
    return moment

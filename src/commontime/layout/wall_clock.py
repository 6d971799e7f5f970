"""What clocks on a wall show on the days they change."""

from datetime import UTC, datetime, timedelta, tzinfo


def moments_of(naive: datetime, zone: tzinfo) -> tuple[list[datetime], bool]:
    """Return the moments at which clocks show this, in order, and whether they skip it.

    A skipped time has two moments: as the clocks before the change count it, and as those after it.
    """
    one, other = sorted(naive.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if one == other:
        return [one], False
    return [one, other], one.astimezone(zone).replace(tzinfo=None) != naive


def put_forward(between: list[datetime], zone: tzinfo) -> tuple[datetime, datetime]:
    """Return what clocks show when they go forward between two moments, and what they jump to."""
    earlier, later = between
    before, after = (
        moment.astimezone(zone).utcoffset() or timedelta() for moment in (earlier, later)
    )
    low, high = earlier.replace(microsecond=0), later.replace(microsecond=0)
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    naive = high.replace(tzinfo=None)
    return naive + before, naive + after


def is_shown_twice(local: datetime) -> bool:
    """Return whether clocks that go back show this local time twice."""
    # Where they go forward the offset grows with the fold.
    return local.replace(fold=0).utcoffset() > local.replace(fold=1).utcoffset()  # type: ignore[operator]

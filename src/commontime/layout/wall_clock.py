"""Wall clocks on the days they change."""

from datetime import UTC, datetime, timedelta, tzinfo


def moments_of(naive: datetime, zone: tzinfo) -> tuple[list[datetime], bool]:
    """Return the moments at which clocks show a time, in order, and whether they skip it.

    A skipped time has two moments: counted by the clocks before the change, and by those after it.
    """
    first, second = sorted(naive.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first == second:
        return [first], False
    return [first, second], first.astimezone(zone).replace(tzinfo=None) != naive


def put_forward(moments: list[datetime], zone: tzinfo) -> tuple[datetime, datetime]:
    """Return the clock times before and after the one change forward between two moments."""
    first, last = moments
    before, after = (moment.astimezone(zone).utcoffset() or timedelta() for moment in moments)
    low, high = first.replace(microsecond=0), last.replace(microsecond=0)
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        is_before = middle.astimezone(zone).utcoffset() == before
        low, high = (middle, high) if is_before else (low, middle)
    naive = high.replace(tzinfo=None)
    return naive + before, naive + after


def is_shown_twice(local: datetime) -> bool:
    """Return whether clocks show this local time twice. They do where they go back."""
    # Where they go forward, the offset grows with the fold.
    first, second = (local.replace(fold=fold).utcoffset() for fold in (0, 1))
    return first > second  # type: ignore[operator]

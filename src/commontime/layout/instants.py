"""Moments as seconds since 1970."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(seconds: float) -> datetime:
    return EPOCH + timedelta(microseconds=round(seconds * 1_000_000))


def seconds(moment: datetime) -> float:
    """Return the exact seconds since 1970. An int if they are whole."""
    length = moment - EPOCH
    whole = length.days * 86_400 + length.seconds
    return whole + length.microseconds / 1_000_000 if length.microseconds else whole


def next_quarter(start: datetime) -> datetime:
    """Return the next quarter of an hour. People say "a quarter to", not "11:31"."""
    return start + -(start - EPOCH) % timedelta(minutes=15)

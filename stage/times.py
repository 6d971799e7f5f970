"""Moments that are still to come."""

from datetime import UTC, datetime, timedelta

TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def day(hour: float = 0, *, days: int = 30) -> datetime:
    """Return `hour` o'clock UTC, so many days from when the run began, also past midnight."""
    return TODAY + timedelta(days=days, hours=hour)


def iso(moment: datetime) -> str:
    """Return the moment as the API prints it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

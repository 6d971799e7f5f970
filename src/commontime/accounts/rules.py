"""May they?"""

from datetime import datetime, timedelta

from commontime.core import clock

FRESH = timedelta(minutes=10)


def may_change_credentials(signed_in_at: datetime) -> bool:
    """Allow a new password or address soon after signing in.

    Later the person must give their current password too.
    """
    return clock.now() - signed_in_at < FRESH

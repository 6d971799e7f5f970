"""May they?"""

from datetime import datetime, timedelta

from commontime.core import clock

FRESH = timedelta(minutes=10)


def may_change_credentials(signed_in_at: datetime) -> bool:
    """A new password or address: soon after signing in. Later the current password is asked for
    too.
    """
    return clock.now() - signed_in_at < FRESH

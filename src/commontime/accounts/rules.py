"""May they?"""

from datetime import timedelta

from django.contrib.auth.models import User

from commontime.accounts.queries import sign_in_of
from commontime.core import clock

FRESH = timedelta(minutes=10)


def signed_in_lately(user: User) -> bool:
    return clock.now() - sign_in_of(user).created_at < FRESH

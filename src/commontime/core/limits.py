"""Rate limits, kept in the database so that every process and every restart counts the same."""

from django.conf import settings
from django.db import connection
from django.utils.crypto import salted_hmac

from commontime.core import clock
from commontime.core.errors import TooMany
from commontime.core.models import Throttle

# One statement on both databases: two requests at once can't both be the last one allowed.
TAKE = """
    INSERT INTO core_throttle (key, started, used) VALUES (%(key)s, %(now)s, 1)
    ON CONFLICT (key) DO UPDATE SET
        used = CASE WHEN core_throttle.started <= %(over)s THEN 1 ELSE core_throttle.used + 1 END,
        started = CASE WHEN core_throttle.started <= %(over)s THEN excluded.started ELSE core_throttle.started END
    RETURNING started, used
"""


def take(name: str, *subject: object) -> None:
    """Count one use of the limit `name` for the subject, or raise TooMany. The limits and their seconds are in settings.LIMITS."""
    allowed, seconds = settings.LIMITS[name]
    now = int(clock.now().timestamp())
    with connection.cursor() as cursor:
        cursor.execute(TAKE, {"key": _key(name, subject), "now": now, "over": now - seconds})
        started, used = cursor.fetchone()
    if used > allowed:
        wait = max(1, started + seconds - now)
        raise TooMany(f"That was too often. Try again in {_spoken(wait)}.", retry_after=wait)


def give_back(name: str, *subject: object) -> None:
    """Take one use back: it did not count after all (a right password)."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE core_throttle SET used = used - 1 WHERE key = %s AND used > 0", [_key(name, subject)])


def clear(name: str, *subject: object) -> None:
    """Forget all uses of the limit by the subject."""
    Throttle.objects.filter(key=_key(name, subject)).delete()


def forget_old() -> None:
    longest = max(seconds for _, seconds in settings.LIMITS.values())
    Throttle.objects.filter(started__lt=int(clock.now().timestamp()) - longest).delete()


def _key(name: str, subject: tuple[object, ...]) -> str:
    return salted_hmac("commontime.limits", repr((name, *map(str, subject))), algorithm="sha256").hexdigest()


def _spoken(seconds: int) -> str:
    if seconds < 90:
        return f"{seconds} seconds"
    return f"{-(-seconds // 60)} minutes" if seconds < 5400 else f"{-(-seconds // 3600)} hours"

"""Rate limits, counted in the database for all processes."""

from django.conf import settings
from django.db import connection
from django.db.models import F
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from commontime.core import clock, rows
from commontime.core.errors import TooMany
from commontime.core.models import Throttle

# One statement on both databases: two requests at once can't both be the last one allowed.
COUNT = """
    INSERT INTO core_throttle (key, started, used) VALUES {rows}
    ON CONFLICT (key) DO UPDATE SET
        used = CASE
            WHEN core_throttle.started <= %s THEN 1 ELSE core_throttle.used + 1
        END,
        started = CASE
            WHEN core_throttle.started <= %s THEN excluded.started ELSE core_throttle.started
        END
    RETURNING key, started, used
"""
type Subject = tuple[object, ...]


def take(name: str, *subject: object) -> None:
    """Count one use of the limit `name` for a subject, or raise TooMany.

    settings.LIMITS holds the limits and their seconds.
    """
    (wait,) = count(name, subject)
    if wait:
        raise too_many(wait)


def count(name: str, *subjects: Subject) -> list[int]:
    """Count one use for each subject, and return the waits.

    That is the seconds each must wait. 0 means allowed. This is one statement.
    """
    allowed, seconds = settings.LIMITS[name]
    now = int(clock.now().timestamp())
    keys = [_key(name, subject) for subject in subjects]
    # Sorted, so that two requests never deadlock.
    rows = [value for key in sorted(set(keys)) for value in (key, now, 1)]
    with connection.cursor() as cursor:
        statement = COUNT.format(rows=", ".join(["(%s, %s, %s)"] * (len(rows) // 3)))
        cursor.execute(statement, [*rows, now - seconds, now - seconds])
        waits = {
            key: max(1, started + seconds - now) if used > allowed else 0
            for key, started, used in cursor.fetchall()
        }
    return [waits[key] for key in keys]


def is_used_up(name: str, *subject: object) -> bool:
    """Return whether the next use would be one too many. Asking counts nothing."""
    allowed, seconds = settings.LIMITS[name]
    since = int(clock.now().timestamp()) - seconds
    uses = Throttle.objects.filter(key=_key(name, subject), started__gt=since)
    return uses.filter(used__gte=allowed).exists()


def too_many(wait: int) -> TooMany:
    return TooMany(
        _("You’ve reached the limit for now. Try again in %(time)s.") % {"time": _in_words(wait)},
        retry_after=wait,
    )


def note(name: str, *subject: object) -> None:
    """Remember for as long as the limit `name` counts that something happened."""
    statement = """
        INSERT INTO core_throttle (key, started, used) VALUES (%s, %s, 1)
        ON CONFLICT (key) DO UPDATE SET started = excluded.started
    """
    rows.execute(statement, [_key(f"{name} noted", subject), int(clock.now().timestamp())])


def is_noted(name: str, *subject: object) -> bool:
    """Return whether it happened so lately."""
    _allowed, seconds = settings.LIMITS[name]
    since = int(clock.now().timestamp()) - seconds
    return Throttle.objects.filter(key=_key(f"{name} noted", subject), started__gt=since).exists()


def give_back(name: str, *subjects: Subject) -> None:
    """Undo one use of each subject, for example after a correct password."""
    keys = [_key(name, subject) for subject in subjects]
    Throttle.objects.filter(key__in=keys, used__gt=0).update(used=F("used") - 1)


def forget_old() -> None:
    longest = max(seconds for _allowed, seconds in settings.LIMITS.values())
    Throttle.objects.filter(started__lt=int(clock.now().timestamp()) - longest).delete()


def _key(name: str, subject: Subject) -> str:
    return salted_hmac(
        "commontime.limits", repr((name, *map(str, subject))), algorithm="sha256"
    ).hexdigest()


def _in_words(seconds: int) -> str:
    if seconds < 90:
        return ngettext("%(n)d second", "%(n)d seconds", seconds) % {"n": seconds}
    if seconds < 5400:
        minutes = -(-seconds // 60)
        return ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes}
    hours = -(-seconds // 3600)
    return ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours}

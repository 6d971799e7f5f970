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
            WHEN core_throttle.started <= {since} THEN 1 ELSE core_throttle.used + 1
        END,
        started = CASE
            WHEN core_throttle.started <= {since} THEN excluded.started ELSE core_throttle.started
        END
    RETURNING key, started, used
"""
# Limits of up to so many seconds have keys that begin so: their rows are deleted after that.
SHORT, SHORT_MARK = 3600, "short-"
type Subject = tuple[object, ...]
type Use = tuple[str, Subject]  # of a limit, by somebody


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
    return count_each(*((name, subject) for subject in subjects))


def count_each(*uses: Use) -> list[int]:
    """Count these uses of several limits in one statement, and return the waits."""
    now = int(clock.now().timestamp())
    keys = [_key(*use) for use in uses]
    limits = {key: settings.LIMITS[name] for key, (name, _subject) in zip(keys, uses, strict=True)}
    # Sorted, so that two requests never deadlock.
    rows = [value for key in sorted(limits) for value in (key, now, 1)]
    since = [value for key, (_, seconds) in limits.items() for value in (key, now - seconds)]
    statement = COUNT.format(
        rows=", ".join(["(%s, %s, %s)"] * len(limits)),
        since=f"CASE core_throttle.key {'WHEN %s THEN %s ' * len(limits)}END",
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [*rows, *since, *since])
        waits = {
            key: max(1, started + limits[key][1] - now) if used > limits[key][0] else 0
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
    rows.execute(statement, [_noted(name, subject), int(clock.now().timestamp())])


def is_noted(name: str, *subject: object) -> bool:
    """Return whether it happened so lately."""
    _allowed, seconds = settings.LIMITS[name]
    since = int(clock.now().timestamp()) - seconds
    return Throttle.objects.filter(key=_noted(name, subject), started__gt=since).exists()


def give_back(*uses: Use) -> None:
    """Undo these uses, for example after a correct password."""
    keys = [_key(*use) for use in uses]
    Throttle.objects.filter(key__in=keys, used__gt=0).update(used=F("used") - 1)


def forget_old() -> None:
    """Delete the rows that count no more: names can be invented without end."""
    now = int(clock.now().timestamp())
    longest = max(seconds for _allowed, seconds in settings.LIMITS.values())
    Throttle.objects.filter(started__lt=now - longest).delete()
    Throttle.objects.filter(key__startswith=SHORT_MARK, started__lt=now - SHORT).delete()


def _key(name: str, subject: Subject) -> str:
    key = salted_hmac(
        "commontime.limits", repr((name, *map(str, subject))), algorithm="sha256"
    ).hexdigest()
    _allowed, seconds = settings.LIMITS[name]
    return f"{SHORT_MARK}{key}"[:64] if seconds <= SHORT else key


def _noted(name: str, subject: Subject) -> str:
    return _key(name, ("noted", *subject))


def _in_words(seconds: int) -> str:
    if seconds < 90:
        return ngettext("%(n)d second", "%(n)d seconds", seconds) % {"n": seconds}
    if seconds < 5400:
        minutes = -(-seconds // 60)
        return ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes}
    hours = -(-seconds // 3600)
    return ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours}

"""One line when the database goes, and one when it is back, whatever asks for it meanwhile."""

import copy
import logging
import threading
import time
from typing import override

from django.db import connection, transaction

CALM = 2.0  # seconds without a failure, before it counts as back
PAUSE = 0.5  # seconds between two looks
# Django's errors, and those of the drivers below it.
KINDS = {"OperationalError", "InterfaceError"}
SERVICE_UNAVAILABLE = 503
logger = logging.getLogger(__name__)


class Outages(logging.Filter):
    """Lets the first record about an outage through, as one line, and stops the others.

    Meanwhile a thread looks for the database. So the end is told even if nobody else asks.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._began: float | None = None
        self._failed = 0.0

    @override
    def filter(self, record: logging.LogRecord) -> bool | logging.LogRecord:
        reason = _reason(record)
        if not reason:
            return self._began is None or not _follows(record)
        with self._lock:
            self._failed = time.monotonic()
            if self._began is not None:
                return False
            self._began = self._failed
        threading.Thread(target=self._wait, name="outage", daemon=True).start()
        return _first_line(record, reason)

    def _wait(self) -> None:
        """Wait until the database is back, and say so."""
        while time.monotonic() - self._failed < CALM or not answers():
            time.sleep(PAUSE)
        with self._lock:
            seconds, self._began = self._failed - (self._began or 0.0), None
        logger.warning("The database is back after %.0f seconds.", seconds)


def answers() -> bool:
    """Return whether the database takes a connection and, on SQLite, a writer."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Exception:
        return False
    finally:
        connection.close()
    return True


def _first_line(record: logging.LogRecord, reason: str) -> logging.LogRecord:
    line = copy.copy(record)
    line.name, line.levelno, line.levelname = __name__, logging.ERROR, "ERROR"
    line.msg, line.args = "The database is away: %s", (reason,)
    line.exc_info = line.exc_text = line.stack_info = None
    return line


def _reason(record: logging.LogRecord) -> str:
    """Return why the database is away, if that is what a record is about."""
    for error in _errors_in(record):
        if KINDS & {kind.__name__ for kind in type(error).__mro__}:
            return " ".join(str(error).split()) or type(error).__name__
    return ""


def _errors_in(record: logging.LogRecord) -> list[BaseException]:
    """Return the exceptions that a record holds, and what caused them."""
    args = record.args if isinstance(record.args, tuple) else ()
    waiting = [*args, record.exc_info and record.exc_info[1]]
    errors: list[BaseException] = []
    while waiting:
        error = waiting.pop()
        if isinstance(error, BaseException) and error not in errors:
            errors.append(error)
            waiting += [error.__cause__, error.__context__]
    return errors


def _follows(record: logging.LogRecord) -> bool:
    """Return whether a record that comes during an outage only says so again."""
    if record.name.startswith(("psycopg", "django_ox")):
        return True
    return getattr(record, "status_code", 0) == SERVICE_UNAVAILABLE

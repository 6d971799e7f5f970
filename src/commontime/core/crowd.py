"""Turns at what takes long, so that others are answered meanwhile.

A process answers some requests at once. What is expensive has half of these places, one person has
one of them, and whoever waits for a turn holds neither a place nor a connection to the database.
Of whatever else they ask, one person has half of the places.
"""

import contextlib
import sys
import threading
from collections import Counter
from collections.abc import Iterator

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _

from commontime.core import memory
from commontime.core.errors import TooMany

# For a turn, in one process: a group of 120 who sign in or look at once are all served.
MOST_WAITING = 128
MOST_OF_ONE = 8  # of one person, the one at work included
MOST_REQUESTS_OF_ONE = 32  # of whatever kind, those at work included
PATIENCE = 20.0  # seconds that somebody waits for a turn
PATIENCE_IN_TRANSACTION = 1.0  # others wait for what it has locked
RETRY_AFTER = 2  # seconds
HALF = max(1, settings.WEB_THREADS // 2)

_places = threading.BoundedSemaphore(settings.WEB_THREADS)
# Twice the places: with as many as places, eight connections of one client cost half more CPU.
_keepers = threading.BoundedSemaphore(2 * settings.WEB_THREADS)
_mine = threading.local()


@contextlib.contextmanager
def place() -> Iterator[None]:
    """Take one of the places at which requests are answered."""
    with _inside.counted(), _places:
        _mine.is_held = True
        try:
            yield
        finally:
            _mine.is_held = False
            if not _keeps_its_connection():
                _close_connection()


class _Inside:
    """Counts those who are answered or wait for it, and tidies up after a crowd."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now = self._most = 0

    @contextlib.contextmanager
    def counted(self) -> Iterator[None]:
        with self._lock:
            self._now += 1
            self._most = max(self._most, self._now)
        try:
            yield
        finally:
            with self._lock:
                self._now -= 1
                was_crowd = not self._now and self._most > settings.WEB_THREADS
                if was_crowd:
                    self._most = 0
            if was_crowd:
                memory.give_back()


_inside = _Inside()


class _Keeper:
    """Marks a thread that keeps its database connection between requests.

    Few do: on SQLite each has pages in memory, and after a crowd there are many threads.
    """

    def __init__(self) -> None:
        self._keepers = _keepers  # a module's names are gone when the process ends

    def __del__(self) -> None:
        self._keepers.release()  # the thread has ended


def _keeps_its_connection() -> bool:
    if not hasattr(_mine, "keeper") and _keepers.acquire(blocking=False):
        _mine.keeper = _Keeper()
    return hasattr(_mine, "keeper")


def _close_connection() -> None:
    """Close the thread's connection; on PostgreSQL that gives it back to the pool."""
    if not connection.in_atomic_block:
        connection.close()


@contextlib.contextmanager
def _place_left() -> Iterator[None]:
    """Leave the place to others for a while."""
    if not getattr(_mine, "is_held", False):
        yield
        return
    if connection.vendor == "postgresql" or not _keeps_its_connection():
        _close_connection()
    _places.release()
    try:
        yield
    finally:
        _places.acquire()


class Crowd:
    """Those who want the same of a process."""

    def __init__(
        self, at_once: int = 0, *, of_one: int = 1, most_of_one: int = MOST_OF_ONE
    ) -> None:
        self._at_once = at_once or HALF
        self._of_one = of_one
        self._most_of_one = most_of_one
        self._changed = threading.Condition()
        self._at_work: list[object] = []
        self._waiting = 0
        self._of: Counter[object] = Counter()

    @contextlib.contextmanager
    def turn(self, who: object = None) -> Iterator[None]:
        """Wait for a turn, and take it. TooMany if too many wait; `who` is no person if None."""
        self._join(who)
        try:
            yield
        finally:
            self._leave(who)

    def _join(self, who: object) -> None:
        with self._changed:
            if who is not None and self._of[who] >= self._most_of_one:
                raise TooMany(
                    _("You’re already asking for much that takes long. Wait, then try again."),
                    retry_after=RETRY_AFTER,
                )
            if self._is_free_for(who):
                self._of[who] += 1
                self._at_work.append(who)
                return
            if self._waiting >= MOST_WAITING:
                raise _crowded()
            self._waiting += 1
            self._of[who] += 1
        with _place_left():
            self._wait(who)

    def _wait(self, who: object) -> None:
        patience = PATIENCE_IN_TRANSACTION if connection.in_atomic_block else PATIENCE
        with self._changed:
            has_turn = self._changed.wait_for(lambda: self._is_free_for(who), patience)
            self._waiting -= 1
            if not has_turn:
                self._forget(who)
                raise _crowded()
            self._at_work.append(who)

    def _leave(self, who: object) -> None:
        with self._changed:
            self._at_work.remove(who)
            self._forget(who)
            self._changed.notify_all()

    def _is_free_for(self, who: object) -> bool:
        is_mine_full = who is not None and self._at_work.count(who) >= self._of_one
        return len(self._at_work) < self._at_once and not is_mine_full

    def _forget(self, who: object) -> None:
        self._of[who] -= 1
        if not self._of[who]:
            del self._of[who]


def _crowded() -> TooMany:
    return TooMany(
        _("Too much is being computed at the moment. Try again in a moment."),
        retry_after=RETRY_AFTER,
    )


questions = Crowd()  # best times, what could change them, plans
requests = Crowd(sys.maxsize, of_one=HALF, most_of_one=MOST_REQUESTS_OF_ONE)  # anything else
passwords = Crowd()  # comparing or hashing one takes a twentieth of a second of a core

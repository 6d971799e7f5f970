"""Whether Commontime runs on this data folder.

A lock on a file says so. The system lifts it when the last process is gone, even if killed.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings


def announce() -> bool:
    """Say that Commontime runs here, until this process and its children have ended.

    False if a command keeps it from starting, for example a restore.
    """
    return _locked(_open(), fcntl.LOCK_SH)  # the descriptor stays open; children inherit the lock


@contextmanager
def kept_from_starting() -> Iterator[bool]:
    """Keep Commontime from starting. Yields False if it runs."""
    descriptor = _open()
    try:
        yield _locked(descriptor, fcntl.LOCK_EX)
    finally:
        os.close(descriptor)


def _open() -> int:
    return os.open(settings.DATA_DIR / "running.lock", os.O_RDWR | os.O_CREAT, 0o600)


def _locked(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

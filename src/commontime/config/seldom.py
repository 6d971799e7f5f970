"""A few lines a minute about what anybody can cause as often as they like."""

import logging
import threading
import time
from typing import override

MOST = 5  # lines of one logger and process, in a minute
MINUTE = 60.0  # seconds


class Seldom(logging.Filter):
    """Lets the first few warnings of a minute through: enough to see what is wrong."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._began = -MINUTE
        self._count = 0

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno > logging.WARNING:
            return True
        with self._lock:
            now = time.monotonic()
            if now - self._began >= MINUTE:
                self._began, self._count = now, 0
            self._count += 1
            return self._count <= MOST

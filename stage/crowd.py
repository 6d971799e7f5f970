"""Several calls at the same moment."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Make the calls at the same moment in threads, and return their results in order."""
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        start.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def after(number: int, call: Callable[[], Any]) -> Callable[[], Any]:
    """Return the call, delayed by a few steps, so that it meets the others at every stage."""

    def late() -> Any:
        time.sleep(number % 6 * 0.02)
        return call()

    return late

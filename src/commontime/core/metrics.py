"""What is counted for /metrics, over all processes that one parent has forked.

Each counts in a file of its own, in memory; who answers /metrics adds them up. Until `start`,
nothing is counted and the library is not even loaded.
"""

import os
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)  # seconds
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
# A full disk must not end the processes that write to these files.
IN_MEMORY = Path("/dev/shm")  # noqa: S108


class Counts:
    """The counts of this process."""

    def __init__(self, folder: str) -> None:
        # The library reads it when it is imported, and then keeps files that processes share.
        os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", folder)
        from prometheus_client import CollectorRegistry, Counter, Histogram

        # What is registered here, the library would answer for this process alone.
        nowhere = CollectorRegistry()
        durations = Histogram(
            "commontime_request_duration_seconds",
            "Seconds until a request was answered.",
            ["route", "method", "status"],
            buckets=BUCKETS,
            registry=nowhere,
        )
        sign_ins = Counter(
            "commontime_sign_ins",
            "Tries to sign in: accepted, refused (name or password), limited (too many tries).",
            ["outcome"],
            registry=nowhere,
        )
        self.folder = folder
        self.duration = cache(durations.labels)
        self.sign_in = cache(sign_ins.labels)


_counts: Counts | None = None


def start() -> None:
    """Count from now on, in this process and those it forks."""
    global _counts
    place = IN_MEMORY if os.access(IN_MEMORY, os.W_OK) else None
    _counts = Counts(tempfile.mkdtemp(prefix="commontime-metrics-", dir=place))


def stop() -> None:
    """Forget what was counted. The parent of all processes does it last."""
    global _counts
    if _counts is not None:
        shutil.rmtree(_counts.folder, ignore_errors=True)
        _counts = None


def count_request(route: str, method: str | None, status: int, seconds: float) -> None:
    if _counts is not None:
        method = method if method in METHODS else "other"
        _counts.duration(route, method, f"{status // 100}xx").observe(seconds)


def count_sign_in(outcome: str) -> None:
    """Count a try to sign in: accepted, refused or limited."""
    if _counts is not None:
        _counts.sign_in(outcome).inc()


def registry() -> Any:
    """Return a registry of what all processes have counted."""
    from prometheus_client import CollectorRegistry
    from prometheus_client.multiprocess import MultiProcessCollector

    all_counts = CollectorRegistry()
    if _counts is not None:
        MultiProcessCollector(all_counts, _counts.folder)  # type: ignore[no-untyped-call]
    return all_counts

"""What a kind of chaos is given, and what it finds."""

import contextlib
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from stage.postgres import Server
from stage.servers import Site, open_site

# Limits that would end a long run early. Each has tests of its own.
NO_LIMIT = "1000000"
LIMITLESS = {
    "COMMONTIME_LIMIT_DOUBLE_BOOKED": NO_LIMIT,
    "COMMONTIME_LIMIT_LOOK_UP": NO_LIMIT,
    "COMMONTIME_LIMIT_MAIL_PAIR": NO_LIMIT,
    "COMMONTIME_LIMIT_MAIL_RECEIVER": NO_LIMIT,
    "COMMONTIME_LIMIT_MAILS_CAUSED": NO_LIMIT,
    "COMMONTIME_LIMIT_REMINDER": NO_LIMIT,
    "COMMONTIME_LIMIT_RESET_ASK": NO_LIMIT,
    "COMMONTIME_LIMIT_RESET_MAIL": NO_LIMIT,
    "COMMONTIME_LIMIT_RESET_TRY": NO_LIMIT,
    "COMMONTIME_ACCESS_SECONDS": "86400",
}


@dataclass(frozen=True)
class Options:
    """How often, with which seed, and on which database. `server` is None on SQLite."""

    cycles: int
    seed: int
    server: Server | None = None

    def chance(self) -> random.Random:
        return random.Random(self.seed)

    @contextlib.contextmanager
    def site(self, *names: str, within: Path | None = None, **environment: str) -> Iterator[Site]:
        """Yield a site of its own on that database, with these processes started."""
        url = self.server.url if self.server else ""
        settings = {**LIMITLESS, **environment}
        with open_site(start=False, server=url, within=within, **settings) as site:
            if names:
                site.start(*names)
            yield site


@dataclass
class Found:
    """What was tried, how often, and what went wrong.

    `late` is what took too long; the tests leave it out.
    """

    tried: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    measured: str = ""
    late: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether something was tried and nothing went wrong."""
        return bool(self.tried) and all(self.tried.values()) and not self.faults + self.late


@dataclass(frozen=True)
class Kind:
    """A way to break the product. `promise` is what must hold all the same."""

    name: str
    promise: str
    run: Callable[[Options], Found]
    cycles: int
    databases: tuple[str, ...]


KINDS: dict[str, Kind] = {}
BOTH = ("sqlite", "postgresql")


def kind(
    *, cycles: int, databases: tuple[str, ...] = BOTH
) -> Callable[[Callable[[Options], Found]], Callable[[Options], Found]]:
    """Register a kind. Its docstring is the promise, `cycles` the usual number."""

    def register(run: Callable[[Options], Found]) -> Callable[[Options], Found]:
        name = run.__name__.replace("_", "-")
        promise = " ".join((run.__doc__ or "").split())
        KINDS[name] = Kind(name, promise, run, cycles, databases)
        return run

    return register

"""Whatever is asked for half an hour, and the memory it takes."""

import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

from chaos import fuzz
from chaos.kinds import NO_LIMIT, Found, Options, kind
from stage.pages import browser
from stage.servers import NoAnswer, Site

CLIENTS = 6
BROWSERS = 2  # of them
MOST_GROWTH = 0.05
LOOKS = 20  # at the memory in a minute. The lowest counts: hashing a password takes a lot, briefly
LANGUAGES = ("en", "de", "fr", "fr-CH, de;q=0.5", "x")
PAGES = ("", "calendars/{id}/", "people/", "settings/", "calendars/new/", "nowhere/")


class Clients:
    """Clients that ask whatever they like until it is over."""

    def __init__(
        self, site: Site, seed: int, count: int = CLIENTS, browsers: int = BROWSERS
    ) -> None:
        self.site, self.seed = site, seed
        self.statuses: Counter[Any] = Counter()
        self.faults: list[str] = []
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._browse if n < browsers else self._ask, args=(n,))
            for n in range(count)
        ]

    def __enter__(self) -> "Clients":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *args: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, number: int) -> None:
        """Send batches of hostile requests, each from a new calendar of new people."""
        for turn in itertools.count((self.seed * CLIENTS + number) * 1_000_000):
            if self._over.is_set():
                return
            faults, statuses = fuzz.batch(self.site, turn)
            self.faults += faults
            self.statuses += statuses

    def _browse(self, number: int) -> None:
        """Look at pages with parameters that nobody knows, as somebody new now and then."""
        chance = random.Random(self.seed * CLIENTS + number)
        while not self._over.is_set():
            person = self.site.person()
            calendar = person.post("/calendars/", {"name": "Choir"}).data["id"]
            page = browser(self.site, person.name)
            for _ in range(200):
                if self._over.is_set():
                    return
                path = f"/app/{chance.choice(PAGES).format(id=calendar)}"
                unknown = f"?week={chance.randrange(10**6)}&x{chance.randrange(10**6)}=1"
                languages = chance.choice(LANGUAGES)
                self._look(partial(page.get, path + unknown, accept_language=languages))

    def _look(self, look: Any) -> None:
        try:
            answer = look()
        except NoAnswer as reason:
            self.faults.append(f"no answer: {reason}")
            return
        self.statuses[answer.status_code] += 1
        if answer.status_code >= 500:
            self.faults.append(f"{answer.status_code} for a page")


@kind(cycles=30)
def soak(options: Options) -> Found:
    """Six clients for as many minutes: the memory of all processes grows by less than 5 % after the
    first third."""
    one_each = {f"COMMONTIME_{kind}": "1" for kind in ("WEB_WORKERS", "WORKERS", "PLANNERS")}
    minutes: list[float] = []
    with (
        options.site("run", COMMONTIME_LIMIT_PASSWORD=NO_LIMIT, **one_each) as site,
        Clients(site, options.seed) as clients,
    ):
        for _ in range(options.cycles):
            minutes.append(min(_looks(site)))
        in_log = fuzz.in_log(site)
    faults = clients.faults + in_log
    growth, measured = growth_of(minutes)
    if growth >= MOST_GROWTH:
        faults.append(f"memory grew by {growth:.1%}")
    closed = clients.statuses[fuzz.CLOSED]
    tried = {"minutes": options.cycles, "requests": clients.statuses.total()}
    return Found(tried, faults, f"{measured}; {closed} kept connections closed unsaid")


def growth_of(minutes: list[float]) -> tuple[float, str]:
    """Return how much the memory of each minute grew after the first third, and a sentence."""
    first, last = minutes[len(minutes) // 3], minutes[-1]
    growth = last / first - 1
    return growth, (
        f"{minutes[0]:.0f} MB, after a third {first:.0f}, at the end {last:.0f} ({growth:+.1%})"
    )


def _looks(site: Site) -> Iterator[float]:
    """Look at the memory for a minute."""
    for _ in range(LOOKS):
        time.sleep(60 / LOOKS)
        yield site.memory()

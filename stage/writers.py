"""Clients that write without a pause, and the ledger of what they were told is stored."""

import itertools
import threading
import time
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Self

from stage.servers import NoAnswer, Remote, Site, Wire, wait_until
from stage.times import day, iso

AGAIN_AFTER = 0.25  # seconds
LAST_TRIES = 30.0  # seconds that a writer goes on asking for an answer it did not get
WINDOWS = 10  # in each calendar


class Writers:
    """Clients that write until they are told to stop.

    Each makes a calendar, then times in it and an invitation to the `guest`, then the next. What
    gets no answer, or 503, is sent again with the same Idempotency-Key until it is answered.
    """

    def __init__(
        self, site: Site, people: Sequence[Remote], count: int = 12, guest: Remote | None = None
    ) -> None:
        self.site, self.people, self.guest = site, people, guest
        self.acknowledged: dict[str, set[str]] = {"calendar": set(), "window": set(), "mail": set()}
        self.statuses: Counter[Any] = Counter()
        self.sent_again = 0
        self._over = threading.Event()
        self._until = float("inf")
        self._threads = [threading.Thread(target=self._write, args=(n,)) for n in range(count)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *args: object) -> None:
        self._until = time.monotonic() + LAST_TRIES
        self._over.set()
        for thread in self._threads:
            thread.join()

    def __len__(self) -> int:
        return sum(map(len, self.acknowledged.values()))

    def wait_for(self, more: int, seconds: float = 60) -> None:
        """Wait until so many more writes are acknowledged."""
        target = len(self) + more
        wait_until(lambda: len(self) >= target, seconds)

    def _write(self, number: int) -> None:
        wire = Wire(self.site.port)
        mine = Remote(client=wire, access=self.people[number % len(self.people)].access)
        for turn in itertools.count():
            if self._over.is_set() or not self._fill_calendar(
                mine, f"{number} {turn} of {id(self)}"
            ):
                return

    def _fill_calendar(self, mine: Remote, name: str) -> bool:
        """Make a calendar with all that is in it. False if there was no answer to the end."""
        made = self._ask(mine, "/calendars/", {"name": name}, "calendar")
        if made is None:
            return False
        path = f"/calendars/{made['id']}/nonbusytimes/"
        for hour in range(WINDOWS):
            if self._over.is_set():
                return False
            window = {
                "start_time": iso(day(hour)),
                "end_time": iso(day(hour) + timedelta(minutes=30)),
            }
            self._ask(mine, path, window, "window")
        if self.guest:
            invitation = {"calendar": made["id"], "receiver": self.guest.id}
            self._ask(mine, "/calendars/invitations/", invitation, "mail")
        return True

    def _ask(self, mine: Remote, path: str, body: dict[str, Any], kind: str) -> Any:
        """Send until there is an answer, and enter it in the ledger."""
        key = f"{path} {time.monotonic_ns()}"
        for turn in itertools.count():
            self.sent_again += turn > 0
            try:
                answer = mine.post(path, body, idempotency_key=key)
                status: Any = answer.status_code
            except NoAnswer:
                mine.client.forget()
                status = "no answer"
            self.statuses[status] += 1
            if status == 201:
                self.acknowledged[kind].add(answer.data["id"].replace("-", ""))
                return answer.data
            if status not in (503, "no answer") or time.monotonic() > self._until:
                return None
            time.sleep(AGAIN_AFTER)
        return None

    # Afterwards -----------------------------------------------------------------------------------

    def faults(self) -> list[str]:
        """Compare the ledger with the database, once all writers have ended."""
        return [*self._lost(), *self._unexpected(), *half_done(self.site)]

    def _lost(self) -> list[str]:
        tables = {
            "calendar": "calendars_calendar",
            "window": "calendars_nonbusytime",
            "mail": "calendars_invitation",
        }
        return [
            f"{len(lost)} of {len(acknowledged)} acknowledged rows are lost: {kind}"
            for kind, acknowledged in self.acknowledged.items()
            if (lost := acknowledged - ids(self.site, f"SELECT id FROM {tables[kind]}"))
        ]

    def _unexpected(self) -> list[str]:
        """Whatever was answered but a success, an outage or nothing; and what happened twice."""
        others = {s: n for s, n in self.statuses.items() if s not in (201, 503, "no answer")}
        twice = self.site.sql(
            "SELECT name FROM calendars_calendar GROUP BY name, owner_id HAVING count(*) > 1"
        )
        return [f"answered {others}"] * bool(others) + [f"twice: {name}" for (name,) in twice]


def ids(site: Site, statement: str) -> set[str]:
    """Return the ids that a statement selects, without their dashes."""
    return {str(row[0]).replace("-", "") for row in site.sql(statement)}


def half_done(site: Site) -> list[str]:
    """Return what is stored only in part: each of these is written in one transaction."""
    faults = []
    seats = "SELECT calendar_id FROM calendars_calendarparticipant"
    if alone := site.count("calendars_calendar", f"id NOT IN ({seats})"):
        faults.append(f"{alone} calendars without their owner")
    mine = "s.calendar_id = w.calendar_id AND s.user_id = w.user_id"
    seat = f"SELECT 1 FROM calendars_calendarparticipant s WHERE {mine}"
    if homeless := site.count("calendars_nonbusytime w", f"NOT EXISTS ({seat})"):
        faults.append(f"{homeless} times of nobody")
    told = ids(site, "SELECT substr(event, 12) FROM mail_message WHERE event LIKE 'invitation:%'")
    if untold := ids(site, "SELECT id FROM calendars_invitation") ^ told:
        faults.append(f"{len(untold)} invitations without a mail, or mails without one")
    return faults

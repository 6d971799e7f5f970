"""Measure whether Commontime lives a day in 256 MB: `python -m bench.day`.

`commontime run` on SQLite, with the example choir. 120 people sign up and in. Then all at once give
their times and look at the calendar's page. Their owner plans one-on-ones with 60 of them and ten
meetings of several, and confirms the plan. Everybody concerned gets mail. Twice somebody makes a
backup meanwhile. The sum of PSS of all processes, the backup's too, is taken five times a second.
At the end nothing may have been killed, and nothing may be lost.
"""

import contextlib
import random
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial

from bench import installed, row
from bench.http.pages import Browser
from bench.small import family, memory_of
from stage.servers import Remote, Site, open_site, wait_until

PEOPLE, PLANNED, WINDOWS = 120, 60, 20
TOGETHER, SEARCH = 10, 15  # meetings of several; seconds
PROCESSES = 3  # web, worker, planner
MOST = 256  # MB
EVERY = 0.2  # seconds
PATIENCE = 120.0  # seconds; a busy machine is no fault
CHANCE = random.Random(120)
MORNING = datetime.now(UTC).replace(hour=8, minute=0, second=0, microsecond=0) + timedelta(days=2)
DAYS = 7


class Memory:
    """The sum of PSS of all processes, sampled until the block ends."""

    def __init__(self, site: Site) -> None:
        self.parent = site.master("run").pid
        self.beside: list[int] = []  # processes of commands
        self.peaks: dict[str, float] = {}  # by what was going on
        self.now = "start"
        self.samples = 0

    @contextlib.contextmanager
    def sampled(self) -> Iterator[None]:
        done = threading.Event()
        sampler = threading.Thread(target=self._sample, args=[done])
        sampler.start()
        try:
            yield
        finally:
            done.set()
            sampler.join()

    def _sample(self, done: threading.Event) -> None:
        while not done.wait(EVERY):
            megabytes = memory_of([*family(self.parent), *self.beside])
            self.peaks[self.now] = max(megabytes, self.peaks.get(self.now, 0))
            self.samples += 1


def at_once[R](count: int, works: list[Callable[[], R]]) -> list[R]:
    """Do all of it, so many at once."""
    with ThreadPoolExecutor(count) as threads:
        return [done.result() for done in [threads.submit(work) for work in works]]


def windows() -> list[dict[str, object]]:
    """Return a person's times: different days and hours, never touching."""
    places = sorted(CHANCE.sample(range(DAYS * 5), WINDOWS))
    starts = [MORNING + timedelta(days=at // 5, hours=at % 5 * 2.5) for at in places]
    return [
        {
            "start_time": start.isoformat(),
            "end_time": (start + timedelta(hours=2)).isoformat(),
            "preference_level": CHANCE.choice([2, 5, 9]),
        }
        for start in starts
    ]


def come(site: Site) -> tuple[Remote, Browser]:
    """Sign up, and sign in for the API and for the pages."""
    person = site.person()
    browser = Browser("127.0.0.1", site.port)
    browser.connection.timeout = PATIENCE
    browser.sign_in(person.name)
    browser.connection.close()  # the server would, before this person answers
    return person, browser


def answer(person: Remote, browser: Browser, calendar: str) -> None:
    """Give one's times, and look at the calendar's page."""
    give(person, calendar, windows())
    page, _ = browser.ask("GET", f"/app/calendars/{calendar}/")
    assert page.status == 200


def give(person: Remote, calendar: str, times: list[dict[str, object]]) -> None:
    body = {
        "from": MORNING.isoformat(),
        "to": (MORNING + timedelta(days=DAYS)).isoformat(),
        "windows": times,
    }
    done = person.put(f"/calendars/{calendar}/nonbusytimes/", body)
    assert done.status_code == 200, done.text


def live(site: Site, memory: Memory) -> str:
    """Live the day. Returns what became of the plan."""
    memory.now = "signing up"
    site.wire.patience = PATIENCE
    here = at_once(8, [partial(come, site)] * (PEOPLE + 1))
    owner, *people = [person for person, _ in here]
    calendar = owner.post("/calendars/", {"name": "Choir", "is_finalized": False}).data["id"]
    for person in people:
        added = owner.post(f"/calendars/{calendar}/participants/", {"user": person.id})
        assert added.status_code == 201, added.text
    memory.now = "answering"
    with backup_beside(site, memory):
        at_once(PEOPLE, [partial(answer, *each, calendar) for each in here[1:]])
    days = [MORNING + timedelta(days=day) for day in range(DAYS)]
    give(owner, calendar, [whole_day(day) for day in days])
    memory.now = "planning"
    with backup_beside(site, memory):
        status = plan(owner, calendar, people[:PLANNED])
    memory.now = "mails"
    wait_until(lambda: not site.count("mail_message", "state = 'queued'"), PATIENCE)
    return status


def whole_day(day: datetime) -> dict[str, object]:
    end = day + timedelta(hours=12)
    return {"start_time": day.isoformat(), "end_time": end.isoformat(), "preference_level": 9}


def plan(owner: Remote, calendar: str, people: list[Remote]) -> str:
    """Plan one-on-ones with these people in the background, and confirm them."""
    wanted = {
        "with": [person.id for person in people],
        "deadline": (datetime.now(UTC) + timedelta(days=1)).isoformat(),
        "duration_minutes": 30,
    }
    made = owner.post(f"/calendars/{calendar}/one-on-ones/", wanted)
    assert made.status_code == 201, made.text
    for number in range(TOGETHER):
        some = [person.id for person in CHANCE.sample(people, 6)]
        meeting = {
            "title": f"Small group {number}",
            "deadline": wanted["deadline"],
            "required": [owner.id],
            "optional": some,
            "duration_minutes": 30,
        }
        assert owner.post(f"/calendars/{calendar}/meetings/", meeting).status_code == 201
    path = f"/calendars/{calendar}/plan/"
    # With a key all but a first look is the planner's.
    asked = owner.post(path, {"time_limit_s": SEARCH}, idempotency_key="the-plan-of-the-day")
    assert asked.status_code in (200, 202), asked.text[:300]
    who = "by the planner" if asked.status_code == 202 else "at once"
    found = wait_until(
        lambda: (now := owner.get(path).data)["status"] != "running" and now, PATIENCE
    )
    assert len(found["placed"]) == len(people) + TOGETHER, f"{len(found['unplaced'])} have no place"
    applied = owner.post(f"{path}apply/", {})
    assert applied.status_code == 200, applied.text
    return f"{'proved' if found['optimal'] else found['status']} {who}"


@contextlib.contextmanager
def backup_beside(site: Site, memory: Memory) -> Iterator[None]:
    """Make a backup while something else happens."""
    name = str(site.folder / f"{memory.now}.backup")
    process = site.begin("backup", name)
    memory.beside.append(process.pid)
    yield
    assert process.wait(PATIENCE) == 0, "The backup failed."
    memory.beside.clear()


def restored(site: Site) -> int:
    """Restore the last backup elsewhere, and return how many times it holds."""
    with open_site(start=False, server="") as other:
        other.stop()
        done = other.commontime("restore", str(site.folder / "planning.backup"), "--replace")
        assert done.returncode == 0, done.stderr
        return other.count("calendars_nonbusytime")


def main() -> None:
    one = {"COMMONTIME_WEB_WORKERS": "1", "COMMONTIME_WORKERS": "1", "COMMONTIME_PLANNERS": "1"}
    # One person adds them all, and causes the mails to all.
    one |= {"COMMONTIME_LIMIT_LOOK_UP": "1000", "COMMONTIME_LIMIT_MAILS_CAUSED": "1000"}
    with open_site(start=False, server="", **one) as site:
        site.program[0] = installed.python()
        assert site.commontime("demo").returncode == 0
        before = site.count("calendars_nonbusytime")
        site.start("run")
        processes = wait_until(lambda: len(pids := site.processes("run")) == PROCESSES and pids)
        memory = Memory(site)
        with memory.sampled():
            status = live(site, memory)
        report(site, memory, before, set(processes) - set(site.processes("run")), status)


def report(site: Site, memory: Memory, before: int, killed: set[int], status: str) -> None:
    given = PEOPLE * WINDOWS + DAYS
    sent, queued = (site.count("mail_message", f"state = '{each}'") for each in ("sent", "queued"))
    lost = given - (site.count("calendars_nonbusytime") - before)
    lost_in_backup = given - (restored(site) - before)
    lost_mails = queued + sent - len({mail.message_id for mail in site.sink.received})
    peak = max(memory.peaks.values())
    parts = ", ".join(f"{name} {value:.0f}" for name, value in memory.peaks.items())
    row("id", "what", "measured", "must", "moonshot")
    row("---", "---", "---:", "---:", "---:")
    row("R23", f"most memory of a day in MB ({parts})", f"{peak:.0f} MB", MOST, "-")
    row("", f"processes that died, of {PROCESSES}", len(killed), 0, "-")
    row("", f"lost answers, of {given:,}", lost, 0, "-")
    row("", f"lost answers after restoring the backup, of {given:,}", lost_in_backup, 0, "-")
    row("", f"lost mails, of {sent + queued:,}", lost_mails, 0, "-")
    row("", f"plan of {PLANNED} one-on-ones and {TOGETHER} meetings of 7", status, "placed", "-")
    log = [line for line in site.log("run").splitlines()[1:] if " INFO " not in line]
    if killed or lost or lost_in_backup or lost_mails or peak > MOST or log:
        sys.exit("\n".join(["The day went wrong.", *log]))


if __name__ == "__main__":
    main()

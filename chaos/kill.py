"""Kill -9 under twelve writers."""

import contextlib
import os
import random
import signal
import statistics
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from chaos.kinds import Found, Options, kind
from stage.committees import better, committees
from stage.postgres import Server
from stage.servers import Site, wait_until
from stage.writers import Writers

PROCESSES = ("web", "worker", "planner")
READY_WITHIN = 1.2  # of a clean start
CLEAN_STARTS = 3
LONG = 120.0  # seconds


@dataclass
class Scene:
    """What an accident can break."""

    site: Site
    server: Server | None
    chance: random.Random
    writers: Writers

    @property
    def database(self) -> Server:
        assert self.server, "SQLite has no server."
        return self.server


# It returns how long it waited on purpose, if it did.
Accident = Callable[[Scene], float | None]


@kind(cycles=200)
def kill_all(options: Options) -> Found:
    """All processes killed at once: no acknowledged write is lost, nothing is half done or done
    twice, and Commontime is ready again within 1.2 times a clean start."""

    def accident(scene: Scene) -> None:
        scene.site.kill_all()
        scene.site.start(*PROCESSES)

    return endure(options, accident)


@kind(cycles=200)
def kill_web(options: Options) -> Found:
    """All web processes killed: as above, and they are replaced without help."""
    return endure(options, lambda scene: _kill_children(scene.site, "web"))


@kind(cycles=200)
def kill_worker(options: Options) -> Found:
    """All mail workers killed: as above, and every mail goes out, with one Message-ID."""
    return endure(options, lambda scene: _kill_children(scene.site, "worker"))


@kind(cycles=200, databases=("postgresql",))
def kill_postgresql(options: Options) -> Found:
    """PostgreSQL killed with all its processes, and started: as above, without a restart of
    Commontime."""

    def accident(scene: Scene) -> None:
        scene.database.kill()
        scene.database.start_again()

    return endure(options, accident)


@kind(cycles=200, databases=("postgresql",))
def kill_backends(options: Options) -> Found:
    """One backend of PostgreSQL ended or killed, in turn: as above."""

    def accident(scene: Scene) -> None:
        question = (
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid()"
        )
        backends = [pid for (pid,) in scene.site.sql(question)]
        with contextlib.suppress(ProcessLookupError):
            os.kill(scene.chance.choice(backends), scene.chance.choice([signal.SIGTERM, 9]))

    return endure(options, accident)


def _kill_children(site: Site, name: str) -> None:
    """Kill all processes of a kind, and wait until there are as many new ones."""
    old = site.processes(name)
    for pid in old:
        site.kill(pid)
    wait_until(lambda: len(set(site.processes(name)) - set(old)) >= len(old))


def endure(options: Options, accident: Accident) -> Found:
    """Repeat an accident under twelve writers, then compare the database with their ledger."""
    with options.site(*PROCESSES) as site:
        return endure_on(site, options, accident)


def endure_on(site: Site, options: Options, accident: Accident, count: int = 12) -> Found:
    """Do so on a site that runs, under so many writers."""
    people = [site.person() for _ in range(count)]
    clean, ready = [], []
    with Writers(site, people, count=count, guest=site.person()) as writers:
        scene = Scene(site, options.server, options.chance(), writers)
        for number in range(options.cycles):
            if number % max(1, options.cycles // CLEAN_STARTS) == 0:
                site.stop()
                clean.append(_seconds_until_ready(site, lambda: site.start(*PROCESSES)))
            writers.wait_for(scene.chance.randrange(10, 150))
            ready.append(_seconds_until_ready(site, lambda: accident(scene)))
        writers.wait_for(100)
    faults = writers.faults()
    mails, mail_faults = _mails(site)
    return Found(
        {"accidents": len(ready), "acknowledged writes": len(writers), "mails": mails},
        faults + mail_faults,
        f"ready after {statistics.median(ready):.2f} s (worst {max(ready):.2f}), clean start "
        f"{statistics.median(clean):.2f} s; {writers.sent_again} requests sent again",
        _late(clean, ready),
    )


def _seconds_until_ready(site: Site, act: Callable[[], float | None]) -> float:
    began = time.monotonic()
    waited = act() or 0
    site.wait_ready()
    return time.monotonic() - began - waited


def _late(clean: list[float], ready: list[float]) -> list[str]:
    most = READY_WITHIN * statistics.median(clean)
    if statistics.median(ready) <= most:
        return []
    return [f"ready after {statistics.median(ready):.2f} s, not within {most:.2f} s"]


def _mails(site: Site) -> tuple[int, list[str]]:
    """Wait for the mails. Returns their number, and which are missing or have two ids."""
    with contextlib.suppress(AssertionError):
        wait_until(lambda: site.count("mail_message", "state = 'queued'") == 0, 240)
    states = dict(site.sql("SELECT state, count(*) FROM mail_message GROUP BY 1"))
    received = Counter(mail.message_id for mail in site.sink.received)
    faults = [] if set(states) <= {"sent"} else [f"mails are {states}"]
    if len(received) != states.get("sent", 0):
        faults.append(f"{states.get('sent', 0)} mails have {len(received)} Message-IDs")
    return states.get("sent", 0), faults


@kind(cycles=50)
def kill_planner(options: Options) -> Found:
    """The planner killed in the middle of a long plan: another goes on, and the plan never gets
    worse."""
    faults, waits = [], []
    with options.site(*PROCESSES) as site:
        chance = options.chance()
        owner, path = committees(site)
        plan = owner.post(path, {"time_limit_s": 300}).data
        for _ in range(options.cycles):
            if plan["elapsed_s"] > 200 or plan["status"] != "running":
                owner.post(f"{path}stop/")
                wait_until(lambda: owner.get(path).data["status"] == "done", LONG)
                plan = owner.post(path, {"time_limit_s": 300}).data
            time.sleep(chance.uniform(0, 1))
            cut = owner.get(path).data
            began = time.monotonic()
            _kill_children(site, "planner")
            goes_on = cut["elapsed_s"] + 0.5
            wait_until(lambda most=goes_on: owner.get(path).data["elapsed_s"] > most, LONG)
            waits.append(time.monotonic() - began)
            plan = owner.get(path).data
            if better(plan) < better(cut):
                faults.append(f"the plan got worse: {better(cut)}, then {better(plan)}")
        owner.post(f"{path}stop/")
        wait_until(lambda: owner.get(path).data["status"] == "done", LONG)
    measured = f"goes on after {statistics.median(waits):.1f} s (worst {max(waits):.1f})"
    return Found({"kills": len(waits)}, faults, measured)

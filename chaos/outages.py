"""The database away, locked, or on a disk that is full."""

import sqlite3
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg

from chaos.kill import Scene, endure, endure_on
from chaos.kinds import Found, Options, kind
from stage import postgres
from stage.servers import NoAnswer, Remote, Site
from stage.writers import Writers

DISK = {"sqlite": 48, "postgresql": 256}  # MB
REFUSED = 12  # writes, until there is room again
PATIENCE = 20.0  # seconds
SLOW = 3.0  # seconds; a reader that takes longer waited for the writer


@kind(cycles=50, databases=("postgresql",))
def postgresql_away(options: Options) -> Found:
    """PostgreSQL stopped for up to three seconds: what is asked meanwhile gets 503 and can be sent
    again, nothing acknowledged is lost, and Commontime is ready by itself."""

    def accident(scene: Scene) -> float:
        away = scene.chance.uniform(0.2, 3)
        scene.database.stop()
        time.sleep(away)
        scene.database.start()
        return away

    return endure(options, accident)


# Locked -------------------------------------------------------------------------------------------


@contextmanager
def write_lock(site: Site) -> Iterator[None]:
    """Keep everybody from writing to the database, or on PostgreSQL to its calendars."""
    if site.is_postgresql:
        with psycopg.connect(site.database_url) as other:
            other.execute("LOCK TABLE calendars_calendar IN EXCLUSIVE MODE")
            yield
        return
    with closing(sqlite3.connect(site.folder / "commontime.sqlite3", timeout=20)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.rollback()


@kind(cycles=50)
def locked(options: Options) -> Found:
    """Another program locks the database for up to five seconds: readers do not wait, and writers
    wait and succeed."""
    chance, faults = options.chance(), []
    reads: list[float] = []
    with options.site("web", "worker") as site:
        people = [site.person() for _ in range(12)]
        reader = site.person()
        calendar = reader.post("/calendars/", {"name": "Choir"}).headers["Location"]
        with Writers(site, people, count=3, guest=site.person()) as writers:
            for _ in range(options.cycles):
                writers.wait_for(chance.randrange(10, 50))
                with write_lock(site):
                    end = time.monotonic() + chance.uniform(0.5, 5)
                    while time.monotonic() < end:
                        faults += _read(reader, calendar, reads)
                        time.sleep(0.05)
            writers.wait_for(20)
        faults += writers.faults()
    if others := {status for status in writers.statuses if status != 201}:
        faults.append(f"writers got {others}")
    if max(reads) > SLOW:
        faults.append(f"a reader waited {max(reads):.1f} s")
    tried = {"locks": options.cycles, "reads meanwhile": len(reads), "writes": len(writers)}
    measured = f"a read took {statistics.median(reads) * 1000:.0f} ms (worst {max(reads):.2f} s)"
    return Found(tried, faults, measured)


def _read(reader: Remote, path: str, times: list[float]) -> list[str]:
    began = time.monotonic()
    status = reader.get(path).status_code
    times.append(time.monotonic() - began)
    return [] if status == 200 else [f"a reader got {status}"]


# Full ---------------------------------------------------------------------------------------------


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """Yield a folder that is a disk of its own, in memory. Mounting needs root."""
    folder = Path(tempfile.mkdtemp(prefix="commontime-disk-"))
    size = f"size={megabytes}m,mode=755"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "none", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
        folder.rmdir()


@contextmanager
def full(folder: Path) -> Iterator[None]:
    """Leave no byte of the disk free."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            with_room = True
            while with_room:
                try:
                    with_room = file.write(b"x" * size) == size
                except OSError:
                    with_room = False
    try:
        yield
    finally:
        ballast.unlink()


@kind(cycles=20)
def disk_full(options: Options, count: int = 12) -> Found:
    """The database's disk full until writes are refused: requests get their answer or 503, nothing
    is half done, and with room again all goes on. PostgreSQL may need to be started again."""
    reads: list[str] = []
    restarts: list[str] = []
    refused: list[int] = []

    def accident(scene: Scene) -> float:
        began = time.monotonic()
        reader = scene.site.caller()
        reader.access = person.access
        before = scene.writers.statuses[503]
        # SQLite writes on for a while, into a file that was larger once.
        with full(disk):
            while (hit := scene.writers.statuses[503] - before) < REFUSED:
                reads.append(_status(reader))
                time.sleep(0.05)
                if time.monotonic() - began > PATIENCE:
                    break
        refused.append(hit)
        if options.server and not scene.database.runs:
            restarts.append("")
            scene.database.start_again()
        return time.monotonic() - began

    with ExitStack() as stack:
        name = "postgresql" if options.server else "sqlite"
        disk = stack.enter_context(small_disk(DISK[name]))
        own = None
        if options.server:
            own = stack.enter_context(postgres.server(durable=True, within=disk))
        here = replace(options, server=own)
        site = stack.enter_context(here.site(*("web", "worker"), within=None if own else disk))
        person = site.person()
        found = endure_on(site, here, accident, count)
    found.tried |= {"refused writes": sum(refused), "reads meanwhile": len(reads)}
    found.faults += [f"a reader got {status}" for status in reads if status not in ("200", "503")]
    found.measured += (
        f"; {reads.count('503')} reads got 503; {len(restarts)} restarts of PostgreSQL"
    )
    return found


def _status(reader: Remote) -> str:
    try:
        return str(reader.get("/calendars/").status_code)
    except NoAnswer:
        return "no answer"

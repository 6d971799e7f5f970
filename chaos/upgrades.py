"""Kill -9 during migrations, backups and restores."""

import os
import random
import shutil
import signal
import statistics
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chaos.kinds import Found, Options, kind
from stage.servers import ROOT, Site
from stage.writers import Writers, ids

# The oldest state that a database with data can go back to.
OLD = [("mail", "0001"), ("accounts", "0001"), ("calendars", "0004")]
SHAPE = {
    "sqlite": "SELECT type, name, sql FROM sqlite_master",
    "postgresql": "SELECT table_name, column_name, data_type, is_nullable FROM "
    "information_schema.columns WHERE table_schema = 'public' UNION ALL "
    "SELECT tablename, indexname, indexdef, '' FROM pg_indexes WHERE schemaname = 'public' "
    "UNION ALL SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), '' FROM "
    "pg_constraint WHERE conrelid <> 0 AND connamespace = 'public'::regnamespace UNION ALL "
    "SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid), '' FROM pg_trigger "
    "WHERE NOT tgisinternal UNION ALL SELECT 'function', proname, prosrc, '' FROM pg_proc "
    "WHERE pronamespace = 'public'::regnamespace AND prokind = 'f'",
}
# A calendar's version counts up when its people are packed anew.
KEPT = {
    "auth_user": "*",
    "calendars_calendar": "id, name, owner_id, visibility, time_zone",
    "calendars_nonbusytime": "*",
    "calendars_meeting": "*",
}


class Killed:
    """A command of `commontime` that is killed after a while, unless it was done before."""

    def __init__(self, site: Site, *arguments: str, after: float) -> None:
        began = time.monotonic()
        command = [*site.program, *arguments]
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=site.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            self.process.wait(after)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.seconds = time.monotonic() - began

    @property
    def hit(self) -> bool:
        return self.process.returncode == -signal.SIGKILL


def timed(site: Site, *arguments: str) -> float:
    """Run a command, and return how long it took."""
    began = time.monotonic()
    done = site.commontime(*arguments)
    assert done.returncode == 0, done.stderr
    return time.monotonic() - began


# Migrations ---------------------------------------------------------------------------------------


@kind(cycles=100)
def kill_migrations(options: Options) -> Found:
    """`commontime prepare` killed while it brings an older database up to date: run again it
    completes, every row is kept, and the database has the same shape as without a kill."""
    with options.site() as site:
        return kill_migrations_on(site, options)


def kill_migrations_on(site: Site, options: Options, *, writes: int = 200, kills: int = 3) -> Found:
    """Do so on a site that is prepared, with so many kills in each upgrade."""
    chance, hits, faults = options.chance(), 0, []
    site.start("web")
    with Writers(site, [site.person()], count=2) as writers:
        writers.wait_for(writes)
    site.stop()
    counts = [site.count(table) for table in KEPT]
    go_back(site)
    old = shape_of(site)
    took = timed(site, "prepare")
    # Going back loses what the older version does not know: so an upgrade without a kill counts
    shape, rows = shape_of(site), rows_of(site)
    assert shape != old, "It went nowhere."
    assert counts == [site.count(table) for table in KEPT]
    for number in range(options.cycles):
        go_back(site)
        for _ in range(kills):
            hits += Killed(site, "prepare", after=chance.uniform(0.2, 1) * took).hit
        timed(site, "prepare")
        if other := set(shape_of(site)) ^ set(shape):
            faults.append(f"{number}: another shape: {sorted(other)}")
        if rows_of(site) != rows:
            faults.append(f"{number}: other rows")
    return Found(
        {"kills": hits, "upgrades": options.cycles}, faults, f"an upgrade takes {took:.1f} s"
    )


def go_back(site: Site) -> None:
    """Undo the migrations that can be undone with data."""
    steps = "; ".join(
        f"call_command('migrate', {app!r}, {name!r}, verbosity=0)" for app, name in OLD
    )
    code = f"from django.core.management import call_command; {steps}"
    site.manage("shell", "--no-imports", "-c", code)


def shape_of(site: Site) -> list[str]:
    """Return the tables, indexes, constraints, triggers and functions of the database."""
    question = SHAPE["postgresql" if site.is_postgresql else "sqlite"]
    return sorted(map(repr, site.sql(question)))


def rows_of(site: Site) -> list[str]:
    """Return all rows of the tables with what people wrote."""
    return [
        repr(sorted(map(repr, site.sql(f"SELECT {columns} FROM {table}"))))
        for table, columns in KEPT.items()
    ]


# Backups ------------------------------------------------------------------------------------------


@kind(cycles=100)
def kill_backup(options: Options) -> Found:
    """`commontime backup` killed: there is a whole backup or none, people do not notice, and the
    next one has everything that was acknowledged before it."""
    with options.site() as site, backups_folder() as folder:
        return kill_backup_on(site, options, folder)


def kill_backup_on(site: Site, options: Options, folder: Path) -> Found:
    """Do so on a site that is prepared; the last backup is restored there."""
    chance, hits, whole, faults = options.chance(), 0, 0, []
    site.start("web")
    took = timed(site, "backup", str(folder / "first.tar.gz"))
    people = [site.person() for _ in range(4)]
    with Writers(site, people, count=4, guest=site.person()) as writers:
        for number in range(options.cycles):
            path = folder / f"{number}.tar.gz"
            backup = Killed(site, "backup", str(path), after=_moment(chance, took))
            hits += backup.hit
            took = took if backup.hit else backup.seconds
            whole += path.exists()
            faults += [f"{path.name} is damaged"] * (path.exists() and not is_whole(path))
        before = set(writers.acknowledged["calendar"])
        timed(site, "backup", str(folder / "last.tar.gz"))
    faults += writers.faults()
    site.stop()
    timed(site, "restore", "--replace", str(folder / "last.tar.gz"))
    lost = before - ids(site, "SELECT id FROM calendars_calendar")
    faults += [f"{len(lost)} calendars are not in the backup"] * bool(lost)
    tried = {"kills": hits, "acknowledged writes": len(writers)}
    return Found(tried, faults, f"a backup takes {took:.1f} s; {whole} were done before the kill")


@kind(cycles=50)
def kill_restore(options: Options) -> Found:
    """`commontime restore` killed: the database is the old or the new one, whole, and the restore
    can be run again."""
    with options.site() as site, backups_folder() as folder:
        return kill_restore_on(site, options, folder)


def kill_restore_on(site: Site, options: Options, folder: Path) -> Found:
    """Do so on a site that is prepared."""
    chance, hits, faults, waits = options.chance(), 0, [], []
    site.start("web")
    backups = []
    for number in range(2):
        person = site.person()
        for turn in range(20):
            person.post("/calendars/", {"name": f"{number} {turn}"})
        path = folder / f"of {number}.tar.gz"
        timed(site, "backup", str(path))
        backups.append((path, rows_of(site)))
    site.stop()
    for number in range(options.cycles):
        path, rows = backups[number % 2]
        old = rows_of(site)
        took = statistics.median(waits or [2.0])
        restore = ("restore", "--replace", str(path))
        hits += Killed(site, *restore, after=_moment(chance, took)).hit
        if rows_of(site) not in (old, rows):
            faults.append(f"{number}: neither the old nor the new rows")
        waits.append(timed(site, *restore))
        if rows_of(site) != rows:
            faults.append(f"{number}: not the backup's rows")
    return Found({"kills": hits}, faults, f"a restore takes {statistics.median(waits):.1f} s")


@contextmanager
def backups_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="commontime-backups-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _moment(chance: random.Random, took: float) -> float:
    """Return when to kill what takes so long: mostly in its second half, where it writes."""
    return took * chance.uniform(0.3, 1.1)


def is_whole(path: Path) -> bool:
    """Return whether a backup can be read to its end and has all its parts."""
    try:
        with tarfile.open(path) as tar:
            names = [member.name for member in tar if tar.extractfile(member)]
    except (OSError, EOFError, tarfile.TarError):
        return False
    return names[:3] == ["commontime.json", "database", "secret_key"]

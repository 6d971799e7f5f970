"""Start a PostgreSQL server of our own.

It is a new cluster in a temporary folder, on a free loopback port, and gone afterwards.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stage.ports import free_port


class NoPostgres(Exception):
    """PostgreSQL's programs are not on this machine (Debian: the package postgresql)."""


class Server:
    """A cluster in a folder, to be stopped and started."""

    def __init__(self, folder: Path, *, durable: bool) -> None:
        self._programs, self._folder, self._as_other = _programs(), folder, _unprivileged(folder)
        self._data = folder / "data"
        port = free_port()
        self._options = f"-p {port} -h 127.0.0.1 -k {folder} -c max_connections=200"
        if not durable:
            self._options += " -c fsync=off -c full_page_writes=off"
        self.url = f"postgresql://commontime@127.0.0.1:{port}/postgres"
        initdb = [
            self._programs / "initdb",
            "-D",
            self._data,
            "-U",
            "commontime",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        ]
        _do(initdb, self._as_other)

    def start(self) -> None:
        self._control("-l", self._folder / "log", "-o", self._options, "start")

    def stop(self) -> None:
        """Stop it as a crash would, without telling its clients."""
        self._control("-m", "immediate", "stop")

    def kill(self) -> None:
        """Kill the first process; the others end when they notice. See `start_again`."""
        os.kill(self.pid, signal.SIGKILL)

    @property
    def runs(self) -> bool:
        try:
            self._control("status")
        except NoPostgres:
            return False
        return True

    @property
    def pid(self) -> int:
        """The first process of the server."""
        return int((self._data / "postmaster.pid").read_text().split()[0])

    def start_again(self, seconds: float = 30) -> None:
        """Start it after `kill`, as soon as its other processes are gone."""
        end = time.monotonic() + seconds
        while True:
            try:
                return self.start()
            except NoPostgres:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def _control(self, *arguments: object) -> None:
        _do([self._programs / "pg_ctl", "-D", self._data, "-w", *arguments], self._as_other)


@contextmanager
def server(*, durable: bool = False, within: Path | None = None) -> Iterator[Server]:
    """Yield a new server that runs, `within` a folder.

    It runs without fsync, because its data need not last; `durable` runs it as in production.
    """
    folder = Path(tempfile.mkdtemp(prefix="commontime-pg-", dir=within))
    try:
        own = Server(folder, durable=durable)
        own.start()
        try:
            yield own
        finally:
            if own.runs:
                own.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def postgres(*, durable: bool = False) -> Iterator[str]:
    """Yield the DATABASE_URL of a new server."""
    with server(durable=durable) as own:
        yield own.url


def _programs() -> Path:
    folders = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name)
    )
    if folders:
        return folders[-1]
    if program := shutil.which("initdb"):
        return Path(program).resolve().parent
    raise NoPostgres("its programs are not installed (Debian: apt-get install postgresql).")


def _unprivileged(folder: Path) -> dict[str, int]:
    """Return the user to run as, because PostgreSQL refuses root."""
    if os.geteuid():
        return {}
    try:
        other = pwd.getpwnam("postgres")
    except KeyError:
        other = pwd.getpwnam("nobody")
    os.chown(folder, other.pw_uid, other.pw_gid)
    return {"user": other.pw_uid, "group": other.pw_gid}


def _do(command: list[object], as_other: dict[str, int]) -> None:
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, **as_other
    )
    if done.returncode:
        raise NoPostgres(
            f"{Path(str(command[0])).name} failed: {done.stderr[-500:] or done.stdout[-500:]}"
        )

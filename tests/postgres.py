"""A PostgreSQL server of our own for tests: a new cluster in a temporary folder, on a free loopback port, gone afterwards."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class NoPostgres(Exception):
    """PostgreSQL's programs are not on this machine (Debian: the package postgresql)."""


@contextmanager
def postgres(*, durable: bool = False) -> Iterator[str]:
    """Give the DATABASE_URL of a new server. It runs without fsync: it holds nothing that must last. `durable` runs it as in production."""
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="commontime-pg-"))
    as_other = _unprivileged(folder)
    data = folder / "data"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    try:
        _do([programs / "initdb", "-D", data, "-U", "commontime", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"], as_other)
        options = f"-p {port} -h 127.0.0.1 -k {folder} -c max_connections=200"
        if not durable:
            options += " -c fsync=off -c full_page_writes=off"
        _do([programs / "pg_ctl", "-D", data, "-l", folder / "log", "-o", options, "-w", "start"], as_other)
        try:
            yield f"postgresql://commontime@127.0.0.1:{port}/postgres"
        finally:
            _do([programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"], as_other)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if found:
        return found[-1]
    if program := shutil.which("initdb"):
        return Path(program).resolve().parent
    raise NoPostgres("its programs are not installed (Debian: apt-get install postgresql).")


def _unprivileged(folder: Path) -> dict[str, int]:
    """Return whom to run as: PostgreSQL refuses root."""
    if os.geteuid():
        return {}
    try:
        other = pwd.getpwnam("postgres")
    except KeyError:
        other = pwd.getpwnam("nobody")
    os.chown(folder, other.pw_uid, other.pw_gid)
    return {"user": other.pw_uid, "group": other.pw_gid}


def _do(command: list[object], as_other: dict[str, int]) -> None:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, **as_other)  # type: ignore[call-overload]
    if done.returncode:
        raise NoPostgres(f"{Path(str(command[0])).name} failed: {done.stderr[-500:] or done.stdout[-500:]}")

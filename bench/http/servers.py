"""Start the product and its anchors as in production, and read their CPU."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import ROOT
from bench.http.load import Address, ask, request
from stage.ports import free_port

PRODUCT = "commontime.config.wsgi:application"
HEALTH = request("GET", "/healthz/")


def environment(**more: str) -> dict[str, str]:
    """Return an environment with these settings of ours and no others.

    Byte code is written, as on any server.
    """
    ours = ("COMMONTIME_", "DATABASE_URL", "DJANGO_", "GRANIAN_", "PORT")
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(ours) and name != "PYTHONDONTWRITEBYTECODE"
    }
    return {**kept, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}", **more}


def web_command(application: str, port: int) -> list[str]:
    """Return the product's command for the web server, or granian's own for an anchor."""
    if application == PRODUCT:
        return [sys.executable, "-m", "commontime.program.cli", "web"]
    options = (
        f"--interface wsgi --host 127.0.0.1 --port {port} --workers 2 --blocking-threads 4 "
        "--no-ws --http 1 --log-level warning"
    )
    return [sys.executable, "-m", "granian", *options.split(), application]


@dataclass
class Server:
    """A running web server. postmaster: the process of its PostgreSQL server, if any."""

    process: subprocess.Popen[bytes]
    address: Address
    started_in: float
    postmaster: int = 0

    def cpu(self, without: int = 0) -> float:
        """Return the CPU seconds of the server and the database so far.

        without: the benchmark's own backend.
        """
        pids = [self.process.pid, *children(self.process.pid)]
        if self.postmaster:
            pids += [self.postmaster, *children(self.postmaster)]
        return sum(cpu_of(pid) for pid in pids if pid != without)


@contextmanager
def serve(
    application: str, settings: dict[str, str], *, postmaster: int = 0, ready: bytes = HEALTH
) -> Iterator[Server]:
    """Run the web server until the block ends. It has started once it answers `ready` with 200."""
    port = free_port()
    began = time.perf_counter()
    process = subprocess.Popen(
        web_command(application, port),
        cwd=ROOT,
        env=environment(COMMONTIME_WEB_WORKERS="2", **settings, PORT=str(port)),
        stdout=sys.stderr,
        start_new_session=True,
    )
    try:
        _await(("127.0.0.1", port), ready, process)
        yield Server(process, ("127.0.0.1", port), time.perf_counter() - began, postmaster)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)


def _await(address: Address, ready: bytes, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        try:
            status, _ = ask(address, ready)
            if status == 200:
                return
            raise RuntimeError(f"the server answered {status}")
        except OSError:
            pass
        time.sleep(0.005)
    raise RuntimeError("the server did not answer with 200 within a minute")


def children(pid: int) -> list[int]:
    """Return the children of a process: granian's workers, PostgreSQL's backends."""
    pids: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        pids += [int(child) for child in (task / "children").read_text().split()]
    return pids


def parent(pid: int) -> int:
    stat = Path(f"/proc/{pid}/stat").read_text()
    return int(stat.rpartition(")")[2].split()[1])


def cpu_of(pid: int) -> float:
    """Return the CPU seconds of a process with all its threads.

    They come from the counter behind /proc/PID/stat, in ns, which includes threads that have ended.
    """
    try:
        return time.clock_gettime(
            (~pid << 3) | 2
        )  # CPUCLOCK_SCHED of the process, as clock_getcpuclockid(3) makes it
    except OSError:
        return 0.0

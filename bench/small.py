"""Measure R13, R18, R20 and R23: how small and how quick `commontime run` is.

`python -m bench.small [--installed PROGRAM]`. It runs on SQLite with the example choir. Memory is
PSS: what processes share is divided among them.
"""

import argparse
import http.client
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench import installed, row
from bench.http.pages import Browser, unpacked
from bench.http.servers import children, cpu_of, environment, serve
from stage.ports import free_port

OURS = ["-m", "commontime.program.cli"]
BARE = "bench.http.bare_drf:application"
VIEWS = 40
IDLE = 60.0  # seconds
STARTS = 7


class Product:
    """A running `commontime`, and all its processes."""

    def __init__(self, command: list[str], folder: Path, port: int) -> None:
        self.address = ("127.0.0.1", port)
        began = time.perf_counter()
        self.process = subprocess.Popen(
            command,
            env=environment(
                COMMONTIME_DATA_DIR=str(folder),
                PORT=str(port),
                COMMONTIME_BASE_URL=f"http://127.0.0.1:{port}",
            ),
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        while not self.answers():
            if self.process.poll() is not None:
                raise RuntimeError(f"commontime ended with {self.process.returncode}")
            time.sleep(0.005)
        self.started_in = time.perf_counter() - began

    def answers(self) -> bool:
        connection = http.client.HTTPConnection(*self.address, timeout=5)
        try:
            connection.request("GET", "/healthz/")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    @property
    def pids(self) -> list[int]:
        return family(self.process.pid)

    def cpu(self) -> float:
        return sum(map(cpu_of, self.pids))

    def kill(self) -> None:
        for pid in reversed(self.pids):
            os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


def family(parent: int) -> list[int]:
    """Return a process and all that it started."""
    pids = [parent]
    for pid in pids:
        with suppress(FileNotFoundError):  # it has just ended
            pids += children(pid)
    return pids


def memory_of(pids: list[int]) -> float:
    """Return the sum of PSS in MB."""
    sizes = []
    for pid in pids:
        with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
            sizes += map(int, re.findall(r"^Pss:\s+(\d+)", text, re.MULTILINE))
    return sum(sizes) / 1024


@contextmanager
def product(command: list[str], folder: Path) -> Iterator[Product]:
    running = Product(command, folder, free_port())
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.stop()


def look_around(running: Product) -> None:
    """Look at VIEWS pages as the conductor of the example choir."""
    browser = Browser(*running.address)
    browser.sign_in("ingrid", "a choir of forty")
    to_see, seen = ["/app/"], 0
    while seen < VIEWS:
        path = to_see[seen % len(to_see)]
        page = unpacked(*browser.ask("GET", path))
        new = re.findall(r'href="(/app/[^"#?]*)"', page)
        to_see += [each for each in dict.fromkeys(new) if each not in to_see]
        seen += 1


def starts(command: list[str], folder: Path) -> tuple[float, float, float]:
    """Return the medians of bare's start, of ours, and of ours after a kill -9 of everything."""
    bare, ours, again = [], [], []
    for _ in range(STARTS + 1):
        with serve(BARE, {"COMMONTIME_DATA_DIR": str(folder)}) as server:
            bare.append(server.started_in)
        with product(command, folder) as running:
            ours.append(running.started_in)
            running.kill()
        with product(command, folder) as running:
            again.append(running.started_in)
    # The first start of each writes the byte code.
    return tuple(statistics.median(times[1:]) for times in (bare, ours, again))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.small")
    parser.add_argument("--installed", help="the program `commontime` of an installed wheel")
    options = parser.parse_args(arguments)
    program = [options.installed] if options.installed else [sys.executable, *OURS]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = environment(COMMONTIME_DATA_DIR=name)
        for command in ("prepare", "demo"):
            subprocess.run([*program, command], env=settings, check=True, stdout=sys.stderr)
        row("id", "what", "measured", "must", "moonshot")
        row("---", "---", "---:", "---:", "---:")
        for command, what, must, moonshot in (("web", "web", 1.3, 1.0), ("run", "run", 2.2, 1.5)):
            bare, ours, again = starts([*program, command], folder)
            note = f"({ours:.2f} s against {bare:.2f} s)"
            row("R13", f"start of `{what}` {note}", f"{ours / bare:.2f} x bare", must, moonshot)
            row("R20", f"`{what}` ready after kill -9", f"{again / ours:.2f} x a start", 1.2, 1.0)
        if not options.installed:
            program = [installed.python(), *OURS]  # starts are compared in one Python
        with product([*program, "run"], folder) as running:
            look_around(running)
            row("R23", f"memory after {VIEWS} pages", f"{memory_of(running.pids):.0f} MB", 200, 150)
            before = running.cpu()
            time.sleep(IDLE)
            idle = (running.cpu() - before) * 60 / IDLE
            row("R18", "CPU a minute when nobody does anything", f"{idle:.2f} s", 0.5, 0.1)


if __name__ == "__main__":
    main()

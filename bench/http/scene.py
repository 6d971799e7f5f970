"""Set up everything the measurements of a database need.

The database is filled, product and anchor run, people are signed in.
"""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bench import ROOT
from bench.http.load import ask, request
from bench.http.servers import PRODUCT, Server, environment, parent, serve
from stage.callers import PASSWORD
from stage.postgres import postgres

ANCHOR = "bench.http.bare:application"
DATABASES = ("sqlite", "postgresql")


class DirectConnection:
    """A connection past the product, for changes that do not count.

    pid: of its PostgreSQL backend.
    """

    def __init__(self, settings: dict[str, str]) -> None:
        self.is_postgresql = "DATABASE_URL" in settings
        self.pid = 0
        if self.is_postgresql:
            import psycopg

            self.connection: Any = psycopg.connect(settings["DATABASE_URL"], autocommit=True)
            self.pid = self.connection.info.backend_pid
        else:
            file = Path(settings["COMMONTIME_DATA_DIR"], "commontime.sqlite3")
            self.connection = sqlite3.connect(file, timeout=30, isolation_level=None)
            self.connection.execute("PRAGMA foreign_keys=ON")

    def do(self, statement: str, *values: Any) -> Any:
        return self.connection.execute(
            statement if self.is_postgresql else statement.replace("%s", "?"), values
        )

    def id(self, text: str) -> str:
        return text if self.is_postgresql else text.replace("-", "")


@dataclass
class Scene:
    """The product and its anchor on one database.

    settings: the product's environment variables, besides the defaults.
    """

    database: str
    settings: dict[str, str]
    made: dict[str, Any]
    product: Server
    anchor: Server
    bodies: Path
    direct: DirectConnection
    tokens: dict[str, str] = field(default_factory=dict)

    def token(self, name: str) -> str:
        if name not in self.tokens:
            status, body = ask(
                self.product.address,
                request("POST", "/login/", body={"username": name, "password": PASSWORD}),
            )
            if status != 200:
                raise RuntimeError(f"{name} could not sign in: {status} {body[:300]!r}")
            self.tokens[name] = json.loads(body)["access"]
        return self.tokens[name]

    def get(self, path: str, **headers: str) -> bytes:
        return request("GET", path, self.token(self.made["owner"]), **headers)

    def calendar(self, name: object, rest: str) -> str:
        return f"/calendars/{self.made['calendars'][str(name)]}/{rest}"

    def moment(self, quarter: int) -> str:
        return (
            datetime.fromisoformat(self.made["monday"]) + timedelta(minutes=15 * quarter)
        ).isoformat()

    def cpu(self) -> float:
        return self.product.cpu(without=self.direct.pid)

    def anchored(self, product_request: bytes) -> tuple[bytes, int]:
        """Make the anchor answer a request as the product does.

        Return the anchor's request, and the size of the answer.
        """
        status, body = ask(self.product.address, product_request)
        if not 200 <= status < 400:
            raise RuntimeError(f"{product_request[:80]!r} is answered {status}: {body[:300]!r}")
        return self.anchored_bytes(product_request, status, body), len(body)

    def anchored_bytes(self, product_request: bytes, status: int, body: bytes) -> bytes:
        name = f"{status}-{len(list(self.bodies.iterdir()))}"
        (self.bodies / name).write_bytes(body)
        method, _, rest = product_request.split(b" ", 2)
        return method + f" /{name} ".encode() + rest

    def queries(self, requests: list[bytes]) -> list[list[int]]:
        """Count the SQL statements of each request, first and again."""
        command = [sys.executable, "-m", "bench.http.queries"]
        env = environment(**self.settings, DJANGO_SETTINGS_MODULE="commontime.config.settings")
        texts = json.dumps([data.decode() for data in requests])
        done = subprocess.run(
            command, cwd=ROOT, env=env, input=texts, text=True, stdout=subprocess.PIPE, check=True
        )
        counts: list[list[int]] = json.loads(done.stdout.splitlines()[-1])
        return counts

    def clear_storm(self) -> None:
        """Delete the answers of the storm's people."""
        self.direct.do(
            "DELETE FROM calendars_nonbusytime WHERE calendar_id = %s",
            self.direct.id(self.made["calendars"]["storm"]),
        )
        if self.direct.is_postgresql:
            self.direct.do(
                "VACUUM calendars_nonbusytime, calendars_calendarparticipant, calendars_calendar"
            )


@contextmanager
def open_scene(database: str) -> Iterator[Scene]:
    with ExitStack() as open_things:
        folder = Path(tempfile.mkdtemp(prefix="commontime-bench-"))
        open_things.callback(shutil.rmtree, folder, ignore_errors=True)
        settings = {
            "COMMONTIME_DATA_DIR": str(folder),
            "PYTHONPYCACHEPREFIX": str(folder / "bytecode"),
            # Longer than the run; it changes nothing about what a request costs.
            "COMMONTIME_ACCESS_SECONDS": "7200",
        }
        if database == "postgresql":
            settings["DATABASE_URL"] = open_things.enter_context(postgres(durable=True))
        made = _fill(settings)
        bodies = folder / "bodies"
        bodies.mkdir()
        (bodies / "200-ready").write_bytes(b"ok")
        direct = DirectConnection(settings)
        open_things.callback(direct.connection.close)
        postmaster = parent(direct.pid) if direct.pid else 0
        product = open_things.enter_context(serve(PRODUCT, settings, postmaster=postmaster))
        anchor = open_things.enter_context(
            serve(ANCHOR, {"BENCH_BODIES": str(bodies)}, ready=request("GET", "/200-ready"))
        )
        yield Scene(database, settings, made, product, anchor, bodies, direct)


def _fill(settings: dict[str, str]) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.http.data"]
    env = environment(**settings, DJANGO_SETTINGS_MODULE="commontime.config.settings")
    done = subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, check=True)
    made: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return made


def load() -> float:
    return os.getloadavg()[0]


def wait_for_calm(seconds: float) -> None:
    """Wait, at most so long, until half of the machine is idle.

    Busy caches make large programs dearer than small ones.
    """
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        before = _cpu_ticks()
        time.sleep(0.25)
        idle, total = (after - was for after, was in zip(_cpu_ticks(), before, strict=True))
        if total and idle / total >= 0.5:
            return


def _cpu_ticks() -> tuple[int, int]:
    """Return the idle and all ticks of the machine's CPUs so far."""
    user, nice, system, idle, iowait, *rest = (
        int(text) for text in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    )
    return idle + iowait, user + nice + system + idle + iowait + sum(rest[:3])

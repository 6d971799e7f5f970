"""Run the product as its user does.

Its processes run on a free port, with a database and a mail server of their own.

    with open_site() as site:
        mina = site.person("mina")
        mina.post("/calendars/", {"name": "Choir"})

Starting takes a few seconds, so share one site where you can. Everything that was started is gone
at the end.
"""

import atexit
import contextlib
import functools
import http.client
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

import psycopg

from stage.callers import PASSWORD, Caller
from stage.ports import free_port
from stage.sink import Sink

ROOT = Path(__file__).resolve().parent.parent
SQLITE = "commontime.sqlite3"
# Seconds. What is awaited comes at once or never; only a busy machine takes long.
PATIENCE = 100.0
# The server hangs up after 30 seconds without a request. A busy machine needs a margin.
IDLE = 5.0


def wait_until(happened: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """Wait for a result that is true, and return it."""
    end = time.monotonic() + seconds
    while not (result := happened()):
        assert time.monotonic() < end, "It took too long."
        time.sleep(0.02)
    return result


class NoAnswer(Exception):
    """The connection was refused or broke. Nobody knows whether the request was done."""


@dataclass
class Answer:
    """A response. `data` is its JSON, if it has any."""

    status_code: int
    headers: http.client.HTTPMessage
    content: bytes
    data: Any = None

    @property
    def text(self) -> str:
        return self.content.decode(errors="replace")


class Wire:
    """Open connections to a port, shared by any number of threads."""

    def __init__(self, port: int, address: str = "127.0.0.1") -> None:
        self.port, self.address, self.patience = port, address, PATIENCE
        self._idle: list[tuple[float, http.client.HTTPConnection]] = []

    def request(
        self,
        method: str,
        path: str,
        content: bytes | None,
        headers: dict[str, str],
        *,
        timeout: float | None = None,
    ) -> Answer:
        timeout = timeout or self.patience
        idle = self._idle_connection()
        connection = idle or http.client.HTTPConnection(self.address, self.port, timeout=timeout)
        try:
            try:
                connection.request(method, path, body=content, headers=headers)
                response = connection.getresponse() if method == "GET" else None
            except (BrokenPipeError, ConnectionResetError):
                if idle is None:
                    raise
                # The server had closed a connection that was kept, as it may. Nothing of this
                # request was read, or it changes nothing.
                connection = http.client.HTTPConnection(self.address, self.port, timeout=timeout)
                connection.request(method, path, body=content, headers=headers)
                response = None
            response = response or connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise NoAnswer(repr(error)) from error
        if response.will_close:
            connection.close()
        else:
            self._idle.append((time.monotonic(), connection))
        answer = Answer(response.status, response.headers, body)
        if response.headers.get("Content-Type", "").startswith("application/json") and body:
            answer.data = json.loads(body)
        return answer

    def _idle_connection(self) -> http.client.HTTPConnection | None:
        with contextlib.suppress(IndexError):  # somebody else was quicker
            while self._idle:
                since, connection = self._idle.pop()
                if time.monotonic() - since < IDLE:
                    return connection
                connection.close()
        return None

    def forget(self) -> None:
        """Close idle connections, for example because the server has ended."""
        with contextlib.suppress(IndexError):
            while self._idle:
                self._idle.pop()[1].close()


@dataclass
class Remote(Caller):
    """A caller over HTTP."""

    client: Any = None
    name: str = ""
    id: int = 0
    sent: dict[str, str] = field(default_factory=dict)

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        sent = {**self.sent, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if self.access and "authorization" not in sent:
            sent["authorization"] = f"Bearer {self.access}"
        content = None
        if body is not None:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            sent.setdefault("content-type", "application/json")
        return self.client.request(method.upper(), path, content, sent)

    def sign_in(self, name: str = "", password: str = PASSWORD) -> Self:
        return super().sign_in(name or self.name, password)


class Site:
    """A data folder, a database, and the processes that serve them."""

    def __init__(
        self, folder: Path, database_url: str, sink: Sink, environment: dict[str, str]
    ) -> None:
        self.folder, self.database_url, self.sink = folder, database_url, sink
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("COMMONTIME_", "DJANGO_"))
        }
        self.environment = {
            **inherited,
            "PYTHONPATH": f"src{os.pathsep}.",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
            "PORT": str(self.port),
            "DATABASE_URL": database_url,
            "COMMONTIME_DATA_DIR": str(folder),
            "COMMONTIME_SMTP_URL": sink.url,
            # Whoever signs up is mailed at once.
            "COMMONTIME_CONFIRM_ADDRESSES": "no",
            # What drives it does more than people do. These limits have tests of their own.
            "COMMONTIME_LIMIT_SIGN_UP": "100000",
            "COMMONTIME_LIMIT_LOOK_UP": "100000",
            # The default is one of each. Two show what processes do to each other.
            "COMMONTIME_WEB_WORKERS": "2",
            "COMMONTIME_WORKERS": "2",
            "COMMONTIME_PLANNERS": "2",
            **environment,
        }
        self.application = "commontime.config.wsgi:application"
        self.home = ROOT
        self.program = [sys.executable, "-m", "commontime.program.cli"]
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self.wire = Wire(self.port)

    # Processes ------------------------------------------------------------------------------------

    def start(self, *names: str) -> None:
        """Start processes, and wait until the web answers.

        Without names these are the web and a worker.
        """
        for name in names or ("web", "worker"):
            log = (self.folder / f"{name}.log").open("ab")
            self._running[name] = subprocess.Popen(
                [*self.program, *self.command(name)],
                cwd=self.home,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        if self._running.keys() & {"web", "run"}:
            self.wait_ready()

    def command(self, name: str) -> list[str]:
        """Return the arguments of the program for a kind of process."""
        if name in ("worker", "planner"):
            return ["worker", "--only", name]
        return [name, "--application", self.application]

    def wait_ready(self, seconds: float = PATIENCE) -> None:
        def ready() -> bool:
            name = "web" if "web" in self._running else "run"
            ended = self._running[name].poll() is not None
            assert not ended, f"The web server ended: {self.log(name)[-2000:]}"
            with contextlib.suppress(NoAnswer):
                return (
                    Wire(self.port).request("GET", "/readyz", None, {}, timeout=5).status_code
                    == 200
                )
            return False

        wait_until(ready, seconds)

    def master(self, name: str) -> subprocess.Popen[bytes]:
        return self._running[name]

    def processes(self, name: str) -> list[int]:
        """Return the ids of the processes that work for `web` or `worker`."""
        return [
            pid
            for pid in _children(self._running[name].pid)
            if "resource_tracker" not in _command(pid)
        ]

    def memory(self) -> float:
        """Return the memory of all processes in MB. What they share is counted once."""
        pids = [process.pid for process in self._running.values()]
        for pid in pids:
            pids += _children(pid)
        return sum(map(_pss, pids)) / 1024

    def kill(self, pid: int) -> None:
        self.wire.forget()
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def freeze(self, pid: int) -> None:
        os.kill(pid, signal.SIGSTOP)

    def thaw(self, pid: int) -> None:
        os.kill(pid, signal.SIGCONT)

    def stop(self, *names: str, seconds: float = 15) -> None:
        """End processes, all by default: politely, then the hard way."""
        self.wire.forget()
        ending = {name: self._running.pop(name) for name in names or tuple(self._running)}
        for process in ending.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGCONT)
                process.terminate()
        for process in ending.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(seconds)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def kill_all(self, *names: str) -> None:
        """Kill processes, all by default, with their children."""
        self.wire.forget()
        for name in names or tuple(self._running):
            process = self._running.pop(name)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def log(self, name: str) -> str:
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    # People, data, commands -----------------------------------------------------------------------

    def caller(self, **headers: str) -> Remote:
        """Return an anonymous caller who sends these headers."""
        return Remote(
            client=self.wire,
            sent={name.replace("_", "-"): value for name, value in headers.items()},
        )

    def person(self, name: str = "") -> Remote:
        """Return a caller who has signed up and in. Without a name they get a new one."""
        name = name or f"person-{uuid.uuid4().hex[:12]}"
        person = self.caller()
        person.name = name
        account = {
            "username": name,
            "email": f"{name}@example.org",
            "first_name": name.title(),
            "last_name": "",
            "password": PASSWORD,
        }
        answer = person.post("/signup/", account)
        assert answer.status_code == 201, answer.text
        person.id = answer.data["id"]
        return person.sign_in()

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement on the site's database, and return its rows."""
        if self.is_postgresql:
            with psycopg.connect(self.database_url, autocommit=True) as connection:
                cursor = connection.execute(statement)
                return cursor.fetchall() if cursor.description else []
        with (
            contextlib.closing(sqlite3.connect(self.folder / SQLITE, timeout=20)) as connection,
            connection,
        ):
            return connection.execute(statement).fetchall()

    def count(self, table: str, where: str = "") -> int:
        return int(
            self.sql(f"SELECT count(*) FROM {table}{' WHERE ' + where if where else ''}")[0][0]
        )

    @property
    def is_postgresql(self) -> bool:
        return self.database_url.startswith("postgres")

    def manage(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def commontime(
        self, *arguments: str, typed: str = "", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run `commontime` with these arguments. Its exit code is the caller's to check."""
        return subprocess.run(
            [*self.program, *arguments],
            cwd=ROOT,
            env={**self.environment, **environment},
            input=typed,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def begin(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start `commontime` with these arguments, and leave it to the caller."""
        return subprocess.Popen(
            [*self.program, *arguments],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.DEVNULL,
        )

    def close(self) -> None:
        self.stop(seconds=10)


@contextlib.contextmanager
def open_site(
    *,
    start: bool = True,
    prepared: bool = True,
    application: str = "",
    server: str | None = None,
    within: Path | None = None,
    **environment: str,
) -> Iterator[Site]:
    """Yield a site that runs on a fresh database.

    It has two web processes and a worker, and a database of the kind the tests run on, `prepared`
    or empty. `environment` sets variables of the product. `application` replaces its WSGI
    application, to see what happens with a guard off. `server` is the DATABASE_URL of another
    PostgreSQL server; "" means SQLite. The data folder is made `within` a folder.
    """
    folder = Path(tempfile.mkdtemp(prefix="commontime-site-", dir=within))
    sink = Sink()
    sink.start()
    try:
        if server is None:
            server = os.environ.get("DATABASE_URL", "")
        with fresh_database(folder, server, prepared=prepared) as url:
            site = Site(folder, url, sink, environment)
            site.application = application or site.application
            try:
                if start:
                    site.start()
                yield site
            finally:
                site.close()
    finally:
        sink.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def fresh_database(folder: Path, server: str, *, prepared: bool = False) -> Iterator[str]:
    """Yield the DATABASE_URL of a new database on the server, `prepared` or empty.

    Without a server it is "", for SQLite in the data folder.
    """
    if not server.startswith("postgres"):
        if prepared:
            shutil.copy2(_prepared(server), folder / SQLITE)
        yield ""
        return
    name = f"site_{uuid.uuid4().hex}"
    template = f" TEMPLATE {_prepared(server)}" if prepared else ""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}{template}")
    try:
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    finally:
        with (
            contextlib.suppress(psycopg.OperationalError),
            psycopg.connect(server, autocommit=True) as connection,
        ):
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@functools.cache
def _prepared(server: str) -> str:
    """Prepare a database for sites to copy, and return its file, or its name on the server.

    Each process makes one, as that takes as long as starting a site.
    """
    stack = contextlib.ExitStack()
    atexit.register(stack.close)
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="commontime-prepared-")))
    url = stack.enter_context(fresh_database(folder, server))
    Site(folder, url, Sink(), {}).manage("prepare")
    return urlsplit(url).path[1:] if url else str(folder / SQLITE)


def _children(pid: int) -> list[int]:
    with contextlib.suppress(FileNotFoundError):
        return [
            int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        ]
    return []


def _command(pid: int) -> str:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    return ""


def _pss(pid: int) -> int:
    """Return a process's share of memory in KB."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0

"""docs/operations.md as an operator follows it, command by command.

One bash does what its console blocks say, in their order, on SQLite and then on PostgreSQL. What
follows a command must appear; `…` stands for anything. Commands that need another machine are in
ELSEWHERE, with the test that checks them.
"""

import contextlib
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from commontime import __version__
from stage.ports import free_port
from stage.postgres import NoPostgres, postgres
from stage.servers import PATIENCE, ROOT, Wire, wait_until
from stage.sink import Sink
from tests.deploy.needs import lack, need
from tests.test_tour import clean_environment, pattern_of

pytestmark = pytest.mark.processes
PASSWORD = "correct horse 9"
HERE = ("commontime ", "export ", "createuser ", "createdb ", "curl ")  # what is executed here
RUNNING = ("commontime run", "commontime web", "commontime worker")

WHEEL = "tests/program/test_wheel.py::"
IMAGE = "tests/deploy/test_running.py::"
BY_UVX = WHEEL + "test_uvx_serves_the_first_page"
BY_SYSTEMD = IMAGE + "test_systemd_runs_the_unit_as_closed_as_it_is"
BY_DOCKER = (
    "tests/deploy/test_compose.py::test_without_any_setting_it_starts_for_this_machine_alone"
)
BY_MAKE = "tests/test_tour.py::test_the_tour_shows_what_readme_says"
BY_PROXY = IMAGE + "test_a_proxy_passes_on_the_host_name_over_tls_alone"
SHARED = WHEEL + "test_the_wheel_holds_everything_and_nothing_else"
# The beginning of each command that is checked elsewhere, and where.
ELSEWHERE = {
    f"uvx --from commontime-{__version__}-py3-none-any.whl commontime run": BY_UVX,
    f"uv tool install commontime-{__version__}-py3-none-any.whl": BY_UVX,
    "python3.13 -m venv /opt/commontime": WHEEL + "test_the_wheel_says_what_it_is",
    "/opt/commontime/bin/pip install commontime-": SHARED,
    "useradd --system": BY_SYSTEMD,
    "cd /opt/commontime/share/commontime": SHARED,
    "install -m 644 commontime.service ": BY_SYSTEMD,
    "install -m 600 commontime.env ": BY_SYSTEMD,
    "install -m 755 commontime.sh ": BY_SYSTEMD,
    "systemctl enable --now commontime": BY_SYSTEMD,
    "systemctl restart commontime": BY_SYSTEMD,
    "cp /opt/commontime/share/commontime/Caddyfile ": BY_PROXY,
    "cp /opt/commontime/share/commontime/nginx.conf ": BY_PROXY,
    "systemctl reload caddy": BY_PROXY,
    "systemctl reload nginx": BY_PROXY,
    "git clone ": BY_MAKE,
    "git pull": BY_MAKE,
    "cd commontime": BY_MAKE,
    "cd deploy": BY_DOCKER,
    "docker compose up -d": BY_DOCKER,
    "docker compose --file deploy/compose.yml up": BY_DOCKER,
    "docker compose exec commontime ": IMAGE + "test_commands_run_beside_it",
    "make run": BY_MAKE,
    "make test": "tests/both_databases.py",
    "make check": "tests/both_databases.py",
    "make demo": "tests/jobs/test_demo.py",
}


@dataclass(frozen=True)
class Step:
    """A command, what it shows, and whether Commontime is to be stopped first."""

    command: str
    shown: str
    stops: bool = False

    @property
    def is_elsewhere(self) -> bool:
        return self.command.startswith(tuple(ELSEWHERE))


def steps_of(document: str) -> list[Step]:
    steps: list[Step] = []
    stops = False
    for number, text in enumerate(re.split(r"^```", document, flags=re.M)):
        if number % 2 == 0:
            stops |= "stop commontime" in " ".join(text.split()).lower()
        elif text.startswith("console\n"):
            for command, shown in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", text, re.M):
                steps.append(Step(re.sub(r" +# .*", "", command), shown, stops))
                stops = False
    return steps


def steps_in(name: str) -> list[Step]:
    return steps_of((ROOT / name).read_text())


OPERATIONS = "docs/operations.md"


# What runs where ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", OPERATIONS])
def test_every_command_is_executed_by_a_test(name):
    steps = steps_in(name)

    assert steps
    unknown = [
        step.command
        for step in steps
        if not step.is_elsewhere and not (name == OPERATIONS and step.command.startswith(HERE))
    ]
    assert unknown == []


def test_the_tests_that_check_the_others_exist():
    for place in set(ELSEWHERE.values()):
        path, _, test = place.partition("::")
        assert f"def {test}(" in (ROOT / path).read_text() if test else (ROOT / path).exists()


def test_no_command_is_listed_that_no_document_has():
    commands = [
        step.command
        for name in ("README.md", "CONTRIBUTING.md", OPERATIONS)
        for step in steps_in(name)
    ]

    for beginning in ELSEWHERE:
        assert any(command.startswith(beginning) for command in commands), beginning


def test_a_document_is_read_as_a_terminal_shows_it():
    document = (
        "Stop\nCommontime.\n```console\n$ a  # why\none\n…\n$ b\n```\nx\n```console\n$ c\n```"
    )

    assert steps_of(document) == [Step("a", "one\n…\n", True), Step("b", ""), Step("c", "")]


# The operator's day -------------------------------------------------------------------------------


class Operator:
    """An operator's terminal in an empty home, and a Commontime that runs beside it."""

    def __init__(self, home: Path, environment: dict[str, str], replaced: dict[str, str]) -> None:
        self.port, self.home, self.replaced = environment["PORT"], home, replaced
        self.running: list[str] = []
        self.log = home / "log"
        (home / "typed").write_text(f"{PASSWORD}\n{PASSWORD}\n")
        self.bash = subprocess.Popen(
            ["bash", "--norc"],
            cwd=home,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # without a terminal, passwords are read from `typed`
        )

    def here(self, text: str) -> str:
        """Return what the document says with the names and addresses of this place."""
        for theirs, ours in self.replaced.items():
            text = text.replace(theirs, ours)
        return text

    def do(self, command: str) -> tuple[int, str]:
        """Have bash do this. Returns the exit code and all that is shown."""
        assert self.bash.stdin
        assert self.bash.stdout
        mark = uuid.uuid4().hex
        self.bash.stdin.write(f"{{ {command}\n}} < typed\necho {mark} $?\n")
        self.bash.stdin.flush()
        said = ""
        for line in self.bash.stdout:
            if mark in line:
                before, _, code = line.partition(mark)
                return int(code), said + before
            said += line
        raise AssertionError(f"bash ended at {command}: {said}")

    def start(self, command: str) -> str:
        """Start what goes on running. Returns what it has said when it answers."""
        code, said = self.do(f"{command} >> log 2>&1 & echo $!")
        assert code == 0
        self.running.append(said.split()[-1])
        wait_until(lambda: self.answers("/readyz"))
        return self.log.read_text()

    def answers(self, path: str) -> bool:
        with contextlib.suppress(Exception):
            return Wire(int(self.port)).request("GET", path, None, {}).status_code == 200
        return False

    def stop(self) -> None:
        while self.running:
            pid = self.running.pop()
            assert self.do(f"kill {pid}; wait {pid}") == (0, ""), self.log.read_text()
        self.log.write_text("")

    def wake_the_worker(self) -> None:
        """Give it something to do. By itself it shows after fifteen seconds at most."""
        body = b'{"email": "nobody@example.org"}'
        headers = {"Content-Type": "application/json"}
        Wire(int(self.port)).request("POST", "/password_reset/", body, headers)
        wait_until(lambda: self.answers("/readyz?worker=1"))

    def close(self) -> None:
        for pid in self.running:
            self.do(f"kill {pid}; wait {pid}")
        self.bash.communicate("exit\n", timeout=PATIENCE)


def own_programs(folder: Path) -> str:
    """Return a PATH on which `commontime` is the program of these sources."""
    folder.mkdir()
    program = folder / "commontime"
    program.write_text(
        f'#!/bin/sh\nPYTHONPATH={ROOT}/src exec {sys.executable} -m commontime.program.cli "$@"\n'
    )
    program.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def make_room_for(role: str, url: str) -> str:
    """Rename the test server's administrator, so that the role can be made. Returns its name."""
    boss = "administrator"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {boss} SUPERUSER LOGIN")
    with psycopg.connect(url.replace(f"//{role}@", f"//{boss}@"), autocommit=True) as connection:
        connection.execute(f"ALTER ROLE {role} RENAME TO first")
    return boss


@pytest.fixture
def operator(tmp_path) -> Iterator[Operator]:
    need("createuser", "postgresql-client")
    sink, port = Sink(), str(free_port())
    sink.start()
    with contextlib.ExitStack() as stack:
        stack.callback(sink.stop)
        try:
            url = stack.enter_context(postgres())
        except NoPostgres as reason:
            lack(str(reason))
        server = urlsplit(url)
        environment = clean_environment(
            PATH=own_programs(tmp_path / "bin"),
            HOME=str(tmp_path),
            PORT=port,
            PGHOST=str(server.hostname),
            PGPORT=str(server.port),
            PGUSER=make_room_for("commontime", url),
            COMMONTIME_DATA_DIR=str(tmp_path / "data"),
        )
        replaced = {
            "127.0.0.1:8000": f"127.0.0.1:{port}",
            "db.example.org": f"{server.hostname}:{server.port}",
            "smtp+tls://user:password@mail.example.org": sink.url,
        }
        operator = Operator(tmp_path, environment, replaced)
        stack.callback(operator.close)
        yield operator


@pytest.mark.timeout(600)
def test_an_operators_day(operator):
    for step in steps_in(OPERATIONS):
        if step.stops:
            operator.stop()
        if step.is_elsewhere:
            continue
        command, shown = operator.here(step.command), operator.here(step.shown)
        if command in RUNNING:
            code, said = 0, operator.start(command)
        else:
            if "check" in command or "worker" in command:
                operator.wake_the_worker()
            code, said = operator.do(command)

        assert code == 0, f"{command}\n{said}"
        assert re.fullmatch(pattern_of(shown) if shown else ".*", said.strip(), re.DOTALL), (
            f"{command}\nshould show\n{shown}\nbut shows\n{said}"
        )
    assert "Traceback" not in operator.log.read_text()

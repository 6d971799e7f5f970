"""`commontime` as an operator starts, watches and ends it."""

import contextlib
import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from commontime import __version__
from stage.ports import free_port
from stage.servers import PATIENCE, ROOT, NoAnswer, Remote, Site, open_site, wait_until
from tests.program.test_supervisor import is_alive

pytestmark = pytest.mark.processes
PROCESSES = 3  # web, worker, planner


def commontime(*arguments: str, folder: Path, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "commontime.program.cli", *arguments],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": "src",
            "COMMONTIME_DATA_DIR": str(folder),
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


# The command line ---------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",), ("help",)])
def test_without_a_command_it_lists_all(tmp_path, arguments):
    done = commontime(*arguments, folder=tmp_path)

    assert done.returncode == 0
    assert done.stdout.startswith("usage: commontime COMMAND")
    for command in ("run", "web", "worker", "prepare", "demo", "settings", "create-account"):
        assert f"\n  {command} " in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100
    assert not list(tmp_path.iterdir())


def test_an_unknown_command_is_refused_with_the_way_out(tmp_path):
    done = commontime("rnu", folder=tmp_path)

    assert done.returncode == 1
    assert (
        done.stderr
        == "There is no command 'rnu'. Did you mean run? `commontime --help` lists all.\n"
    )


def test_it_tells_its_version(tmp_path):
    assert commontime("--version", folder=tmp_path).stdout == f"commontime {__version__}\n"


@pytest.mark.parametrize(
    "command", ["run", "web", "worker", "prepare", "create-account", "settings"]
)
def test_each_command_explains_itself(tmp_path, command):
    done = commontime(command, "--help", folder=tmp_path)

    assert done.returncode == 0
    assert done.stdout.startswith(f"usage: commontime {command}")


# What can't work is refused before anything starts ------------------------------------------------


def test_a_taken_port_is_refused_with_the_way_out(tmp_path):
    with socket.socket() as other:
        # As the web server listens: one that shares its port would be joined in silence.
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        done = commontime("run", folder=tmp_path, PORT=str(port))

    assert done.returncode == 1
    assert done.stderr == (
        f"Commontime does not start: Can’t listen on 127.0.0.1:{port}: Address already in use. "
        "Choose another port, for example PORT=8001.\n"
    )


def test_a_database_that_does_not_answer_is_refused_with_its_reason(tmp_path):
    done = commontime(
        "worker", folder=tmp_path, DATABASE_URL=f"postgresql://127.0.0.1:{free_port()}/none"
    )

    assert done.returncode == 1
    assert done.stderr.startswith("Commontime does not start: Can’t connect to the database: ")
    assert len(done.stderr.splitlines()) == 1


# Running ------------------------------------------------------------------------------------------


@pytest.fixture
def site():
    with open_site(
        start=False,
        COMMONTIME_WEB_WORKERS="1",
        COMMONTIME_WORKERS="1",
        COMMONTIME_PLANNERS="1",
    ) as running:
        yield running


def answers(person: Remote) -> bool:
    with contextlib.suppress(NoAnswer):
        return person.get("/profile/").status_code == 200
    return False


def start(site: Site) -> list[int]:
    """Start everything, and return the ids of the processes when there are three."""
    site.start("run")
    return wait_until(lambda: len(pids := site.processes("run")) == PROCESSES and pids)


def test_the_first_line_says_which_version_serves_where(site):
    start(site)

    first = site.log("run").splitlines()[0]

    assert first == f"Commontime {__version__}: {site.url} (press Ctrl-C to stop)"


def test_killed_with_kill_9_it_left_web_worker_and_planner_running(site):
    pids = start(site)

    site.master("run").kill()
    site.master("run").wait()

    wait_until(lambda: not any(is_alive(pid) for pid in pids), 5)
    site.stop("run")
    assert len(start(site)) == PROCESSES  # the port is free again


def test_whichever_process_is_killed_is_replaced_and_serves(site):
    mina = site.person() if start(site) else None
    assert mina

    for place in range(PROCESSES):
        victim = site.processes("run")[place]
        site.kill(victim)
        wait_until(
            lambda killed=victim: (
                len(left := site.processes("run")) == PROCESSES and killed not in left and left
            )
        )
        wait_until(lambda: answers(mina))

    mina.post("/password_reset/", {"email": f"{mina.name}@example.org"})
    wait_until(lambda: site.sink.received)


def test_planners_leave_the_processor_to_what_somebody_waits_for(site):
    pids = start(site)

    def gives_way() -> list[int]:
        return sorted(os.getpriority(os.PRIO_PROCESS, pid) for pid in pids)

    own = os.getpriority(os.PRIO_PROCESS, 0)
    wait_until(lambda: gives_way() == [own, own, own + 10])


def test_a_signal_ends_everything_without_complaint(site):
    pids = start(site)

    site.master("run").send_signal(signal.SIGTERM)

    assert site.master("run").wait(PATIENCE) == 0
    assert not any(is_alive(pid) for pid in pids)
    assert len(site.log("run").splitlines()) == 1


def test_in_an_open_folder_its_files_were_open_to_everybody(site):
    site.folder.chmod(0o755)
    start(site)

    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode)
        for path in site.folder.iterdir()
        if path.suffix != ".log" and path.is_file()
    }

    assert modes["secret_key"] == 0o600
    assert {mode & 0o077 for mode in modes.values()} == {0}, modes

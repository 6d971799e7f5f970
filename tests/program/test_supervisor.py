"""Processes are replaced when they die, end in peace, and never outlive their parent."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stage.servers import PATIENCE, wait_until

pytestmark = pytest.mark.processes
PROGRAM = """
import os, signal, sys, time
from commontime.program.supervisor import Process, Supervisor

def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())  # in one piece

def patient():
    signal.signal(signal.SIGTERM, lambda *_: (say("finished"), sys.exit()))
    say("working", os.getpid())
    while True:
        time.sleep(60)

def stubborn():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    say("working", os.getpid())
    while True:
        time.sleep(60)

def broken():
    say("working", os.getpid())
    os.read(0, 1)
    sys.exit(3)

supervisor = Supervisor()
supervisor.start(*[Process("test", globals()[name]) for name in sys.argv[1:]])
sys.exit(supervisor.run())
"""


class Family:
    """A supervisor with its children, in a session of their own."""

    def __init__(self, log: Path, *works: str) -> None:
        self.log = log
        self.parent = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *works],
            stdin=subprocess.PIPE,
            stdout=log.open("wb"),
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": "src"},
            start_new_session=True,
        )

    def children(self, count: int) -> list[int]:
        """Wait until this many have begun, and return the process ids of all that ever began."""
        return wait_until(lambda: len(self._begun()) >= count and self._begun())

    def let_one_end(self) -> None:
        """Let one of the broken, which wait for this, go on."""
        self.parent.stdin.write(b"1")
        self.parent.stdin.flush()

    def _begun(self) -> list[int]:
        return [int(line[8:]) for line in self.said.splitlines() if line.startswith("working")]

    @property
    def said(self) -> str:
        return self.log.read_text()


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def family(tmp_path):
    families: list[Family] = []

    def begin(*works: str) -> Family:
        families.append(Family(tmp_path / "log", *works))
        return families[-1]

    yield begin
    for each in families:
        each.parent.kill()
        each.parent.wait()
        each.parent.stdin.close()


def test_a_killed_process_is_replaced_as_often_as_it_is_killed(family):
    shop = family("patient")

    for count in range(1, 5):
        os.kill(shop.children(count)[-1], signal.SIGKILL)

    assert is_alive(shop.children(5)[-1])
    assert shop.parent.poll() is None


def test_a_process_that_cannot_run_ends_all_with_an_error(family):
    shop = family("patient", "broken")

    for count in (2, 3):
        shop.children(count)
        shop.let_one_end()

    assert shop.parent.wait(PATIENCE) == 1
    assert "The test process ended twice (3). Commontime stops." in shop.said
    assert not any(is_alive(pid) for pid in shop.children(3))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_all_in_peace(family, number):
    shop = family("patient", "patient")
    pids = shop.children(2)

    shop.parent.send_signal(number)

    assert shop.parent.wait(PATIENCE) == 0
    assert shop.said.count("finished") == 2
    assert not any(is_alive(pid) for pid in pids)


def test_ctrl_c_in_a_terminal_tells_each_process_once(family):
    shop = family("patient", "patient")
    shop.children(2)

    os.killpg(shop.parent.pid, signal.SIGINT)

    assert shop.parent.wait(PATIENCE) == 0
    assert shop.said.count("finished") == 2
    assert "Traceback" not in shop.said


def test_a_process_that_does_not_end_is_killed(family):
    shop = family("stubborn")
    pids = shop.children(1)
    began = time.monotonic()

    shop.parent.terminate()

    assert shop.parent.wait(PATIENCE) == 0
    assert time.monotonic() - began > 9
    assert not is_alive(pids[0])


def test_killed_with_kill_9_the_parent_left_its_children_running(family):
    shop = family("patient", "stubborn")
    pids = shop.children(2)

    shop.parent.kill()

    wait_until(lambda: not any(is_alive(pid) for pid in pids))

"""Processes that are forked, replaced when they die, and end with their parent.

The parent loads the program once and forks it. So its children share that memory, and begin at
once. It has one thread, which waits for signals.
"""

import gc
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

SIGNALS = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
CRASH_LOOP = 30.0  # seconds; a process that dies twice within them can't run
PATIENCE = 10.0  # seconds that processes have to finish what they do
logger = logging.getLogger(__name__)


@dataclass(eq=False)
class Process:
    """A child process, and what it does until a SIGTERM ends it."""

    name: str
    work: Callable[[], None]
    died_at: float = -CRASH_LOOP


class Supervisor:
    """Keeps processes running. It must be made before any other thread begins."""

    def __init__(self) -> None:
        self._running: dict[int, Process] = {}
        # Children hold the reading end. It closes when this process is gone, even if killed.
        self._lifeline, self._life = os.pipe()
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        gc.collect()
        gc.freeze()  # or the children's collections would write to the memory they share

    def start(self, *processes: Process) -> None:
        for process in processes:
            self._running[self._fork(process)] = process

    def finish(self, process: Process) -> int:
        """Run a process that ends by itself, and return its exit code."""
        return os.waitstatus_to_exitcode(os.waitpid(self._fork(process), 0)[1])

    def wait_for(self, happened: Callable[[], bool]) -> bool:
        """Wait until something has happened. False if everything must end before."""
        while not happened():
            if signal.sigpending() & (SIGNALS - {signal.SIGCHLD}) or not self._replace_dead():
                return False
            time.sleep(0.01)
        return True

    def run(self) -> int:
        """Replace what dies, until a signal or a crash loop ends everything.

        Returns the exit code.
        """
        while is_well := self._replace_dead():
            if signal.sigwait(SIGNALS) != signal.SIGCHLD:
                break
        return self.stop() if is_well else self.stop() or 1

    def _replace_dead(self) -> bool:
        """Start dead processes anew. Returns False if one of them can't run."""
        return not [pid for pid, status in self._dead() if not self._replace(pid, status)]

    def _replace(self, pid: int, status: int) -> bool:
        process, code = self._running.pop(pid), os.waitstatus_to_exitcode(status)
        since, process.died_at = time.monotonic() - process.died_at, time.monotonic()
        # What somebody killed, for example for lack of memory, can run.
        if code != -signal.SIGKILL and since < CRASH_LOOP:
            logger.error("The %s process ended twice (%s). Commontime stops.", process.name, code)
            return False
        logger.warning("The %s process ended (%s). Another takes its place.", process.name, code)
        self.start(process)
        return True

    def _dead(self) -> list[tuple[int, int]]:
        ends = (os.waitpid(pid, os.WNOHANG) for pid in self._running)
        return [(pid, status) for pid, status in ends if pid]

    def stop(self) -> int:
        """End all processes: politely, then the hard way. Returns the exit code of success."""
        for pid in self._running:
            os.kill(pid, signal.SIGTERM)
        end = time.monotonic() + PATIENCE
        while self._running:
            if time.monotonic() > end:
                for pid in self._running:
                    os.kill(pid, signal.SIGKILL)
            for pid, _status in self._dead():
                del self._running[pid]
            time.sleep(0.01)
        return 0

    def _fork(self, process: Process) -> int:
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            self._be(process)
        return pid

    def _be(self, process: Process) -> None:
        """Be the child: do the work, then exit."""
        code = 1
        try:
            os.setpgid(0, 0)  # Ctrl-C reaches the parent, which tells its children
            os.close(self._life)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
            threading.Thread(target=self._end_with_parent, daemon=True).start()
            process.work()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
            if isinstance(end.code, str):
                print(end.code, file=sys.stderr)
        except BaseException:
            logger.exception("The %s process failed.", process.name)
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _end_with_parent(self) -> None:
        os.read(self._lifeline, 1)
        os._exit(1)

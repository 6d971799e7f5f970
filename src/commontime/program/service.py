"""What `commontime run`, `web` and `worker` start."""

import ctypes
import logging
import os
import socket
import sys
import threading
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError

from commontime import __version__
from commontime.core import metrics, running
from commontime.program.supervisor import Process, Supervisor

APPLICATION = "commontime.config.wsgi:application"
# The queues, and who works on each.
QUEUES = {"default": "worker", "plans": "planner", "short-plans": "planner"}
MODESTY = 10  # how much a planner gives way to all that somebody waits for: nice(2)
# Granian's lines take our way out, so that they are lines like ours.
GRANIAN_LOGGING = {"handlers": {}, "formatters": {}, "loggers": {"_granian": {"propagate": True}}}
TRIM_THRESHOLD, MMAP_THRESHOLD, ARENA_MAX = -1, -3, -8  # mallopt(3)
KEPT_FREE = 4 * 1024 * 1024  # bytes, in each arena
ARENAS = 2  # for all threads of a process; by default most have one of their own
logger = logging.getLogger(__name__)


def serve(*, web: bool, queues: list[str], application: str = APPLICATION) -> int:
    """Run processes until they are told to stop. Returns the exit code.

    The queues wait until the web answers, so that they do not slow down its start.
    """
    _give_memory_back()
    threading.excepthook = _log_failed_thread
    django.setup()
    if not running.announce():
        sys.exit("Commontime does not start: `commontime restore` or `move-to` is at work.")
    if settings.METRICS_TOKEN:
        metrics.start()
    try:
        return _serve(web=web, queues=queues, load=_loaded(application))
    finally:
        metrics.stop()


def _serve(*, web: bool, queues: list[str], load: Callable[..., Any]) -> int:
    supervisor = Supervisor()
    if code := supervisor.finish(Process("prepare", partial(_prepare, web=web))):
        return code
    if web:
        work = partial(_answer_requests, load)
        supervisor.start(*[Process("web", work) for _ in range(settings.WEB_WORKERS)])
        if not supervisor.wait_for(_listens):
            return supervisor.stop()
        print(
            f"Commontime {__version__}: {settings.COMMONTIME_BASE_URL} (press Ctrl-C to stop)",
            flush=True,
        )
    counts = {"worker": settings.WORKERS, "planner": settings.PLANNERS}
    for queue in queues:
        work = partial(_work_on, queue)
        name = QUEUES[queue]
        supervisor.start(*[Process(name, work) for _ in range(counts[name])])
    return supervisor.run()


def _log_failed_thread(failed: threading.ExceptHookArgs) -> None:
    """Write as a line of the log what Python would print as many."""
    logger.error("A thread failed.", exc_info=failed.exc_value)


def _give_memory_back() -> None:
    """Have the C library return freed memory: all processes are 18 MB smaller then.

    Its thresholds grow with use, up to 64 MB, unless they are set. They leave the blocks of a usual
    request alone: mapping these anew each time costs a third of reading 20,000 windows.
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):  # glibc
        libc.mallopt(TRIM_THRESHOLD, KEPT_FREE)
        libc.mallopt(MMAP_THRESHOLD, KEPT_FREE)
        libc.mallopt(ARENA_MAX, ARENAS)


def _loaded(application: str) -> Callable[..., Any]:
    """Load all that requests and tasks need, so that children share it."""
    from django.urls import get_resolver
    from granian import server  # noqa: F401

    from commontime.mail.delivery import load_composers
    from commontime.program import queue  # noqa: F401

    module, _, name = application.partition(":")
    loaded: Callable[..., Any] = getattr(import_module(module), name)
    _ = get_resolver().url_patterns
    load_composers()
    return loaded


def _prepare(*, web: bool) -> None:
    try:
        if web:
            _refuse_taken_port(settings.HOST.strip("[]"), settings.PORT)
        call_command("prepare")
    except CommandError as refusal:
        sys.exit(f"Commontime does not start: {refusal}")


def _refuse_taken_port(host: str, port: int) -> None:
    """Refuse a port that another process uses.

    The web server would share it with another web server, and visitors would reach either site.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        raise CommandError(
            f"Can’t listen on {host}:{port}: {reason}. Choose another port, for example PORT=8001."
        ) from None


def _listens() -> bool:
    host = settings.HOST.strip("[]")
    try:
        socket.create_connection((host, settings.PORT), timeout=1).close()
    except OSError:
        return False
    return True


def _answer_requests(application: Callable[..., Any]) -> None:
    """Be a web process. Each listens at the port; the kernel shares out the connections."""
    from granian.constants import HTTPModes, Interfaces, RuntimeModes
    from granian.log import LogLevels
    from granian.server import MPServer

    from commontime.config import bodies
    from commontime.core import crowd

    server = MPServer(
        APPLICATION,
        settings.HOST.strip("[]"),
        settings.PORT,
        interface=Interfaces.WSGI,
        # More than answer at once: the others wait, for bodies or turns.
        blocking_threads=settings.WEB_THREADS + bodies.SPARE_THREADS + 3 * crowd.MOST_WAITING,
        runtime_mode=RuntimeModes.mt,
        http=HTTPModes.http1,
        websockets=False,
        log_level=LogLevels.warning,
        log_dictconfig=GRANIAN_LOGGING,
    )
    server._init_shared_socket()  # type: ignore[no-untyped-call]
    # What granian's workers do. Its own supervisor would be one more process beside ours.
    worker = server._spawn_worker(0, MPServer._spawn_wsgi_worker, lambda: application)
    worker.inner.run()


def _work_on(queue: str) -> None:
    """Be a worker of a queue."""
    from django_ox.management.commands.ox_worker import install_stop_handlers

    from commontime.program.queue import QueueWorker

    if QUEUES[queue] == "planner":
        os.nice(MODESTY)
    worker = QueueWorker(queue)
    install_stop_handlers(worker)
    worker.run()

"""What `commontime run`, `web` and `worker` start."""

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
from commontime.core import memory, metrics, running
from commontime.program.supervisor import Process, Supervisor

APPLICATION = "commontime.config.wsgi:application"
# Who works on which queues: on one task of each at a time.
QUEUES = {"worker": ("default",), "planner": ("plans", "short-plans")}
MODESTY = 10  # how much a planner gives way to all that somebody waits for: nice(2)
# Granian's lines take our way out, so that they are lines like ours.
GRANIAN_LOGGING = {"handlers": {}, "formatters": {}, "loggers": {"_granian": {"propagate": True}}}
logger = logging.getLogger(__name__)


def serve(*, web: bool, workers: list[str], application: str = APPLICATION) -> int:
    """Run processes until they are told to stop. Returns the exit code.

    workers: names in QUEUES. They wait until the web answers, so as not to slow down its start.
    """
    memory.keep_little()
    threading.excepthook = _log_failed_thread
    if "sqlite" in settings.DATABASES["default"]["ENGINE"]:
        # REST framework loads it if it can, and all were 6 MB larger.
        sys.modules["psycopg"] = None  # type: ignore[assignment]
    django.setup()
    if not running.announce():
        sys.exit("Commontime does not start: `commontime restore` or `move-to` is at work.")
    if settings.METRICS_TOKEN:
        metrics.start()
    try:
        return _serve(web=web, workers=workers, load=_loaded(application))
    finally:
        metrics.stop()


def _serve(*, web: bool, workers: list[str], load: Callable[..., Any]) -> int:
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
    for name in workers:
        work = partial(_work_on, name)
        supervisor.start(*[Process(name, work) for _ in range(counts[name])])
    return supervisor.run()


def _log_failed_thread(failed: threading.ExceptHookArgs) -> None:
    """Write as a line of the log what Python would print as many."""
    logger.error("A thread failed.", exc_info=failed.exc_value)


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
        # More than answer at once: the others wait, for bodies or turns. One person leaves room for
        # others. Each thread takes 0.2 MB; whoever finds none waits in the server's own queue.
        blocking_threads=(settings.WEB_THREADS + bodies.SPARE_THREADS + crowd.MOST_REQUESTS_OF_ONE),
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


def _work_on(name: str) -> None:
    """Be a worker."""
    from django_ox.management.commands.ox_worker import install_stop_handlers

    from commontime.program.queue import QueueWorker

    if name == "planner":
        os.nice(MODESTY)
    worker = QueueWorker(*QUEUES[name])
    install_stop_handlers(worker)
    worker.run()

"""Bodies of requests: they arrive within a deadline, and never keep others from being answered.

The server hands over a request before its body, and then reads without a limit of time: a few
clients that send one byte of a thousand would hold all its threads. So there are more threads than
slow bodies may wait for, and the connections of late ones are closed.
"""

import contextlib
import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from typing import Any

from django.conf import settings

PLACES = 16  # slow bodies that one process waits for at once
PLACES_OF_ONE = PLACES // 2  # of one network
SPARE_THREADS = 2 * PLACES  # as many again that are not known to be slow yet
SLOW = 1.0  # seconds; what arrives sooner is never refused, however many come at once
LOOK_EVERY = 1.0  # seconds
LAST_SENT = struct.Struct("=44xI")  # tcpi_last_data_sent, in milliseconds: linux/tcp.h


class NoPlace(Exception):
    """Too many slow bodies are waited for."""


class Late(Exception):
    """A body did not arrive whole within the deadline."""


class Arrivals:
    """The bodies a process waits for."""

    def __init__(self) -> None:
        self._waiting: dict[object, tuple[float, str]] = {}
        self._lock = threading.Lock()
        self._watcher: threading.Thread | None = None

    @contextlib.contextmanager
    def place(self, network: str) -> Iterator[None]:
        """Wait for a body that a network sends. NoPlace if too many slow ones are waited for."""
        me, now = object(), time.monotonic()
        with self._lock:
            slow = [sender for begun, sender in self._waiting.values() if now - begun > SLOW]
            if len(slow) >= PLACES or slow.count(network) >= PLACES_OF_ONE:
                raise NoPlace
            self._waiting[me] = now, network
            if self._watcher is None:
                self._watcher = threading.Thread(target=self._watch, daemon=True)
                self._watcher.start()
        try:
            yield
        finally:
            with self._lock:
                del self._waiting[me]

    def _watch(self) -> None:
        while True:
            time.sleep(LOOK_EVERY)
            with self._lock:
                now = time.monotonic()
                waits = [now - begun for begun, _ in self._waiting.values()]
            # When more came at once than there are places, all must hurry.
            is_crowded = sum(wait > SLOW for wait in waits) > PLACES
            deadline = SLOW + LOOK_EVERY if is_crowded else settings.BODY_SECONDS
            if max(waits, default=0) > deadline:
                hang_up(deadline - LOOK_EVERY)


arrivals = Arrivals()


def read(stream: Any, length: int | None, *, network: str) -> bytes:
    """Return a body of this length, or of any that is allowed: then a byte more at most."""
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1 if length is None else length
    body = bytearray()
    with arrivals.place(network):
        while len(body) < most and (chunk := stream.read(most - len(body))):
            body += chunk
    if length is not None and len(body) < length:
        raise Late
    return bytes(body)


def hang_up(seconds: float) -> None:
    """Read no more from clients to whom nothing was sent for so long.

    Whoever waits for a late body is among them; which connection it is, the server tells nobody.
    The others are idle, or wait for an answer longer than any should take. A late one can still
    read its answer.
    """
    if not hasattr(socket, "TCP_INFO"):  # only Linux has it
        return
    for descriptor in map(int, os.listdir("/proc/self/fd")):
        with contextlib.suppress(OSError), _client(descriptor) as client:
            info = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, LAST_SENT.size)
            if LAST_SENT.unpack(info)[0] > seconds * 1000:
                client.shutdown(socket.SHUT_RD)


def _client(descriptor: int) -> socket.socket:
    """Return the connection of a client. OSError if the descriptor is anything else."""
    one = socket.socket(fileno=os.dup(descriptor))
    with contextlib.ExitStack() as stack:
        stack.callback(one.close)
        is_ours = one.family in {socket.AF_INET, socket.AF_INET6} and (
            one.getsockname()[1] == settings.PORT
        )
        if not is_ours or one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            raise OSError
        stack.pop_all()
    return one

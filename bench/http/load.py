"""Send requests over several connections, as a small load generator.

All run in one thread; each connection is kept alive, and has one request under way.
"""

import json
import selectors
import socket
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

Address = tuple[str, int]


@dataclass
class Answers:
    """The statuses, sizes and times of answers.

    seconds: when each answer was complete, from the start.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    body_bytes: int = 0
    seconds: list[float] = field(default_factory=list)
    wall: float = 0.0
    last: bytes = b""

    def require(self, *statuses: int) -> "Answers":
        """Raise unless all answers have one of these statuses."""
        if set(self.statuses) - set(statuses):
            raise RuntimeError(
                f"expected {statuses}, got {dict(self.statuses)}: {self.last[:300]!r}"
            )
        return self


def request(method: str, path: str, token: str = "", body: Any = None, **headers: str) -> bytes:
    """Return the bytes of one HTTP/1.1 request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Accept: application/json"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    content = b"" if body is None else json.dumps(body).encode()
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


class Connection:
    """A connection. `send` a request, then `receive` until it returns the answer's status."""

    def __init__(self, address: Address) -> None:
        self.socket = socket.create_connection(address, timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()
        self.body = b""
        self.head_end = self.end = -1
        self.sent_at = 0.0

    def send(self, data: bytes) -> None:
        self.sent_at = time.perf_counter()
        self.socket.sendall(data)

    def receive(self) -> int:
        """Read, and return the status once the answer is whole, else 0."""
        chunk = self.socket.recv(1 << 18)
        if not chunk:
            raise RuntimeError("the server closed the connection")
        self.buffer += chunk
        if self.head_end < 0:
            self.head_end = self.buffer.find(b"\r\n\r\n")
            if self.head_end < 0:
                return 0
            head = bytes(self.buffer[: self.head_end]).lower()
            _, has_length, rest = head.partition(b"\r\ncontent-length:")
            if not has_length and head[9:12] not in (b"204", b"304"):
                raise RuntimeError(f"an answer without its length: {head[:300]!r}")
            self.end = self.head_end + 4 + (int(rest.partition(b"\r\n")[0]) if has_length else 0)
        if len(self.buffer) < self.end:
            return 0
        self.body = bytes(self.buffer[self.head_end + 4 : self.end])
        status = int(self.buffer[9:12])
        del self.buffer[: self.end]
        self.head_end = self.end = -1
        return status

    def ask(self, data: bytes) -> int:
        self.send(data)
        while not (status := self.receive()):
            pass
        return status

    def close(self) -> None:
        self.socket.close()


def ask(address: Address, data: bytes) -> tuple[int, bytes]:
    """Send one request on a connection of its own."""
    connection = Connection(address)
    try:
        return connection.ask(data), connection.body
    finally:
        connection.close()


def run(address: Address, requests: Iterable[bytes], *, connections: int) -> Answers:
    """Send all requests, each as soon as a connection is free."""
    todo = iter(requests)
    answers = Answers()
    with selectors.DefaultSelector() as selector:
        opened = [Connection(address) for _ in range(connections)]
        began = time.perf_counter()
        for connection in opened:
            if (data := next(todo, None)) is not None:
                selector.register(connection.socket, selectors.EVENT_READ, connection)
                connection.send(data)
        while selector.get_map():
            for key, _ in selector.select(30) or _silence():
                connection = key.data
                if not (status := connection.receive()):
                    continue
                _note(answers, connection, status, began)
                if (data := next(todo, None)) is None:
                    selector.unregister(connection.socket)
                else:
                    connection.send(data)
        for connection in opened:
            connection.close()
    answers.wall = answers.seconds[-1] if answers.seconds else 0.0
    return answers


def storm(address: Address, scripts: Sequence[Sequence[bytes]], *, within: float) -> Answers:
    """Send everybody's requests, each over a connection of their own.

    People come evenly within so many seconds, and send one request after another.
    """
    answers = Answers()
    with selectors.DefaultSelector() as selector:
        began = time.perf_counter()
        waiting = list(enumerate(scripts))
        opened: list[Connection] = []
        while waiting or selector.get_map():
            while waiting and time.perf_counter() - began >= waiting[0][0] * within / len(scripts):
                connection = Connection(address)
                opened.append(connection)
                script: Iterator[bytes] = iter(waiting.pop(0)[1])
                selector.register(connection.socket, selectors.EVENT_READ, (connection, script))
                connection.send(next(script))
            for key, _ in selector.select(0.002 if waiting else 30) or (
                [] if waiting else _silence()
            ):
                connection, script = key.data
                if not (status := connection.receive()):
                    continue
                _note(answers, connection, status, began)
                if (data := next(script, None)) is None:
                    selector.unregister(connection.socket)
                else:
                    connection.send(data)
        for connection in opened:
            connection.close()
    answers.wall = answers.seconds[-1]
    return answers


def _note(answers: Answers, connection: Connection, status: int, began: float) -> None:
    answers.statuses[status] += 1
    answers.body_bytes += len(connection.body)
    answers.seconds.append(time.perf_counter() - began)
    answers.last = connection.body


def _silence() -> Any:
    raise RuntimeError("the server has not answered for 30 seconds")

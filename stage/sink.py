"""Run a mail server that misbehaves on demand, over real sockets."""

import asyncio
import contextlib
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from stage.ports import free_port

SILENCE = "silence"  # reply after the client has given up
DROP = "drop"  # hang up instead of replying
LOSE_REPLY = "take the mail, hang up instead of replying"
HANG_UP_AFTER = "take the mail, reply, hang up"


@dataclass
class Received:
    sender: str
    recipients: list[str]
    content: bytes
    at: float = field(default_factory=time.monotonic)

    @property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.content, policy=policy.default)

    @property
    def message_id(self) -> str:
        return str(self.message["Message-ID"])


class Sink:
    """A mail server that accepts everything but what it is told.

    rcpt, data: its next replies, instead of accepting. It thinks `delay` seconds about each
    recipient.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self.received: list[Received] = []
        self.rcpt: deque[str] = deque()
        self.data: deque[str] = deque()
        self.asked = 0
        self.delay = 0.0
        self._controller: Controller | None = None

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def recipients(self) -> list[str]:
        return [address for mail in self.received for address in mail.recipients]

    def start(self) -> None:
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def stop(self) -> None:
        if self._controller:
            self._controller.stop()
            self._controller = None

    async def handle_RCPT(
        self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        self.asked += 1
        if self.delay:
            await asyncio.sleep(self.delay)
        reply = self.rcpt.popleft() if self.rcpt else "250 OK"
        if reply == SILENCE:
            await asyncio.sleep(5)
        elif reply == DROP:
            server.transport.abort()
        elif reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:
        reply = self.data.popleft() if self.data else "250 OK"
        if reply in (LOSE_REPLY, HANG_UP_AFTER) or reply.startswith("250"):
            self.received.append(Received(envelope.mail_from, envelope.rcpt_tos, envelope.content))
        if reply in (DROP, LOSE_REPLY):
            server.transport.abort()
        if reply == HANG_UP_AFTER:
            # As soon as the reply is written: later, the client could be in the middle of its next
            # mail. Close, not abort: a reset could take the reply away again before a busy client
            # has read it.
            asyncio.get_running_loop().call_soon(server.transport.close)
            return "250 OK"
        return reply


@contextlib.contextmanager
def silent_server() -> Iterator[int]:
    """Yield the port of a server that says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@contextlib.contextmanager
def greeting_server(greeting: bytes) -> Iterator[int]:
    """Yield the port of a server that greets and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        connection.sendall(greeting)

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]


@contextlib.contextmanager
def endless_server(piece: bytes, pause: float) -> Iterator[int]:
    """Yield the port of a server whose greeting has no end."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection, contextlib.suppress(OSError):
                        while True:
                            connection.sendall(piece)
                            time.sleep(pause)

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]

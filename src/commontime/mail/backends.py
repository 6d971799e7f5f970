"""Where mails go: to a server, or into files where there is none."""

import contextlib
import hashlib
import os
import smtplib
import socket
import threading
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any, override

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend

MOST_LINES = 100  # of a reply; an honest one has a line for each thing that the server can do


class _Lines:
    """The lines of a server's reply, and no more than an honest one has."""

    def __init__(self, file: Any) -> None:
        self.file, self.left, self.close = file, 0, file.close

    def readline(self, longest: int) -> bytes:
        self.left -= 1
        if self.left < 0:
            raise smtplib.SMTPServerDisconnected("The reply has no end.")
        return bytes(self.file.readline(longest))


class _Bounded(smtplib.SMTP):
    """A connection on which each reply must be whole within the timeout.

    Python's own starts it anew with each byte, and keeps all lines: so a server that never comes to
    an end would hold the worker, or fill its memory.
    """

    @override
    def getreply(self) -> tuple[int, bytes]:
        if self.sock is None:
            return super().getreply()
        if self.file is None:
            self.file = _Lines(self.sock.makefile("rb"))
        self.file.left = MOST_LINES
        is_late = threading.Event()
        hang_up = threading.Timer(self.timeout, _shut, [self.sock, is_late])
        hang_up.daemon = True
        hang_up.start()
        try:
            return super().getreply()
        except OSError:
            if is_late.is_set():
                raise TimeoutError("timed out") from None
            raise
        finally:
            hang_up.cancel()


class _BoundedOverTLS(_Bounded, smtplib.SMTP_SSL):
    pass


def _shut(connection: socket.socket, is_late: threading.Event) -> None:
    is_late.set()
    with contextlib.suppress(OSError):
        # The plain socket's: what belongs to TLS is in use by the thread that waits.
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


class ServerBackend(EmailBackend):
    """Hand mails to a server that may be slow, silent or mad."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return _BoundedOverTLS if self.use_ssl else _Bounded


def file_name(message_id: str) -> str:
    """Return the name of the file for a Message-ID. The same mail written twice is one file."""
    return hashlib.sha256(message_id.encode()).hexdigest() + ".eml"


def mail_folder() -> Path | None:
    """Return where the mails are kept as files. None if there is a mail server."""
    folder = settings.MAILERS["default"].get("OPTIONS", {}).get("folder")
    return Path(folder) if folder else None


class FileBackend(BaseEmailBackend):
    """Write each mail into `folder`, whole or not at all."""

    def __init__(self, *, folder: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.folder = Path(folder)

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for mail in email_messages:
            content = mail.message()
            target = self.folder / file_name(content["Message-ID"])
            draft = target.with_suffix(f".{uuid.uuid4().hex}.part")
            try:
                with open(
                    os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb"
                ) as file:
                    file.write(content.as_bytes())
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(draft, target)
            finally:
                draft.unlink(missing_ok=True)
        return len(email_messages)

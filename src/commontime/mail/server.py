"""The mail server, for a batch of mails."""

import contextlib
import re
import smtplib
import time

from django.core.mail import EmailMessage, mailers
from django.core.mail.backends.base import BaseEmailBackend

SERVICE_NOT_AVAILABLE = 421
AT_ONCE = 2.0  # seconds


class Refused(Exception):
    """The server refuses this mail: `for_good`, or not now."""

    def __init__(self, reply: str, *, for_good: bool) -> None:
        super().__init__(reply)
        self.reply = reply
        self.for_good = for_good


class ServerAway(Exception):
    """The server did not answer, hung up, or takes no mail from anybody at the moment.

    `only_this_connection`: it hung up at once after mails it had taken, so it may well be there for
    a new connection.
    """

    def __init__(self, reply: str) -> None:
        super().__init__(reply)
        self.reply = reply
        self.only_this_connection = False


class Server:
    """One connection, opened when needed. It is opened again after it broke."""

    def __init__(self) -> None:
        self._backend: BaseEmailBackend | None = None
        self._is_new = True

    def open(self) -> None:
        """Connect unless connected; ServerAway if that fails."""
        if self._backend is not None:
            return
        backend = mailers.default
        try:
            backend.open()
        except OSError as error:
            raise ServerAway(_one_line(error)) from error
        self._backend = backend
        self._is_new = True

    def send(self, mail: EmailMessage) -> None:
        """Hand the mail over. Refused or ServerAway if the server did not accept it."""
        assert self._backend is not None
        started = time.monotonic()
        try:
            self._backend.send_messages([mail])
        except OSError as error:  # smtplib's exceptions are OSErrors
            verdict = _verdict(error)
            if isinstance(verdict, ServerAway):
                verdict.only_this_connection = (
                    not self._is_new and time.monotonic() - started < AT_ONCE
                )
                self.close()
            self._is_new = False
            raise verdict from error
        self._is_new = False

    def close(self) -> None:
        if self._backend is not None:
            with contextlib.suppress(OSError):
                self._backend.close()
            self._backend = None


def _verdict(error: OSError) -> Refused | ServerAway:
    match error:
        case smtplib.SMTPRecipientsRefused(recipients=recipients):
            code, reply = next(iter(recipients.values()))
        case (
            smtplib.SMTPSenderRefused(smtp_code=code, smtp_error=reply)
            | smtplib.SMTPDataError(smtp_code=code, smtp_error=reply)
        ):
            pass
        case _:
            return ServerAway(_one_line(error))
    if code == SERVICE_NOT_AVAILABLE:
        return ServerAway(_one_line(error))
    # Our own sender refused is the operator's to mend: it says nothing about the recipient.
    for_good = code >= 500 and not isinstance(error, smtplib.SMTPSenderRefused)
    text = reply.decode(errors="replace") if isinstance(reply, bytes) else str(reply)
    return Refused(_one_line(f"{code} {text}"), for_good=for_good)


def _one_line(value: object) -> str:
    text = re.sub(r"[\x00-\x20\x7f-\x9f\u2028\u2029\ud800-\udfff]+", " ", str(value)).strip()
    return (text or type(value).__name__)[:500]

"""Trying the mail server out, and saying in plain words what is wrong with it."""

import smtplib
import socket
import ssl
import uuid
from contextlib import closing
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, mailers

from commontime.mail.addresses import ascii_address
from commontime.mail.backends import mail_folder


class Failed(Exception):
    """A sentence: what is wrong with the mail server, and what to try."""


def connect() -> None:
    """Connect to the mail server and sign in, or raise Failed."""
    backend: Any = mailers.default
    try:
        with closing(backend):
            backend.open()
    except OSError as error:
        raise Failed(_sentence(error)) from error


def send(address: str) -> None:
    """Send a short mail now, past the outbox, or raise BadAddress or Failed."""
    host = settings.BASE_HOST
    mail = EmailMessage(
        "A test from Commontime",
        f"Commontime at {settings.COMMONTIME_BASE_URL} can send email.\n",
        to=[ascii_address(address)],
        headers={
            "Message-ID": f"<{uuid.uuid4().hex}@{f'[IPv6:{host}]' if ':' in host else host}>",
            "Auto-Submitted": "auto-generated",
        },
    )
    try:
        mailers.default.send_messages([mail])
    except OSError as error:  # smtplib's exceptions are OSErrors
        raise Failed(_sentence(error)) from error


def server_name() -> str:
    """Return the mail server as host and port; "" if mails are kept as files."""
    if mail_folder() is not None:
        return ""
    options = settings.MAILERS["default"].get("OPTIONS", {})
    return f"{options['host']}:{options['port']}"


def _sentence(error: OSError) -> str:
    server = server_name()
    if isinstance(error.__context__, TimeoutError):
        error = error.__context__  # smtplib calls a silent server a disconnected one
    match error:
        case smtplib.SMTPException():
            return _smtp_sentence(error, server)
        case ssl.SSLCertVerificationError():
            return (
                f"The certificate of {server} can’t be trusted: {error.verify_message}. Use the "
                "name that is in the certificate, or have it renewed."
            )
        case ssl.SSLError():
            return (
                f"{server} doesn’t begin with TLS. For port 587 write smtp+tls:// instead of "
                "smtps:// in COMMONTIME_SMTP_URL."
            )
        case socket.gaierror():
            return f"There is no host like in {server}. Check the name in COMMONTIME_SMTP_URL."
        case TimeoutError():
            return (
                f"{server} didn’t answer in time. A firewall may be in between, or the port "
                "expects TLS: try smtps:// with port 465."
            )
        case ConnectionRefusedError():
            return f"Nothing listens on {server}. Check host and port in COMMONTIME_SMTP_URL."
        case _:
            return f"The connection to {server} failed: {error}."


def _smtp_sentence(error: smtplib.SMTPException, server: str) -> str:
    match error:
        case smtplib.SMTPAuthenticationError():
            return (
                f"{server} refused the user name or password in COMMONTIME_SMTP_URL: "
                f"{_reply(error)}. Percent-encode special characters (/ is %2F)."
            )
        case smtplib.SMTPNotSupportedError():
            return (
                f"{server} can’t do what COMMONTIME_SMTP_URL asks for: {error} smtp:// uses no "
                "encryption, smtp+tls:// needs STARTTLS, and a password needs AUTH."
            )
        case smtplib.SMTPSenderRefused():
            return (
                f"{server} refused the sender {settings.DEFAULT_FROM_EMAIL}: {_reply(error)}. Set "
                "COMMONTIME_MAIL_FROM to an address this server sends for, or give a user name "
                "and password in COMMONTIME_SMTP_URL."
            )
        case smtplib.SMTPRecipientsRefused(recipients=recipients):
            code, reply = next(iter(recipients.values()))
            return f"{server} refused the recipient: {code} {_text(reply)}."
        case smtplib.SMTPServerDisconnected():
            return (
                f"{server} hung up. The port may expect TLS from the start: try smtps:// with "
                "port 465."
            )
        case smtplib.SMTPResponseException():
            return f"{server} refused the mail: {_reply(error)}."
        case _:
            return f"{server} refused: {error}."


def _reply(error: smtplib.SMTPResponseException) -> str:
    return f"{error.smtp_code} {_text(error.smtp_error)}"


def _text(reply: bytes | str) -> str:
    text = reply.decode(errors="replace") if isinstance(reply, bytes) else reply
    return " ".join("".join(c if c.isprintable() else " " for c in text).split()).rstrip(".")

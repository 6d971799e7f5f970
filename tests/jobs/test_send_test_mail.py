"""What a test mail says when it fails, over real connections."""

import contextlib
import io
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from django.core.management import CommandError, call_command

from commontime.config.settings import mailer
from commontime.mail import trial
from stage.ports import free_port
from stage.sink import Sink, greeting_server, silent_server


def send(address: str = "mina@example.org") -> str:
    output = io.StringIO()
    call_command("send_test_mail", address, stdout=output)
    return output.getvalue()


def refusal(settings, url: str) -> str:
    """Return what the command says with this mail server."""
    settings.MAILERS = {"default": mailer(url)}
    settings.MAILERS["default"].setdefault("OPTIONS", {})["timeout"] = 1
    with pytest.raises(CommandError) as refused:
        send()
    return str(refused.value)


def test_the_mail_goes_out_at_once(sink):
    said = send()

    assert said == f"127.0.0.1:{sink.port} accepted the email to mina@example.org.\n"
    assert sink.recipients == ["mina@example.org"]
    assert sink.received[0].message["Subject"] == "A test from Commontime"


def test_without_a_mail_server_nothing_is_sent(settings, tmp_path):
    settings.MAILERS = {"default": mailer("")}

    with pytest.raises(CommandError, match=r"There is no mail server, so nothing was sent: "):
        send()


@pytest.mark.parametrize("address", ["mina", "", "mina@example.org, sam@example.org", "a@b\nc"])
def test_what_is_no_address_is_refused(sink, address):
    with pytest.raises(CommandError, match="is not an email address"):
        send(address)

    assert sink.received == []


def test_a_refused_recipient_is_told_with_the_reply(sink):
    sink.rcpt.append("550 5.1.1 Who is that?")

    with pytest.raises(CommandError, match=r"refused the recipient: 550 5\.1\.1 Who is that\?\."):
        send()


def test_a_refused_mail_is_told_with_the_reply(sink):
    sink.data.append("554 5.7.1 Spam")

    with pytest.raises(CommandError, match=r"refused the mail: 554 5\.7\.1 Spam\."):
        send()


class Picky(Sink):
    """A server that lets only mina's password in, and refuses each sender."""

    def start(self) -> None:
        self._controller = Controller(
            self,
            hostname="127.0.0.1",
            port=self.port,
            authenticator=self.judge,
            auth_require_tls=False,
        )
        self._controller.start()

    def judge(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> Any:
        return AuthResult(success=data.password == b"right", handled=False)

    async def handle_MAIL(
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        return "553 5.7.1 Sender address rejected: not owned by user"


@pytest.fixture
def picky() -> Iterator[Picky]:
    picky = Picky()
    picky.start()
    yield picky
    picky.stop()


def test_a_refused_sender_names_the_setting(settings, picky):
    said = refusal(settings, f"smtp://mina:right@127.0.0.1:{picky.port}")

    assert f"refused the sender {settings.DEFAULT_FROM_EMAIL}: 553 5.7.1 Sender" in said
    assert "Set COMMONTIME_MAIL_FROM" in said


def test_a_bad_password_is_told_and_not_shown(settings, picky):
    said = refusal(settings, f"smtp://mina:wrong@127.0.0.1:{picky.port}")

    assert "refused the user name or password in COMMONTIME_SMTP_URL: 535" in said
    assert "wrong" not in said


def test_a_server_without_starttls_is_told(settings, sink):
    assert "smtp+tls:// needs STARTTLS" in refusal(settings, f"smtp+tls://127.0.0.1:{sink.port}")


def test_a_server_that_takes_no_password_is_told(settings, sink):
    said = refusal(settings, f"smtp://mina:right@127.0.0.1:{sink.port}")

    assert "refused the user name or password" in said or "a password needs AUTH" in said


def test_tls_on_a_port_without_is_told(settings, sink):
    said = refusal(settings, f"smtps://127.0.0.1:{sink.port}")

    assert "doesn’t begin with TLS. For port 587 write smtp+tls:// instead of smtps://" in said


def test_a_server_that_nobody_can_trust_is_told(settings, tmp_path):
    with tls_server(tmp_path) as port:
        said = refusal(settings, f"smtps://127.0.0.1:{port}")

    assert f"The certificate of 127.0.0.1:{port} can’t be trusted: self-signed" in said


@contextlib.contextmanager
def tls_server(folder: Path) -> Iterator[int]:
    """Yield the port of a server whose certificate nobody has signed."""
    key, certificate = str(folder / "key"), str(folder / "certificate")
    subject = ["-subj", "/CN=127.0.0.1", "-days", "2"]
    files = ["-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate]
    subprocess.run(["openssl", "req", "-x509", *subject, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with contextlib.suppress(OSError):
                        context.wrap_socket(connection, server_side=True).close()

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]


def test_a_closed_port_is_told(settings):
    port = free_port()

    assert f"Nothing listens on 127.0.0.1:{port}." in refusal(settings, f"smtp://127.0.0.1:{port}")


def test_a_name_that_nobody_has_is_told(settings):
    assert "There is no host like in mail.invalid:25." in refusal(settings, "smtp://mail.invalid")


def test_a_silent_server_is_told(settings):
    with silent_server() as port:
        assert "didn’t answer in time" in refusal(settings, f"smtp://127.0.0.1:{port}")


def test_a_server_that_refuses_everybody_is_told(settings):
    with greeting_server(b"554 5.7.1 Not you\r\n") as port:
        assert "554 5.7.1 Not you" in refusal(settings, f"smtp://127.0.0.1:{port}")


def test_connecting_sends_nothing(sink):
    trial.connect()

    assert (sink.asked, sink.received) == (0, [])

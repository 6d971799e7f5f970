"""What `commontime check` calls wrong."""

import contextlib
import shutil
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.conf import settings as real
from django_ox.models import OxTask

from commontime.config.settings import mailer
from commontime.core import clock
from commontime.jobs import checks
from commontime.jobs.tasks import clean_up
from commontime.mail.enums import State
from commontime.mail.models import Message
from stage.ports import free_port
from stage.servers import open_site, wait_until

NAMES = [
    "settings",
    "database",
    "migrations",
    "mail server",
    "base URL",
    "proxy",
    "clock",
    "disk space",
    "worker",
]


@pytest.mark.processes
def test_a_running_commontime_is_well_and_a_stopped_one_is_not():
    with open_site() as site:
        well = wait_until(lambda: (done := site.commontime("check")).returncode == 0 and done)
        site.stop()
        stopped = site.commontime("check")

    assert [line.partition(":")[0] for line in well.stdout.splitlines()] == [
        f"ok     {name}" for name in NAMES
    ]
    assert stopped.returncode == 1
    assert "WRONG  base URL: " in stopped.stdout
    assert "Is Commontime running" in stopped.stdout


@pytest.mark.processes
def test_without_a_database_the_rest_is_told_all_the_same():
    with open_site(start=False) as site:
        nowhere = f"postgresql://x@127.0.0.1:{free_port()}/x"
        done = site.commontime("check", DATABASE_URL=nowhere)

    assert done.returncode == 1
    assert "WRONG  database: Can’t connect to the database: connection" in done.stdout
    assert "?      worker: not checked" in done.stdout
    assert "ok     mail server: 127.0.0.1:" in done.stdout


@pytest.mark.django_db
def test_a_database_of_another_version_is_wrong(monkeypatch):
    assert checks.migrations() == "up to date"
    monkeypatch.setattr(checks, "is_migrated", lambda: False)

    with pytest.raises(checks.Wrong, match="Run: commontime prepare"):
        checks.migrations()


def test_a_mail_server_that_is_away_is_wrong(settings):
    settings.MAILERS = {"default": mailer(f"smtp://127.0.0.1:{free_port()}")}

    with pytest.raises(checks.Wrong, match="Nothing listens on"):
        checks.mail_server()


def test_mails_kept_as_files_are_fine(settings):
    settings.MAILERS = {"default": mailer("")}

    assert checks.mail_server().startswith("none; ")


@contextlib.contextmanager
def another_server(status: int, content: bytes) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "content", "sentence"),
    [
        (200, b"Welcome to nginx!", "Something else than Commontime answers"),
        (502, b"", "answers 502. Does the proxy pass requests on"),
    ],
)
def test_another_server_at_the_base_url_is_wrong(settings, status, content, sentence):
    with another_server(status, content) as url:
        settings.COMMONTIME_BASE_URL = url

        with pytest.raises(checks.Wrong, match=sentence):
            checks.base_url()


def test_commontime_at_the_base_url_is_fine(settings):
    with another_server(200, b"ok") as url:
        settings.COMMONTIME_BASE_URL = url

        assert checks.base_url() == f"{url} answers"


def test_https_without_a_trusted_proxy_is_wrong(settings):
    settings.HTTPS, settings.TRUSTED_PROXIES = True, []

    with pytest.raises(checks.Wrong, match="share one limit"):
        checks.proxy()

    settings.TRUSTED_PROXIES = ["127.0.0.1/32"]
    assert checks.proxy() == "trusted: 127.0.0.1/32"


@pytest.mark.django_db
def test_a_clock_that_goes_behind_what_was_stored_is_wrong():
    later = clock.now() + timedelta(hours=1)
    assert checks.clocks().endswith("UTC")
    Message.objects.create(
        kind="x", event="x", recipient="x", state=State.QUEUED, due_at=later, created_at=later
    )

    with pytest.raises(checks.Wrong, match="Set the clock by NTP"):
        checks.clocks()


@pytest.mark.django_db
@pytest.mark.postgresql
def test_a_clock_apart_from_the_database_is_wrong(monkeypatch):
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now - timedelta(minutes=2))

    with pytest.raises(checks.Wrong, match="seconds apart"):
        checks.clocks()


def test_a_full_disk_is_wrong(monkeypatch):
    usage = shutil.disk_usage(real.DATA_DIR)._replace(free=50_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)

    with pytest.raises(checks.Wrong, match="Only 50 MB are free"):
        checks.disk_space()


@pytest.mark.django_db
def test_a_worker_that_is_gone_is_wrong():
    with pytest.raises(checks.Wrong, match="No worker has run yet"):
        checks.worker()

    clean_up.enqueue()
    for seconds, is_well in ((20, True), (90, False)):
        OxTask.objects.update(last_attempted_at=clock.now() - timedelta(seconds=seconds))
        if is_well:
            assert checks.worker().startswith("worked 20 seconds ago")
        else:
            with pytest.raises(checks.Wrong, match="has done nothing for 90 seconds"):
                checks.worker()

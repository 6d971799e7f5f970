"""Real worker processes, several at once, killed and put to sleep: cases ML-04, ML-05 and ML-15."""

import json
import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from stage.sink import Sink

pytestmark = pytest.mark.processes
ROOT = Path(__file__).parents[2]


class Site:
    """A database of its own, and processes of the product that use it."""

    def __init__(self, database_url: str, smtp_url: str, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.mail.process_settings",
            "DATABASE_URL": database_url,
            "COMMONTIME_SMTP_URL": smtp_url,
            "COMMONTIME_DATA_DIR": str(folder),
        }
        self.workers: list[subprocess.Popen[bytes]] = []
        self.run("manage.py", "migrate", "--verbosity", "0")

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def post(self, count: int, *, at_a_time: int) -> None:
        self.run(
            "manage.py",
            "shell",
            "--no-imports",
            "-c",
            "from commontime.mail import outbox\nfrom tests.mail.cast import notice\n"
            f"for first in range(0, {count}, {at_a_time}):\n"
            f"    outbox.post(notice(first + n) for n in range({at_a_time}))",
        )

    def ask(self, imports: str, question: str) -> list[Any]:
        answer = self.run(
            "manage.py",
            "shell",
            "--no-imports",
            "-c",
            f"import json\n{imports}\nprint(json.dumps(list({question})))",
        )
        return list(json.loads(answer))

    def states(self) -> Counter[str]:
        return Counter(
            self.ask(
                "from commontime.mail.models import Message",
                "Message.objects.values_list('state', flat=True)",
            )
        )

    def busy_workers(self) -> int:
        names = self.ask(
            "from django_ox.models import OxTask",
            "OxTask.objects.values_list('worker_ids', flat=True)",
        )
        return len({name for some in names for name in some})

    def start_worker(self) -> subprocess.Popen[bytes]:
        log = (self.folder / "worker.log").open("ab")
        command = [sys.executable, "manage.py", "ox_worker", "--interval", "0.1"]
        worker = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=log, stderr=log)
        self.workers.append(worker)
        return worker

    @property
    def log(self) -> str:
        return (self.folder / "worker.log").read_text()

    def stop(self) -> None:
        for worker in self.workers:
            if worker.poll() is None:
                worker.send_signal(signal.SIGCONT)
                worker.kill()
            worker.wait()


@pytest.fixture
def database_url(tmp_path) -> Iterator[str]:
    """A new database of the kind the tests run on."""
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgres"):
        yield f"sqlite:///{tmp_path / 'mail.sqlite3'}"
        return
    name = f"mail_{uuid.uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def open_site(database_url, tmp_path) -> Iterator[Callable[..., Site]]:
    sink = Sink()
    sink.start()
    sites: list[Site] = []

    def open_it(guard_off: str = "") -> tuple[Site, Sink]:
        site = Site(database_url, sink.url, tmp_path)
        site.environment["GUARD_OFF"] = guard_off
        sites.append(site)
        return site, sink

    yield open_it
    for site in sites:
        site.stop()
    sink.stop()


def wait_until(happened: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "It took too long."
        time.sleep(0.01)


def test_three_workers_send_three_hundred_mails_once_each(open_site):
    site, sink = open_site()
    for _ in range(3):
        site.start_worker()
    site.post(300, at_a_time=10)

    wait_until(lambda: len(sink.received) >= 300)
    wait_until(lambda: site.states() == {"sent": 300})

    assert len(sink.received) == len(set(sink.recipients)) == 300
    assert site.busy_workers() == 3


def test_without_the_claim_they_would_send_some_twice(open_site):
    site, sink = open_site(guard_off="claim")
    sink.delay = 0.01
    for _ in range(3):
        site.start_worker()
    site.post(100, at_a_time=10)

    wait_until(lambda: len(set(sink.recipients)) == 100)

    assert len(sink.received) > 100


def kill_at_random(site: Site, sink: Sink, mails: int, kills: int) -> None:
    """Kill the one worker in the middle of its batch, several times."""
    sink.delay = 0.05
    site.post(mails, at_a_time=mails)
    chance = random.Random(1)
    for _ in range(kills):
        worker = site.start_worker()
        seen = len(sink.received)
        wait_until(lambda seen=seen: len(sink.received) > seen)
        time.sleep(chance.uniform(0, mails * sink.delay / (kills + 1)))
        worker.kill()
        worker.wait()
    sink.delay = 0
    site.start_worker()


def test_a_batch_of_fifty_survives_kills_at_random(open_site):
    site, sink = open_site()

    kill_at_random(site, sink, mails=50, kills=4)

    wait_until(lambda: site.states() == {"sent": 50})
    assert len(set(sink.recipients)) == 50
    assert len(sink.received) <= 54
    assert len({mail.message_id for mail in sink.received}) == 50


def test_marked_before_it_is_sent_a_mail_would_be_lost(open_site):
    site, sink = open_site(guard_off="mark after sending")

    kill_at_random(site, sink, mails=50, kills=4)

    wait_until(lambda: site.states() == {"sent": 50})
    assert len(set(sink.recipients)) < 50


def test_a_worker_that_was_stopped_for_longer_than_its_lease_sends_at_most_its_one_mail(open_site):
    site, sink = open_site()
    sink.delay = 1
    site.post(10, at_a_time=10)
    sleeper = site.start_worker()
    wait_until(lambda: sink.asked)
    sleeper.send_signal(signal.SIGSTOP)
    sink.delay = 0

    site.start_worker()
    wait_until(lambda: site.states() == {"sent": 10})
    assert len(set(sink.recipients)) == 10
    sleeper.send_signal(signal.SIGCONT)
    time.sleep(2)

    assert len(sink.received) <= 11
    assert len({mail.message_id for mail in sink.received}) == 10
    assert site.states() == {"sent": 10}
    assert "taken over by another worker" in site.log

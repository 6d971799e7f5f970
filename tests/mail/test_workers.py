"""Real worker processes, several at once, killed and put to sleep: cases ML-04, ML-05 and ML-15."""

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from stage.servers import ROOT, Site, open_site, wait_until

pytestmark = pytest.mark.processes
POST = """
from commontime.mail import outbox
from tests.mail.cast import notice
for first in range(0, {count}, {at_a_time}):
    outbox.post(notice(first + n) for n in range({at_a_time}))
"""


class Workers:
    """Processes that send the mails of a site, and nothing else of the product."""

    def __init__(self, site: Site) -> None:
        self.site, self.sink = site, site.sink
        self._running: list[subprocess.Popen[bytes]] = []

    def post(self, count: int, *, at_a_time: int) -> None:
        script = POST.format(count=count, at_a_time=at_a_time)
        self.site.manage("shell", "--no-imports", "-c", script)

    def start(self) -> subprocess.Popen[bytes]:
        with (self.site.folder / "worker.log").open("ab") as log:
            worker = subprocess.Popen(
                [sys.executable, "manage.py", "ox_worker", "--interval", "0.1"],
                cwd=ROOT,
                env=self.site.environment,
                stdout=log,
                stderr=log,
            )
        self._running.append(worker)
        return worker

    def states(self) -> dict[str, int]:
        return dict(self.site.sql("SELECT state, count(*) FROM mail_message GROUP BY state"))

    def busy(self) -> int:
        """Return how many have worked."""
        rows = self.site.sql("SELECT worker_ids FROM django_ox_oxtask")
        lists = [json.loads(ids) if isinstance(ids, str) else ids for (ids,) in rows]
        return len({name for names in lists for name in names})

    @property
    def log(self) -> str:
        return self.site.log("worker")

    def stop(self) -> None:
        for worker in self._running:
            if worker.poll() is None:
                worker.send_signal(signal.SIGCONT)
                worker.kill()
            worker.wait()


@pytest.fixture
def workers(request) -> Iterator[Workers]:
    with open_site(
        start=False,
        DJANGO_SETTINGS_MODULE="tests.mail.process_settings",
        GUARD_OFF=getattr(request, "param", ""),
    ) as site:
        workers = Workers(site)
        try:
            yield workers
        finally:
            workers.stop()


def without(guard: str) -> pytest.MarkDecorator:
    """Switch a guard of process_app.py off."""
    return pytest.mark.parametrize("workers", [guard], indirect=True)


def test_three_workers_send_three_hundred_mails_once_each(workers):
    for _ in range(3):
        workers.start()
    workers.post(300, at_a_time=10)

    wait_until(lambda: len(workers.sink.received) >= 300)
    wait_until(lambda: workers.states() == {"sent": 300})

    assert len(workers.sink.received) == len(set(workers.sink.recipients)) == 300
    assert workers.busy() == 3


@without("claim")
def test_without_the_claim_they_would_send_some_twice(workers):
    workers.sink.delay = 0.01
    for _ in range(3):
        workers.start()
    workers.post(100, at_a_time=10)

    wait_until(lambda: len(set(workers.sink.recipients)) == 100)

    assert len(workers.sink.received) > 100


def kill_at_random(workers: Workers, mails: int, kills: int) -> None:
    """Kill the one worker in the middle of its batch, several times."""
    workers.sink.delay = 0.05
    workers.post(mails, at_a_time=mails)
    chance = random.Random(1)
    for _ in range(kills):
        worker = workers.start()
        seen = len(workers.sink.received)
        wait_until(lambda seen=seen: len(workers.sink.received) > seen)
        time.sleep(chance.uniform(0, mails * workers.sink.delay / (kills + 1)))
        worker.kill()
        worker.wait()
    workers.sink.delay = 0
    workers.start()


def test_a_batch_of_fifty_survives_kills_at_random(workers):
    kill_at_random(workers, mails=50, kills=4)

    wait_until(lambda: workers.states() == {"sent": 50})
    assert len(set(workers.sink.recipients)) == 50
    assert len(workers.sink.received) <= 54
    assert len({mail.message_id for mail in workers.sink.received}) == 50


@without("mark after sending")
def test_marked_before_it_is_sent_a_mail_would_be_lost(workers):
    kill_at_random(workers, mails=50, kills=4)

    wait_until(lambda: workers.states() == {"sent": 50})
    assert len(set(workers.sink.recipients)) < 50


def test_a_worker_that_was_stopped_for_longer_than_its_lease_sends_at_most_its_one_mail(workers):
    workers.sink.delay = 1
    workers.post(10, at_a_time=10)
    sleeper = workers.start()
    wait_until(lambda: workers.sink.asked)
    sleeper.send_signal(signal.SIGSTOP)
    workers.sink.delay = 0

    workers.start()
    wait_until(lambda: workers.states() == {"sent": 10})
    assert len(set(workers.sink.recipients)) == 10
    sleeper.send_signal(signal.SIGCONT)
    time.sleep(2)

    assert len(workers.sink.received) <= 11
    assert len({mail.message_id for mail in workers.sink.received}) == 10
    assert workers.states() == {"sent": 10}
    assert "taken over by another worker" in workers.log

"""Two sets of processes that share only the database: as on two machines."""

import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest

from stage.servers import Site, open_site, wait_until

SECRET = "two-machines-" * 4
pytestmark = [pytest.mark.processes, pytest.mark.postgresql]  # SQLite is for one machine


@pytest.fixture
def machines():
    """One with the web alone, one with worker and planner alone, each with a folder of its own."""
    with open_site(start=False, COMMONTIME_SECRET_KEY=SECRET) as first:
        folder = Path(tempfile.mkdtemp(prefix="commontime-second-"))
        settings = {"COMMONTIME_SECRET_KEY": SECRET, "COMMONTIME_BASE_URL": first.url}
        second = Site(folder, first.database_url, first.sink, settings)
        try:
            first.start("web")
            yield first, second
        finally:
            second.close()
            shutil.rmtree(folder, ignore_errors=True)


def test_the_worker_of_another_machine_sends_the_mails_with_links_to_the_web(machines):
    first, second = machines
    mina = first.person()
    assert mina.post("/password_reset/", {"email": f"{mina.name}@example.org"}).status_code == 200
    assert not first.sink.received

    second.start("worker", "planner")

    wait_until(lambda: first.sink.received)
    assert f"{first.url}/" in first.sink.received[0].message.get_body(("plain",)).get_content()


def test_two_workers_on_two_machines_send_each_mail_once(machines):
    first, second = machines
    people = [first.person() for _ in range(9)]
    first.start("worker")
    second.start("worker")

    for person in people:
        person.post("/password_reset/", {"email": f"{person.name}@example.org"})

    wait_until(lambda: len(first.sink.received) >= len(people))
    wait_until(lambda: not first.count("mail_message", "state = 'queued'"))
    assert sorted(first.sink.recipients) == sorted(f"{each.name}@example.org" for each in people)


def test_a_machine_that_dies_leaves_its_work_to_the_other(machines):
    first, second = machines
    mina = first.person()
    second.start("worker")
    second.kill_all("worker")
    second.start("worker")
    os.kill(second.master("worker").pid, signal.SIGKILL)
    mina.post("/password_reset/", {"email": f"{mina.name}@example.org"})

    first.start("worker")

    wait_until(lambda: first.sink.received)

"""The queue's workers: what they take, what they leave, and what an idle one costs."""

import statistics
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_ox.models import OxTask

from commontime.calendars.tasks.plans import work_on_plan
from commontime.mail.tasks import deliver
from commontime.program.queue import POLL, QueueWorker
from stage.servers import open_site, wait_until

pytestmark = pytest.mark.django_db


def statements_of(act) -> int:
    with CaptureQueriesContext(connection) as statements:
        assert not act()
    return len(statements)


@pytest.mark.parametrize("queue", ["default", "plans"])
def test_looking_in_vain_costs_one_statement(queue):
    worker = QueueWorker(queue)

    assert statements_of(worker.claim_one) == 1
    assert statements_of(worker.reap) == 1


def test_a_worker_takes_the_tasks_of_its_queue_alone():
    deliver.enqueue()
    work_on_plan.enqueue("0" * 32)

    taken = QueueWorker("default").claim_one(), QueueWorker("plans").claim_one()

    assert [task.task_path.rpartition(".")[2] for task in taken] == ["deliver", "work_on_plan"]
    assert QueueWorker("default").claim_one() is None


def test_a_planner_works_on_one_plan_of_each_length():
    """A short plan never waits for a long one, and a long one leaves room for a short one."""
    for queue in ("plans", "plans", "short-plans"):
        work_on_plan.using(queue_name=queue).enqueue("0" * 32)
    planner = QueueWorker("plans", "short-plans")

    taken = [planner.claim_one(), planner.claim_one()]
    assert [task.queue_name for task in taken] == ["plans", "short-plans"]
    assert planner.claim_one() is None

    planner.execute(taken[0])
    assert planner.claim_one().queue_name == "plans"


def test_a_task_waits_for_its_time():
    deliver.enqueue()
    later = timezone.now() + timedelta(seconds=5)
    OxTask.objects.update(run_after=later)
    assert QueueWorker("default").claim_one() is None

    OxTask.objects.update(run_after=timezone.now())
    assert QueueWorker("default").claim_one()


def test_the_task_of_a_dead_worker_is_done_by_another():
    deliver.enqueue()
    QueueWorker("default").claim_one()
    other = QueueWorker("default")
    assert other.reap() == 0

    long_ago = timezone.now() - timedelta(minutes=1)
    OxTask.objects.update(locked_at=long_ago, lease_expires_at=long_ago + timedelta(seconds=30))

    assert other.reap() == 1
    assert other.claim_one()


def test_planners_leave_schedules_to_the_workers():
    """Both looked, so an idle planner cost as much as an idle worker."""
    planner, worker = QueueWorker("plans"), QueueWorker("default")

    assert time.monotonic() < planner.schedule_interval
    assert POLL < worker.schedule_interval < 15


@pytest.mark.processes
def test_a_mail_that_is_due_leaves_within_a_second():
    """The middle one of three, as the machine may be busy."""
    with open_site(start=False) as site:
        site.start("run")
        mina, took = site.person(), []
        for _ in range(3):
            wait_until(lambda: not site.count("django_ox_oxtask", "status IN ('READY', 'RUNNING')"))
            site.sink.received.clear()
            mina.post("/password_reset/", {"email": f"{mina.name}@example.org"})
            asked = time.monotonic()
            took.append(wait_until(lambda: site.sink.received)[0].at - asked)

    assert statistics.median(took) < 1, took

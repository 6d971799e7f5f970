"""Machines that are nobody ask whether the service is alive and ready."""

from datetime import timedelta

import pytest
from django.db import DatabaseError

from commontime.api import health
from commontime.core import clock
from tests.api.cast import a_worker_took_a_task, refused
from tests.client import caller

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/healthz/", "/readyz/"])
def test_a_working_service_says_ok(path):
    answer = caller().get(path, authorization="Bearer long-gone")

    assert (answer.status_code, answer.content) == (200, b"ok")


def test_without_its_database_it_is_alive_but_not_ready(monkeypatch):
    class Away:
        def cursor(self):
            raise DatabaseError("connection to server at 10.1.2.3 failed")

    monkeypatch.setattr(health, "connection", Away())

    assert caller().get("/healthz").status_code == 200
    answer = caller().get("/readyz")
    assert refused(answer, 503, "unavailable")
    assert answer["Retry-After"] == "5"
    assert b"10.1.2.3" not in answer.content


# The worker ---------------------------------------------------------------------------------------


def test_readyz_said_ok_with_no_worker_alive_for_minutes():
    a_worker_took_a_task(timedelta(seconds=70))

    answer = caller().get("/readyz?worker=1")

    assert refused(answer, 503, "unavailable")
    assert answer["Retry-After"] == "5"
    assert caller().get("/readyz").status_code == 200


def test_a_worker_that_has_just_taken_a_task_is_alive():
    a_worker_took_a_task(timedelta(seconds=50))

    assert caller().get("/readyz?worker=1").content == b"ok"


def test_a_worker_at_a_long_task_is_alive_as_long_as_it_says_so():
    task = a_worker_took_a_task(
        timedelta(minutes=5),
        status="RUNNING",
        lease_expires_at=clock.now() + timedelta(seconds=20),
    )
    assert caller().get("/readyz?worker=1").status_code == 200

    task.lease_expires_at = clock.now() - timedelta(seconds=1)
    task.save()
    assert caller().get("/readyz?worker=1").status_code == 503


def test_a_planner_is_no_worker():
    a_worker_took_a_task(queue_name="plans")

    assert caller().get("/readyz?worker=1").status_code == 503


def test_another_question_is_refused():
    assert refused(caller().get("/readyz?worker=2"), 400, "invalid_input", "worker")

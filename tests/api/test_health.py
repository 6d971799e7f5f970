"""Machines that are nobody ask whether the service is alive and ready."""

import pytest
from django.db import DatabaseError

from commontime.api import health
from tests.api.cast import refused
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

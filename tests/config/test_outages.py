"""An outage of the database is one line when it begins and one when it ends."""

import io
import logging
import threading

import pytest
from django.db import OperationalError

from commontime.config import outages
from commontime.config.outages import Outages
from stage.servers import wait_until


@pytest.fixture
def back(monkeypatch):
    """Set when the database is back."""
    event = threading.Event()
    monkeypatch.setattr(outages, "answers", event.is_set)
    monkeypatch.setattr(outages, "CALM", 0.0)
    monkeypatch.setattr(outages, "PAUSE", 0.01)
    event.set()
    wait_for_threads()  # of outages in other tests, which wait for this database now
    event.clear()
    yield event
    event.set()
    wait_for_threads()


def wait_for_threads() -> None:
    for thread in threading.enumerate():
        if thread.name == "outage":
            thread.join()


@pytest.fixture
def lines(back, monkeypatch):
    for handler in logging.getLogger().handlers:  # the product's own would tell of it too
        monkeypatch.setattr(handler, "filters", [])
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    handler.addFilter(Outages())
    logger = logging.getLogger()
    logger.addHandler(handler)
    yield lambda: written.getvalue().splitlines()
    logger.removeHandler(handler)


def fail(logger: str = "commontime", message: str = "It failed.") -> None:
    try:
        try:
            raise OperationalError("connection\nrefused")
        except OperationalError as error:
            raise RuntimeError("a task") from error
    except RuntimeError:
        logging.getLogger(logger).exception(message)


def test_a_thousand_failures_are_one_line_without_a_traceback(lines):
    for _ in range(1000):
        fail()
        logging.getLogger("commontime").error("No luck: %s", OperationalError("gone"))

    assert lines() == ["ERROR The database is away: connection refused"]


def test_meanwhile_the_queue_and_the_pool_say_nothing_and_others_do(lines):
    fail()
    logging.getLogger("psycopg.pool").warning("discarding closed connection")
    logging.getLogger("django.request").error("Service Unavailable", extra={"status_code": 503})
    logging.getLogger("commontime.mail").warning("The mail server is away.")

    assert lines()[1:] == ["WARNING The mail server is away."]


def test_the_end_is_told_once_and_the_next_outage_again(lines, back):
    fail()
    back.set()
    wait_until(lambda: len(lines()) == 2)
    back.clear()
    fail()

    assert lines() == [
        "ERROR The database is away: connection refused",
        "WARNING The database is back after 0 seconds.",
        "ERROR The database is away: connection refused",
    ]
    logging.getLogger("psycopg.pool").warning("it tries again")
    assert len(lines()) == 3


def test_failures_that_go_on_after_it_answers_are_the_same_outage(lines, back, monkeypatch):
    """On SQLite a full disk refuses writers, while a look finds nothing wrong."""
    with monkeypatch.context() as patch:
        patch.setattr(outages, "CALM", 60.0)
        fail()
        back.set()
        fail()

        assert len(lines()) == 1

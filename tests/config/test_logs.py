"""Every event is one line, in text or in JSON, and a line about a request names its route."""

import json
import logging

import pytest
from django.test import Client

from commontime.api import contacts
from commontime.config.logs import Json
from tests.client import Caller, caller

FORMAT = "%(levelname)s %(name)s%(tag)s: %(message)s"


@pytest.fixture
def json_lines(lines):
    logging.getLogger().handlers[-1].setFormatter(Json())
    return lambda: [json.loads(line) for line in lines()]


def fail(depth: int = 0) -> None:
    if depth:
        fail(depth - 1)
    raise ValueError("typed:\nERROR forged \x1b[31m")


def log_failure(depth: int = 0) -> None:
    try:
        fail(depth)
    except ValueError:
        logging.getLogger("commontime.test").exception("It failed.")


def test_a_traceback_was_many_lines_and_text_in_it_could_forge_one(lines):
    log_failure()

    (line,) = lines()
    assert line.startswith("ERROR commontime.test: It failed.\\nTraceback (most recent call last):")
    assert line.endswith("ValueError: typed:\\nERROR forged \\x1b[31m")


def test_of_a_long_traceback_the_end_is_written(lines):
    message = "x" * 100_000
    try:
        raise ValueError(f"{message} the end")
    except ValueError:
        logging.getLogger("commontime.test").exception("It failed.")

    (line,) = lines()
    assert len(line) < 15_000
    assert line.startswith("ERROR commontime.test: It failed.")
    assert line.endswith("x the end")


def test_json_is_an_object_a_line_with_the_traceback_as_text(json_lines):
    log_failure()
    typed = ("A name: %s", ("ü\u2028\ud800",))
    name = json.loads(Json().format(logging.LogRecord("x", 20, "file", 1, *typed, None)))

    (failure,) = json_lines()
    assert (failure["level"], failure["logger"]) == ("ERROR", "commontime.test")
    assert failure["message"] == "It failed."
    assert failure["traceback"].splitlines()[0] == "Traceback (most recent call last):"
    assert "\x1b" not in failure["traceback"]
    assert name["message"] == "A name: ü\\u2028\\ud800"
    assert "traceback" not in name


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["lines", "json_lines"])
def test_a_failed_request_is_named_by_its_route(kind, request, monkeypatch):
    written = request.getfixturevalue(kind)
    monkeypatch.setattr(contacts.actions, "remove_contact", lambda *args, **kwargs: 1 / 0)
    program = Caller(client=Client(raise_request_exception=False))
    program.access = caller("mina").access

    answer = program.delete("/contacts/delete/secret-name/?secret=query")

    assert answer.status_code == 500
    (line,) = [str(line) for line in written() if "Internal Server Error" in str(line)]
    assert "Internal Server Error: DELETE /contacts/delete/<str:username>/" in line
    assert "ZeroDivisionError" in line
    assert "secret" not in line


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_refused_request_was_twelve_thousand_characters_of_log(lines, method):
    """Anybody could send them, and fill the disk."""
    ask = getattr(Client(), method)

    assert ask("/app/sign-in/", {"x": [""] * 2_101}).status_code == 400
    assert not [line for line in lines() if "Traceback" in line]

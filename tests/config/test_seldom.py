"""What anybody can cause without signing in fills no disk with log lines."""

import logging

import pytest
from django.test import Client

from commontime.config.seldom import MINUTE, MOST, Seldom

FORM = "/app/sign-in/"


@pytest.fixture(autouse=True)
def new_minute():
    """Other tests of this process caused some, too."""
    for name in ("django.security.csrf", "commontime.config.middleware"):
        for kept in logging.getLogger(name).filters:
            kept._began = -MINUTE


@pytest.mark.django_db
def test_forms_without_a_token_were_a_line_each(lines):
    stranger = Client(enforce_csrf_checks=True)

    answers = [stranger.post(FORM, headers={"Origin": "https://e" + "v" * 5000}) for _ in range(20)]

    assert {answer.status_code for answer in answers} == {403}
    assert len([line for line in lines() if "Forbidden" in line]) == MOST


@pytest.mark.django_db
def test_requests_for_other_hosts_were_a_line_each(lines):
    answers = [Client().get("/", headers={"Host": "evil.example"}) for _ in range(20)]

    assert {answer.status_code for answer in answers} == {400}
    assert len([line for line in lines() if "Refused the host" in line]) == MOST


def test_a_minute_later_and_for_errors_there_are_lines_again():
    seldom = Seldom()
    warning = logging.LogRecord("x", logging.WARNING, "file", 1, "x", (), None)
    error = logging.LogRecord("x", logging.ERROR, "file", 1, "x", (), None)
    for _ in range(MOST):
        assert seldom.filter(warning)

    assert not seldom.filter(warning)
    assert seldom.filter(error)
    seldom._began -= MINUTE
    assert seldom.filter(warning)

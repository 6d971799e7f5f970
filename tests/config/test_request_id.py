"""A request has an id: in its answer, in its errors and in each of its log lines."""

import pytest
from django.test import Client

from commontime.config.logs import OneLine
from commontime.core import request_id
from commontime.core.request_id import new
from tests.client import caller

pytestmark = pytest.mark.django_db
GIVEN = "5f0c1b8e-proxy"


@pytest.fixture(autouse=True)
def _new_ids(monkeypatch):
    monkeypatch.setattr(request_id, "new", new)


def test_each_answer_has_another_id():
    ids = [caller().get(path)["X-Request-ID"] for path in ("/healthz", "/healthz", "/nothing")]

    assert len(set(ids)) == 3
    assert all(len(each) == 16 for each in ids)


def test_error_pages_say_the_id_of_their_request():
    page = Client().get("/app/nothing/")

    assert page["X-Request-ID"] in page.content.decode()


def test_a_log_line_has_the_id_of_its_request(lines):
    answer = caller().post("/login/", {"username": "nobody", "password": "wrong"})

    (line,) = [line for line in lines() if "Sign-in failed" in line]
    assert f" [{answer['X-Request-ID']}]: Sign-in failed" in line


def test_a_line_about_no_request_has_no_id():
    import logging

    request_id.current.set("")
    record = logging.LogRecord("commontime", logging.INFO, "file", 1, "Hello", (), None)

    assert OneLine("%(name)s%(tag)s: %(message)s").format(record) == "commontime: Hello"


def test_the_id_of_a_trusted_proxy_is_taken(settings):
    settings.TRUSTED_PROXIES = ["127.0.0.1"]

    answer = caller().get("/profile/", x_request_id=GIVEN)

    assert answer["X-Request-ID"] == GIVEN


def test_the_id_of_anybody_else_is_not():
    assert caller().get("/healthz", x_request_id=GIVEN)["X-Request-ID"] != GIVEN


@pytest.mark.parametrize(
    "odd", ["short", "x" * 65, "with spaces", "<b>bold</b>", "a-line\nforged-one", "ümlauts-in-it"]
)
def test_an_odd_id_is_not_taken_from_a_proxy_either(settings, odd):
    settings.TRUSTED_PROXIES = ["127.0.0.1"]

    assert caller().get("/healthz", x_request_id=odd)["X-Request-ID"] != odd

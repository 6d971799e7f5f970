"""Every answer has headers that keep caches and browsers in check (AU-01, WE-10 to WE-13)."""

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from commontime.api import contacts
from tests.client import Caller, caller

pytestmark = pytest.mark.django_db

POLICY = (
    "default-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "form-action 'self'",
)


@pytest.fixture
def answers(group, monkeypatch):
    """One answer of every class."""
    mina, tag = group.mina, group.mina.get("/profile/")["ETag"]
    scheduled = f"{group.path}meetings/{group.scheduled.pk}/"
    answers = {
        "200": mina.get("/profile/"),
        "200 list": mina.get("/calendars/"),
        "200 public": caller().post("/password_reset/", {"email": "mina@example.org"}),
        "200 text": caller().get("/healthz"),
        "200 icalendar": mina.get(scheduled + "invite.ics"),
        "200 schema": caller().get("/schema/"),
        "200 page": caller().get("/docs/"),
        "201": mina.post("/calendars/", {"name": "X"}),
        "202": mina.post("/calendars/send-email/", {"username": "sam"}),
        "204": mina.delete("/contacts/delete/sam/"),
        "204 options": mina("OPTIONS", "/profile/"),
        "304": mina.get("/profile/", if_none_match=tag),
        "400": mina.post("/calendars/", {}),
        "400 host": caller().get("/profile/", host="evil.example"),
        "401": caller().get("/profile/"),
        "403": group.sam.put(group.path, {"name": "X"}),
        "404": group.eve.get(group.path),
        "404 route": caller().get("/nothing"),
        "405": mina.post("/profile/"),
        "409": mina.post("/contacts/add/", {"contactee": "mina"}),
        "412": mina.put(group.path, {"name": "X"}, if_match='"stale"'),
        "413": mina.post("/calendars/", b"x" * 1_000_001),
    }
    monkeypatch.setattr(contacts.actions, "add_contact", lambda *args, **kwargs: 1 / 0)
    answers["500"] = Caller(access=mina.access, client=Client(raise_request_exception=False)).post(
        "/contacts/add/", {"contactee": "eve"}
    )
    return answers


def test_every_class_of_answer_has_the_headers(answers):
    for kind, answer in answers.items():
        assert kind.startswith(str(answer.status_code)) or kind == "409", kind
        assert answer["X-Content-Type-Options"] == "nosniff", kind
        assert answer["X-Frame-Options"] == "DENY", kind
        assert answer["Referrer-Policy"] == "same-origin", kind
        assert answer["Cross-Origin-Opener-Policy"] == "same-origin", kind
        assert "camera=()" in answer["Permissions-Policy"], kind
        assert all(rule in answer["Content-Security-Policy"] for rule in POLICY), kind
        assert "unsafe" not in answer["Content-Security-Policy"], kind
        assert answer["Cache-Control"] == "no-store", kind
        assert {"Cookie", "Authorization"} <= {
            name.strip() for name in answer["Vary"].split(",")
        }, kind


def test_no_answer_says_what_serves_it_or_sets_a_cookie(answers):
    for kind, answer in answers.items():
        assert not {"Server", "X-Powered-By", "Set-Cookie"} & set(answer.headers), kind
        assert not answer.cookies, kind


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://testserver", "https://good.evil.com"]
)
def test_no_other_site_may_read_an_answer(group, origin):
    asked = group.mina.get("/profile/", origin=origin)
    preflight = group.mina(
        "OPTIONS", "/profile/", origin=origin, access_control_request_method="GET"
    )

    for answer in (asked, preflight, caller().get("/nothing", origin=origin)):
        assert not [name for name in answer.headers if name.startswith("Access-Control-")]


def test_static_files_carry_them_too():
    assert finders.find("api/docs.js")
    answer = caller().get("/static/api/docs.js")

    assert answer.status_code == 200
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "camera=()" in answer["Permissions-Policy"]


def test_a_secure_site_says_so_to_browsers(settings, group):
    settings.SECURE_HSTS_SECONDS = 31_536_000

    answer = Client().get("/healthz", secure=True)

    assert answer["Strict-Transport-Security"] == "max-age=31536000"

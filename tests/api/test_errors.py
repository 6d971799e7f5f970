"""Every error has one shape, whether a view, the routes or Django refuses, or we made a mistake."""

import json
from uuid import uuid4

import pytest
from django.test import Client

from commontime.api import contacts, errors
from commontime.api.schema import text
from tests.api.cast import refused
from tests.client import Caller, caller

pytestmark = pytest.mark.django_db

PATHS = json.loads(text()[0])["paths"]
EVERY = [
    (path, method.upper(), "security" in operation)
    for path, methods in PATHS.items()
    for method, operation in methods.items()
]
NAMES = {"uidb64": "MQ", "token": "x-y", "username": "nobody"}


def filled(path: str) -> str:
    """Return the path with ids that don't exist."""
    for name in path.split("{")[1:]:
        name = name.partition("}")[0]
        path = path.replace(f"{{{name}}}", NAMES.get(name, str(uuid4())))
    return path


# 401 ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "method"), [(path, method) for path, method, guarded in EVERY if guarded]
)
def test_without_a_token_every_guarded_path_says_401_before_anything_else(path, method):
    for headers in (
        {},
        {"authorization": "Bearer"},
        {"authorization": "Bearer a.b.c"},
        {"authorization": "Basic bWluYTp4"},
    ):
        answer = caller()(method, filled(path), b"not JSON", **headers)
        assert refused(
            answer,
            401,
            "not_authenticated"
            if headers.get("authorization", "")[:8] != "Bearer a"
            else "token_not_valid",
        )
        assert answer["WWW-Authenticate"] == "Bearer"


def test_only_these_paths_are_open_to_all():
    assert {path for path, _, guarded in EVERY if not guarded} == {
        "/signup/",
        "/login/",
        "/token/",
        "/token/refresh/",
        "/password_reset/",
        "/password_reset/{uidb64}/{token}/",
        "/confirm-email/",
        "/healthz/",
        "/readyz/",
    }


@pytest.mark.parametrize(
    ("path", "method"), [(path, method) for path, method, guarded in EVERY if not guarded]
)
def test_open_paths_ignore_a_stale_token(path, method):
    with_token, without = (
        caller()(method, filled(path), {}, **headers)
        for headers in ({"authorization": "Bearer x.y.z"}, {})
    )

    assert (with_token.status_code, with_token.content) == (without.status_code, without.content)
    assert with_token.status_code != 401


@pytest.mark.parametrize(
    "raw",
    [
        "Bearer " + "a" * 100_000,
        "Bearer é",
        "Bearer a b",
        "bearer",
        "",
        "Bearer \t",
        "Token x",
        "Bearer null",
    ],
)
def test_a_strange_authorization_header_is_401(raw):
    answer = caller().get("/profile/", authorization=raw)

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "where", ["?token={}", "?access={}", "?access_token={}", "?authorization=Bearer+{}"]
)
def test_a_token_in_the_address_is_ignored(group, where):
    assert refused(
        caller().get("/profile/" + where.format(group.mina.access)), 401, "not_authenticated"
    )


def test_a_token_in_a_cookie_or_the_body_is_ignored(group):
    client = Client()
    for name in ("access", "access_token", "token", "Authorization", "session"):
        client.cookies[name] = group.mina.access
    stranger = Caller(client=client)

    assert refused(stranger.get("/profile/"), 401, "not_authenticated")
    assert refused(
        stranger.post(
            "/calendars/", {"name": "X", "access": group.mina.access, "token": group.mina.access}
        ),
        401,
        "not_authenticated",
    )


def test_the_session_of_the_pages_does_not_open_the_api(group):
    client = Client()
    client.post("/app/sign-in/", {"identifier": "mina", "password": "correct horse battery"})
    browser = Caller(client=client)

    assert client.get("/app/").status_code == 200
    assert refused(browser.get("/profile/"), 401, "not_authenticated")
    assert refused(browser.post("/calendars/", {"name": "X"}), 401, "not_authenticated")


def test_a_token_does_not_open_the_pages(group):
    assert (
        group.mina.client.get(
            "/app/", headers={"authorization": f"Bearer {group.mina.access}"}
        ).status_code
        == 302
    )


# 404 and 405 --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/nothing/",
        "/calendars//",
        "/calendars/invitations//",
        "/Calendars/",
        "/api/schema",
        "/profile/edit/x",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_path_that_is_none_is_404(group, path, method):
    assert refused(group.mina(method, path, {}), 404, "not_found")
    assert refused(caller()(method, path, {}), 404, "not_found")


@pytest.mark.parametrize(
    "spelling",
    [
        str.upper,
        lambda i: i.replace("-", ""),
        lambda i: f"{{{i}}}",
        lambda i: f"urn:uuid:{i}",
        lambda i: f"{i}%20",
        lambda i: f"{i}%00",
        lambda i: "x",
        lambda i: "1",
        lambda i: f"{i}..;",
    ],
)
def test_an_id_has_one_spelling(group, spelling):
    assert refused(
        group.mina.get(f"/calendars/{spelling(str(group.calendar.pk))}/"), 404, "not_found"
    )


@pytest.mark.parametrize(
    ("path", "methods"),
    [(path, {method.upper() for method in methods}) for path, methods in PATHS.items()],
)
def test_a_method_that_a_path_does_not_have_is_405_and_names_the_others(group, path, methods):
    if path == "/password_reset/{uidb64}/{token}/":
        methods = methods | {"GET", "HEAD"}  # for people, a page
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"} - methods:
        answer = group.mina(method, filled(path), {})
        assert refused(answer, 405, "method_not_allowed")
        assert set(answer["Allow"].split(", ")) >= methods - {"GET", "HEAD"}


@pytest.mark.parametrize(
    "override", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"]
)
def test_a_method_can_not_be_smuggled(group, override):
    name = override.replace("-", "_")

    assert refused(
        group.mina.post(group.path, {"_method": "DELETE"}, **{name: "DELETE"}),
        405,
        "method_not_allowed",
    )
    assert group.mina.get(f"{group.path}?_method=DELETE", **{name: "DELETE"}).status_code == 200
    assert group.mina.get(group.path).status_code == 200


def test_head_is_get_without_its_body(group):
    got, headed = group.mina.get(group.path), group.mina("HEAD", group.path)

    assert headed.status_code == 200
    assert headed.content == b""
    assert headed["ETag"] == got["ETag"]
    assert headed["Content-Length"] == got["Content-Length"] == str(len(got.content))


@pytest.mark.parametrize("path", list(PATHS))
def test_options_names_the_methods_and_nothing_else(group, path):
    answer = group.mina("OPTIONS", filled(path))

    assert answer.status_code == 204
    assert answer.content == b""
    assert {method.upper() for method in PATHS[path]} <= set(answer["Allow"].split(", "))


def test_options_is_not_for_everybody():
    assert refused(caller()("OPTIONS", "/calendars/"), 401, "not_authenticated")


# 400, 413, 415 ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"7",
        b'"x"',
        b"{",
        b"{'name': 1}",
        b'{"name": "a",}',
        b'{"a": NaN}',
        b'{"a": 1e999}x',
    ],
)
def test_a_body_that_is_no_json_object_is_400(group, body):
    answer = group.mina.post("/calendars/", body)

    assert refused(answer, 400, "not_valid_json" if body else "invalid_input")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig", "latin-1"])
def test_json_is_utf_8(group, encoding):
    assert refused(
        group.mina.post(
            "/calendars/", json.dumps({"name": "é"}, ensure_ascii=False).encode(encoding)
        ),
        400,
        "not_valid_json",
    )


@pytest.mark.parametrize(
    "value", [b'"\\ud800"', b'"a\\udfffb"', b'"\\udc00\\ud800"', b'"\xed\xa0\x80"']
)
@pytest.mark.parametrize(
    "field", ["name", "description", "location", "time_zone", "visibility", "window_start"]
)
def test_half_a_character_is_400_in_any_field(group, field, value):
    body = b'{"name": "x", "%s": %s}' % (field.encode(), value)

    assert refused(group.mina.post("/calendars/", body), 400, "not_valid_json")


def test_json_has_at_most_32_levels(group):
    def nested(levels: int) -> bytes:
        return b'{"name": "x", "a": ' + b"[" * levels + b"]" * levels + b"}"

    assert group.mina.post("/calendars/", nested(31)).status_code == 201
    assert refused(group.mina.post("/calendars/", nested(32)), 400, "not_valid_json")
    assert refused(group.mina.post("/calendars/", nested(100_000)), 400, "not_valid_json")


def test_a_body_has_at_most_a_megabyte(group):
    def sized(length: int) -> bytes:
        body = b'{"name": "x", "a": ""}'
        return body.replace(b'""', b'"' + b"a" * (length - len(body)) + b'"')

    assert group.mina.post("/calendars/", sized(1_000_000)).status_code == 201
    for headers in ({}, {"idempotency_key": "k"}, {"if_match": "*"}):
        assert refused(
            group.mina.post("/calendars/", sized(1_000_001), **headers), 413, "too_large"
        )
    assert refused(
        group.mina.post("/profile/edit/", sized(1_000_001), if_match="*"), 413, "too_large"
    )
    assert refused(caller().post("/login/", sized(1_000_001)), 413, "too_large")


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
    ],
)
def test_a_body_that_is_not_sent_as_json_is_415(group, content_type):
    answer = group.mina.client.generic(
        "POST",
        "/calendars/",
        b'{"name": "x"}',
        content_type=content_type,
        headers={"authorization": f"Bearer {group.mina.access}"},
    )
    answer.data = json.loads(answer.content)

    assert refused(answer, 415, "not_json")


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON"]
)
def test_json_is_read_under_each_of_its_names(group, content_type):
    answer = group.mina.client.generic(
        "POST",
        "/calendars/",
        b'{"name": "x"}',
        content_type=content_type,
        headers={"authorization": f"Bearer {group.mina.access}"},
    )

    assert answer.status_code == 201


def test_a_compressed_body_is_not_unpacked(group):
    import gzip

    assert refused(
        group.mina.post("/calendars/", gzip.compress(b'{"name": "x"}'), content_encoding="gzip"),
        400,
        "not_valid_json",
    )


@pytest.mark.parametrize(
    "accept",
    ["text/html", "image/png", "application/xml;q=1", "*/*;q=0", "application/json; version=9"],
)
def test_the_answer_is_json_whatever_is_accepted(group, accept):
    for answer in (
        group.mina.get("/profile/", accept=accept),
        group.mina.get("/profile/?format=api", accept=accept),
    ):
        assert answer.status_code == 200
        assert answer["Content-Type"] == "application/json"
    assert refused(caller().get("/calendars/nothing", accept=accept), 404, "not_found")


# 500 and 503 --------------------------------------------------------------------------------------


@pytest.fixture
def broken(group, monkeypatch) -> Caller:
    """A caller of an API whose contacts raise `broken.error`."""

    def fail(*args, **kwargs):
        raise broken.error

    monkeypatch.setattr(contacts.actions, "add_contact", fail)
    broken = Caller(
        user=group.mina.user, access=group.mina.access, client=Client(raise_request_exception=False)
    )
    return broken


@pytest.mark.parametrize("headers", [{}, {"idempotency_key": "k"}])
def test_our_own_mistake_is_said_without_its_inside(broken, headers):
    broken.error = ZeroDivisionError("secret inside")

    answer = broken.post("/contacts/add/", {"contactee": "sam"}, **headers)

    assert refused(answer, 500, "our_mistake")
    assert b"secret" not in answer.content
    assert b"Traceback" not in answer.content


def test_a_database_that_is_away_is_503(broken):
    from django.db import OperationalError

    broken.error = OperationalError("could not connect to 10.1.2.3")

    answer = broken.post("/contacts/add/", {"contactee": "sam"})

    assert refused(answer, 503, "unavailable")
    assert int(answer["Retry-After"]) > 0
    assert b"10.1.2.3" not in answer.content


def test_every_refusal_has_a_status():
    from commontime.core.errors import Refusal

    kinds = [*Refusal.__subclasses__()]

    assert {
        kind for kind in kinds if not any(issubclass(kind, known) for known, _ in errors.STATUS)
    } == set()


def test_a_host_that_is_not_ours_is_400(group):
    assert refused(caller().get("/profile/", host="evil.example"), 400, "invalid_request")

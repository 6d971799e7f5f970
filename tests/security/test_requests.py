"""Requests that no library sends, over real sockets, and the headers of every kind of answer.

Cases AU-07 and VA-12.
"""

import gzip
import http.client
import io
import json
import socket
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.http import HttpResponse
from django.test import Client

from stage.servers import Answer, Site
from tests import build
from tests.client import caller

MEGABYTE = 1_000_000


@dataclass
class Heard:
    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float

    @property
    def code(self) -> str:
        return str(json.loads(self.body)["code"])


def send(site: Site, *pieces: bytes, timeout: float = 20) -> Heard:
    """Send the bytes as they are, as many as the server takes, and read one answer."""
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", site.port), timeout=timeout) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has heard enough
        heard = b""
        while not is_whole(heard) and (more := connection.recv(65536)):
            heard += more
    head, _, body = heard.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    return Heard(int(first.split()[1]), headers, body, time.monotonic() - began)


def is_whole(heard: bytes) -> bool:
    head, end, body = heard.partition(b"\r\n\r\n")
    lengths = [
        int(line.partition(b":")[2])
        for line in head.lower().split(b"\r\n")
        if line.startswith(b"content-length:")
    ]
    return bool(end and lengths and len(body) >= lengths[0])


def head(method: str, path: str, *lines: bytes) -> bytes:
    return b"\r\n".join(
        [f"{method} {path} HTTP/1.1".encode(), b"Host: localhost", *lines, b"", b""]
    )


def post(*lines: bytes, path: str = "/login/") -> bytes:
    return head("POST", path, b"Content-Type: application/json", *lines)


def parse_headers(headers: dict[str, str]) -> http.client.HTTPMessage:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return http.client.parse_headers(io.BytesIO(f"{lines}\r\n".encode()))


def memory(site: Site) -> int:
    """Return what the web processes hold, in kB."""
    lines = [
        line
        for pid in site.processes("web")
        for line in Path(f"/proc/{pid}/status").read_text().splitlines()
    ]
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


# Bodies (VA-12) -----------------------------------------------------------------------------------


@pytest.mark.processes
def test_a_body_in_pieces_is_read_like_any_other(site):
    name = site.person().name
    body = json.dumps({"username": name, "password": build.PASSWORD}).encode()
    pieces = [
        f"{len(body[n : n + 7]):x}\r\n".encode() + body[n : n + 7] + b"\r\n"
        for n in range(0, len(body), 7)
    ]

    heard = send(site, post(b"Transfer-Encoding: chunked"), *pieces, b"0\r\n\r\n")

    assert heard.status == 200
    assert json.loads(heard.body)["user"]["username"] == name


@pytest.mark.processes
def test_a_body_that_is_too_large_is_refused_early_and_takes_no_memory(site):
    before = memory(site)
    chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    tiny = b"a\r\nxxxxxxxxxx\r\n" * 50_000
    block = b"x" * MEGABYTE

    answers = {
        "one byte too many": send(site, post(b"Content-Length: %d" % (MEGABYTE + 1)), block, b"x"),
        "30 MB": send(site, post(b"Content-Length: 30000000"), *[block] * 30),
        "3 GB": send(site, post(b"Content-Length: 3000000000"), *[block] * 100),
        "30 MB in pieces": send(
            site, post(b"Transfer-Encoding: chunked"), *[chunk] * 30, b"0\r\n\r\n"
        ),
        "endless": send(site, post(b"Transfer-Encoding: chunked"), *[chunk] * 200),
        "endless, bit by bit": send(site, post(b"Transfer-Encoding: chunked"), *[tiny] * 20),
    }

    for name, heard in answers.items():
        assert (heard.status, heard.code) == (413, "too_large"), name
        assert heard.headers["connection"] == "close", name
        assert heard.seconds < 10, name
    assert memory(site) - before < 40_000


@pytest.mark.processes
def test_a_connection_was_ended_unsaid_after_another_refusal_of_a_large_body(site):
    """Whoever kept it sent the next request in vain."""
    length = b"Content-Length: %d" % (MEGABYTE + 1)

    heard = send(site, post(length, path="/calendars/"), b"x" * MEGABYTE, b"x")

    assert heard.status == 401
    assert heard.headers["connection"] == "close"


def send_file(path: str) -> HttpResponse:
    """Send a form with a file of 3 MB, as anybody can."""
    file = io.BytesIO(b"x" * 3 * MEGABYTE)
    return Client(enforce_csrf_checks=True).post(path, {"file": file})


@pytest.fixture
def no_disk(settings, tmp_path):
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path / "missing")


FORMS = ["/app/sign-in/", "/app/mail/stop/x/", "/app/nowhere/", "/static/joined/x", "/"]


@pytest.mark.django_db
@pytest.mark.parametrize("path", FORMS)
def test_a_file_in_a_form_filled_the_disk(path, no_disk):
    """Django's limit for a body leaves files out, and its token check reads them first."""
    answer = send_file(path)

    assert answer.status_code == 413
    assert "1 MB" in answer.content.decode()


@pytest.mark.django_db
def test_without_its_guard_a_file_in_a_form_goes_to_the_disk(no_disk, settings):
    guard = "commontime.config.middleware.BodyMiddleware"
    settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if each != guard]

    with pytest.raises(FileNotFoundError):
        send_file("/app/sign-in/")


@pytest.mark.processes
@pytest.mark.parametrize(
    ("lines", "body", "statuses"),
    [
        (
            [b"Content-Encoding: gzip"],
            gzip.compress(b'{"username": "x", "password": "y"}'),
            {400, 415},
        ),
        ([b"Content-Encoding: gzip"], gzip.compress(b" " * 30 * MEGABYTE), {400, 413, 415}),
        ([b"Content-Encoding: br"], b"\x0b\x02\x80{}\x03", {400, 415}),
        ([], b"{", {400}),
        ([], b"", {400}),
        ([], b"\xff\xfe{\x00}\x00", {400}),
        ([], b"[" * MEGABYTE, {400}),
        ([], b'{"a":' * 200_000, {400}),
        ([], b'["]",' * 200_000, {400}),
        ([], b"[" * 40 + b'"' + b'\\"' * 499_900 + b"\\", {400}),
        ([], b'{"username": "' + b"[" * 900_000 + b'"}', {400}),
        ([], b"null", {400}),
    ],
    ids=[
        "gzip",
        "gzip bomb",
        "brotli",
        "torn",
        "empty",
        "UTF-16",
        "deep",
        "deeper",
        "masked",
        "never closed",
        "in a string",
        "null",
    ],
)
def test_a_body_that_is_no_json_is_refused_in_our_shape(site, lines, body, statuses):
    heard = send(site, post(*lines, b"Content-Length: %d" % len(body)), body)

    assert heard.status in statuses
    assert len(site.processes("web")) == 2
    assert "Unexpected exit" not in site.log("web")
    assert set(json.loads(heard.body)) >= {"code", "detail"}
    assert heard.seconds < 5


@pytest.mark.parametrize(
    ("body", "too_deep"),
    [
        (b"[" * 2_501, True),
        (b"[" * 32 + b"[]," * 2_500 + b"]" * 32, True),
        (b"[" * 31 + b"[]," * 2_500 + b"]" * 31, False),
        (b'["]",' * 2_501, True),
        (b'{"a": "' + b"[" * 3_000 + b'"}', False),
        (b'{"a": "\\"' + b"[" * 3_000 + b'"}', False),
        (b'{"windows": [' + b'{"a": "]"},' * 3_000 + b"]}", False),
        (b"[]" * 500_000, False),
        (b'"' + b'\\"' * 499_000 + b"[" * 2_501, False),
    ],
)
def test_depth_is_seen_before_the_decoder_goes_down(body, too_deep):
    from commontime.api.body import is_bottomless

    began = time.monotonic()

    assert is_bottomless(body) is too_deep
    assert time.monotonic() - began < 5


@pytest.mark.processes
@pytest.mark.parametrize(
    "length", [b"-1", b"abc", b"1, 2", b"99999999999999999999999", b"0x10", b"+5"]
)
def test_a_length_that_is_none_is_refused_and_the_connection_closed(site, length):
    heard = send(site, post(b"Content-Length: " + length), b"{}")

    assert 400 <= heard.status < 500


@pytest.mark.processes
def test_two_lengths_or_length_and_pieces_smuggle_no_second_request(site):
    for lines in (
        [b"Content-Length: 2", b"Content-Length: 40"],
        [b"Content-Length: 2", b"Transfer-Encoding: chunked"],
    ):
        second = head("GET", "/healthz")
        heard = send(site, post(*lines), b"0\r\n\r\n" + second)

        assert 400 <= heard.status < 500, lines
        assert b"ok" not in heard.body.partition(b"HTTP/1.1")[2]


@pytest.mark.processes
def test_one_who_never_finishes_keeps_nobody_else_waiting(site):
    with socket.create_connection(("127.0.0.1", site.port)) as slow:
        slow.sendall(post(b"Content-Length: 500") + b"{")
        began = time.monotonic()
        answers = [site.caller().get("/healthz").status_code for _ in range(20)]

    assert answers == [200] * 20
    assert time.monotonic() - began < 5


# The Authorization header (AU-07) -----------------------------------------------------------------


@pytest.mark.processes
@pytest.mark.parametrize(
    "lines",
    [
        [b"Authorization: Bearer " + b"a" * 100_000],
        [b"Authorization: Bearer " + b"a." * 50_000],
        [b"Authorization: Bearer \xe4\xf6\xfc\xff"],
        ["Authorization: Bearer ключ".encode()],
        [b"Authorization: Bearer a b"],
        [b"Authorization: Basic bWluYTpzZWNyZXQ="],
        [b"Authorization: Bearer"],
        [b"Authorization: Bearer "],
        [b"Authorization:"],
        [],
        [b"Authorization: Bearer a", b"Authorization: Bearer b"],
        [b"Authorization: \x0bBearer a"],
        [b"Authorization: Bearer a\x00b"],
        [b"Authorization: Bearer " + b"a" * 500_000],
    ],
    ids=[
        "100 KB",
        "dots",
        "latin",
        "cyrillic",
        "two words",
        "basic",
        "bare",
        "blank",
        "empty",
        "none",
        "two",
        "tab",
        "nul",
        "500 KB",
    ],
)
def test_a_header_that_is_none_of_ours_is_nobody(site, lines):
    heard = send(site, head("GET", "/profile/", *lines))
    is_no_header = max(map(len, lines), default=0) > 400_000 or any(
        control in line for line in lines for control in (b"\x00", b"\x0b")
    )

    assert heard.status in ({400, 401, 431} if is_no_header else {401})
    if heard.status == 401:
        assert heard.headers["www-authenticate"] == "Bearer"
        assert heard.code in ("not_authenticated", "token_not_valid")
    assert heard.seconds < 2


@pytest.mark.processes
def test_a_valid_token_beside_another_is_nobody(site):
    good = f"Authorization: Bearer {site.person().access}".encode()

    assert send(site, head("GET", "/profile/", good)).status == 200
    for lines in (
        [good, b"Authorization: Bearer x"],
        [b"Authorization: Bearer x", good],
        [good, good],
    ):
        assert send(site, head("GET", "/profile/", *lines)).status == 401


# Every answer -------------------------------------------------------------------------------------


@pytest.mark.processes
def test_every_kind_of_answer_stays_out_of_caches_and_says_what_it_depends_on(site):
    alice = site.person()
    tag = alice.get("/profile/").headers["ETag"]
    anybody = site.caller()
    answers = {
        "200": alice.get("/profile/"),
        "201": alice.post("/calendars/", {"name": "Choir"}),
        "204": alice("OPTIONS", "/profile/"),
        "302": anybody.get("/app/"),
        "304": alice.get("/profile/", if_none_match=tag),
        "400": alice.post("/calendars/", {}),
        "400 host": anybody.get("/profile/", host="evil.example"),
        "401": anybody.get("/profile/"),
        "403 csrf": anybody.post(
            "/app/sign-in/", b"x=1", content_type="application/x-www-form-urlencoded"
        ),
        "404": anybody.get("/nothing/"),
        "404 page": anybody.get("/app/nothing/"),
        "405": alice.delete("/profile/"),
        "412": alice.put("/profile/settings/", {"week_start": "monday"}, if_match='"x"'),
        "415": anybody.post("/login/", b"x", content_type="text/plain"),
        "page": anybody.get("/app/sign-in/"),
        "start": anybody.get("/"),
        "alive": anybody.get("/healthz"),
    }

    large = send(site, post(b"Content-Length: %d" % (MEGABYTE + 1)))
    answers["413"] = Answer(large.status, parse_headers(large.headers), large.body)
    for name, answer in answers.items():
        assert str(answer.status_code) in name or name in ("page", "start", "alive"), (
            name,
            answer.status_code,
        )
        assert answer.headers["Cache-Control"] == "no-store", name
        assert {"Cookie", "Authorization"} <= {
            part.strip() for part in answer.headers["Vary"].split(",")
        }, name
        assert answer.headers["X-Content-Type-Options"] == "nosniff", name
        assert answer.headers["Referrer-Policy"] == "same-origin", name
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"], name
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"], name


@pytest.mark.django_db
def test_limits_and_our_own_mistakes_carry_the_same_headers(monkeypatch):
    from commontime.accounts.actions import sign_ins
    from commontime.core.errors import TooMany

    anybody = caller()
    anybody.client.raise_request_exception = False
    for error, status in ((TooMany("Later.", retry_after=7), 429), (RuntimeError("a bug"), 500)):

        def fail(*args: object, error: Exception = error, **kwargs: object) -> None:
            raise error

        monkeypatch.setattr(sign_ins, "sign_in", fail)
        answer = anybody.post("/login/", {"username": "mina", "password": "x"})

        assert answer.status_code == status
        assert answer["Cache-Control"] == "no-store"
        assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
        assert answer["Vary"]

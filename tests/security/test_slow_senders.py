"""Clients that send a byte of a thousand: others are answered, and they are cut off."""

import socket
import time
from collections.abc import Iterator

import pytest

from stage.servers import PATIENCE, Site, open_site

pytestmark = pytest.mark.processes
SLOW = 16
DEADLINE = 3
HEAD = (
    b"POST /login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    b"Content-Length: 1000\r\n\r\n{"
)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with open_site(start=False, COMMONTIME_BODY_SECONDS=str(DEADLINE)) as running:
        running.start("web")
        yield running


def slow_senders(site: Site) -> list[socket.socket]:
    senders = []
    for _ in range(SLOW):
        sender = socket.create_connection(("127.0.0.1", site.port))
        sender.settimeout(PATIENCE)
        sender.sendall(HEAD)
        senders.append(sender)
    return senders


def longest_wait(site: Site, *, seconds: float) -> float:
    """Ask again and again as a stranger, and return how long the slowest answer took."""
    longest, end = 0.0, time.monotonic() + seconds
    while time.monotonic() < end:
        for path in ("/healthz", "/app/sign-in/"):
            began = time.monotonic()
            assert site.caller().get(path).status_code == 200
            longest = max(longest, time.monotonic() - began)
    return longest


def statuses(senders: list[socket.socket]) -> list[bytes]:
    return [sender.recv(100)[9:12] for sender in senders]


def test_sixteen_slow_senders_stopped_everything(site):
    caller = site.person()
    senders = slow_senders(site)
    began = time.monotonic()

    assert longest_wait(site, seconds=DEADLINE - 1) < DEADLINE - 1
    assert caller.get("/profile/").status_code == 200
    heard = statuses(senders)

    assert b"408" in heard
    assert set(heard) <= {b"408", b"503"}  # half of the places are for one network
    assert time.monotonic() - began < DEADLINE + 3
    assert site.caller().get("/healthz").status_code == 200


def test_dripping_does_not_help(site):
    (sender, *others) = slow_senders(site)
    began = time.monotonic()

    while time.monotonic() - began < DEADLINE - 1:
        sender.sendall(b" ")
        time.sleep(0.2)

    assert statuses([sender]) == [b"408"]
    assert time.monotonic() - began < DEADLINE + 3
    for other in others:
        other.close()


def test_a_late_one_leaves_an_idle_connection_usable(site):
    caller = site.person()

    slow_senders(site)
    time.sleep(DEADLINE + 2)

    assert caller.get("/profile/").status_code == 200

"""Two conditional changes of one state at once (case RA-14): they take turns, so the second sees what the first left.

Here with threads, on PostgreSQL. SQLite's threads share a connection in tests; there real processes show it (tests/security).
"""

import threading
from contextlib import suppress
from typing import Any

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from commontime.api import base
from tests.client import Caller, caller

pytestmark = pytest.mark.django_db(transaction=True)
ON_POSTGRESQL = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="real processes show it for SQLite")
ROUNDS = 6


def test_a_conditional_change_locks_before_it_reads(is_postgresql):
    mina, path = _calendar()

    with CaptureQueriesContext(connection) as statements:
        assert mina.put(path, {"name": "Band"}, if_match="*").status_code == 200

    first = [statement["sql"] for statement in statements][:2]
    assert first[0] == ("BEGIN" if is_postgresql else "BEGIN IMMEDIATE")
    assert ("pg_advisory_xact_lock" in first[1]) == is_postgresql


def test_a_change_without_a_condition_takes_no_turns():
    mina, path = _calendar()

    with CaptureQueriesContext(connection) as statements:
        assert mina.put(path, {"name": "Band"}).status_code == 200

    assert not any("advisory" in statement["sql"] for statement in statements)


@ON_POSTGRESQL
def test_of_two_changes_of_one_state_one_is_made():
    assert [_race(n) for n in range(ROUNDS)] == [[200, 412]] * ROUNDS


@ON_POSTGRESQL
def test_without_taking_turns_both_changes_are_made(monkeypatch):
    monkeypatch.setattr(base, "_take_turns", lambda path: None)

    assert [200, 200] in [_race(n) for n in range(ROUNDS)]


def _calendar(name: str = "mina") -> tuple[Caller, str]:
    mina = caller(name)
    return mina, mina.post("/calendars/", {"name": "Choir"})["Location"]


def _race(number: int) -> list[int]:
    """Let two changes of one state meet, each having compared it before either changes it, unless one waits for its turn."""
    mina, path = _calendar(f"mina{number}")
    tag = mina.get(path)["ETag"]
    statuses: list[int] = []
    start, compared = threading.Barrier(2), threading.Barrier(2)
    initial = base.View.initial

    def compare(self: Any, *args: Any, **kwargs: Any) -> None:
        initial(self, *args, **kwargs)
        with suppress(threading.BrokenBarrierError):
            compared.wait(0.3)

    def change(name: str) -> None:
        person = Caller(user=mina.user, access=mina.access)
        start.wait()
        statuses.append(person.put(path, {"name": name}, if_match=tag).status_code)
        connections.close_all()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base.View, "initial", compare)
        threads = [threading.Thread(target=change, args=(name,)) for name in ("Band", "Orchestra")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return sorted(statuses)

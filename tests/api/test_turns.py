"""Two changes of one state take turns (RA-14), and one key is used once (IM-01).

Here with threads, on PostgreSQL. SQLite's threads share a connection in tests; there real processes
show it (tests/security).
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from commontime.api import view
from commontime.api.once import Once
from commontime.calendars.models import Calendar
from tests.client import Caller, caller

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 6


@pytest.mark.parametrize("change", ["conditional", "with a key"])
def test_a_change_that_takes_turns_locks_before_it_reads(is_postgresql, change):
    mina, path = _calendar()

    with CaptureQueriesContext(connection) as statements:
        if change == "conditional":
            assert mina.put(path, {"name": "Band"}, if_match="*").status_code == 200
        else:
            assert (
                mina.post("/calendars/", {"name": "Band"}, idempotency_key="k").status_code == 201
            )

    first = [statement["sql"] for statement in statements][:2]
    assert first[0] == ("BEGIN" if is_postgresql else "BEGIN IMMEDIATE")
    assert ("pg_advisory_xact_lock" in first[1]) == is_postgresql


def test_a_change_without_a_condition_or_key_takes_no_turns():
    mina, path = _calendar()

    with CaptureQueriesContext(connection) as statements:
        assert mina.put(path, {"name": "Band"}).status_code == 200

    assert not any("advisory" in statement["sql"] for statement in statements)


@pytest.mark.postgresql
def test_of_two_changes_of_one_state_one_is_made():
    assert [_race(n) for n in range(ROUNDS)] == [[200, 412]] * ROUNDS


@pytest.mark.postgresql
def test_without_taking_turns_both_changes_are_made(monkeypatch):
    monkeypatch.setattr(view, "take_turns", lambda what: None)

    assert [200, 200] in [_race(n) for n in range(ROUNDS)]


@pytest.mark.postgresql
def test_of_two_requests_with_one_key_one_is_done_and_both_are_answered():
    mina = caller("mina")
    before = Calendar.objects.count()

    answers = _at_once(
        lambda: Caller(access=mina.access).post(
            "/calendars/", {"name": "Choir"}, idempotency_key="k"
        )
    )

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].content == answers[1].content
    assert Calendar.objects.count() == before + 1


@pytest.mark.postgresql
def test_without_claiming_the_key_both_are_done(monkeypatch):
    monkeypatch.setattr(Once, "begin", lambda *about, **more: None)
    mina = caller("mina")
    before = Calendar.objects.count()

    _at_once(
        lambda: Caller(access=mina.access).post(
            "/calendars/", {"name": "Choir"}, idempotency_key="k"
        )
    )

    assert Calendar.objects.count() == before + 2


def _at_once(ask: Callable[[], Any]) -> list[Any]:
    start = threading.Barrier(2)
    answers: list[Any] = []

    def one() -> None:
        start.wait()
        answers.append(ask())
        connections.close_all()

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def _calendar(name: str = "mina") -> tuple[Caller, str]:
    mina = caller(name)
    return mina, mina.post("/calendars/", {"name": "Choir"})["Location"]


def _race(number: int) -> list[int]:
    """Let two changes of one state meet.

    Both compare the state before either changes it, unless one waits for its turn.
    """
    mina, path = _calendar(f"mina{number}")
    tag = mina.get(path)["ETag"]
    compared = threading.Barrier(2)
    initial = view.View.initial

    def compare(self: Any, *args: Any, **kwargs: Any) -> None:
        initial(self, *args, **kwargs)
        with suppress(threading.BrokenBarrierError):
            compared.wait(0.3)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(view.View, "initial", compare)
        answers = _at_once(
            lambda: Caller(access=mina.access).put(
                path, {"name": threading.current_thread().name}, if_match=tag
            )
        )
    return sorted(answer.status_code for answer in answers)

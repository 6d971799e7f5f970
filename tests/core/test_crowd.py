"""Expensive questions wait for each other, and not the cheap ones for them."""

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings

from commontime.core import crowd
from commontime.core.errors import TooMany
from stage.servers import PATIENCE, wait_until
from tests import build
from tests.client import caller
from tests.web.test_calendar_page import browser_of, here


class Asking:
    """People who ask something that takes until `end` is called."""

    def __init__(self, crowd: crowd.Crowd) -> None:
        self.crowd = crowd
        self.at_work: list[str] = []
        self.ended = threading.Event()
        self.pool = ThreadPoolExecutor(200)
        self.answers = []

    def ask(self, *people: str | None) -> None:
        self.answers += [self.pool.submit(self._ask, who) for who in people]

    def _ask(self, who: str | None) -> str:
        try:
            with self.crowd.turn(who):
                self.at_work.append(who)
                self.ended.wait(PATIENCE)
        except TooMany:
            return "refused"
        return "answered"

    def end(self) -> list[str]:
        self.ended.set()
        return sorted(answer.result() for answer in self.answers)


@pytest.fixture
def asking():
    made = Asking(crowd.Crowd(2))
    yield made
    made.end()


def refused(asking: Asking) -> int:
    return sum(answer.done() for answer in asking.answers)


def test_one_person_asking_twelve_times_has_one_turn_and_eight_places(asking):
    asking.ask(*["eve"] * 12)
    wait_until(lambda: refused(asking) == 12 - crowd.MOST_OF_ONE)

    asking.ask("mina")

    wait_until(lambda: "mina" in asking.at_work)
    assert asking.at_work.count("eve") == 1
    assert asking.end() == ["answered"] * 9 + ["refused"] * 4


def test_of_120_people_at_once_most_were_refused(asking):
    asking.ask(*[f"person{n}" for n in range(120)])

    assert asking.end() == ["answered"] * 120


def test_many_people_wait_and_not_without_end(asking):
    people = [f"person{n}" for n in range(2 + crowd.MOST_WAITING + 3)]

    asking.ask(*people)

    wait_until(lambda: refused(asking) == 3)
    assert len(asking.at_work) == 2
    assert asking.end().count("answered") == 2 + crowd.MOST_WAITING


def test_whoever_waits_leaves_their_place_to_others(monkeypatch):
    monkeypatch.setattr(crowd, "_places", threading.BoundedSemaphore(1))
    only, begun, end = crowd.Crowd(1), threading.Event(), threading.Event()

    def at_work() -> None:
        with only.turn():
            begun.set()
            end.wait(PATIENCE)

    def waiting() -> None:
        with crowd.place(), only.turn():
            pass

    with ThreadPoolExecutor(2) as pool:
        pool.submit(at_work)
        begun.wait(PATIENCE)
        other = pool.submit(waiting)
        wait_until(lambda: only._waiting == 1)
        with crowd.place():  # a cheap question is answered
            assert not other.done()
        end.set()
        other.result()


@pytest.mark.django_db
def test_both_doors_say_when_to_come_back(monkeypatch):
    mina = caller("mina")
    meeting = build.meeting(calendar=build.calendar(owner=mina.user))
    browser = browser_of(mina.user)
    full = crowd.Crowd(1)
    monkeypatch.setattr(crowd, "questions", full)
    monkeypatch.setattr(crowd, "MOST_WAITING", 0)

    with full.turn("eve"):
        answer = mina.get(f"/calendars/meetings/{meeting.pk}/suggestions/")
        page = browser.get(here(meeting.calendar, f"meetings/{meeting.pk}/"))
        cheap = mina.get("/profile/")

    assert (answer.status_code, answer["Retry-After"]) == (429, str(crowd.RETRY_AFTER))
    assert "Try again in a moment" in answer.data["detail"]
    assert (page.status_code, page["Retry-After"]) == (429, str(crowd.RETRY_AFTER))
    assert "Try again in a moment" in page.text
    assert cheap.status_code == 200
    assert mina.get(f"/calendars/meetings/{meeting.pk}/suggestions/").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/profile/export/", "/calendars/?page_size=1000", "/app/", "/app/settings/export/"]
)
def test_one_persons_exports_and_long_lists_took_all_places(monkeypatch, path):
    eve, mina = caller("eve"), caller("mina")
    of_eve, of_mina = (
        (browser_of(who.user) if path.startswith("/app/") else who) for who in (eve, mina)
    )
    monkeypatch.setattr(crowd, "requests", crowd.Crowd(99, of_one=2))
    monkeypatch.setattr(crowd, "PATIENCE", 0.1)

    with crowd.requests.turn(eve.user.pk):
        assert of_eve.get(path).status_code == 200
        with crowd.requests.turn(eve.user.pk):
            refused = of_eve.get(path)
            assert (refused.status_code, refused["Retry-After"]) == (429, str(crowd.RETRY_AFTER))
            assert of_mina.get(path).status_code == 200
    assert of_eve.get(path).status_code == 200


def test_memory_is_given_back_when_a_crowd_has_gone(monkeypatch):
    given_back = []
    monkeypatch.setattr(crowd.memory, "give_back", lambda: given_back.append(True))
    inside = crowd._Inside()
    with inside.counted():
        pass
    assert not given_back

    with contextlib.ExitStack() as crowded:
        for _ in range(settings.WEB_THREADS + 1):
            crowded.enter_context(inside.counted())
        assert not given_back
    assert given_back == [True]

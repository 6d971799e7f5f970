"""How many mails somebody gets from a person who only added or invited them, and how long ones.

Eve adds Sam without asking.
"""

import re
from typing import Any

import pytest

from commontime.mail import allowance, delivery
from commontime.mail.enums import State
from commontime.mail.models import Message
from stage.sink import Received
from tests import build
from tests.client import caller
from tests.web.test_calendar_page import browser_of

pytestmark = pytest.mark.django_db
TEN = build.day(10)


class Spam:
    """Eve's calendar with Sam, added, and what she can do there."""

    def __init__(self) -> None:
        self.eve, self.sam = caller("eve"), caller("sam")
        self.calendar = build.calendar(owner=self.eve.user)
        self.path = f"/calendars/{self.calendar.pk}/"
        added = self.eve.post(f"{self.path}participants/", {"user": self.sam.user.pk})
        self.seat = f"{self.path}participants/{added.data['id']}/"

    def meet(self, hour: int = 10, **fields: Any) -> str:
        """Make a meeting at this hour, and return its path."""
        meeting = build.meeting(calendar=self.calendar, **fields)
        path = f"{self.path}meetings/{meeting.pk}/"
        self.move(path, hour)
        return path

    def move(self, path: str, hour: int) -> None:
        assert self.eve.put(path, {"final_time": build.day(hour).isoformat()}).status_code == 200


@pytest.fixture
def spam():
    return Spam()


def to_sam(received: list[Received]) -> list[Received]:
    return [mail for mail in received if mail.recipients == ["sam@example.org"]]


def test_all_mails_of_one_to_somebody_who_was_added_are_five_a_day(spam, mails):
    for number in range(4):
        path = spam.meet(number)
        mails()
        spam.move(path, number + 5)
        mails()

    assert len(to_sam(mails())) == 5
    assert Message.objects.filter(user=spam.sam.user, state=State.QUEUED).count() == 4


def test_without_the_count_they_are_as_many_as_eve_likes(spam, mails, monkeypatch):
    monkeypatch.setattr(delivery, "count_letter", lambda sender, address: 0)
    for number in range(8):
        spam.meet(number)

    assert len(to_sam(mails())) == 9


def test_what_waited_goes_out_as_it_is_when_the_day_is_over(spam, mails, later):
    for number in range(4):
        spam.meet(number)
    mails()
    path = spam.meet(5, title="Moved")
    for hour in (6, 7, 8):
        spam.move(path, hour)
        mails()
    gone = spam.meet(9, title="Gone")
    mails()
    spam.eve.delete(gone)
    assert len(to_sam(mails())) == 5

    later(hours=25)

    new = to_sam(mails())[5:]
    about = [mail for mail in new if "Moved" in str(mail.message["Subject"])]
    assert len(about) == 1
    assert "8:00" in parts_of(about[0])[0]
    assert len(new) <= 5


def test_who_takes_part_gets_what_waited_and_no_limit(spam, mails):
    for number in range(6):
        spam.meet(number)
    assert len(to_sam(mails())) == 5

    spam.sam.put(spam.seat, {"agreed": True})

    assert len(to_sam(mails())) == 7
    for number in range(6, 12):
        spam.meet(number)
    assert len(to_sam(mails())) == 13


def test_people_who_take_part_are_not_counted(spam, mails):
    build.participant(spam.calendar, build.user("iris"))
    for number in range(7):
        spam.meet(number)

    to_iris = [mail for mail in mails() if mail.recipients == ["iris@example.org"]]
    assert len(to_iris) == 7


def test_notes_and_mails_of_meetings_share_the_five(spam, mails):
    for number in range(4):
        spam.meet(number)
    assert len(to_sam(mails())) == 5

    answer = spam.eve.post("/calendars/send-email/", {"username": "sam"})

    assert answer.status_code == 429


@pytest.mark.parametrize("agreed", [False, True])
def test_they_carry_few_typed_words(spam, mails, agreed):
    if agreed:
        spam.sam.put(spam.seat, {"agreed": True})
    mails()
    spam.meet(10, title="Ñ" * 150, location="Ö" * 150, description="Ü" * 1500)

    for part in parts_of(to_sam(mails())[-1]):
        typed = sum(max(map(len, re.findall(f"{letter}+", part))) for letter in "ÑÖÜ")
        assert typed == 1800 if agreed else 450 < typed <= 500


def parts_of(mail: Received) -> list[str]:
    """Return the text, the HTML and the calendar part, without their folds."""
    kinds = ("text/plain", "text/html", "text/calendar")
    parts = [part for part in mail.message.walk() if part.get_content_type() in kinds]
    assert len(parts) >= 3
    return [str(part.get_content()).replace("\r\n ", "").replace("\n ", "") for part in parts]


def test_a_mail_that_is_tried_again_is_counted_once(spam, mails, monkeypatch):
    counted = []
    monkeypatch.setattr(
        delivery, "count_letter", lambda sender, address: counted.append(address) or 0
    )
    message = Message.objects.get(kind="added")

    for _ in range(3):
        assert delivery._has_room(message)
        message.refresh_from_db()

    assert counted == ["sam@example.org"]


def test_what_waits_for_a_week_is_dropped(spam, mails, later, monkeypatch):
    monkeypatch.setattr(delivery, "count_letter", lambda sender, address: 3600)
    mails()
    later(days=8)
    mails()

    message = Message.objects.get(kind="added")
    assert (message.state, message.payload) == (State.DROPPED, {})


def test_the_same_words_are_cut_alike_wherever_they_stand():
    with allowance.little_text():
        first, again, rest = (allowance.typed(text) for text in ("a" * 300, "a" * 300, "b" * 300))

    assert (first, again) == ("a" * 300, "a" * 300)
    assert rest == "b" * 199 + "…"
    assert allowance.typed("b" * 300) == "b" * 300


# All that one person causes -----------------------------------------------------------------------


@pytest.fixture
def _three_a_day(settings):
    settings.LIMITS = {**settings.LIMITS, "mails_caused": (3, 86400)}


def everybody_takes_part() -> tuple[Any, str]:
    mina = caller("mina")
    people = [build.user() for _ in range(5)]
    calendar = build.calendar(owner=mina.user, participants=people)
    meeting = build.meeting(calendar=calendar)
    return mina, f"/calendars/{calendar.pk}/meetings/{meeting.pk}/"


@pytest.mark.usefixtures("_three_a_day")
def test_one_person_causes_so_many_mails_a_day_and_the_rest_waits(mails, later):
    mina, path = everybody_takes_part()
    first = mina.put(path, {"final_time": TEN.isoformat()})
    others = [mail for mail in mails() if mail.recipients != ["mina@example.org"]]
    assert len(others) == 3
    assert "mails_wait" not in codes(first)

    moved = mina.put(path, {"final_time": build.day(11).isoformat()})

    assert (moved.status_code, codes(moved)) == (200, {"nobody_answered", "mails_wait"})
    before = len(mails())
    later(hours=25)
    assert len(mails()) == before + 3
    later(hours=25)
    assert len(mails()) == before + 5


@pytest.mark.usefixtures("_three_a_day")
def test_applying_a_plan_did_not_say_that_its_emails_wait(mails):
    mina, path = everybody_takes_part()
    mina.put(path, {"final_time": TEN.isoformat()})
    mails()
    calendar = build.calendar(owner=mina.user, participants=[build.user()])
    for seat in calendar.participants.all():
        build.window(calendar, seat.user, build.day(9), build.day(15))
    build.meeting(calendar=calendar)
    plan = f"/calendars/{calendar.pk}/plan/"
    assert mina.post(plan, {"time_limit_s": 1}).data["placed"]
    browser = browser_of(mina.user)

    answer = mina.post(f"{plan}apply/")

    assert (answer.status_code, codes(answer)) == (200, {"mails_wait"})
    page = browser.get(f"/app{plan}").text
    assert "The others go out when the day is over." in page


def codes(answer: Any) -> set[str]:
    return {warning["code"] for warning in answer.data.get("warnings", ())}


@pytest.mark.usefixtures("_three_a_day")
def test_letters_of_ones_own_are_refused_once_the_day_is_used_up(mails):
    mina, path = everybody_takes_part()
    build.user("sam")
    mina.put(path, {"final_time": TEN.isoformat()})
    mails()

    letter = mina.post("/calendars/send-email/", {"username": "sam"})

    assert (letter.status_code, letter.data["code"]) == (429, "too_many_requests")
    assert 0 < int(letter["Retry-After"]) <= 86400


@pytest.mark.usefixtures("_three_a_day")
def test_mails_to_oneself_are_not_counted(mails):
    mina = caller("mina")
    for number in range(5):
        meeting = build.meeting(calendar=build.calendar(owner=mina.user))
        path = f"/calendars/{meeting.calendar_id}/meetings/{meeting.pk}/"
        mina.put(path, {"final_time": build.day(number).isoformat()})

    assert len(mails()) == 5

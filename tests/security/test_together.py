"""What somebody can learn of, and do to, a person whom they only added to a calendar.

Eve has an account, and so has Sam. Eve adds Sam to her calendar without asking.
"""

from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import connection

from commontime.calendars import actions
from commontime.calendars.models import Calendar, CalendarParticipant
from commontime.calendars.queries.people import Roster
from commontime.core import clock
from tests import build
from tests.client import Caller, caller
from tests.pages import Client
from tests.web.browser import browser_of

pytestmark = pytest.mark.django_db
TEN = build.day(10)


class Trap:
    """Eve's calendar with Sam, added. Sam is in another meeting at ten."""

    def __init__(self) -> None:
        self.eve, self.sam = caller("eve"), caller("sam")
        self.calendar = build.calendar(owner=self.eve.user)
        self.path = f"/calendars/{self.calendar.pk}/"
        elsewhere = build.calendar(participants=[self.sam.user], name="Band")
        build.meeting(calendar=elsewhere, final_time=TEN, duration_minutes=60)
        added = self.eve.post(f"{self.path}participants/", {"user": self.sam.user.pk})
        assert added.status_code == 201
        self.seat = f"{self.path}participants/{added.data['id']}/"
        self.meeting = build.meeting(calendar=self.calendar, duration_minutes=1)
        self.meeting_path = f"{self.path}meetings/{self.meeting.pk}/"

    @property
    def agreed(self) -> bool:
        return bool(self.eve.get(self.seat).data["agreed"])

    def choose(self, final_time: Any = TEN, *, strict: bool = False, by: Caller | None = None):
        return (by or self.eve).put(
            self.meeting_path, {"final_time": final_time.isoformat(), "strict": strict}
        )

    def is_told(self, *, strict: bool = False) -> bool:
        """Return whether Eve hears that Sam is in a meeting at ten."""
        answer = self.choose(strict=strict)
        assert answer.status_code in (200, 409)
        warnings = {warning["code"]: warning for warning in answer.data.get("warnings", ())}
        self.eve.put(self.meeting_path, {"final_time": None})
        return warnings.get("double_booked", {}).get("users") == [self.sam.user.pk]


@pytest.fixture
def trap():
    return Trap()


def give_a_time(trap: Trap) -> None:
    body = {"start_time": build.day(8).isoformat(), "end_time": build.day(9).isoformat()}
    assert trap.sam.post(f"{trap.path}nonbusytimes/", body).status_code == 201


def replace_times(trap: Trap) -> None:
    window = {"start_time": build.day(8).isoformat(), "end_time": build.day(9).isoformat()}
    body = {"from": build.day(0).isoformat(), "to": build.day(20).isoformat(), "windows": [window]}
    assert trap.sam.put(f"{trap.path}nonbusytimes/", body).status_code == 200


def paint_a_time(trap: Trap) -> None:
    run = {"start_time": build.day(8), "end_time": build.day(9), "preference_level": 5}
    actions.paint_windows(trap.calendar, by=trap.sam.user, runs=[run])


def suggest_a_time(trap: Trap) -> None:
    body = {"suggested_time": build.day(8).isoformat()}
    path = f"/calendars/meetings/{trap.meeting.pk}/suggestions/"
    assert trap.sam.post(path, body).status_code == 201


def say_so(trap: Trap) -> None:
    answer = trap.sam.put(trap.seat, {"agreed": True})
    assert (answer.status_code, answer.data["agreed"]) == (200, True)


def press_take_part(trap: Trap) -> None:
    browser = browser_of(trap.sam.user)
    browser.get(f"/app/calendars/{trap.calendar.pk}/")
    browser.send("/take-part/")
    assert "Do you want to take part?" not in browser.page.text


DOINGS = [give_a_time, replace_times, paint_a_time, suggest_a_time, say_so, press_take_part]


# Who is together with whom ------------------------------------------------------------------------


def test_a_stranger_who_adds_somebody_is_not_told_when_they_are_in_meetings(trap):
    assert not trap.is_told()
    assert not trap.is_told(strict=True)
    assert not trap.agreed


def test_without_the_rule_a_stranger_would_be_told(trap, monkeypatch):
    everybody = property(lambda roster: frozenset(roster.by_id))
    monkeypatch.setattr(Roster, "together", everybody)

    assert trap.is_told()
    assert trap.is_told(strict=True)


@pytest.mark.parametrize("doing", DOINGS)
def test_whoever_takes_part_by_their_own_doing_is_together_with_the_owner(
    trap, doing: Callable[[Trap], None]
):
    doing(trap)

    assert trap.agreed
    assert trap.is_told()


def test_whoever_accepts_is_together_with_the_owner(trap):
    trap.sam.delete(trap.seat)
    invitation = build.invitation(trap.calendar, trap.sam.user)
    path = f"/calendars/invitations/{invitation.pk}/"

    assert trap.sam.put(path, {"status": "accepted"}).status_code == 200

    assert trap.is_told()


@pytest.mark.parametrize("accepts_too", [False, True])
def test_adding_somebody_who_is_invited_accepts_nothing_for_them(trap, accepts_too):
    trap.eve.delete(trap.seat)
    invitation = build.invitation(trap.calendar, trap.sam.user)
    added = trap.eve.post(f"{trap.path}participants/", {"user": trap.sam.user.pk})
    invitation.refresh_from_db()
    assert (added.data["agreed"], invitation.status) == (False, "accepted")
    if accepts_too:
        path = f"/calendars/invitations/{invitation.pk}/"
        assert trap.sam.put(path, {"status": "accepted"}).status_code == 200

    assert trap.is_told() is accepts_too


def test_looking_is_no_taking_part(trap):
    for path in ("", "meetings/", "participants/", "availability/", "nonbusytimes/"):
        assert trap.sam.get(f"{trap.path}{path}").status_code == 200
    browser_of(trap.sam.user).get(f"/app/calendars/{trap.calendar.pk}/")
    nothing = {"from": build.day(0).isoformat(), "to": build.day(20).isoformat(), "windows": []}
    assert trap.sam.put(f"{trap.path}nonbusytimes/", nothing).status_code == 200

    assert not trap.agreed
    assert not trap.is_told()


def test_removing_somebody_and_adding_them_again_begins_anew(trap):
    say_so(trap)
    trap.eve.delete(trap.seat)
    added = trap.eve.post(f"{trap.path}participants/", {"user": trap.sam.user.pk})

    assert not added.data["agreed"]
    assert not trap.is_told()


def test_who_got_a_calendar_handed_over_is_told_of_themselves(trap):
    trap.eve.post(f"{trap.path}transfer/", {"user": trap.sam.user.pk})

    warnings = trap.choose(by=trap.sam).data["warnings"]

    assert {warning["code"]: warning for warning in warnings}["double_booked"]["users"] == [
        trap.sam.user.pk
    ]


def test_nobody_says_it_for_somebody_else(trap):
    other = build.participant(trap.calendar, build.user("iris"), agreed_at=None)
    for by in (trap.eve, trap.sam):
        answer = by.put(f"{trap.path}participants/{other.pk}/", {"agreed": True})
        assert answer.status_code == 403
    assert trap.sam.put(trap.seat, {"agreed": True, "required": False}).status_code == 403
    assert trap.sam.put(trap.seat, {"agreed": False}).status_code == 400

    assert not CalendarParticipant.objects.filter(pk=other.pk).exclude(agreed_at=None).exists()
    assert not trap.agreed


def test_saying_it_again_changes_nothing(trap):
    say_so(trap)
    before = CalendarParticipant.objects.get(user=trap.sam.user, calendar=trap.calendar).agreed_at
    version = Calendar.objects.get(pk=trap.calendar.pk).version

    say_so(trap)

    seat = CalendarParticipant.objects.get(user=trap.sam.user, calendar=trap.calendar)
    assert seat.agreed_at == before
    assert Calendar.objects.get(pk=trap.calendar.pk).version == version


# Plans and reports: here a seat has times, yet nothing says that Sam agreed ----------------------


@pytest.fixture
def answered(trap):
    """Sam's seat has times for ten o'clock, but nothing says that he agreed."""
    for person in (trap.eve.user, trap.sam.user):
        build.window(trap.calendar, person, build.day(10), build.day(11))
    return trap


def placed(trap: Trap) -> list[Any]:
    answer = trap.eve.post(f"{trap.path}plan/", {"time_limit_s": 1})
    assert answer.status_code == 200
    return answer.data["placed"]


@pytest.mark.parametrize("agreed", [False, True])
def test_a_plan_counts_only_the_meetings_of_who_takes_part(answered, agreed):
    if agreed:
        say_so(answered)

    assert bool(placed(answered)) is not agreed


@pytest.mark.parametrize("agreed", [False, True])
def test_the_deadline_counts_only_the_meetings_of_who_takes_part(answered, agreed):
    if agreed:
        say_so(answered)
    meeting = answered.meeting
    type(meeting).objects.filter(pk=meeting.pk).update(
        auto_finalize=True, deadline=clock.now() - timedelta(minutes=1)
    )

    actions.finish_deadline(meeting)

    meeting.refresh_from_db()
    assert (meeting.final_time is None) is agreed


# Somebody's own calendars, and Eve's, in which they never took part -------------------------------


@pytest.fixture
def blocked(trap):
    """Sam has times from ten to eleven in Mina's calendar. Eve fixes a meeting with him then."""
    mina = caller("mina")
    CalendarParticipant.objects.filter(user=trap.sam.user).exclude(calendar=trap.calendar).delete()
    choir = build.calendar(owner=mina.user, participants=[trap.sam.user], duration_minutes=60)
    for person in (mina.user, trap.sam.user):
        build.window(choir, person, build.day(10), build.day(11))
    meeting = build.meeting(calendar=choir, duration_minutes=60)
    assert trap.choose(TEN).status_code == 200
    return SimpleNamespace(trap=trap, mina=mina, choir=choir, meeting=meeting)


def warned_of(blocked: Any, door: str) -> bool:
    """Return whether Mina hears that Sam is in another meeting when she chooses ten o'clock."""
    path = f"/calendars/{blocked.choir.pk}/meetings/{blocked.meeting.pk}/"
    if door == "api":
        answer = blocked.mina.put(path, {"final_time": TEN.isoformat(), "strict": True})
        return "double_booked" in str(answer.data)
    browser = Client()
    browser.post("/app/sign-in/", {"identifier": "mina", "password": build.PASSWORD})
    form = {"do": "fix", "final_time": f"{TEN:%Y-%m-%dT%H:%M}"}
    return "in another meeting at that time" in browser.post(f"/app{path}", form).text


def is_planned(blocked: Any, door: str) -> bool:
    """Return whether Mina's plan puts her meeting at ten o'clock."""
    path = f"/calendars/{blocked.choir.pk}/plan/"
    if door == "api":
        return bool(blocked.mina.post(path, {"time_limit_s": 1}).data["placed"])
    browser = Client()
    browser.post("/app/sign-in/", {"identifier": "mina", "password": build.PASSWORD})
    form = {"do": "plan", "align": "15", "seconds": "10"}
    assert browser.post(f"/app{path}", form).status_code == 302
    return bool(blocked.mina.get(path).data["placed"])


@pytest.mark.parametrize("door", ["api", "page"])
def test_a_stranger_made_somebody_busy_for_everybody_else(blocked, door):
    assert not warned_of(blocked, door)

    say_so(blocked.trap)

    blocked.meeting.refresh_from_db()
    if blocked.meeting.final_time:
        type(blocked.meeting).objects.update(final_time=None)
        blocked.trap.choose(TEN)
    assert warned_of(blocked, door)


@pytest.mark.parametrize("door", ["api", "page"])
@pytest.mark.parametrize("agreed", [False, True])
def test_a_stranger_kept_a_meeting_from_its_place_in_a_plan(blocked, door, agreed):
    if agreed:
        say_so(blocked.trap)

    assert is_planned(blocked, door) is not agreed


@pytest.mark.parametrize("agreed", [False, True])
def test_a_stranger_kept_a_meeting_from_being_fixed_at_its_deadline(blocked, agreed):
    if agreed:
        say_so(blocked.trap)
    meetings = type(blocked.meeting).objects.filter(pk=blocked.meeting.pk)
    meetings.update(auto_finalize=True, deadline=clock.now() - timedelta(minutes=1))

    actions.finish_deadline(blocked.meeting)

    assert (meetings.get().final_time is None) is agreed


def test_a_calendar_handed_over_unasked_made_its_new_owner_busy(blocked):
    answer = blocked.trap.eve.post(
        f"{blocked.trap.path}transfer/", {"user": blocked.trap.sam.user.pk}
    )

    assert answer.status_code == 200
    assert is_planned(blocked, "api")
    assert not warned_of(blocked, "api")


def test_meetings_of_the_same_calendar_count_for_its_owner_in_any_case(blocked):
    """Sam was made the owner unasked, and plans there himself."""
    blocked.trap.eve.post(f"{blocked.trap.path}transfer/", {"user": blocked.trap.sam.user.pk})
    second = build.meeting(calendar=blocked.trap.calendar, duration_minutes=1)

    answer = blocked.trap.sam.put(
        f"{blocked.trap.path}meetings/{second.pk}/",
        {"final_time": TEN.isoformat(), "strict": True},
    )

    assert answer.status_code == 409
    assert "double_booked" in str(answer.data)


# How often one is told ----------------------------------------------------------------------------


@pytest.mark.parametrize("strict", [False, True])
def test_after_so_many_answers_nobody_is_told_any_more(trap, settings, strict):
    settings.LIMITS = {**settings.LIMITS, "double_booked": (3, 3600)}
    say_so(trap)

    told = [trap.is_told(strict=strict) for _ in range(3)]
    refused = trap.choose(strict=strict)

    assert told == [True] * 3
    assert (refused.status_code, refused.data["code"]) == (429, "too_many_requests")
    assert 0 < int(refused["Retry-After"]) <= 3600
    assert trap.eve.get(trap.meeting_path).data["final_time"] is None
    # A time that says nothing of anybody can still be chosen.
    assert trap.choose(build.day(15)).status_code == 200


def test_on_a_page_too_nobody_is_told_any_more(trap, settings):
    settings.LIMITS = {**settings.LIMITS, "double_booked": (1, 3600)}
    say_so(trap)
    path = f"/app/calendars/{trap.calendar.pk}/meetings/{trap.meeting.pk}/"
    browser = Client()
    browser.post("/app/sign-in/", {"identifier": "eve", "password": build.PASSWORD})

    def chosen() -> str:
        form = {"do": "fix", "final_time": f"{TEN:%Y-%m-%dT%H:%M}"}
        return browser.post(path, form).text

    first, second = chosen(), chosen()

    assert "in another meeting at that time" in first
    assert "in another meeting at that time" not in second
    assert "reached the limit" in second


# The greeting -------------------------------------------------------------------------------------


def test_who_was_added_is_greeted_with_who_did_it(trap):
    browser = browser_of(trap.sam.user)
    browser.get(f"/app/calendars/{trap.calendar.pk}/")
    assert "Eve added you to this calendar." in browser.page.text

    browser.send("/remove/")

    assert not CalendarParticipant.objects.filter(user=trap.sam.user, calendar=trap.calendar)


def test_who_accepted_or_owns_the_calendar_is_not_greeted(trap):
    iris = build.participant(trap.calendar, build.user("iris")).user

    for person in (iris, trap.eve.user):
        browser = browser_of(person)
        browser.get(f"/app/calendars/{trap.calendar.pk}/")
        assert "Do you want to take part?" not in browser.page.text


def test_the_greeting_names_who_added_them_after_the_calendar_was_handed_over(trap):
    iris: User = build.participant(trap.calendar, build.user("iris")).user
    trap.eve.post(f"{trap.path}transfer/", {"user": iris.pk})

    browser = browser_of(trap.sam.user)
    browser.get(f"/app/calendars/{trap.calendar.pk}/")

    assert "Eve added you to this calendar." in browser.page.text


# The upgrade --------------------------------------------------------------------------------------


def test_at_the_upgrade_those_have_agreed_who_did_something_themselves(trap):
    migration = import_module("commontime.calendars.migrations.0010_those_who_agreed")
    names = ("answers", "suggests", "accepts", "waits", "declines")
    people = {name: build.user(name) for name in names}
    for person in people.values():
        build.participant(trap.calendar, person)
    build.window(trap.calendar, people["answers"], build.day(8), build.day(9))
    build.suggestion(trap.meeting, people["suggests"], TEN)
    for name, status in (("accepts", "accepted"), ("waits", "pending"), ("declines", "declined")):
        build.invitation(trap.calendar, people[name], status=status)
    # Somebody who accepted elsewhere did nothing here.
    build.invitation(build.calendar(), trap.sam.user, status="accepted")
    CalendarParticipant.objects.update(agreed_at=None)

    migration.note_who_agreed(apps, SimpleNamespace(connection=connection))

    agreed = CalendarParticipant.objects.filter(calendar=trap.calendar).exclude(agreed_at=None)
    assert set(agreed.values_list("user__username", flat=True)) == {
        *("eve", "answers", "suggests", "accepts")
    }

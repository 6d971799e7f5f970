"""The calendar's page in memory: everybody sees each change at once, nobody sees a page made for
another, and each answer has a token of its own.

A page from memory is compared with a new one. Without its guard, each change goes unnoticed.
"""

import gzip
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from commontime.accounts.actions import profiles
from commontime.accounts.actions import settings as account_settings
from commontime.calendars import actions, queries
from commontime.calendars.models import Calendar, CalendarParticipant, Meeting
from commontime.core import cache, clients
from commontime.web import base, calendar_view
from tests import build
from tests.pages import Client
from tests.web.test_calendar_page import browser_of, here, put

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_passwords")]
NOW = datetime(2031, 5, 7, 9, 1, tzinfo=UTC)  # a Wednesday
TOKEN = re.compile(r'(name="csrfmiddlewaretoken" value=")([^"]*)')


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def at(hours: float) -> datetime:
    return NOW.replace(hour=0, minute=0) + timedelta(hours=hours)


@dataclass
class Choir:
    """Mina's choir with Sam and Iris: an open meeting, a confirmed one, and one for Iris alone."""

    clock: Any
    mina: User
    sam: User
    iris: User
    calendar: Calendar
    rehearsal: Meeting
    concert: Meeting
    solo: Meeting
    browsers: dict[str, Client]

    def look(self) -> dict[str, str]:
        """Return everybody's page as they get it, without its tokens."""
        return {
            name: TOKEN.sub(r"\1", browser.get(here(self.calendar)).text)
            for name, browser in self.browsers.items()
        }


@pytest.fixture
def choir(clock) -> Choir:
    mina, sam, iris = (build.user(name) for name in ("mina", "sam", "iris"))
    calendar = build.calendar(owner=mina, participants=[sam, iris])
    rehearsal = build.meeting(calendar=calendar, title="Rehearsal", deadline=at(2 * 24 + 12))
    concert = build.meeting(calendar=calendar, title="Concert", final_time=at(48))
    solo = build.meeting(calendar=calendar, title="Solo", required=[iris], final_time=at(72))
    build.window(calendar, sam, at(33), at(36))
    browsers = {person.username: browser_of(person) for person in (mina, sam, iris)}
    return Choir(clock, mina, sam, iris, calendar, rehearsal, concert, solo, browsers)


def fresh(thing: Any) -> Any:
    """Return it as an action gets it from a door."""
    if isinstance(thing, Meeting):
        return queries.meetings.with_attendees().select_related("calendar__owner").get(pk=thing.pk)
    return type(thing).objects.get(pk=thing.pk)


def seat_of(calendar: Calendar, person: User) -> CalendarParticipant:
    return CalendarParticipant.objects.select_related("calendar", "user").get(
        calendar=calendar, user=person
    )


def rename(person: User) -> None:
    profiles.edit_profile(
        fresh(person),
        by=person,
        sign_in=build.sign_in(person),
        client=clients.Client(),
        first_name="Rio",
    )


def suggests(choir: Choir) -> None:
    actions.suggest_time(fresh(choir.rehearsal), by=choir.iris, suggested_time=at(34))


def takes_back(choir: Choir) -> None:
    suggests(choir)
    cache.clear()
    choir.look()
    actions.withdraw_suggestion(fresh(choir.rehearsal).suggestions.get(), by=choir.iris)


def takes_back_invitation(choir: Choir) -> None:
    invitation = actions.invite_person(
        choir.calendar.pk, by=choir.mina, receiver=build.user("noor").pk
    )
    cache.clear()
    choir.look()
    actions.revoke_invitation(invitation, by=choir.mina)


def a_week_passes(choir: Choir) -> None:
    actions.delete_meeting(fresh(choir.rehearsal), by=choir.mina)
    choir.clock.move_to(at(5 * 24 - 1 / 60))
    choir.look()
    choir.clock.move_to(at(5 * 24))


def is_renamed_without_a_seat(choir: Choir) -> None:
    seat_of(choir.calendar, choir.mina).delete()
    choir.look()
    rename(choir.mina)


def edits_calendar(**fields: Any) -> Callable[[Choir], Any]:
    return lambda choir: actions.edit_calendar(fresh(choir.calendar), by=choir.mina, **fields)


def edits_rehearsal(**fields: Any) -> Callable[[Choir], Any]:
    return lambda choir: actions.edit_meeting(fresh(choir.rehearsal), by=choir.mina, **fields)


def edits_concert(**fields: Any) -> Callable[[Choir], Any]:
    return lambda choir: actions.edit_meeting(fresh(choir.concert), by=choir.mina, **fields)


def changes_settings(**fields: Any) -> Callable[[Choir], Any]:
    return lambda choir: account_settings.change_settings(fresh(choir.sam), **fields)


ALL = {"mina", "sam", "iris"}
# By what happens: who sees it, and the guards without which they would not.
CHANGES: dict[str, tuple[Callable[[Choir], Any], set[str], str]] = {
    "own times": (
        lambda c: put(c.browsers["sam"], c.calendar, [(at(34), at(35), None)]),
        ALL,
        "version",
    ),
    "times over the API": (
        lambda c: build.window(c.calendar, c.iris, at(34), at(40)),
        ALL,
        "version",
    ),
    "a seat more": (
        lambda c: actions.add_participant(fresh(c.calendar), by=c.mina, user=build.user("noor").pk),
        ALL,
        "version meetings",
    ),
    "somebody is invited": (
        lambda c: actions.invite_address(c.calendar.pk, by=c.mina, email="noor@example.org"),
        ALL,
        "invited",
    ),
    "an invitation taken back": (takes_back_invitation, set(), "invited"),
    "who is required": (
        lambda c: actions.edit_participant(seat_of(c.calendar, c.iris), by=c.mina, required=False),
        ALL,
        "version",
    ),
    "a person's name": (lambda c: rename(c.iris), ALL, "version"),
    "a name without a seat": (is_renamed_without_a_seat, {"mina"}, "reader"),
    "the calendar's name": (edits_calendar(name="Band"), ALL, "version"),
    "what others may see": (edits_calendar(visibility="owner"), {"sam", "iris"}, "version whom"),
    "the planning finished": (edits_calendar(is_finalized=True), ALL, "version"),
    "a new owner": (
        lambda c: actions.transfer_calendar(fresh(c.calendar), by=c.mina, to=c.sam.pk),
        {"mina", "sam"},
        "version",
    ),
    "a meeting more": (
        lambda c: actions.create_meeting(fresh(c.calendar), by=c.mina, deadline=at(30)),
        ALL,
        "meetings",
    ),
    "a meeting's title": (edits_rehearsal(title="Tutti"), ALL, "meetings"),
    "a final time": (edits_rehearsal(final_time=at(34)), ALL, "meetings bucket"),
    "another meeting moves into the way": (edits_concert(final_time=at(34)), ALL, "meetings"),
    "another meeting loses its time": (edits_concert(final_time=None), ALL, "meetings"),
    "a meeting less": (
        lambda c: actions.delete_meeting(fresh(c.concert), by=c.mina),
        ALL,
        "meetings",
    ),
    "whom a meeting is for": (
        lambda c: actions.edit_meeting(fresh(c.solo), by=c.mina, optional=[c.sam.pk]),
        {"sam"},
        "meetings",
    ),
    "a suggestion": (suggests, ALL, "meetings"),
    "a suggestion taken back": (takes_back, set(), "meetings"),
    "a deadline passes": (lambda c: c.clock.move_to(at(2 * 24 + 12)), ALL, "meetings bucket"),
    "a start passes": (lambda c: c.clock.move_to(at(34)), ALL, "bucket"),
    "a week passes": (a_week_passes, ALL, "look"),
    "one's zone": (changes_settings(time_zone="Asia/Kathmandu"), {"sam"}, "reader look"),
    "one's clock": (changes_settings(hour_cycle="h12"), {"sam"}, "reader look"),
    "one's first day of the week": (changes_settings(week_start="sunday"), {"sam"}, "look"),
    "one's language": (changes_settings(locale="de"), {"sam"}, "reader look"),
}
KEY = ("calendar", "version", "look", "meetings", "bucket", "whom", "invited")


def turn_off(guards: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave these parts out of the key under which a page is kept."""
    for guard in guards.split():
        if guard == "reader":
            monkeypatch.setattr(base, "_reader", lambda request: request.user.pk)
        else:
            monkeypatch.setattr(
                calendar_view.CalendarView,
                "key",
                property(partial(_without, calendar_view.CalendarView.key.fget, KEY.index(guard))),
            )


def _without(whole: Callable[[Any], tuple[Any, ...]], place: int, seen: Any) -> tuple[Any, ...]:
    key = whole(seen)
    return (*key[:place], "", *key[place + 1 :])


def everybody_sees(choir: Choir, change: Callable[[Choir], Any], concerned: set[str]) -> None:
    before = choir.look()
    assert choir.look() == before

    change(choir)
    after = choir.look()

    cache.clear()
    assert after == choir.look()
    assert concerned <= {name for name in before if after[name] != before[name]}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_is_seen_at_once_by_everybody(choir, what):
    change, concerned, _ = CHANGES[what]

    everybody_sees(choir, change, concerned)


@pytest.mark.parametrize("what", CHANGES)
def test_without_its_guard_the_change_goes_unnoticed(choir, monkeypatch, what):
    change, concerned, guards = CHANGES[what]
    turn_off(guards, monkeypatch)

    with pytest.raises(AssertionError):
        everybody_sees(choir, change, concerned)


def test_somebody_removed_or_signed_out_is_not_shown_a_kept_page(choir):
    choir.look()
    browser = choir.browsers["sam"]

    actions.remove_participant(seat_of(choir.calendar, choir.sam), by=choir.mina)
    assert browser.get(here(choir.calendar)).status_code == 404
    build.invitation(choir.calendar, choir.sam)
    assert browser.get(here(choir.calendar)).headers["Location"] == "/app/"
    build.participant(choir.calendar, choir.sam)
    assert browser.get(here(choir.calendar)).status_code == 200
    browser.post("/app/sign-out/")

    assert browser.get(here(choir.calendar)).headers["Location"].startswith("/app/sign-in/")


def test_two_people_of_the_same_name_are_not_shown_each_others_page(choir, monkeypatch):
    User.objects.update(first_name="Alex", last_name="")
    for browser in choir.browsers.values():
        browser.cookies["csrf"] = "a" * 32  # one person's after the other's, on one device
    pages = choir.look()
    assert [pages[name].count('<td class="l2"') for name in ("sam", "iris")] == [6, 0]
    assert [name for name in pages if "Invite people" in pages[name]] == ["mina"]

    cache.clear()
    monkeypatch.setattr(base, "_reader", lambda request: request.user.first_name)
    assert len(set(choir.look().values())) == 1  # so this is what the test would notice


def test_each_address_has_its_own_page_though_another_is_kept(choir):
    browser = choir.browsers["sam"]
    pages = [
        browser.get(here(choir.calendar, query)).text
        for query in (
            "",
            "?hours=all",
            "?step=15",
            "?zone=Asia/Kathmandu",
            "?from=2031-06-01",
            f"?day={at(33):%Y-%m-%d}&row=540.0",
        )
    ]

    cache.clear()

    assert len({TOKEN.sub("", page) for page in pages}) == len(pages)
    assert "Asia/Kathmandu" in pages[3]
    assert 'id="who"' in pages[5]


def test_a_page_says_where_mails_lie_only_while_they_do(choir, settings, tmp_path):
    settings.MAILERS = {
        "default": {
            "BACKEND": "commontime.mail.backends.FileBackend",
            "OPTIONS": {"folder": str(tmp_path)},
        }
    }
    assert 'href="/app/mail/"' in choir.look()["sam"]

    settings.MAILERS = {
        "default": {
            "BACKEND": "commontime.mail.backends.ServerBackend",
            "OPTIONS": {"host": "localhost"},
        }
    }

    assert 'href="/app/mail/"' not in choir.look()["sam"]


def test_a_cached_page_costs_three_statements_and_no_rendering(choir, monkeypatch):
    before = choir.look()
    monkeypatch.setattr(base, "_rendered", lambda *_: pytest.fail("The page was rendered."))

    with CaptureQueriesContext(connection) as asked:
        choir.browsers["sam"].get(here(choir.calendar))

    assert len(asked) == 3  # the session, the sign-in with the calendar, its meetings
    assert choir.look() == before


# The token, and how it gets into what is compressed -----------------------------------------------


def tokens_in(page: str) -> list[str]:
    return [token[1] for token in TOKEN.findall(page)]


def test_a_page_lets_only_the_browser_post_for_which_it_was_made(choir):
    here_too = browser_of(choir.sam, enforce_csrf_checks=True)
    mina, sam = (browser_of(person, enforce_csrf_checks=True) for person in (choir.mina, choir.sam))
    pages = [browser.get(here(choir.calendar)).text for browser in (sam, sam, here_too, mina)]
    (first, second, elsewhere, other) = [tokens_in(page) for page in pages]
    assert [len(tokens) for tokens in (first, second, other)] == [4, 4, 3]
    assert all(len(set(tokens)) == 1 for tokens in (first, second, elsewhere, other))

    def status(token: str) -> int:
        return put(
            sam, choir.calendar, [(at(34), at(35), None)], **{"X-CSRFToken": token}
        ).status_code

    tokens = (first[0], second[0], elsewhere[0], other[0])
    assert [status(token) for token in tokens] == [200, 200, 403, 403]


def test_text_put_into_a_page_meets_another_mask_each_time(choir):
    """Or its length would tell, guess by guess, what the token is."""
    browser = choir.browsers["sam"]
    masks = set()
    for guess in range(5):
        edits_calendar(name=f"guess {guess}")(choir)
        masks |= set(tokens_in(browser.get(here(choir.calendar)).text))

    assert len(masks) == 5


def test_a_compressed_page_is_one_whole_gzip_stream_of_blurred_length(choir):
    browser = choir.browsers["sam"]
    lengths = set()

    for _ in range(20):
        cache.clear()
        packed = browser.get(here(choir.calendar), headers={"Accept-Encoding": "br, gzip"})
        plain = browser.get(here(choir.calendar))
        stream = zlib.decompressobj(16 + zlib.MAX_WBITS)
        page = stream.decompress(packed.content)
        assert (stream.eof, stream.unused_data) == (True, b"")
        assert gzip.decompress(packed.content) == page == plain.content
        assert len(set(tokens_in(page.decode()))) == 1
        lengths.add(len(packed.content))

    assert len(lengths) > 1
    assert (packed.headers["Content-Encoding"], plain.headers.get("Content-Encoding")) == (
        "gzip",
        None,
    )
    assert packed.headers["Content-Length"] == str(len(packed.content))
    assert all(
        "Accept-Encoding" in answer.headers["Vary"]
        and answer.headers["Cache-Control"] == "no-store"
        for answer in (plain, packed)
    )

"""The calendar's page as a browser without scripts meets it, and what its scripts send."""

import gzip
import json
import random
import re
from datetime import UTC, date, datetime, timedelta
from html import unescape
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from commontime import engine
from commontime.calendars.models import (
    Calendar,
    CalendarParticipant,
    Invitation,
    Meeting,
    NonBusyTime,
)
from commontime.core import cache
from commontime.layout import grid, lines
from commontime.layout.line_reader import Days
from commontime.mail.models import Message
from commontime.web import heat_map, words
from commontime.web.heat_map import Heat
from tests import build
from tests.client import caller
from tests.pages import Client

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_passwords")]
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    cache.clear()


def browser_of(person: User, **options) -> Client:
    browser = Client(**options)
    page = browser.get("/app/sign-in/")
    form = {
        "identifier": person.username,
        "password": build.PASSWORD,
        "csrfmiddlewaretoken": page.cookies["csrf"].value,
    }
    browser.post("/app/sign-in/", form)
    return browser


def here(calendar: Calendar, rest: str = "") -> str:
    return f"/app/calendars/{calendar.pk}/{rest}"


def mine(person: User) -> list[tuple[datetime, datetime, int]]:
    return list(
        NonBusyTime.objects.filter(user=person)
        .order_by("start_time")
        .values_list("start_time", "end_time", "preference_level")
    )


def put(browser: Client, calendar: Calendar, rows, **headers):
    body = [[start.timestamp(), end.timestamp(), preference] for start, end, preference in rows]
    return browser.put(
        here(calendar, "availability/"), body, content_type="application/json", headers=headers
    )


# Painting -----------------------------------------------------------------------------------------


def test_painting_stores_the_runs_and_answers_the_live_part(sam):
    calendar = build.calendar(participants=[sam])
    odd = (build.day(9) + timedelta(minutes=7), build.day(9) + timedelta(minutes=50, seconds=30), 6)
    build.window(calendar, sam, *odd)

    answer = put(browser_of(sam), calendar, [(build.day(12), build.day(14), 9)])

    assert answer.status_code == 200
    assert 'id="live"' in answer.text
    assert mine(sam) == [odd, (build.day(12), build.day(14), 9)]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "1",
        '{"from": 1800000000, "to": 1800003600, "windows": []}',
        "[[1, 2, 5]]",
        "[[NaN, 1800003600, 5]]",
        "[[true, 1800003600, 5]]",
        "[[1800000000, 1e400, 5]]",
        "[[1800000000, 1800003600]]",
        '[[1800000000, 1800003600, "5"]]',
        "[[1800000000, 1800003600, 11]]",
        "[[1800003600, 1800000000, 5]]",
        "[[1800003600, 1800000000, null]]",
        "[[1800000000, 1800003600, 5], [1800003000, 1800007200, null]]",
        str([[1800000000 + 60 * i, 1800000060 + 60 * i, i % 2] for i in range(4002)]),
        "[" * 5000,
    ],
)
def test_what_is_no_range_of_times_is_refused_in_json_and_changes_nothing(body, sam):
    calendar = build.calendar(participants=[sam])

    answer = browser_of(sam).put(
        here(calendar, "availability/"), body, content_type="application/json"
    )

    assert answer.status_code == 422
    assert answer.json()["detail"]
    assert mine(sam) == []


def test_a_refused_save_says_why(sam):
    calendar = build.calendar(participants=[sam], is_finalized=True)

    answer = put(browser_of(sam), calendar, [(build.day(12), build.day(14), 9)])

    assert (answer.status_code, answer.json()["code"]) == (409, "calendar_finalized")
    assert mine(sam) == []


def test_a_save_after_one_was_removed_says_so_in_json(sam):
    calendar = build.calendar(participants=[sam])
    browser = browser_of(sam)
    CalendarParticipant.objects.filter(user=sam).delete()

    answer = put(browser, calendar, [(build.day(12), build.day(14), None)])

    assert (answer.status_code, answer.json()["detail"]) == (
        404,
        "This calendar is gone, or you’re no longer in it.",
    )


def test_more_than_a_megabyte_is_told_to_be_too_long(sam):
    calendar = build.calendar(participants=[sam])

    answer = browser_of(sam).post(
        here(calendar, "times/"),
        {"text": "x" * 1_000_001},
        content_type="application/x-www-form-urlencoded",
    )

    assert answer.status_code == 413
    assert "That’s too much at once" in answer.text


def test_what_was_painted_for_somebody_else_is_not_stored():
    sam, iris = build.user("sam"), build.user("iris")
    calendar = build.calendar(participants=[sam, iris])
    build.window(calendar, sam, build.day(9), build.day(12), 6)
    before, browser = mine(sam), browser_of(sam)
    start = str(int(build.day(9).timestamp()))

    def paint(who: User):
        saved = put(browser, calendar, [(build.day(9), build.day(14), 9)], **{"X-Who": str(who.pk)})
        return saved, browser.post(
            here(calendar, "availability/"), {"do": "3", "at": [start], "who": who.pk}
        )

    saved, sent = paint(iris)

    assert (saved.status_code, saved.json()["code"]) == (409, "somebody_else")
    assert (sent.status_code, "Somebody else is now signed in" in sent.text) == (409, True)
    assert mine(sam) == before
    assert [answer.status_code for answer in paint(sam)] == [200, 302]
    assert mine(sam) != before


def test_another_site_can_save_nothing(sam):
    calendar = build.calendar(participants=[sam])
    browser = browser_of(sam, enforce_csrf_checks=True)
    rows = [(build.day(12), build.day(14), 9)]

    assert put(browser, calendar, rows).status_code == 403
    assert (
        browser.post(here(calendar, "times/"), {"text": "Mon 9-12", "do": "save"}).status_code
        == 403
    )
    assert mine(sam) == []
    token = re.search(
        r'name="csrfmiddlewaretoken" value="(\w+)"', browser.get(here(calendar)).text
    )[1]
    assert put(browser, calendar, rows, **{"X-CSRFToken": token}).status_code == 200


def test_ticked_cells_get_the_level_of_the_button_and_other_times_stay(sam):
    calendar = build.calendar(participants=[sam])
    build.window(calendar, sam, build.day(8), build.day(11), 6)
    browser = browser_of(sam)
    query = f"?from={build.day():%Y-%m-%d}"
    ticks = re.findall(r'name="at" value="(\d+)"', browser.get(here(calendar, query)).text)
    wanted = [str(int(build.day(hour).timestamp())) for hour in (9, 9.5)]
    assert set(wanted) <= set(ticks)

    browser.post(here(calendar, f"availability/{query}"), {"do": "3", "at": wanted})
    assert mine(sam) == [
        (build.day(8), build.day(9), 6),
        (build.day(9), build.day(10), 9),
        (build.day(10), build.day(11), 6),
    ]

    browser.post(here(calendar, f"availability/{query}"), {"do": "0", "at": wanted})
    assert mine(sam) == [(build.day(8), build.day(9), 6), (build.day(10), build.day(11), 6)]


def test_a_day_is_copied_to_others_and_a_week_from_the_one_before():
    sam = build.user("sam", week_start="monday")
    calendar = build.calendar(participants=[sam])
    monday = build.day() - timedelta(days=build.day().weekday())
    build.window(calendar, sam, monday + timedelta(hours=9), monday + timedelta(hours=11), 9)
    browser = browser_of(sam)

    to = [f"{monday + timedelta(days=2):%Y-%m-%d}"]
    browser.post(
        here(calendar, f"availability/?from={monday:%Y-%m-%d}"),
        {"do": "copy-day", "day": f"{monday:%Y-%m-%d}", "to": to},
    )
    assert [start - monday for start, _, _ in mine(sam)] == [
        timedelta(hours=9),
        timedelta(days=2, hours=9),
    ]

    browser.post(
        here(calendar, f"availability/?from={monday + timedelta(days=7):%Y-%m-%d}"),
        {"do": "copy-week"},
    )
    assert [(start - monday).days for start, _, _ in mine(sam)] == [0, 2, 7, 9]
    assert (
        browser.post(here(calendar, "availability/"), {"do": "copy-day", "day": "x"}).status_code
        == 422
    )


# Zones and clocks: the grid, the list form and the API agree to the minute ------------------------


def cells_of(page: str) -> dict[int, str]:
    return {
        int(at): kind
        for kind, at in re.findall(
            r'<td class="(l\d(?: mixed)?)"><input type="checkbox" name="at" value="(\d+)"', page
        )
    }


@pytest.mark.parametrize(
    "day",
    [date(2026, 3, 29), date(2026, 10, 25), date(2026, 4, 5), date(2026, 10, 4), date(2026, 7, 1)],
)
@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "Europe/Berlin", "Australia/Lord_Howe"])
def test_grid_lines_and_api_agree_to_the_minute(zone, day):
    with time_machine.travel(datetime(2026, 3, 1, tzinfo=UTC), tick=False):
        sam = build.user("sam", time_zone=zone)
        calendar = build.calendar(participants=[sam], time_zone="Europe/Berlin")
        browser, api = browser_of(sam), caller(sam)
        query = f"?from={day}&hours=all"
        local = ZoneInfo(zone)
        begin, end = grid.midnight(local, day), grid.midnight(local, day + timedelta(days=1))
        shown = [
            at for at in cells_of(browser.get(here(calendar, query)).text) if begin <= at < end
        ]
        chosen = shown[3:7]  # around the hour at which clocks change

        browser.post(
            here(calendar, f"availability/{query}"), {"do": "2", "at": [str(at) for at in chosen]}
        )

        (window,) = api.get(f"/calendars/{calendar.pk}/nonbusytimes/").data
        assert (len(shown), shown[0]) == ((end - begin) // 1800, begin)
        stored = [
            datetime.fromisoformat(window[name]).timestamp() for name in ("start_time", "end_time")
        ]
        assert stored == [chosen[0], chosen[-1] + 1800]
        text = unescape(
            re.search(
                r"<textarea[^>]*>\s*(.*?)</textarea>",
                browser.get(here(calendar, "times/")).text,
                re.DOTALL,
            )[1]
        )
        NonBusyTime.objects.all().delete()
        seen = re.search(
            r'name="seen" value="([^"]*)"',
            browser.post(here(calendar, "times/"), {"text": text}).text,
        )[1]
        browser.post(here(calendar, "times/"), {"text": text, "seen": unescape(seen), "do": "save"})
        assert [[moment.timestamp() for moment in window[:2]] for window in mine(sam)] == [stored]


def level_at(windows: list[tuple[int, int, int]], minute: int) -> int:
    """The slow twin, in UTC: how somebody likes one minute, as one of four levels."""
    return next(
        (
            1 + (preference > 3) + (preference > 7)
            for start, end, preference in windows
            if start <= minute < end
        ),
        0,
    )


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Asia/Kathmandu", date(2026, 3, 29)),
        ("Asia/Kathmandu", date(2026, 10, 25)),
        ("Europe/Berlin", date(2026, 3, 29)),
        ("Europe/Berlin", date(2026, 10, 25)),
        ("Australia/Lord_Howe", date(2026, 4, 5)),
        ("Australia/Lord_Howe", date(2026, 10, 4)),
    ],
)
def test_whatever_one_gives_over_the_api_stands_in_the_grid_and_the_list_to_the_minute(zone, day):
    chance, local = random.Random(f"{zone} {day}"), ZoneInfo(zone)
    with time_machine.travel(datetime(2026, 3, 1, tzinfo=UTC), tick=False):
        sam = build.user("sam", time_zone=zone)
        calendar = build.calendar(participants=[sam], time_zone="Europe/Berlin")
        browser, api = browser_of(sam), caller(sam)
        at, given = grid.midnight(local, day) // 60 - 300, []
        while at < grid.midnight(local, day + timedelta(days=1)) // 60:
            start = at + chance.randint(0, 90)
            at = start + chance.randint(1, 150)
            given.append((start, at, chance.randint(0, 10)))
        rows = [
            {
                "start_time": datetime.fromtimestamp(60 * a, UTC),
                "end_time": datetime.fromtimestamp(60 * b, UTC),
                "preference_level": liking,
            }
            for a, b, liking in given
        ]
        for row in rows:
            sent = {
                **row,
                "start_time": row["start_time"].isoformat(),
                "end_time": row["end_time"].isoformat(),
            }
            assert api.post(f"/calendars/{calendar.pk}/nonbusytimes/", sent).status_code == 201

        page = browser.get(here(calendar, f"?from={day}&hours=all&step=15")).text
        text = unescape(
            re.search(
                r"<textarea[^>]*>\s*(.*?)</textarea>",
                browser.get(here(calendar, "times/")).text,
                re.DOTALL,
            )[1]
        )

    cells = {
        at: kind
        for at, kind in cells_of(page).items()
        if grid.midnight(local, day) <= at < grid.midnight(local, day + timedelta(days=1))
    }
    assert list(cells) == list(
        range(grid.midnight(local, day), grid.midnight(local, day + timedelta(days=1)), 900)
    )
    for at, kind in cells.items():
        minutes = {level_at(given, at // 60 + minute) for minute in range(15)}
        assert kind == f"l{min(minutes)}" + " mixed" * (len(minutes) > 1), datetime.fromtimestamp(
            at, local
        )
    read, mistakes = lines.read(text, Days(local, day - timedelta(days=2), day + timedelta(days=2)))
    assert mistakes == []
    written = [(start // 60, end // 60, liking) for start, end, liking in read]
    assert written == [
        tuple(window)
        for window in grid.merged([(float(a), float(b), liking) for a, b, liking in given])
    ]


def test_a_day_on_which_the_clocks_change_says_how_long_it_is():
    sam = build.user("sam", time_zone="Europe/Berlin")
    calendar = build.calendar(participants=[sam], time_zone="Europe/Berlin")

    page = browser_of(sam).get(here(calendar, "?from=2026-10-25&hours=all")).text

    assert "25 hours" in page
    assert "2:00 again" in page


def test_a_participant_sees_the_best_times_of_their_own_meetings_and_the_owner_all():
    mina, sam, iris = (build.user(name) for name in ("mina", "sam", "iris"))
    calendar = build.calendar(owner=mina, participants=[sam, iris])
    for person in (mina, sam, iris):
        build.window(calendar, person, build.day(9), build.day(12))
    build.meeting(calendar=calendar, title="Everybody's")
    build.meeting(calendar=calendar, title="Mina & Sam", required=[mina, sam])
    build.meeting(calendar=calendar, title="Mina & Iris", required=[mina, iris])

    pages = {
        person.username: unescape(browser_of(person).get(here(calendar)).text)
        for person in (mina, sam, iris)
    }
    parts = {
        name: page.split('id="best-h"')[1].split("</section>")[0].partition('class="others"')
        for name, page in pages.items()
    }

    best = {name: re.findall(r"<h3><a[^>]*>(.*?)</a>", part[0]) for name, part in parts.items()}
    assert best["mina"] == ["Everybody's", "Mina & Sam", "Mina & Iris"]
    assert best["sam"] == ["Everybody's", "Mina & Sam"]
    assert best["iris"] == ["Everybody's", "Mina & Iris"]
    assert {
        name: re.findall(r"<li><a[^>]*>(.*?)</a>", part[2]) for name, part in parts.items()
    } == {
        "mina": [],
        "sam": ["Mina & Iris"],
        "iris": ["Mina & Sam"],
    }


def test_a_start_below_one_with_fewer_people_says_why_without_unfolding():
    people = [
        build.user(
            f"singer{number}",
            first_name="Alexandrina Maximiliane",
            last_name=f"Wolkenstein {number}",
        )
        for number in range(6)
    ]
    calendar = build.calendar(owner=people[0], participants=people[1:], duration_minutes=60)
    for optional in people[2:]:
        calendar.participants.filter(user=optional).update(required=False)
        build.window(calendar, optional, build.day(14), build.day(15))
    for required in people[:2]:
        build.window(calendar, required, build.day(9), build.day(10))
    build.meeting(calendar=calendar, title="Rehearsal")

    page = browser_of(people[0]).get(here(calendar)).text
    first, second = re.findall(r'<li>(?=<span class="rank")(.*?)</(?:details|span)></li>', page)[:2]

    assert ("2 of 6" in first, "4 of 6" in second) == (True, True)
    assert not re.search("required (person|people) can’t", unescape(first))
    assert re.search(r"<summary>[^<]*2 required people can’t come\.", unescape(second))


@pytest.mark.parametrize(
    ("visibility", "told"), [("open", {"mina", "sam"}), ("counts", {"mina"}), ("owner", {"mina"})]
)
def test_how_many_are_invited_is_said_to_who_may_know_who_is_there(visibility, told):
    mina, sam = build.user("mina"), build.user("sam")
    calendar = build.calendar(owner=mina, participants=[sam], visibility=visibility)
    build.invitation(calendar, build.user("iris"))
    build.invitation(calendar, build.user("bao"))
    build.invitation(build.calendar(), sam)

    pages = {person.username: browser_of(person).get(here(calendar)).text for person in (mina, sam)}

    assert {name for name, page in pages.items() if "2 invited, not yet joined" in page} == told
    assert {name for name, page in pages.items() if "not yet joined" in page} == told


@pytest.mark.parametrize(
    ("zone", "cycle", "day", "half", "cells", "best", "line"),
    [
        (
            "Europe/Berlin",
            "h12",
            date(2027, 10, 31),
            datetime(2027, 10, 31, 0, 30, tzinfo=UTC),
            ["2:30 am (first time, CEST)", "2:00 am (second time, CET)"],
            "2:30 am (first time, CEST)–2:30 am (second time, CET)",
            "2:30 am (first time)-2:30 am (second time) works",
        ),
        (
            "Australia/Lord_Howe",
            "h23",
            date(2027, 4, 4),
            datetime(2027, 4, 3, 14, 30, tzinfo=UTC),
            ["1:30 (first time, UTC+11)", "1:30 (second time, UTC+10:30)"],
            "1:30 (first time, UTC+11)–2:00",
            "1:30 (first time)-2:00 works",
        ),
        (
            "Asia/Kathmandu",
            "h23",
            date(2027, 10, 31),
            datetime(2027, 10, 31, 0, 30, tzinfo=UTC),
            [],
            "6:15–7:15",
            "6:15-7:15 works",
        ),
    ],
)
def test_times_that_come_twice_are_told_apart_wherever_they_stand(
    zone, cycle, day, half, cells, best, line
):
    with time_machine.travel(datetime(2027, 3, 1, tzinfo=UTC), tick=False):
        sam = build.user("sam", time_zone=zone, hour_cycle=cycle)
        calendar = build.calendar(owner=sam, time_zone="Europe/Berlin")
        meeting = build.meeting(calendar=calendar, duration_minutes=60)
        build.window(calendar, sam, half, half + timedelta(hours=1))
        browser = browser_of(sam)

        page = browser.get(here(calendar, f"?from={day}&hours=all")).text
        own = browser.get(here(calendar, f"meetings/{meeting.pk}/")).text
        text = browser.get(here(calendar, "times/")).text
        preview = browser.post(
            here(calendar, "times/"),
            {"text": re.search(r"<textarea[^>]*>\s*(.*?)</textarea>", text, re.DOTALL)[1]},
        ).text

    named = re.findall(r'aria-label="Sun \d+ \w+ ([^"]*), (?:works|not available)"', page)
    assert len(named) == len(set(named))
    assert all(name in named for name in cells)
    assert ("time" in "".join(named)) is bool(cells)
    assert f"{best}</time>" in page
    assert f"{best}</time>" in own
    assert line in text
    assert f"{best} works" in preview


def test_the_zone_is_named_and_can_be_switched_and_nonsense_changes_nothing():
    sam = build.user("sam", time_zone="Asia/Kathmandu")
    calendar = build.calendar(participants=[sam], time_zone="Europe/Berlin")
    browser = browser_of(sam)

    page = browser.get(here(calendar)).text
    assert "Times in Asia/Kathmandu" in page
    assert "this calendar uses Europe/Berlin" in page
    assert "Times in America/Lima" in browser.get(here(calendar, "?zone=America/Lima")).text
    for query in (
        "?zone=../../etc&from=9999-99-99&step=x&hours=%00",
        "?from=0001-01-01",
        "?from=2099-12-31",
        "?zone=%22%3E%3Cscript%3E",
    ):
        answer = browser.get(here(calendar, query))
        assert answer.status_code == 200
        assert "Times in Asia/Kathmandu" in answer.text


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (
            "Europe/Belin",
            "There’s no time zone called “Europe/Belin”. Write it like Europe/Berlin.",
        ),
        (
            "new york",
            "There’s no time zone called “new york”. Did you mean: "
            '<a href="?zone=America%2FNew_York">America/New_York</a>',
        ),
    ],
)
def test_a_mistyped_zone_is_told_beside_the_field_and_stays_in_it(typed, said):
    sam = build.user("sam", time_zone="Asia/Kathmandu")
    calendar = build.calendar(participants=[sam])
    meeting = build.meeting(calendar=calendar)
    browser = browser_of(sam)

    for path in (here(calendar), here(calendar, f"meetings/{meeting.pk}/")):
        page = browser.get(path, {"zone": typed}).text
        assert f'<input id="zone" name="zone" value="{typed}"' in page
        assert 'aria-invalid="true" aria-describedby="zone_error"' in page
        assert said in page
        assert "Times in Asia/Kathmandu" in page
        assert "zone=" not in page.split('<live-part data-url="')[1].split('"')[0]
        assert "no time zone" not in browser.get(path, {"zone": " Europe/Berlin "}).text


# The list form ------------------------------------------------------------------------------------


def test_lines_are_shown_as_understood_before_they_are_stored(sam):
    calendar = build.calendar(
        participants=[sam], window_start=build.day(0), window_end=build.day(0, days=32)
    )
    browser = browser_of(sam)
    line = f"{build.day():%Y-%m-%d} 9-12 ideal"

    preview = browser.post(here(calendar, "times/"), {"text": line, "do": "preview"})
    assert preview.status_code == 200
    assert "9:00–12:00" in preview.text
    assert "3 hours" in preview.text
    assert mine(sam) == []

    seen = unescape(re.search(r'name="seen" value="([^"]*)"', preview.text)[1])
    saved = browser.post(here(calendar, "times/"), {"text": line, "do": "save", "seen": seen})
    assert saved.status_code == 302
    assert mine(sam) == [(build.day(9), build.day(12), 9)]


def test_lines_are_not_stored_over_what_changed_in_another_window(sam):
    calendar = build.calendar(participants=[sam])
    browser = browser_of(sam)
    line = f"{build.day():%Y-%m-%d} 9-12"
    seen = unescape(
        re.search(
            r'name="seen" value="([^"]*)"',
            browser.post(here(calendar, "times/"), {"text": line}).text,
        )[1]
    )
    build.window(calendar, sam, build.day(15), build.day(16))

    answer = browser.post(here(calendar, "times/"), {"text": line, "do": "save", "seen": seen})

    assert "changed in another window" in answer.text
    assert mine(sam) == [(build.day(15), build.day(16), 5)]


def test_a_refused_line_keeps_the_text_and_says_which(sam):
    calendar = build.calendar(participants=[sam])
    text = "Mon 9-12 works\nMon 9-12 <b>perhaps</b>"

    answer = browser_of(sam).post(here(calendar, "times/"), {"text": text, "do": "save"})

    assert answer.status_code == 422
    assert "Line 2: " in answer.text
    assert "Mon 9-12 &lt;b&gt;perhaps&lt;/b&gt;" in answer.text
    assert "<b>perhaps" not in answer.text


def test_lines_that_come_too_late_are_kept_and_told(sam):
    calendar = build.calendar(participants=[sam])
    browser = browser_of(sam)
    line = f"{build.day():%Y-%m-%d} 9-12"
    seen = unescape(
        re.search(
            r'name="seen" value="([^"]*)"',
            browser.post(here(calendar, "times/"), {"text": line}).text,
        )[1]
    )
    calendar.is_finalized = True
    calendar.save()

    answer = browser.post(here(calendar, "times/"), {"text": line, "do": "save", "seen": seen})

    assert answer.status_code == 422
    assert "Planning in this calendar is finished." in answer.text
    assert f"{line}</textarea>" in answer.text
    assert mine(sam) == []


# Everybody and the best times ---------------------------------------------------------------------


def crowd(size: int, windows: int, **fields) -> Calendar:
    """A calendar of so many people with so many windows each, written in bulk."""
    owner = build.user()
    calendar = build.calendar(
        owner=owner, window_start=build.day(8, days=7), window_end=build.day(20, days=13), **fields
    )
    number = User.objects.count()
    people = User.objects.bulk_create(
        User(username=f"crowd{number + place}", first_name=f"P{place}") for place in range(size)
    )
    CalendarParticipant.objects.bulk_create(
        CalendarParticipant(calendar=calendar, user=person) for person in people
    )
    rows = []
    for place, person in enumerate(people):
        for turn in range(windows):
            start = build.day(8, days=7) + timedelta(minutes=90 * turn + place % 50)
            rows.append(
                NonBusyTime(
                    calendar=calendar,
                    user=person,
                    start_time=start,
                    end_time=start + timedelta(minutes=61),
                    preference_level=turn % 11,
                )
            )
    NonBusyTime.objects.bulk_create(rows, batch_size=2000)
    calendar.refresh_from_db()
    return calendar


def heat_of(page: str) -> list[str]:
    table = page.split("<heat-map>")[1].split("</heat-map>")[0]
    return re.findall(r'<td class="s\d(?: n)?">(\d*)</td>', table)


def test_a_cell_counts_who_is_free_throughout_it():
    sam, iris = build.user("sam"), build.user("iris")
    calendar = build.calendar(
        owner=build.user("mina"),
        participants=[sam, iris],
        window_start=build.day(9),
        window_end=build.day(11),
    )
    build.window(calendar, sam, build.day(9), build.day(10.25))
    build.window(calendar, iris, build.day(9.5), build.day(9.75))
    build.window(calendar, iris, build.day(9.75), build.day(11), 1)

    page = browser_of(sam).get(here(calendar)).text

    assert heat_of(page) == ["1", "2", "1", "1"]
    assert "2 of 3 answered." in page
    assert 'data-silent="3"' in page


@pytest.mark.parametrize(
    ("counts", "people", "steps", "said"),
    [
        # As many of forty as rarely come: all shades are used, and everybody has one of their own.
        (
            [0, 3, 8, 12, 17, 22, 40],
            40,
            [0, 1, 2, 3, 4, 5, 6],
            "nobody|3–6|7–10|11–14|15–18|19–22|all 40",
        ),
        ([1, 2, 3], 3, [1, 3, 6], "nobody|1|2|all 3"),
        ([7, 7], 50, [1, 1], "nobody|7|all 50"),
        ([0, 50], 50, [0, 6], "nobody|all 50"),
        (
            [0, 3],
            4,
            [0, 4],
            "nobody|1|2|3|all 4",
        ),  # in a small group each number has its own, whatever occurs
        ([0], 0, [0], "nobody|all 0"),
    ],
)
def test_the_shades_are_shared_by_the_numbers_that_occur(counts, people, steps, said):
    heat = Heat([(count, 0) for count in counts], people, 0)

    scale = heat_map.scale(heat)
    shades = heat_map.legend(heat).shades

    assert [scale[count] for count in counts] == steps
    assert "|".join(text for _, text in shades) == said
    for step, text in shades[1:-1]:
        first, _, last = text.partition("–")
        assert {scale[number] for number in range(int(first), int(last or first) + 1)} == {
            int(step)
        }


def test_the_heat_map_agrees_with_the_api_about_every_cell():
    calendar = crowd(7, 12)
    owner = caller(calendar.owner)

    cells = json.loads(browser_of(calendar.owner).get(here(calendar, "who/")).text)["cells"]

    pieces = owner.get(f"/calendars/{calendar.pk}/availability/?duration_minutes=30").data["pieces"]
    starts = [
        (datetime.fromisoformat(piece["start"]).timestamp(), piece["available"]) for piece in pieces
    ]
    for start, _end, code in cells:
        expected = next(available for at, available in reversed(starts) if at <= start)
        assert sum(level in "123" for level in code) == expected
    page = browser_of(calendar.owner).get(here(calendar)).text
    assert [int(count or 0) for count in heat_of(page)] == [
        sum(level in "123" for level in code) for _, _, code in cells
    ]


@pytest.mark.parametrize(
    ("visibility", "member", "owner"),
    [("open", True, True), ("counts", False, False), ("owner", False, True)],
)
def test_names_are_told_only_as_far_as_visibility_allows(visibility, member, owner):
    mina, sam, iris = (build.user(name) for name in ("mina", "sam", "iris"))
    calendar = build.calendar(owner=mina, participants=[sam, iris], visibility=visibility)
    build.meeting(calendar=calendar)
    build.window(calendar, iris, build.day(9), build.day(12), 2)

    for person, tells in ((sam, member), (mina, owner)):
        browser = browser_of(person)
        who = json.loads(browser.get(here(calendar, f"who/?from={build.day():%Y-%m-%d}")).text)
        assert ("people" in who) == tells
        page = browser.get(
            here(calendar, f"?from={build.day():%Y-%m-%d}&day={build.day():%Y-%m-%d}&row=540.0")
        ).text
        assert ("<dd>Iris</dd>" in page) == tells
        assert ("Only if need be: Iris." in page) == tells


def test_in_a_big_group_who_has_not_answered_is_seen_and_the_rest_unfolded():
    calendar = crowd(25, 1)
    page = browser_of(calendar.owner).get(here(calendar)).text

    shown, folded = (
        page.split('<h2 id="answered-h">')[1].split("</section>")[0].split('<details class="have">')
    )

    assert (shown.count("<li"), folded.count("<li")) == (1, 25)
    assert "<summary>25 have answered</summary>" in folded


def test_two_hundred_people_cost_one_call_of_the_engine_and_no_more_queries_than_two(monkeypatch):
    calls = []
    real = engine.profile
    monkeypatch.setattr(
        engine, "profile", lambda *given, **named: calls.append(1) or real(*given, **named)
    )
    costs = []
    for size, windows in ((2, 2), (200, 100)):
        calendar = crowd(size, windows)
        browser = browser_of(calendar.owner)
        calls.clear()
        with CaptureQueriesContext(connection) as asked:
            answer = browser.get(here(calendar))
        assert answer.status_code == 200
        assert len(calls) == 1
        costs.append(len(asked))

    assert costs[0] == costs[1]
    assert len(answer.content) < 60_000
    assert answer.text.count("<") < 2 * 3000


def test_a_first_visit_is_light_and_its_scripts_too():
    calendar = crowd(12, 10)
    build.meeting(calendar=calendar)
    browser = browser_of(calendar.owner)

    page = browser.get(here(calendar), headers={"Accept-Encoding": "gzip"})

    shown = gzip.decompress(page.content).decode()
    links = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', shown))
    (script,) = [link for link in links if link.endswith(".js")]
    assert "availability-grid" in script
    sizes = {
        link: len(b"".join(browser.get(link, headers={"Accept-Encoding": "gzip"})))
        for link in links
    }  # as they go over the wire
    assert sizes[script] <= 20 * 1024
    headers = 600 * (len(links) + 1)
    assert len(page.content) + sum(sizes.values()) + headers <= 60 * 1024


def test_asking_again_without_a_change_is_304_and_touches_no_engine(monkeypatch):
    sam, iris = build.user("sam"), build.user("iris")
    calendar = build.calendar(participants=[sam, iris])
    meeting = build.meeting(calendar=calendar)
    build.window(calendar, sam, build.day(9), build.day(12))
    browser = browser_of(sam)
    with time_machine.travel(datetime.now(UTC).replace(minute=1), tick=False):
        first = browser.get(here(calendar, "live/"))
        monkeypatch.setattr(
            engine, "profile", lambda *_, **__: pytest.fail("The engine was asked.")
        )
        monkeypatch.setattr(
            engine, "preferences", lambda *_, **__: pytest.fail("The engine was asked.")
        )
        cache.clear()

        with CaptureQueriesContext(connection) as asked:
            again = browser.get(here(calendar, "live/"), headers={"If-None-Match": first["ETag"]})

        assert (again.status_code, again.content) == (304, b"")
        assert len(asked) <= 5
        monkeypatch.undo()
        for change in (
            lambda: build.window(calendar, iris, build.day(10), build.day(11)),
            lambda: Meeting.objects.filter(pk=meeting.pk).update(title="Other", version=2),
            lambda: build.suggestion(meeting, iris, build.day(10)),
        ):
            change()
            now = browser.get(here(calendar, "live/"), headers={"If-None-Match": first["ETag"]})
            assert now.status_code == 200
            assert now["ETag"] != first["ETag"]
            first = now


def test_best_times_say_who_and_why_and_all_can_stands_out():
    mina, sam = build.user("mina"), build.user("sam", time_zone="Asia/Kathmandu")
    calendar = build.calendar(owner=mina, participants=[sam])
    build.meeting(calendar=calendar, title="Rehearsal")
    build.window(calendar, mina, build.day(9), build.day(12), 9)
    build.window(calendar, sam, build.day(10), build.day(12), 2)

    page = browser_of(sam).get(here(calendar)).text

    best = page.split('class="best"')[1].split("</li>")[0]
    local = build.day(10).astimezone(ZoneInfo("Asia/Kathmandu"))
    assert f", {local.hour}:{local.minute:02}–" in best
    assert 'class="all"' in best
    assert "Everybody can come" in best
    assert "Only if need be: Sam." in best


def test_how_many_can_come_is_said_once():
    mina, sam = build.user("mina"), build.user("sam")
    calendar = build.calendar(owner=mina, participants=[sam])
    build.meeting(calendar=calendar)
    build.window(calendar, mina, build.day(9), build.day(12))
    build.window(calendar, sam, build.day(10), build.day(11))

    page = browser_of(sam).get(here(calendar)).text

    both, one, *_ = (
        start.split("</li>")[0] for start in page.split('class="best"')[1].split('class="rank"')[1:]
    )
    assert re.findall("Everybody can come|Both people|2 of 2", both) == ["Everybody can come"]
    assert re.findall("Everybody can come|1 of 2", one) == ["1 of 2"]
    assert "1 of 2 can come." in one


def test_the_script_had_bands_of_its_own():
    calendar = build.calendar()

    page = unescape(browser_of(calendar.owner).get(here(calendar)).text)

    assert f'data-levels="{json.dumps(grid.BANDS, separators=(",", ":"))}"' in page
    assert 'data-preferences="{"1":2,"2":5,"3":9}"' in page
    assert f'data-longest="{31 * 86400}"' in page


def test_the_parts_of_the_page_are_at_hand_with_the_best_start_of_an_only_meeting():
    sam = build.user("sam", time_zone="UTC")
    calendar = build.calendar(participants=[sam])
    build.meeting(calendar=calendar)
    build.window(calendar, sam, build.day(9), build.day(10))

    def parts() -> str:
        page = browser_of(sam).get(here(calendar)).text
        nav = page.split('<nav class="parts"')[1].split("</nav>")[0]
        assert re.findall('href="#([^"]+)"', nav) == ["mine", "best-h", "heat-h"]
        assert all(page.count(f' id="{part}"') == 1 for part in ("mine", "best-h", "heat-h"))
        return nav

    best = words.day_name(build.day(9), short=True)
    assert best in parts()
    build.meeting(calendar=calendar)
    assert best not in parts()  # of which would it be?


def test_an_empty_calendar_says_what_comes_next(sam):
    calendar = build.calendar(participants=[sam])
    browser = browser_of(sam)

    assert "No meetings yet." in browser.get(here(calendar)).text
    build.meeting(calendar=calendar)
    assert "Nobody has answered yet." in browser.get(here(calendar)).text


def handlers_in(page: str) -> list[str]:
    """Return the attributes of a page that would run something."""
    handlers = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: handlers.extend(
        name for name, _ in attributes if name.startswith(("on", "hx-"))
    )
    parser.feed(page)
    return handlers


@pytest.mark.parametrize(
    "payload",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "{{7*7}}{% debug %}",
        "' autofocus onfocus=x '",
    ],
)
def test_what_people_write_is_shown_as_written(payload, mina):
    sam = build.user("sam", first_name=payload[:140])
    calendar = build.calendar(
        owner=mina, participants=[sam], name=payload, description=payload, location=payload
    )
    build.meeting(calendar=calendar, title=payload)
    build.meeting(calendar=calendar, title=payload, final_time=build.day(10))
    build.window(calendar, sam, build.day(9), build.day(12), 2)
    browser = browser_of(mina)

    for rest in ("", "live/", "people/", "settings/", "times/", "meetings/new/"):
        page = browser.get(here(calendar, rest)).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert handlers_in(page) == []
        assert "{{7*7}}" in page or "{{7" not in payload


# The owner's tools --------------------------------------------------------------------------------


def test_the_owner_invites_by_name_and_by_address_and_takes_it_back():
    mina, iris = build.user("mina"), build.user("iris")
    calendar = build.calendar(owner=mina)
    browser = browser_of(mina)

    for who in ("iris", "bao@example.org"):
        assert (
            browser.post(here(calendar, "people/"), {"do": "invite", "who": who}).status_code == 302
        )
    assert set(Invitation.objects.values_list("receiver__username", "email")) == {
        ("iris", ""),
        (None, "bao@example.org"),
    }
    refused = browser.post(here(calendar, "people/"), {"do": "invite", "who": "nobody-here"})
    assert refused.status_code == 422
    assert "Nobody here has this username." in refused.text
    assert ">\nnobody-here</textarea>" in refused.text

    for invitation in Invitation.objects.all():
        browser.post(here(calendar, "people/"), {"do": "revoke", "invitation": str(invitation.pk)})
    assert not Invitation.objects.exists()
    browser.post(here(calendar, "people/"), {"do": "invite", "who": "iris", "at_once": "on"})
    assert CalendarParticipant.objects.filter(calendar=calendar, user=iris).exists()


def test_the_owner_reminds_and_says_who_is_required():
    mina, sam = build.user("mina"), build.user("sam")
    calendar = build.calendar(owner=mina, participants=[sam])
    seat = CalendarParticipant.objects.get(calendar=calendar, user=sam)
    browser = browser_of(mina)

    for do in ("optional", "remind"):
        assert (
            browser.post(
                here(calendar, "people/"), {"do": do, "participant": str(seat.pk)}
            ).status_code
            == 302
        )

    seat.refresh_from_db()
    assert not seat.required
    assert list(Message.objects.values_list("kind", "recipient")) == [
        ("from_person", "sam@example.org")
    ]
    other = CalendarParticipant.objects.get(
        calendar=build.calendar(owner=build.user("eve")), user__username="eve"
    )
    assert (
        browser.post(
            here(calendar, "people/"), {"do": "remind", "participant": str(other.pk)}
        ).status_code
        == 404
    )


def test_the_owner_adds_a_meeting_in_their_own_zone():
    mina, sam = build.user("mina", time_zone="Asia/Kathmandu"), build.user("sam")
    calendar = build.calendar(owner=mina, participants=[sam])
    browser = browser_of(mina)

    refused = browser.post(
        here(calendar, "meetings/new/"), {"title": "Rehearsal", "deadline": "2001-01-01T10:00"}
    )
    assert refused.status_code == 422
    assert "The deadline must be in the future." in refused.text
    assert 'value="Rehearsal"' in refused.text
    browser.post(
        here(calendar, "meetings/new/"),
        {"title": "Rehearsal", "deadline": "2031-05-01T10:00", "required": [str(sam.pk)]},
    )

    meeting = Meeting.objects.get()
    assert meeting.deadline == datetime(2031, 5, 1, 4, 15, tzinfo=UTC)
    assert not meeting.for_everyone


def test_settings_are_changed_and_the_planning_is_finished_reopened_handed_over_and_deleted():
    mina, sam = build.user("mina"), build.user("sam")
    calendar = build.calendar(owner=mina, participants=[sam], time_zone="Europe/Berlin")
    browser, path = browser_of(mina), here(calendar, "settings/")
    form = {
        "name": "Band",
        "duration_minutes": "90",
        "time_zone": "Europe/Berlin",
        "visibility": "counts",
        "window_start": "2031-05-01T08:00",
    }

    assert browser.post(path, {**form, "name": " "}).status_code == 422
    assert browser.post(path, form).status_code == 302
    calendar.refresh_from_db()
    assert (calendar.name, calendar.duration_minutes, calendar.window_start) == (
        "Band",
        90,
        datetime(2031, 5, 1, 8, tzinfo=BERLIN),
    )
    assert (
        'name="window_start" value="2031-05-01T08:00"' in browser.get(path).text
    )  # though Mina's own zone is another
    for do, finished in (("finish", True), ("reopen", False)):
        browser.post(path, {"do": do})
        calendar.refresh_from_db()
        assert calendar.is_finalized is finished
    assert browser.post(path, {"do": "duplicate", "shift_days": "7"}).status_code == 302
    assert Calendar.objects.filter(owner=mina).count() == 2
    assert browser.post(path, {"do": "transfer", "user": "x"}).status_code == 422
    browser.post(path, {"do": "transfer", "user": str(sam.pk)})
    assert browser.get(path).status_code == 403
    browser_of(sam).post(path, {"do": "delete"})
    assert not Calendar.objects.filter(pk=calendar.pk).exists()


def test_a_finished_calendar_can_be_looked_at_but_not_painted_on(sam):
    calendar = build.calendar(participants=[sam], is_finalized=True)

    page = browser_of(sam).get(here(calendar)).text

    assert "availability-grid>" not in page
    assert "<heat-map>" in page

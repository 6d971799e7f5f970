"""Meetings and plans in a real Chromium: sixty talks are planned, pinned and published; a question
is asked before what is probably not wanted; axe looks on in every state, at three widths, in light
and dark.
"""

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from stage.chromium import DESK, HEIGHT, PHONE, TABLET, Windows, in_chromium
from stage.servers import Site
from tests import build

pytestmark = pytest.mark.processes
LOOKS = ((PHONE, "light"), (TABLET, "dark"), (DESK, "light"))
TALKS = """
from tests import build
mina = build.user("mina", time_zone="UTC")
guests = [build.user(f"guest{number}", time_zone="UTC") for number in range(60)]
calendar = build.calendar(owner=mina, participants=guests, name="Talks", duration_minutes=30)
for day in range(10):
    build.window(calendar, mina, build.day(8, days=30 + day), build.day(16, days=30 + day), 9)
for number, guest in enumerate(guests):
    day, hour = 30 + number % 10, 8 + number // 20 * 2
    build.window(calendar, guest, build.day(hour, days=day), build.day(hour + 2, days=day), 9)
print("calendar", calendar.pk)
"""


@pytest.fixture(scope="module")
def site(site: Site) -> Site:
    site.talks = re.search(r"calendar (\S+)", site.manage("shell", "-c", TALKS))[1]
    return site


BEHIND = """async (bar) => {
  const frame = () => new Promise((drawn) => requestAnimationFrame(drawn));
  await frame();
  await frame(); // what got the focus has come into sight
  const { activeElement } = document;
  const [focused, covered] = [activeElement, bar].map((part) => part.getBoundingClientRect());
  const overlaps = focused.bottom > covered.top + 1 && focused.top < covered.bottom - 1;
  return !bar.contains(activeElement) && overlaps && activeElement.outerHTML;
}"""


def hidden_behind(page: Page, bar: Any) -> list[str]:
    """Walk through a phone's page with the keyboard; return what had the focus behind the bar (WCAG
    2.4.11).
    """
    before = page.viewport_size
    page.set_viewport_size({"width": PHONE, "height": HEIGHT})
    page.emulate_media(reduced_motion="reduce")
    page.locator(".made summary").focus()
    behind = []
    for _ in range(50):
        page.keyboard.press("Tab")
        behind.append(bar.evaluate(BEHIND))
    page.set_viewport_size(before)
    return [each for each in behind if each]


def test_sixty_talks_are_planned_one_pinned_planned_again_and_published(site):
    path = f"/app/calendars/{site.talks}/"

    def journey(browser: Browser) -> None:
        windows = Windows(site, browser)
        mina = windows.sign_in("mina", path)
        mina.get_by_role("link", name="Plan several meetings").click()
        windows.look(mina, (PHONE, "dark"))
        mina.fill("[name=duration_minutes]", "30")
        mina.get_by_role("button", name="Create one-on-ones").click()
        expect(mina.locator(".notice")).to_have_text("60 one-on-ones are waiting for a time.")

        # Which, how much each matters, and when: folded, all ticked at once or none, and refused
        # beside what is wrong.
        mina.locator(".which > summary").click()
        rows, every = (
            mina.locator("tick-all > ul > li"),
            mina.get_by_role("checkbox", name="All 60"),
        )
        every.uncheck()
        expect(mina.get_by_role("combobox", name="Priority of Guest0")).to_be_hidden()
        rows.first.get_by_role("checkbox").check()
        expect(every).to_be_checked(indeterminate=True)
        every.click()
        expect(rows.locator("label :checked")).to_have_count(60)
        rows.first.get_by_role("combobox").select_option("top priority")
        rows.nth(1).locator("summary").click()
        rows.nth(1).get_by_label("Set time for Guest1, in UTC").fill("2020-01-01T10:00")
        mina.get_by_role("button", name="Plan them together").click()
        expect(rows.nth(1).locator(".mend")).to_contain_text("a time in the past.")
        expect(mina.locator(".which > summary")).to_contain_text(
            "1 with a higher priority · 1 at a set time"
        )
        windows.look(mina, (PHONE, "dark"), (DESK, "light"))
        rows.nth(1).get_by_label("Set time for Guest1, in UTC").fill("")
        mina.get_by_role("button", name="Plan them together").click()
        expect(mina.locator(".result h2").first).to_have_text("A time for 60 of 60")
        expect(mina.locator(".quality")).to_have_text("Optimal, proven: no plan is better.")

        # In a timetable by the clock; on a phone as a list by day.
        first, second = (
            mina.locator(".day ol").first.locator("li").nth(number).bounding_box()
            for number in (0, 1)
        )
        assert first["x"] == second["x"]
        assert first["y"] < second["y"]
        assert (
            mina.locator(".week").first.evaluate("week => getComputedStyle(week).gridAutoFlow")
            == "column"
        )
        for summary in mina.locator(".result summary").all():
            summary.click()
        expect(mina.locator(".told li")).to_have_count(61)
        windows.look(mina, *LOOKS)

        pinned = mina.get_by_role("checkbox", name=re.compile("^Pin Guest59,"))
        pinned.focus()
        mina.keyboard.press("Space")
        value = pinned.get_attribute("value")
        following = mina.get_by_role("group", name="Next steps")
        following.get_by_role("button", name="Plan again").click()
        expect(mina.locator(".slot :checked")).to_have_count(1)
        expect(mina.locator(".slot :checked")).to_have_attribute("value", value)
        expect(following.get_by_role("link", name="Publish …")).to_be_in_viewport()
        assert hidden_behind(mina, following) == []
        following.get_by_role("link", name="Publish …").click()
        expect(mina.get_by_role("heading", name="Publish")).to_be_in_viewport()
        mina.get_by_role("button", name="Publish these times").click()
        expect(mina.locator(".result h2").first).to_have_text("Published")
        windows.look(mina, (PHONE, "dark"))

        assert site.count("mail_message", "kind = 'request'") == 120
        for name in ("guest7", "guest59"):
            guest = windows.sign_in(name, path, width=PHONE)
            own = guest.locator(".fixed > ul li")
            expect(own).to_have_count(1)
            expect(own).to_contain_text(f"Mina & {name.title()}")
            own.get_by_role("link").click()
            expect(guest.locator(".comes .yes")).to_contain_text(f"Mina, {name.title()}")
        windows.look(guest, (PHONE, "light"), (DESK, "dark"))
        with guest.expect_download() as download:
            guest.get_by_role("link", name="Add to my calendar app").click()
        assert download.value.suggested_filename == "invite.ics"
        assert windows.faults == []

    in_chromium(journey)


def test_a_search_that_runs_shows_how_far_it_is_and_what_came_of_it_without_a_reload(site):
    def journey(browser: Browser) -> None:
        windows = Windows(site, browser)
        people = {name: site.person(name) for name in ("olga", "pavel")}
        calendar = people["olga"].post("/calendars/", {"name": "Two"}).data["id"]
        people["olga"].post(f"/calendars/{calendar}/participants/", {"user": people["pavel"].id})
        for person in people.values():
            give(person, calendar, 9, 12)
        people["olga"].post(
            f"/calendars/{calendar}/meetings/",
            {"title": "Lunch", "deadline": build.day(0).isoformat()},
        )
        people["olga"].post(f"/calendars/{calendar}/plan/", {})
        mine = f"calendar_id = '{calendar if site.is_postgresql else calendar.replace('-', '')}'"
        site.sql(f"UPDATE calendars_plan SET status = 'running', seconds = 3 WHERE {mine}")

        olga = windows.sign_in("olga", f"/app/calendars/{calendar}/plan/")
        expect(olga.locator("progress")).to_have_js_property("value", 3)
        windows.look(olga, (PHONE, "light"), (DESK, "dark"))
        olga.get_by_role("button", name="Use the best so far").focus()
        site.sql(f"UPDATE calendars_plan SET seconds = 5 WHERE {mine}")
        expect(olga.locator("progress")).to_have_js_property("value", 5)
        expect(olga.get_by_role("button", name="Use the best so far")).to_be_focused()
        olga.evaluate("window.same = true")
        site.sql(f"UPDATE calendars_plan SET status = 'done' WHERE {mine}")
        expect(olga.get_by_role("button", name="Publish these times")).to_be_visible()
        expect(olga.locator("plan-progress > .heard")).to_have_text(
            "A time for 1 of 1. Optimal, proven: no plan is better."
        )
        expect(olga.locator(".result h2").first).to_be_focused()
        assert olga.evaluate("window.same")

        # Published while another window changed somebody's times: it says so.
        give(people["pavel"], calendar, 14, 15)
        olga.get_by_role("button", name="Publish these times").click()
        expect(olga.locator(".refusal")).to_contain_text("Plan again.")
        windows.look(olga, (PHONE, "dark"))

        # It asks no more once the calendar is gone.
        site.sql(f"UPDATE calendars_plan SET status = 'running' WHERE {mine}")
        olga.goto(olga.url)
        expect(olga.locator("progress")).to_be_visible()
        people["olga"].delete(f"/calendars/{calendar}/")
        asks_no_more(olga)
        assert windows.faults == []

    in_chromium(journey)


def test_a_meeting_is_looked_at_supposed_about_and_fixed_without_scripts(site):
    def journey(browser: Browser) -> None:
        windows = Windows(site, browser)
        people = {name: site.person(name) for name in ("rosa", "tea")}
        calendar = (
            people["rosa"]
            .post("/calendars/", {"name": "Duo", "time_zone": "Europe/Berlin"})
            .data["id"]
        )
        people["rosa"].post(f"/calendars/{calendar}/participants/", {"user": people["tea"].id})
        fields = {"title": "Concert with rather a long name", "deadline": build.day(0).isoformat()}
        meeting = people["rosa"].post(f"/calendars/{calendar}/meetings/", fields).data["id"]
        here = f"/app/calendars/{calendar}/meetings/{meeting}/"

        rosa = windows.sign_in("rosa", here)
        expect(rosa.locator(".empty")).to_contain_text("Nobody has answered yet.")
        windows.look(rosa, (PHONE, "light"))
        give(people["rosa"], calendar, 9, 12)
        people["tea"].post(
            f"/calendars/meetings/{meeting}/suggestions/",
            {"suggested_time": build.day(10).isoformat()},
        )
        rosa.reload()
        for summary in rosa.locator("main summary").all():
            summary.click()
        windows.look(rosa, *LOOKS)

        # Others' answers come by themselves; what is unfolded, typed and focused stays.
        rosa.locator(".what-if").get_by_label("Minutes").fill("45")
        rosa.locator(".best").get_by_role("button", name="Choose this time:").last.focus()
        give(people["tea"], calendar, 9, 12)
        ask(rosa)
        expect(rosa.locator(".said")).to_have_text("The times here have changed.")
        expect(rosa.locator(".best .all")).not_to_have_count(0)
        expect(
            rosa.locator(".best").get_by_role("button", name="Choose this time:").last
        ).to_be_focused()
        expect(rosa.locator(".what-if").get_by_label("Minutes")).to_have_value("45")
        expect(rosa.locator("main details:not([open])")).to_have_count(0)
        windows.look(rosa, (PHONE, "light"))
        rosa.goto(
            f"{site.url}{here}?if=1&without={people['tea'].id}&duration_minutes=30&earliest=never"
        )
        expect(rosa.locator(".mend")).to_be_visible()
        windows.look(rosa, (PHONE, "dark"))

        plain = windows.sign_in("rosa", here, width=PHONE, scripts=False)
        plain.locator(".what-if summary").click()
        plain.get_by_label("Minutes").fill("30")
        plain.get_by_role("button", name="Show result").click()
        expect(plain.locator(".supposed")).to_contain_text("Nothing is saved")
        plain.get_by_role("link", name="Back to the actual times").click()
        plain.get_by_label("Starts").last.fill(build.day(20).strftime("%Y-%m-%dT%H:%M"))
        plain.get_by_role("button", name="Choose this time", exact=True).click()
        expect(plain.get_by_role("heading", level=1)).to_have_text("Choose this time anyway?")
        expect(plain.locator(".doubts")).to_contain_text(
            "Rosa, Tea: required, but can’t come at this time."
        )
        plain.get_by_role("link", name="No, go back").click()
        plain.get_by_role("button", name=re.compile("^Choose this time:")).first.click()
        expect(plain.get_by_role("heading", name="Confirmed")).to_be_visible()

        # What speaks against another time is asked; the answer comes by the keyboard alone.
        rosa.goto(f"{site.url}{here}")
        windows.look(rosa, (PHONE, "dark"), (DESK, "dark"))
        rosa.fill("#final_time", build.day(20).strftime("%Y-%m-%dT%H:%M"))
        rosa.keyboard.press("Enter")
        expect(rosa.get_by_role("heading", level=1)).to_have_text("Change it anyway?")
        windows.look(rosa, (PHONE, "light"), (DESK, "dark"))
        rosa.get_by_role("button", name="Yes, go ahead").focus()
        rosa.keyboard.press("Enter")
        expect(rosa.locator(".moment")).to_contain_text("20:00–21:00")
        rosa.goto(f"{site.url}{here}edit/")
        windows.look(rosa, (PHONE, "light"))
        rosa.goto(f"{site.url}{here}")
        rosa.context.clear_cookies()
        ask(rosa)
        expect(rosa.locator(".said")).to_contain_text("You’re signed out.")
        expect(rosa.locator(".said")).to_be_in_viewport()
        windows.look(rosa, (PHONE, "light"))
        windows.sign_in("rosa", page=rosa.context.new_page())
        ask(rosa)
        expect(rosa.locator(".said")).to_have_text("")
        assert (
            people["rosa"].delete(f"/calendars/{calendar}/meetings/{meeting}/").status_code == 204
        )
        ask(rosa)
        expect(rosa.locator(".said")).to_contain_text("This meeting is gone")
        assert windows.faults == []

    in_chromium(journey)


def test_all_that_could_change_a_best_start_is_fit_to_read(site):
    def journey(browser: Browser) -> None:
        windows = Windows(site, browser)
        people = {name: site.person(name) for name in ("vera", "wim", "xenia", "yuri")}
        calendar = people["vera"].post("/calendars/", {"name": "Quartet"}).data["id"]
        for name in ("wim", "xenia", "yuri"):
            people["vera"].post(f"/calendars/{calendar}/participants/", {"user": people[name].id})
        for name, start, end in (
            ("vera", 9, 12),
            ("wim", 11.5, 13),
            ("xenia", 9, 10),
            ("wim", 14, 15),
            ("xenia", 14, 14.75),
        ):
            give(people[name], calendar, start, end)
        meeting = (
            people["vera"]
            .post(f"/calendars/{calendar}/meetings/", {"deadline": build.day(0).isoformat()})
            .data["id"]
        )

        vera = windows.sign_in(
            "vera", f"/app/calendars/{calendar}/meetings/{meeting}/?if=1&quorum=2"
        )
        expect(vera.locator(".supposed .change dt")).to_have_count(5)
        for summary in vera.locator("main summary").all():
            summary.click()
        expect(vera.locator(".supposed .best")).to_contain_text("Compared with the best time")
        windows.look(vera, (PHONE, "light"), (DESK, "dark"))
        assert windows.faults == []

    in_chromium(journey)


def ask(page: Page) -> None:
    """Have what asks for news now and then ask now."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def asks_no_more(page: Page) -> None:
    """Check that what asks for news now and then stops after the next answer."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    for _ in range(2):
        asked.clear()
        ask(page)
        page.evaluate("fetch('/?a')")  # what was asked before it has been answered
    assert not any(path.endswith("/live/") for path in asked)


def give(person: Any, calendar: str, start: float, end: float) -> None:
    """Have somebody say that they can come from `start` to `end` o'clock."""
    window = {"start_time": build.day(start).isoformat(), "end_time": build.day(end).isoformat()}
    assert person.post(f"/calendars/{calendar}/nonbusytimes/", window).status_code == 201

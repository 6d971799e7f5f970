"""The calendar's page in a real Chromium: three people paint, by mouse, by touch and by keyboard; what is refused is kept; axe looks on."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.servers import Site
from tests.web.chromium import PHONE, TABLET, Windows, at, cell, drag, in_chromium, saved

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def site(site: Site) -> Site:
    site.people = {name: site.person(name) for name in ("mina", "sam", "iris")}
    return site


class Choir(Windows):
    """A calendar of Mina's with Sam and Iris, from Monday to Sunday, 8 to 20 o'clock, and windows that show it."""

    def __init__(self, site: Site, browser: Browser) -> None:
        super().__init__(site, browser)
        window = {"window_start": at(0, 8).isoformat(), "window_end": at(6, 20).isoformat()}
        self.mina = site.people["mina"]
        self.id = self.mina.post("/calendars/", {"name": "Choir", **window}).data["id"]
        for name in ("sam", "iris"):
            self.mina.post(f"/calendars/{self.id}/participants/", {"user": site.people[name].id})
        self.meeting({"title": "Rehearsal", "deadline": at(-1, 0).isoformat()})

    def meeting(self, fields: dict[str, Any]) -> None:
        assert self.mina.post(f"/calendars/{self.id}/meetings/", fields).status_code == 201

    def visit(self, name: str, **window: Any) -> Page:
        return self.sign_in(name, f"/app/calendars/{self.id}/", **window)

    def given(self, name: str) -> list[tuple[datetime, datetime, int]]:
        rows = self.site.people[name].get(f"/calendars/{self.id}/nonbusytimes/?user={self.site.people[name].id}").data
        moments = [(datetime.fromisoformat(row["start_time"]), datetime.fromisoformat(row["end_time"]), row) for row in rows]
        return [(start.astimezone(UTC), end.astimezone(UTC), row["preference_level"]) for start, end, row in moments]


def ask(page: Page, *, rounds: int = 5) -> None:
    """Have the page ask for news so often, and wait for what comes of it."""
    for _ in range(rounds):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        page.wait_for_timeout(100)
    page.evaluate("fetch('/?a')")  # what was asked before it has been answered


def test_three_people_paint_each_in_their_way_and_see_each_other(site):
    def journey(browser: Browser) -> None:
        choir = Choir(site, browser)
        mina = choir.visit("mina")
        requests: list[str] = []
        mina.on("request", lambda request: requests.append(request.method) if request.method == "PUT" else None)
        drag(mina, cell(mina, 0, 9), cell(mina, 1, 11.5))
        saved(mina)
        assert requests == ["PUT"]
        assert choir.given("mina") == [(at(0, 9), at(0, 12), 5), (at(1, 9), at(1, 12), 5)]
        choir.look(mina)

        sam = choir.visit("sam", width=PHONE, touch=True)
        expect(sam.locator(".hint")).to_have_text("Tap where you can begin, then where it ends.")
        sam.get_by_role("button", name="Ideal").tap()
        cell(sam, 0, 10).tap()
        expect(sam.locator(".hint")).to_have_text("Now tap where it ends.")
        choir.look(sam)
        cell(sam, 0, 12).tap()
        saved(sam)
        assert choir.given("sam") == [(at(0, 10), at(0, 12.5), 9)]
        choir.look(sam)

        iris = choir.visit("iris", width=TABLET)
        iris.locator('availability-grid td[tabindex="0"]').focus()
        for key, hour in (("End", 19.5), ("Home", 8)):
            iris.keyboard.press(key)
            expect(cell(iris, 0, hour)).to_be_focused()
            expect(cell(iris, 0, hour)).to_be_in_viewport(ratio=1)
        for key in ("ArrowDown",) * 4 + ("Shift+ArrowDown", "Shift+ArrowDown", "Shift+ArrowRight", "1"):
            iris.keyboard.press(key)
        expect(iris.locator(".said")).to_contain_text("10:00 to 11:30: if need be")
        saved(iris)
        assert choir.given("iris") == [(at(0, 10), at(0, 11.5), 2), (at(1, 10), at(1, 11.5), 2)]
        choir.look(iris)

        # The others' answers arrive by themselves, while Mina goes on painting.
        expect(mina.locator(".best li").first).to_contain_text("10:00–11:00", timeout=15_000)
        expect(mina.locator(".best li").first).to_have_class("all")
        expect(mina.locator(".best li").first).to_contain_text("Iris if need be.")
        expect(mina.locator(".said")).to_have_text("Somebody’s answer changed the best times.")
        heat = mina.locator("heat-map tbody tr").nth(4).locator("td").first
        expect(heat).to_have_text("3")
        heat.hover()
        expect(mina.locator("heat-map .who")).to_contain_text("Mina, Sam")
        assert choir.found == []

    in_chromium(journey)


def test_a_refused_or_lost_save_keeps_what_was_painted_and_can_be_tried_again(site):
    def journey(browser: Browser) -> None:
        choir = Choir(site, browser)
        page = choir.visit("sam")
        address = f"**/app/calendars/{choir.id}/availability/*"
        page.route(address.removesuffix("*"), lambda route: route.abort())
        place = cell(page, 2, 9).bounding_box()
        drag(page, cell(page, 2, 9), cell(page, 2, 9.5))
        expect(page.locator(".state")).to_contain_text("kept here")
        assert cell(page, 2, 9).bounding_box() == place
        expect(cell(page, 2, 9)).to_have_class("l2")
        choir.look(page)
        page.wait_for_timeout(4500)  # a round of asking for news, which must not take it away
        expect(cell(page, 2, 9)).to_have_class("l2")

        def refuse(route: Route) -> None:
            route.fulfill(status=409, content_type="application/json", body=json.dumps({"detail": "It is late."}))

        page.unroute(address.removesuffix("*"))
        page.route(address.removesuffix("*"), refuse)
        page.get_by_role("button", name="Try again").click()
        expect(page.locator(".state")).to_have_text("Not saved: It is late.")
        assert choir.given("sam") == []

        page.unroute(address.removesuffix("*"))
        page.get_by_role("button", name="Try again").click()
        saved(page)
        expect(cell(page, 2, 9)).to_be_focused()  # the button is gone
        assert choir.given("sam") == [(at(2, 9), at(2, 10), 5)]

        page.route(address.removesuffix("*"), lambda route: route.fulfill(status=500, body="no"))
        drag(page, cell(page, 2, 14), cell(page, 2, 14.5))
        expect(page.locator(".state")).to_contain_text("What you painted is kept here")
        page.unroute(address.removesuffix("*"))
        page.context.clear_cookies()
        page.get_by_role("button", name="Try again").click()
        expect(page.locator(".state")).to_contain_text("you are signed out")
        choir.sign_in("sam", page=page.context.new_page())  # which changes the token of all forms
        saved(page)  # by itself
        assert choir.given("sam") == [(at(2, 9), at(2, 10), 5), (at(2, 14), at(2, 15), 5)]
        assert choir.found == []

    in_chromium(journey)


# Its own clock would not follow the one that the test turns.
TURNED_TIMEOUT = """AbortSignal.timeout = (wait) => {
    const over = new AbortController();
    setTimeout(() => over.abort(new DOMException("", "TimeoutError")), wait);
    return over.signal;
}"""


def test_a_save_that_nobody_answers_is_given_up_and_tried_again_by_itself(site):
    def journey(browser: Browser) -> None:
        choir = Choir(site, browser)
        page = choir.visit("sam")
        page.clock.install()
        page.evaluate(TURNED_TIMEOUT)
        address = f"**/app/calendars/{choir.id}/availability/"
        page.route(address, lambda route: None)
        with page.expect_request(address):
            drag(page, cell(page, 2, 9), cell(page, 2, 9.5))
            page.clock.run_for(1000)
        expect(page.locator(".state")).to_have_text("Saving…")
        page.clock.run_for(10_000)
        expect(page.locator(".state")).to_contain_text("the server does not answer")
        expect(page.get_by_role("button", name="Try again")).to_be_visible()
        page.unroute(address)
        page.route(address, lambda route: route.abort())
        with page.expect_event("requestfailed"):
            page.clock.run_for(5000)
        expect(page.locator(".state")).to_contain_text("the server can’t be reached")
        page.unroute(address)
        page.clock.run_for(10_000)
        assert choir.given("sam") == []  # the pauses grow
        page.clock.run_for(5000)
        saved(page)
        assert choir.given("sam") == [(at(2, 9), at(2, 10), 5)]
        assert choir.found == []

    in_chromium(journey)


def test_what_was_painted_on_another_device_stays_whichever_is_saved_first(site):
    def journey(browser: Browser) -> None:
        choir = Choir(site, browser)
        one, other = choir.visit("sam"), choir.visit("sam")
        one.context.set_offline(True)
        drag(one, cell(one, 0, 9), cell(one, 4, 9.5))
        drag(one, cell(one, 6, 9), cell(one, 6, 9.5))
        expect(one.locator(".state")).to_contain_text("kept here")
        other.get_by_role("button", name="Ideal").click()
        drag(other, cell(other, 2, 14), cell(other, 2, 15.5))
        drag(other, cell(other, 4, 9.5), cell(other, 4, 10))
        saved(other)
        one.context.set_offline(False)
        saved(one)  # by itself

        week = [(at(day, 9), at(day, 10), 5) for day in (0, 1, 2, 3, 4, 6)]
        others = [(at(2, 14), at(2, 16), 9), (at(4, 10), at(4, 10.5), 9)]  # of the cells both painted, it has those painted last
        assert choir.given("sam") == sorted([*week, *others])
        expect(cell(one, 2, 14)).to_have_class("l3")
        for _ in range(2):
            one.get_by_role("button", name="Undo").click()
        saved(one)
        assert choir.given("sam") == others
        assert choir.found == []

    in_chromium(journey)


def test_an_answer_of_somebody_else_is_no_save(site):
    def journey(browser: Browser) -> None:
        choir = Choir(site, browser)
        page = choir.visit("sam")
        address = f"**/app/calendars/{choir.id}/availability/"
        page.route(address, lambda route: route.fulfill(content_type="text/html", body="<h1>Pay for this network</h1>"))
        drag(page, cell(page, 2, 9), cell(page, 2, 9.5))
        expect(page.locator(".state")).to_contain_text("What you painted is kept here")
        page.unroute(address)
        page.evaluate("dispatchEvent(new Event('online'))")
        saved(page)
        assert choir.given("sam") == [(at(2, 9), at(2, 10), 5)]
        assert choir.found == []

    in_chromium(journey)


def test_who_leaves_right_after_a_stroke_is_not_asked_and_loses_nothing(site):
    def journey(browser: Browser) -> None:
        choir = Choir(site, browser)
        page = choir.visit("sam")
        asked: list[str] = []
        page.on("dialog", lambda dialog: asked.append(dialog.type))

        def leave() -> None:
            page.get_by_role("link", name="People", exact=True).last.click()
            expect(page.get_by_role("heading", level=1)).to_have_text("People")

        sent: list[str] = []
        page.on("request", lambda request: sent.append(request.method) if request.method == "PUT" else None)
        at_once = "window.setTimeout = () => 0"  # so that it leaves before it saves, however slow the machine
        page.evaluate(at_once)
        drag(page, cell(page, 2, 9), cell(page, 2, 9.5))
        leave()
        assert sent == ["PUT"]  # and not only when the next page has come, which is to show it
        page.goto(f"{site.url}/app/calendars/{choir.id}/")
        expect(cell(page, 2, 9)).to_have_class("l2")

        address = f"**/app/calendars/{choir.id}/availability/"
        page.route(address, lambda route: None, times=1)
        with page.expect_request(address):
            drag(page, cell(page, 3, 9), cell(page, 3, 9.5))
        drag(page, cell(page, 4, 9), cell(page, 4, 9.5))  # while the first is still on its way
        leave()
        page.goto(f"{site.url}/app/calendars/{choir.id}/")
        expect(cell(page, 4, 9)).to_have_class("l2")
        assert choir.given("sam") == [(at(day, 9), at(day, 10), 5) for day in (2, 3, 4)]
        assert asked == []

        page.route(address, lambda route: route.abort())
        drag(page, cell(page, 5, 9), cell(page, 5, 9.5))
        expect(page.locator(".state")).to_contain_text("kept here")
        leave()
        assert asked == ["beforeunload"]

        page.goto(f"{site.url}/app/calendars/{choir.id}/")
        page.evaluate(at_once)
        page.context.set_offline(True)
        drag(page, cell(page, 5, 9), cell(page, 5, 9.5))
        assert not page.evaluate("dispatchEvent(new Event('beforeunload', { cancelable: true }))")
        assert choir.found == []

    in_chromium(journey)


def test_nothing_is_saved_under_the_name_of_somebody_else_who_signed_in(site):
    def journey(browser: Browser) -> None:
        choir = Choir(site, browser)
        row = {"start_time": at(5, 9).isoformat(), "end_time": at(5, 10).isoformat()}
        assert choir.mina.post(f"/calendars/{choir.id}/nonbusytimes/", row).status_code == 201
        page = choir.visit("sam")
        choir.sign_in("mina", page=page.context.new_page())
        with page.expect_response(lambda answer: "/live/" in answer.url and answer.status == 200):
            pass  # what is Mina's now, and not to be shown as Sam's
        drag(page, cell(page, 2, 9), cell(page, 2, 9.5))
        expect(page.locator(".state")).to_contain_text("Not saved: Somebody else is signed in here now.")
        expect(cell(page, 2, 9)).to_have_class("l2")
        expect(cell(page, 5, 9)).to_have_class("l0")
        assert (choir.given("mina"), choir.given("sam")) == ([(at(5, 9), at(5, 10), 5)], [])

        choir.look(page)
        with page.context.expect_page() as opened:
            page.get_by_role("link", name="Sign in").click()
        choir.sign_in("sam", page=opened.value)
        saved(page)  # by itself
        assert (choir.given("mina"), choir.given("sam")) == ([(at(5, 9), at(5, 10), 5)], [(at(2, 9), at(2, 10), 5)])
        assert choir.found == []

    in_chromium(journey)


def test_undo_takes_back_step_by_step_and_odd_times_survive(site):
    def journey(browser: Browser) -> None:
        choir = Choir(site, browser)
        odd = (at(3, 9) + timedelta(minutes=7), at(3, 10) + timedelta(minutes=20), 6)
        row = {"start_time": odd[0].isoformat(), "end_time": odd[1].isoformat(), "preference_level": 6}
        site.people["sam"].post(f"/calendars/{choir.id}/nonbusytimes/", row)
        page = choir.visit("sam")
        expect(cell(page, 3, 9)).to_have_class("l0 mixed")

        page.get_by_role("button", name="Ideal").click()
        drag(page, cell(page, 3, 9.5), cell(page, 3, 9.5))
        saved(page)
        assert choir.given("sam") == [(odd[0], at(3, 9.5), 6), (at(3, 9.5), at(3, 10), 9), (at(3, 10), odd[1], 6)]
        page.get_by_role("button", name="Erase").click()
        drag(page, cell(page, 3, 8), cell(page, 3, 19.5))
        saved(page)
        page.get_by_role("button", name="Undo").click()
        page.get_by_role("button", name="Undo").click()
        expect(page.locator(".said")).to_have_text("Undone")
        expect(cell(page, 3, 9)).to_have_class("l0 mixed")
        saved(page)
        assert choir.given("sam") == [odd]
        undo = page.get_by_role("button", name="Undo")
        expect(undo).to_be_focused()
        expect(undo).to_have_attribute("aria-disabled", "true")
        assert choir.found == []

    in_chromium(journey)


def test_a_block_is_extended_from_inside_and_cleared_by_painting_over_nothing_else(site):
    def journey(browser: Browser) -> None:
        choir = Choir(site, browser)
        page = choir.visit("sam")
        table = page.get_by_role("grid", name="When I can come")
        expect(table).to_have_accessible_description(re.compile("^Drag over hours to paint them"))
        expect(page.locator(".how")).to_be_visible()
        for start, end, then in ((9, 11.5, (9, 12)), (11.5, 13.5, (9, 14)), (12, 15.5, (9, 16)), (15, 15.5, (9, 15))):
            drag(page, cell(page, 0, start), cell(page, 0, end))
            saved(page)
            assert choir.given("sam") == [(at(0, then[0]), at(0, then[1]), 5)]
        cell(page, 0, 14.5).focus()
        page.keyboard.press("Space")
        saved(page)
        assert choir.given("sam") == [(at(0, 9), at(0, 14.5), 5)]

        phone = choir.visit("iris", width=PHONE, touch=True)
        expect(phone.locator(".how")).to_be_hidden()
        for start, end, then in ((9, 10.5, (9, 11)), (10.5, 11.5, (9, 12)), (11.5, 11.5, (9, 11.5))):
            cell(phone, 0, start).tap()
            cell(phone, 0, end).tap()
            saved(phone)
            assert choir.given("iris") == [(at(0, then[0]), at(0, then[1]), 5)]
        assert choir.found == []

    in_chromium(journey)


def test_what_one_painted_or_the_owner_fixed_elsewhere_is_seen_without_a_reload(site):
    def journey(browser: Browser) -> None:
        choir = Choir(site, browser)
        page = choir.visit("sam")
        drag(page, cell(page, 1, 9), cell(page, 1, 9.5))
        saved(page)
        row = {"start_time": at(4, 9).isoformat(), "end_time": at(4, 11).isoformat()}
        assert site.people["sam"].post(f"/calendars/{choir.id}/nonbusytimes/", row).status_code == 201
        drag(page, cell(page, 2, 9), cell(page, 2, 9.5))
        saved(page)
        expect(cell(page, 4, 9)).to_have_class("l2")
        assert choir.given("sam") == [(at(day, 9), at(day, end), 5) for day, end in ((1, 10), (2, 10), (4, 11))]
        for left in (((1, 10), (4, 11)), ((4, 11),)):
            page.get_by_role("button", name="Undo").click()
            saved(page)
            assert choir.given("sam") == [(at(day, 9), at(day, end), 5) for day, end in left]

        (meeting,) = choir.mina.get(f"/calendars/{choir.id}/meetings/").data
        path = f"/calendars/{choir.id}/meetings/{meeting['id']}/"
        other = choir.sign_in("mina", f"/app{path}")
        cell(page, 2, 12).focus()
        page.evaluate("scrollTo({ top: 150, behavior: 'instant' })")
        place = cell(page, 2, 12).bounding_box()
        assert choir.mina.put(path, {"final_time": at(4, 9).isoformat()}).status_code == 200
        expect(page.locator(".fixed")).to_contain_text("Rehearsal")
        expect(cell(page, 2, 12)).to_be_focused()  # who was reading is where they were
        expect(page.locator(".said").first).to_have_text("A meeting was fixed or opened again.")
        assert abs(cell(page, 2, 12).bounding_box()["y"] - place["y"]) < 2
        expect(other.locator(".settled")).to_be_visible()
        other.get_by_text("Withdraw the time").click()
        other.get_by_role("button", name="Withdraw it").click()
        expect(page.locator(".fixed")).to_have_count(0)
        expect(page.locator(".best li").first).to_be_visible()
        assert choir.found == []

    in_chromium(journey)


def test_news_do_not_hold_back_who_is_on_their_way_to_another_page(site):
    def journey(browser: Browser) -> None:
        choir = Choir(site, browser)
        page = choir.visit("sam")
        (meeting,) = choir.mina.get(f"/calendars/{choir.id}/meetings/").data
        path = f"/calendars/{choir.id}/meetings/{meeting['id']}/"
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        # As a browser does when one has chosen a link: that page may take its time, and a reload would call it off.
        page.evaluate("dispatchEvent(new Event('beforeunload', { cancelable: true }))")
        choir.mina.put(path, {"final_time": at(4, 9).isoformat()})
        ask(page)
        assert [each for each in asked if "/calendars/" in each] == []
        assert choir.found == []

    in_chromium(journey)


def test_nothing_is_reloaded_under_a_stroke_and_afterwards_all_is_as_it_was(site):
    def journey(browser: Browser) -> None:
        choir = Choir(site, browser)
        page = choir.visit("sam", width=PHONE, touch=True)
        page.get_by_role("button", name="Ideal").tap()
        page.get_by_role("button", name="Later days").tap()
        cell(page, 3, 9).tap()
        cell(page, 3, 9).dispatch_event("pointercancel")  # as when one scrolls on to where it ends
        page.evaluate("window.same = true")
        row = {"start_time": at(3, 9).isoformat(), "end_time": at(3, 9.5).isoformat()}
        assert site.people["sam"].post(f"/calendars/{choir.id}/nonbusytimes/", row).status_code == 201
        (meeting,) = choir.mina.get(f"/calendars/{choir.id}/meetings/").data
        path = f"/calendars/{choir.id}/meetings/{meeting['id']}/"
        assert choir.mina.put(path, {"final_time": at(4, 9).isoformat()}).status_code == 200
        expect(page.locator("live-part")).not_to_contain_text("Rehearsal")
        ask(page)
        assert page.evaluate("window.same")
        expect(cell(page, 3, 9)).to_have_class("l2 chosen")

        cell(page, 3, 10).tap()
        expect(page.locator(".fixed")).to_contain_text("Rehearsal")  # now it is loaded anew
        assert choir.given("sam") == [(at(3, 9), at(3, 10.5), 9)]
        expect(page.get_by_role("button", name="Ideal")).to_have_attribute("aria-pressed", "true")
        expect(cell(page, 3, 9)).to_be_visible()
        page.get_by_role("button", name="Undo").tap()
        saved(page)
        assert choir.given("sam") == [(at(3, 9), at(3, 9.5), 5)]
        assert choir.found == []

    in_chromium(journey)


def test_that_answers_are_closed_reaches_pages_that_are_open(site):
    def journey(browser: Browser) -> None:
        choir = Choir(site, browser)
        page = choir.visit("sam")
        for is_finalized, title in ((True, "Answers are closed"), (False, "When can you come?")):
            choir.mina.put(f"/calendars/{choir.id}/", {"is_finalized": is_finalized})
            expect(page.locator("#mine-h")).to_have_text(title)
            expect(page.locator(".said").first).to_have_text(title)
        assert choir.found == []

    in_chromium(journey)


def test_news_come_again_once_one_is_signed_in_again(site):
    def journey(browser: Browser) -> None:
        choir = Choir(site, browser)
        page = choir.open()
        page.clock.install()
        choir.sign_in("sam", f"/app/calendars/{choir.id}/", page=page)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.context.clear_cookies()
        page.clock.run_for(4000)
        expect(page.locator(".state")).to_contain_text("You are signed out.")
        expect(page.get_by_role("link", name="Sign in (in a new tab)")).to_be_visible()
        choir.look(page)
        asked.clear()
        page.clock.run_for(40_000)
        ask(page, rounds=0)
        assert not any("/live/" in each for each in asked)  # only now and then
        with page.expect_request("**/live/*"):
            page.clock.run_for(30_000)

        with page.context.expect_page() as opened:
            page.get_by_role("link", name="Sign in").click()
        choir.sign_in("sam", page=opened.value)
        row = {"start_time": at(4, 9).isoformat(), "end_time": at(4, 11).isoformat()}
        assert site.people["sam"].post(f"/calendars/{choir.id}/nonbusytimes/", row).status_code == 201
        page.evaluate("dispatchEvent(new Event('focus'))")
        expect(cell(page, 4, 9)).to_have_class("l2")
        expect(page.locator(".state")).to_have_text("")

        seats = choir.mina.get(f"/calendars/{choir.id}/participants/").data
        (seat,) = [seat["id"] for seat in seats if seat["user"] == site.people["sam"].id]
        assert choir.mina.delete(f"/calendars/{choir.id}/participants/{seat}/").status_code == 204
        page.clock.run_for(4000)
        expect(page.locator(".state")).to_have_text("This calendar is gone, or you no longer take part in it.")
        expect(page.locator(".again")).to_be_hidden()
        assert choir.found == []

    in_chromium(journey)


def test_a_phone_begins_with_the_first_day_that_is_not_over(site):
    def journey(browser: Browser) -> None:
        choir = Choir(site, browser)
        page = choir.open(width=PHONE, touch=True)
        for now, days in ((at(-3, 9), "0 1 2"), (at(2, 20.5), "3 4 5"), (at(6, 12), "4 5 6"), (at(9, 9), "0 1 2")):
            page.clock.set_fixed_time(now)
            if page.url == "about:blank":
                choir.visit("sam", page=page)
            else:
                page.reload()
            page.wait_for_load_state()
            heads = page.locator("availability-grid thead th")
            assert " ".join(str(number) for number in range(7) if heads.nth(number).is_visible()) == days
        assert choir.found == []

    in_chromium(journey)


def test_without_scripts_one_ticks_and_writes(site):
    def journey(browser: Browser) -> None:
        choir = Choir(site, browser)
        page = choir.visit("iris", width=PHONE, scripts=False)
        page.get_by_role("button", name="Ideal").click()
        expect(page.locator(".mine [role=alert]")).to_contain_text("You ticked no time, so nothing changed.")
        assert choir.given("iris") == []
        cell(page, 0, 9).locator("input").check()
        page.get_by_role("button", name="Ideal").click()
        assert choir.given("iris") == [(at(0, 9), at(0, 9.5), 9)]

        page.get_by_role("link", name="Write them as text").click()
        page.get_by_label("Times").fill("Mon 9-12 works\nweekdays 14-16 ideal, not Fri")
        page.get_by_role("button", name="Look at it").click()
        assert "14:00–16:00" in page.locator(".preview").inner_text()
        page.get_by_role("button", name="Save these times").click()
        assert len(choir.given("iris")) == 5
        assert choir.found == []

    in_chromium(journey)


def test_nothing_is_wrong_in_any_state(site):
    def journey(browser: Browser) -> None:
        choir = Choir(site, browser)
        invited = {"calendar": choir.id, "email": "somebody@example.org"}
        assert choir.mina.post("/calendars/invitations/", invited).status_code == 201
        page = choir.visit("mina", width=PHONE, touch=True)
        choir.look(page)  # nobody has answered
        for summary in page.locator("main summary").all():
            summary.click()
        choir.look(page)
        page.fill("#zone", "Australia/Lord_Howe")
        page.locator(".zone button").click()
        expect(page.locator(".zone")).to_contain_text("Australia/Lord_Howe")
        choir.look(page)
        # Each with a form refused and all unfolded, so with everything it can show.
        for path, field, wrong in (
            ("people/", "who", "nobody-here"),
            ("settings/", "time_zone", "Nowhere"),
            ("meetings/new/", "deadline", "2001-01-01T00:00"),
        ):
            page.goto(f"{site.url}/app/calendars/{choir.id}/{path}")
            page.fill(f"[name={field}]", wrong)
            page.locator(f"form:has([name={field}]) button").last.click()
            expect(page.locator(".mend, .refusal").first).to_be_visible()
            for summary in page.locator("main summary").all():
                summary.click()
            choir.look(page)
        for path in ("times/", "?hours=all&step=15&day=0&row=0"):
            page.goto(f"{site.url}/app/calendars/{choir.id}/{path}")
            choir.look(page)
        page.goto(f"{site.url}/app/calendars/{choir.id}/times/")
        page.get_by_label("Times").fill("Monkey 9-12")
        page.get_by_role("button", name="Look at it").click()
        expect(page.locator(".mend")).to_contain_text("Line 1")
        choir.look(page)
        choir.mina.put(f"/calendars/{choir.id}/", {"is_finalized": True})
        page.goto(f"{site.url}/app/calendars/{choir.id}/")
        expect(page.locator(".mine")).to_contain_text("Answers are closed")
        choir.look(page)
        assert choir.found == []

    in_chromium(journey)


def test_the_heat_map_is_read_by_keyboard_and_reasons_stay_unfolded_while_others_answer(site):
    def journey(browser: Browser) -> None:
        choir = Choir(site, browser)

        def give(name: str, day: int, start: float = 9, end: float = 10) -> None:
            row = {"start_time": at(day, start).isoformat(), "end_time": at(day, end).isoformat(), "preference_level": 2}
            assert site.people[name].post(f"/calendars/{choir.id}/nonbusytimes/", row).status_code == 201

        give("sam", 0)
        page = choir.visit("mina")
        page.locator('heat-map td[tabindex="0"]').focus()
        for _ in range(2):
            page.keyboard.press("ArrowDown")
        who = page.locator("heat-map .who")
        expect(who).to_contain_text("9:00 to 9:30")
        expect(who).to_contain_text("Sam")
        expect(who).to_contain_text("Not answered")
        choir.look(page)

        give("mina", 0, 9.5)
        give("iris", 0, 9, 9.5)
        page.reload()
        why = page.locator(".best details.why").first
        why.locator("summary").click()
        expect(why.locator("li").first).to_have_text("Mina is required and can't: 30 minutes short of 1 hour.")
        choir.look(page)
        give("iris", 2)
        expect(page.locator(".said")).to_have_text("Somebody’s answer changed the best times.", timeout=15_000)
        expect(why).to_have_attribute("open", "")
        expect(why.locator("summary")).to_be_focused()
        expect(page.locator(".best details.why[open]")).to_have_count(1)

        page.keyboard.press("Escape")
        expect(why).not_to_have_attribute("open", "")
        expect(why.locator("summary")).to_be_focused()
        page.locator(".zone summary").click()
        page.locator("#zone").press("Escape")
        expect(page.locator(".zone[open]")).to_have_count(0)
        expect(page.locator(".zone summary")).to_be_focused()

        page.locator(".best li summary").last.focus()
        for day in (1, 3, 4, 5, 6):
            for name in ("sam", "mina", "iris"):
                give(name, day)
        expect(page.locator(".best .all")).to_have_count(5, timeout=15_000)
        expect(page.locator("#best-h")).to_be_focused()  # what had it is gone
        assert choir.found == []

    in_chromium(journey)


def test_hours_that_come_twice_are_read_out_apart(site):
    def journey(browser: Browser) -> None:
        choir = Choir(site, browser)
        nights = {"name": "Nights", "window_start": "2027-10-30T22:00:00Z", "window_end": "2027-10-31T23:00:00Z"}
        calendar = choir.mina.post("/calendars/", nights).data["id"]
        page = choir.sign_in("mina", f"/app/calendars/{calendar}/?zone=Europe%2FBerlin&from=2027-10-31&hours=all")

        names = [cell.get_attribute("aria-label") for cell in page.locator("availability-grid td[tabindex]").all()[4:9]]
        page.locator("availability-grid td[tabindex]").nth(5).focus()
        for key in ("Shift+ArrowDown", "3"):
            page.keyboard.press(key)
        said = page.locator("availability-grid .said")
        page.locator("heat-map td[tabindex]").nth(6).hover()

        assert [name.removeprefix("Sunday 31 October, ") for name in names] == [
            "2:00 to 2:30 (first time, CEST): not available",
            "2:30 (first time, CEST) to 2:00 (second time, CET): not available",
            "2:00 to 2:30 (second time, CET): not available",
            "2:30 (second time, CET) to 3:00: not available",
            "3:00 to 3:30: not available",
        ]
        expect(said).to_have_text("Sunday 31 October, 2:30 (first time, CEST) to 2:30 (second time, CET): ideal")
        expect(page.locator("heat-map .who")).to_contain_text("2:00 to 2:30 (second time, CET)")
        choir.look(page)
        # What is read out is written as what is shown, in every language.
        choir.mina.patch("/profile/settings/", {"hour_cycle": "h12", "locale": "de"})
        page.reload()
        expect(page.locator("availability-grid tbody th").nth(18)).to_contain_text("8:00\N{NO-BREAK SPACE}am")
        label = page.locator("availability-grid td[tabindex]").nth(18).get_attribute("aria-label")
        assert label.startswith("Sonntag, 31. Oktober, 8:00 am bis 8:30 am:")
        choir.mina.patch("/profile/settings/", {"hour_cycle": "h23", "locale": "en"})
        assert choir.found == []

    in_chromium(journey)

"""Whatever happens to the answer or the window, each stroke is saved once.

Also when the person signs out, or paints on another device.
"""

import json

import pytest
from playwright.sync_api import Browser, Route, expect

from stage.chromium import at, cell, drag, in_chromium, saved
from tests.web.choir import Choir

pytestmark = pytest.mark.processes


def test_a_refused_or_lost_save_keeps_what_was_painted_and_can_be_tried_again(site):
    def journey(browser: Browser) -> None:
        choir = Choir(site, browser)
        page = choir.visit("sam")
        address = f"**/app/calendars/{choir.id}/availability/*"
        page.route(address.removesuffix("*"), lambda route: route.abort())
        cell(page, 2, 9.5).scroll_into_view_if_needed()  # as the drag does
        place = cell(page, 2, 9).bounding_box()
        drag(page, cell(page, 2, 9), cell(page, 2, 9.5))
        expect(page.locator(".state")).to_contain_text("kept here")
        assert cell(page, 2, 9).bounding_box() == place
        expect(cell(page, 2, 9)).to_have_class("l2")
        choir.look(page)
        page.wait_for_timeout(4500)  # a round of asking for news, which must not take it away
        expect(cell(page, 2, 9)).to_have_class("l2")

        def refuse(route: Route) -> None:
            route.fulfill(
                status=409,
                content_type="application/json",
                body=json.dumps({"detail": "It is late."}),
            )

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
        expect(page.locator(".state")).to_contain_text("Your times are kept here")
        page.unroute(address.removesuffix("*"))
        page.context.clear_cookies()
        page.get_by_role("button", name="Try again").click()
        expect(page.locator(".state")).to_contain_text("you’re signed out")
        choir.sign_in("sam", page=page.context.new_page())  # which changes the token of all forms
        saved(page)  # by itself
        assert choir.given("sam") == [(at(2, 9), at(2, 10), 5), (at(2, 14), at(2, 15), 5)]
        assert choir.faults == []

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
        expect(page.locator(".state")).to_have_text("Saving …")
        page.clock.run_for(10_000)
        expect(page.locator(".state")).to_contain_text("the server isn’t responding")
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
        assert choir.faults == []

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
        others = [
            (at(2, 14), at(2, 16), 9),
            (at(4, 10), at(4, 10.5), 9),
        ]  # of the cells both painted, it has those painted last
        assert choir.given("sam") == sorted([*week, *others])
        expect(cell(one, 2, 14)).to_have_class("l3")
        for _ in range(2):
            one.get_by_role("button", name="Undo").click()
        saved(one)
        assert choir.given("sam") == others
        assert choir.faults == []

    in_chromium(journey)


def test_an_answer_of_somebody_else_is_no_save(site):
    def journey(browser: Browser) -> None:
        choir = Choir(site, browser)
        page = choir.visit("sam")
        address = f"**/app/calendars/{choir.id}/availability/"
        page.route(
            address,
            lambda route: route.fulfill(
                content_type="text/html", body="<h1>Pay for this network</h1>"
            ),
        )
        drag(page, cell(page, 2, 9), cell(page, 2, 9.5))
        expect(page.locator(".state")).to_contain_text("Your times are kept here")
        page.unroute(address)
        page.evaluate("dispatchEvent(new Event('online'))")
        saved(page)
        assert choir.given("sam") == [(at(2, 9), at(2, 10), 5)]
        assert choir.faults == []

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
        page.on(
            "request",
            lambda request: sent.append(request.method) if request.method == "PUT" else None,
        )
        # so that it leaves before it saves, however slow the machine
        at_once = "window.setTimeout = () => 0"
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
        assert choir.faults == []

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
        expect(page.locator(".state")).to_contain_text(
            "Not saved: Somebody else is now signed in on this browser."
        )
        expect(cell(page, 2, 9)).to_have_class("l2")
        expect(cell(page, 5, 9)).to_have_class("l0")
        assert (choir.given("mina"), choir.given("sam")) == ([(at(5, 9), at(5, 10), 5)], [])

        choir.look(page)
        with page.context.expect_page() as opened:
            page.get_by_role("link", name="Sign in").click()
        choir.sign_in("sam", page=opened.value)
        saved(page)  # by itself
        assert (choir.given("mina"), choir.given("sam")) == (
            [(at(5, 9), at(5, 10), 5)],
            [(at(2, 9), at(2, 10), 5)],
        )
        assert choir.faults == []

    in_chromium(journey)

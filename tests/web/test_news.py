"""What others do reaches pages that are open, and takes nothing away from who paints, reads or
leaves.
"""

import pytest
from playwright.sync_api import Browser, expect

from stage.chromium import PHONE, at, cell, drag, in_chromium, saved
from tests.web.choir import Choir, ask

pytestmark = pytest.mark.processes


def test_what_one_painted_or_the_owner_fixed_elsewhere_is_seen_without_a_reload(site):
    def journey(browser: Browser) -> None:
        choir = Choir(site, browser)
        page = choir.visit("sam")
        drag(page, cell(page, 1, 9), cell(page, 1, 9.5))
        saved(page)
        row = {"start_time": at(4, 9).isoformat(), "end_time": at(4, 11).isoformat()}
        assert (
            choir.people["sam"].post(f"/calendars/{choir.id}/nonbusytimes/", row).status_code == 201
        )
        drag(page, cell(page, 2, 9), cell(page, 2, 9.5))
        saved(page)
        expect(cell(page, 4, 9)).to_have_class("l2")
        assert choir.given("sam") == [
            (at(day, 9), at(day, end), 5) for day, end in ((1, 10), (2, 10), (4, 11))
        ]
        for left in (((1, 10), (4, 11)), ((4, 11),)):
            page.get_by_role("button", name="Undo").click()
            saved(page)
            assert choir.given("sam") == [(at(day, 9), at(day, end), 5) for day, end in left]

        (meeting,) = choir.mina.get(f"/calendars/{choir.id}/meetings/").data
        path = f"/calendars/{choir.id}/meetings/{meeting['id']}/"
        other = choir.sign_in("mina", f"/app{path}")
        # The page scrolls smoothly to what is focused, and would still do so while we measure.
        cell(page, 2, 12).evaluate("cell => cell.focus({ preventScroll: true })")
        page.evaluate("scrollTo({ top: 150, behavior: 'instant' })")
        place = cell(page, 2, 12).bounding_box()
        assert choir.mina.put(path, {"final_time": at(4, 9).isoformat()}).status_code == 200
        expect(page.locator(".fixed")).to_contain_text("Rehearsal")
        expect(cell(page, 2, 12)).to_be_focused()  # who was reading is where they were
        expect(page.locator(".said").first).to_have_text("A meeting was confirmed or reopened.")
        assert abs(cell(page, 2, 12).bounding_box()["y"] - place["y"]) < 2
        expect(other.locator(".settled")).to_be_visible()
        other.locator("summary").get_by_text("Withdraw this time").click()
        other.get_by_role("button", name="Withdraw this time").click()
        expect(page.locator(".fixed")).to_have_count(0)
        expect(page.locator(".best li").first).to_be_visible()
        assert choir.faults == []

    in_chromium(journey)


def test_news_do_not_hold_back_who_is_on_their_way_to_another_page(site):
    def journey(browser: Browser) -> None:
        choir = Choir(site, browser)
        page = choir.visit("sam")
        (meeting,) = choir.mina.get(f"/calendars/{choir.id}/meetings/").data
        path = f"/calendars/{choir.id}/meetings/{meeting['id']}/"
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        # As a browser does when one has chosen a link: that page may take its time, and a reload
        # would call it off.
        page.evaluate("dispatchEvent(new Event('beforeunload', { cancelable: true }))")
        choir.mina.put(path, {"final_time": at(4, 9).isoformat()})
        ask(page)
        assert [each for each in asked if "/calendars/" in each] == []
        assert choir.faults == []

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
        assert (
            choir.people["sam"].post(f"/calendars/{choir.id}/nonbusytimes/", row).status_code == 201
        )
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
        assert choir.faults == []

    in_chromium(journey)


def test_that_answers_are_closed_reaches_pages_that_are_open(site):
    def journey(browser: Browser) -> None:
        choir = Choir(site, browser)
        page = choir.visit("sam")
        for is_finalized, title in ((True, "Answers are closed"), (False, "When can you come?")):
            choir.mina.put(f"/calendars/{choir.id}/", {"is_finalized": is_finalized})
            expect(page.locator("#mine-h")).to_have_text(title)
            expect(page.locator(".said").first).to_have_text(title)
        assert choir.faults == []

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
        expect(page.locator(".state")).to_contain_text("You’re signed out.")
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
        assert (
            choir.people["sam"].post(f"/calendars/{choir.id}/nonbusytimes/", row).status_code == 201
        )
        page.evaluate("dispatchEvent(new Event('focus'))")
        expect(cell(page, 4, 9)).to_have_class("l2")
        expect(page.locator(".state")).to_have_text("")

        seats = choir.mina.get(f"/calendars/{choir.id}/participants/").data
        (seat,) = [seat["id"] for seat in seats if seat["user"] == choir.people["sam"].id]
        assert choir.mina.delete(f"/calendars/{choir.id}/participants/{seat}/").status_code == 204
        page.clock.run_for(4000)
        expect(page.locator(".state")).to_have_text(
            "This calendar is gone, or you’re no longer in it."
        )
        expect(page.locator(".again")).to_be_hidden()
        assert choir.faults == []

    in_chromium(journey)

"""The calendar's page in a real Chromium: three people paint, by mouse, by touch and by keyboard;
what is refused is kept; axe looks on.
"""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, expect

from stage.chromium import PHONE, TABLET, at, cell, drag, in_chromium, saved
from tests.web.choir import Choir

pytestmark = pytest.mark.processes


def test_three_people_paint_each_in_their_way_and_see_each_other(site):
    def journey(browser: Browser) -> None:
        choir = Choir(site, browser)
        mina = choir.visit("mina")
        requests: list[str] = []
        mina.on(
            "request",
            lambda request: requests.append(request.method) if request.method == "PUT" else None,
        )
        drag(mina, cell(mina, 0, 9), cell(mina, 1, 11.5))
        saved(mina)
        assert requests == ["PUT"]
        assert choir.given("mina") == [(at(0, 9), at(0, 12), 5), (at(1, 9), at(1, 12), 5)]
        choir.look(mina)

        sam = choir.visit("sam", width=PHONE, touch=True)
        expect(sam.locator(".hint")).to_have_text(
            "Tap the first box, then the last. Across several days, all of them are filled."
        )
        sam.get_by_role("button", name="Ideal").tap()
        cell(sam, 0, 10).tap()
        expect(sam.locator(".hint")).to_have_text("Now tap the last box.")
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
        for key in ("ArrowDown",) * 4 + (
            "Shift+ArrowDown",
            "Shift+ArrowDown",
            "Shift+ArrowRight",
            "1",
        ):
            iris.keyboard.press(key)
        expect(iris.locator(".said")).to_contain_text("10:00 to 11:30: if need be")
        saved(iris)
        assert choir.given("iris") == [(at(0, 10), at(0, 11.5), 2), (at(1, 10), at(1, 11.5), 2)]
        choir.look(iris)

        # The others' answers arrive by themselves, while Mina goes on painting.
        expect(mina.locator(".best li").first).to_contain_text("10:00–11:00")
        expect(mina.locator(".best li").first).to_have_class("all")
        expect(mina.locator(".best li").first).to_contain_text("Only if need be: Iris.")
        expect(mina.locator(".said")).to_have_text("A new answer has changed the best times.")
        heat = mina.locator("heat-map tbody tr").nth(4).locator("td").first
        expect(heat).to_have_text("3")
        heat.hover()
        expect(mina.locator("heat-map .who")).to_contain_text("Mina, Sam")
        assert choir.faults == []

    in_chromium(journey)


def test_undo_takes_back_step_by_step_and_odd_times_survive(site):
    def journey(browser: Browser) -> None:
        choir = Choir(site, browser)
        odd = (at(3, 9) + timedelta(minutes=7), at(3, 10) + timedelta(minutes=20), 6)
        row = {
            "start_time": odd[0].isoformat(),
            "end_time": odd[1].isoformat(),
            "preference_level": 6,
        }
        choir.people["sam"].post(f"/calendars/{choir.id}/nonbusytimes/", row)
        page = choir.visit("sam")
        expect(cell(page, 3, 9)).to_have_class("l0 mixed")

        page.get_by_role("button", name="Ideal").click()
        drag(page, cell(page, 3, 9.5), cell(page, 3, 9.5))
        saved(page)
        assert choir.given("sam") == [
            (odd[0], at(3, 9.5), 6),
            (at(3, 9.5), at(3, 10), 9),
            (at(3, 10), odd[1], 6),
        ]
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
        assert choir.faults == []

    in_chromium(journey)


def test_a_block_is_extended_from_inside_and_cleared_by_painting_over_nothing_else(site):
    def journey(browser: Browser) -> None:
        choir = Choir(site, browser)
        page = choir.visit("sam")
        table = page.get_by_role("grid", name="When I can come")
        expect(table).to_have_accessible_description(re.compile("^Drag over hours to paint them"))
        expect(page.locator(".how")).to_be_visible()
        for start, end, then in (
            (9, 11.5, (9, 12)),
            (11.5, 13.5, (9, 14)),
            (12, 15.5, (9, 16)),
            (15, 15.5, (9, 15)),
        ):
            drag(page, cell(page, 0, start), cell(page, 0, end))
            saved(page)
            assert choir.given("sam") == [(at(0, then[0]), at(0, then[1]), 5)]
        cell(page, 0, 14.5).focus()
        page.keyboard.press("Space")
        saved(page)
        assert choir.given("sam") == [(at(0, 9), at(0, 14.5), 5)]

        phone = choir.visit("iris", width=PHONE, touch=True)
        expect(phone.locator(".how")).to_be_hidden()
        for start, end, then in (
            (9, 10.5, (9, 11)),
            (10.5, 11.5, (9, 12)),
            (11.5, 11.5, (9, 11.5)),
        ):
            cell(phone, 0, start).tap()
            cell(phone, 0, end).tap()
            saved(phone)
            assert choir.given("iris") == [(at(0, then[0]), at(0, then[1]), 5)]
        assert choir.faults == []

    in_chromium(journey)


def test_a_phone_begins_with_the_first_day_that_is_not_over(site):
    def journey(browser: Browser) -> None:
        choir = Choir(site, browser)
        page = choir.open(width=PHONE, touch=True)
        for now, days in (
            (at(-3, 9), "0 1 2"),
            (at(2, 20.5), "3 4 5"),
            (at(6, 12), "4 5 6"),
            (at(9, 9), "0 1 2"),
        ):
            page.clock.set_fixed_time(now)
            if page.url == "about:blank":
                choir.visit("sam", page=page)
            else:
                page.reload()
            page.wait_for_load_state()
            heads = page.locator("availability-grid thead th")
            assert (
                " ".join(str(number) for number in range(7) if heads.nth(number).is_visible())
                == days
            )
        assert choir.faults == []

    in_chromium(journey)


def test_without_scripts_one_ticks_and_writes(site):
    def journey(browser: Browser) -> None:
        choir = Choir(site, browser)
        page = choir.visit("iris", width=PHONE, scripts=False)
        page.get_by_role("button", name="Ideal").click()
        expect(page.locator(".mine [role=alert]")).to_contain_text(
            "You didn’t tick any times, so nothing changed."
        )
        assert choir.given("iris") == []
        cell(page, 0, 9).locator("input").check()
        page.get_by_role("button", name="Ideal").click()
        assert choir.given("iris") == [(at(0, 9), at(0, 9.5), 9)]

        page.get_by_role("link", name="Type your times instead").click()
        page.get_by_label("Times").fill("Mon 9-12 works\nweekdays 14-16 ideal, not Fri")
        page.get_by_role("button", name="Preview").click()
        assert "14:00–16:00" in page.locator(".preview").inner_text()
        page.get_by_role("button", name="Save these times").click()
        assert len(choir.given("iris")) == 5
        assert choir.faults == []

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
        page.get_by_role("button", name="Preview").click()
        expect(page.locator(".mend")).to_contain_text("Line 1")
        choir.look(page)
        choir.mina.put(f"/calendars/{choir.id}/", {"is_finalized": True})
        page.goto(f"{site.url}/app/calendars/{choir.id}/")
        expect(page.locator(".mine")).to_contain_text("Answers are closed")
        choir.look(page)
        assert choir.faults == []

    in_chromium(journey)


def test_the_heat_map_is_read_by_keyboard_and_reasons_stay_unfolded_while_others_answer(site):
    def journey(browser: Browser) -> None:
        choir = Choir(site, browser)

        def give(name: str, day: int, start: float = 9, end: float = 10) -> None:
            row = {
                "start_time": at(day, start).isoformat(),
                "end_time": at(day, end).isoformat(),
                "preference_level": 2,
            }
            assert (
                choir.people[name].post(f"/calendars/{choir.id}/nonbusytimes/", row).status_code
                == 201
            )

        give("sam", 0)
        page = choir.visit("mina")
        page.locator('heat-map td[tabindex="0"]').focus()
        for _ in range(2):
            page.keyboard.press("ArrowDown")
        who = page.locator("heat-map .who")
        expect(who).to_contain_text("9:00 to 9:30")
        expect(who).to_contain_text("Sam")
        expect(who).to_contain_text("No answer yet")
        choir.look(page)

        give("mina", 0, 9.5)
        give("iris", 0, 9, 9.5)
        page.reload()
        why = page.locator(".best details.why").first
        why.locator("summary").click()
        expect(why.locator("li").first).to_have_text("Mina is required but would miss 30 minutes.")
        choir.look(page)
        give("iris", 2)
        expect(page.locator(".said")).to_have_text("A new answer has changed the best times.")
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
        expect(page.locator(".best .all")).to_have_count(5)
        expect(page.locator("#best-h")).to_be_focused()  # what had it is gone
        assert choir.faults == []

    in_chromium(journey)


def test_hours_that_come_twice_are_read_out_apart(site):
    def journey(browser: Browser) -> None:
        choir = Choir(site, browser)
        nights = {
            "name": "Nights",
            "window_start": "2027-10-30T22:00:00Z",
            "window_end": "2027-10-31T23:00:00Z",
        }
        calendar = choir.mina.post("/calendars/", nights).data["id"]
        page = choir.sign_in(
            "mina", f"/app/calendars/{calendar}/?zone=Europe%2FBerlin&from=2027-10-31&hours=all"
        )

        names = [
            cell.get_attribute("aria-label")
            for cell in page.locator("availability-grid td[tabindex]").all()[4:9]
        ]
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
        expect(said).to_have_text(
            "Sunday 31 October, 2:30 (first time, CEST) to 2:30 (second time, CET): ideal"
        )
        expect(page.locator("heat-map .who")).to_contain_text("2:00 to 2:30 (second time, CET)")
        choir.look(page)
        # What is read out is written as what is shown, in every language.
        choir.mina.patch("/profile/settings/", {"hour_cycle": "h12", "locale": "de"})
        page.reload()
        expect(page.locator("availability-grid tbody th").nth(18)).to_contain_text(
            "8:00\N{NO-BREAK SPACE}am"
        )
        label = page.locator("availability-grid td[tabindex]").nth(18).get_attribute("aria-label")
        assert label.startswith("Sonntag, 31. Oktober, 8:00 am bis 8:30 am:")
        choir.mina.patch("/profile/settings/", {"hour_cycle": "h23", "locale": "en"})
        assert choir.faults == []

    in_chromium(journey)

"""On a phone 360 pixels wide every page fits in every language: nothing scrolls sideways, wraps in
the frame, overlaps or is cut off.
"""

import re
from functools import partial

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from stage.chromium import DESK, HEIGHT, PHONE, Windows, in_chromium
from stage.servers import Site, wait_until

pytestmark = pytest.mark.processes
LANGUAGES = ("en", "de", "fr")
# In a fourth calendar people wrote what has no place to break: a link to a video call, words
# without an end.
WORLD = """
from datetime import timedelta
from commontime.calendars import actions
from commontime.calendars.planning import plans
from commontime.core import clock
from commontime.contacts.actions import add_contact
from tests import build
for language in ("en", "de", "fr"):
    owner = build.user(
        f"owner-{language}", first_name="Maximiliane", last_name="Wolkenstein", locale=language
    )
    guests = [
        build.user(f"guest{n}-{language}", first_name=f"Alexandrina {n}", locale=language)
        for n in range(3)
    ]
    calendar = build.calendar(
        owner=owner, participants=guests, name="Kammermusikabende", duration_minutes=60
    )
    build.window(calendar, owner, build.day(8), build.day(10), 9)
    for guest in guests[:2]:
        add_contact(guest, by=owner)
        build.window(calendar, guest, build.day(9), build.day(10), 9)
    actions.invite_address(calendar.pk, by=owner, email=f"jemand-{language}@example.org")
    build.meeting(calendar=calendar, title="Generalprobe", final_time=build.day(18))
    open_ = build.meeting(calendar=calendar, title="Konzert", duration_minutes=60)
    actions.create_one_on_ones(calendar, by=owner, deadline=clock.now() + timedelta(days=1))
    actions.make_plan(calendar, by=owner, question=plans.Question())
    trip = build.calendar(owner=guests[0], name="Ausflug")
    actions.invite_person(trip.pk, by=guests[0], receiver=owner.pk)
    print(language, calendar.pk, open_.pk)
link = "https://us02web.zoom.us/j/81234567890?pwd=" + "a1B2c3D4" * 8 + ".1"
word = "Donaudampfschifffahrt" * 7
owner = build.user("owner-long", first_name=word[:147], last_name="M" * 40)
guests = [build.user(f"guest{number}-{'w' * 60}", first_name=word[:147]) for number in range(3)]
calendar = build.calendar(
    owner=owner,
    participants=guests,
    name=word,
    description=link + " " + word,
    location=link,
    duration_minutes=60,
)
build.window(calendar, owner, build.day(8), build.day(10), 9)
for guest in guests[:2]:
    add_contact(guest, by=owner)
    build.window(calendar, guest, build.day(9), build.day(10), 9)
actions.invite_address(calendar.pk, by=owner, email=f"{'j' * 60}@{'example' * 8}.org")
waiting = build.user("waits-" + "w" * 60, first_name=word[:147])
actions.invite_person(calendar.pk, by=owner, receiver=waiting.pk)
long = {"title": word, "location": link, "description": link}
build.meeting(calendar=calendar, **long, final_time=build.day(18))
open_ = build.meeting(calendar=calendar, **long, duration_minutes=60)
build.suggestion(open_, guests[0], build.day(20))
actions.create_one_on_ones(calendar, by=owner, deadline=clock.now() + timedelta(days=1))
actions.make_plan(calendar, by=owner, question=plans.Question())
other = build.calendar(owner=guests[0], name=word)
tomorrow = clock.now() + timedelta(days=1)
build.meeting(calendar=other, title=word, deadline=tomorrow, required=[guests[0]])
actions.invite_person(other.pk, by=guests[0], receiver=owner.pk)
print("xx", calendar.pk, open_.pk)
"""
# What is wrong with a page as it stands: each with where it is.
WRONG = r"""() => {
  const wrong = [];
  const all = (selector) => [...document.querySelectorAll(selector)];
  const isVisible = (part) => part.checkVisibility({ visibilityProperty: true });
  const name = (part) => part.outerHTML.slice(0, 100);
  const textOf = (part) => {
    const text = document.createRange();
    text.selectNodeContents(part);
    return text;
  };
  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth > clientWidth) wrong.push(`It scrolls sideways, ${scrollWidth} wide.`);

  const links = all(".bar > a, .bar nav > :is(a, button)");
  const boxes = links.map((link) => [link, link.getBoundingClientRect()]);
  for (const [number, [link, a]] of boxes.entries()) {
    if (a.left < 0 || a.right > clientWidth || a.height > 50)
      wrong.push(`In the frame: ${name(link)}`);
    for (const [other, b] of boxes.slice(number + 1)) {
      if (Math.abs(a.top + a.bottom - b.top - b.bottom) > 4)
        wrong.push(`The frame wraps: ${name(other)}`);
      if (a.right > b.left + 1 && b.right > a.left + 1)
        wrong.push(`The frame overlaps: ${name(link)} ${name(other)}`);
    }
  }

  for (const part of all(
    "main :is(button, .button, summary, label, legend, h1, h2, h3, th, td)",
  )) {
    const isWide = part.clientWidth && part.scrollWidth > part.clientWidth + 1;
    if (isVisible(part) && isWide && !part.closest(".heard, .hours, .scroll"))
      wrong.push(`Cut off: ${name(part)}`);
  }

  const main = document.querySelector("main");
  const { paddingRight } = getComputedStyle(main);
  const margin = main.getBoundingClientRect().right - parseFloat(paddingRight);
  for (const button of all("main button, main .button")) {
    const text = textOf(button).getBoundingClientRect();
    const box = button.getBoundingClientRect();
    const touches = text.left < box.left + 2 || text.right > box.right - 2;
    if (isVisible(button) && text.width && touches) wrong.push(`Cramped: ${name(button)}`);
    if (isVisible(button) && box.right > margin + 1) wrong.push(`In the margin: ${name(button)}`);
  }

  for (const part of all(".hours :is(tr:not(.part) > th span, .clocks)")) {
    const tops = [...textOf(part).getClientRects()].map((line) => Math.round(line.top));
    const words = part.textContent.trim().split(/\s+/).length;
    if (isVisible(part) && new Set(tops).size > words)
      wrong.push(`Broken within a word: ${name(part)}`);
  }

  const paper = document.createElement("canvas").getContext("2d");
  const arrow = 16;
  for (const select of all("main select")) {
    const style = getComputedStyle(select);
    const padding = parseFloat(style.paddingLeft) + parseFloat(style.paddingRight);
    paper.font = style.font;
    const { width } = paper.measureText(select.selectedOptions[0]?.text ?? "");
    if (isVisible(select) && width + padding + arrow > select.clientWidth)
      wrong.push(`Cut off: ${name(select)}`);
  }
  return wrong;
}"""


@pytest.fixture(scope="module")
def worlds(site: Site) -> dict[str, tuple[str, str]]:
    made = re.findall(r"^(\w\w) (\S+) (\S+)$", site.manage("shell", "-c", WORLD), re.MULTILINE)
    wait_until(lambda: site.count("calendars_plan", "status = 'done'") == len(LANGUAGES) + 1)
    return {language: (calendar, meeting) for language, calendar, meeting in made}


def wrong_with(page: Page, path: str) -> list[str]:
    page.goto(path)
    faults = page.evaluate(WRONG)
    for summary in page.locator("main summary:visible").all():
        summary.click()
    return [f"{page.url} {each}" for each in dict.fromkeys(faults + page.evaluate(WRONG))]


def everywhere(
    site: Site, worlds: dict[str, tuple[str, str]], language: str, browser: Browser, who: str = ""
) -> list[str]:
    calendar, meeting = worlds[who or language]
    here = f"/app/calendars/{calendar}/"
    outside = (
        "/",
        "/app/sign-in/",
        "/app/sign-up/",
        "/app/password_reset/",
        "/password_reset/MQ/x/",
        "/app/nothing/",
    )
    own = (
        "/app/",
        "/app/people/",
        "/app/settings/",
        "/app/settings/delete/",
        "/app/mail/",
        "/app/calendars/new/",
    )
    inside = (
        "",
        "?zone=Europe/Berlin&from=2027-10-31&hours=all",
        "people/",
        "settings/",
        "plan/",
        "times/",
        "meetings/new/",
        f"meetings/{meeting}/",
        f"meetings/{meeting}/edit/",
    )
    windows = Windows(site, browser)
    page = windows.open(width=PHONE, touch=True, language=language)
    faults = [wrong for path in outside for wrong in wrong_with(page, site.url + path)]
    windows.sign_in(f"owner-{who or language}", page=page)
    assert page.locator("html").get_attribute("lang") == language
    return faults + [
        wrong
        for path in (*own, *(here + path for path in inside))
        for wrong in wrong_with(page, site.url + path)
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_fits_on_a_phone(site, worlds, language):
    assert in_chromium(partial(everywhere, site, worlds, language)) == []


def test_words_and_links_without_an_end_break_on_every_page(site, worlds):
    faults = in_chromium(
        partial(everywhere, site, {**worlds, "long": worlds["xx"]}, "en", who="long")
    )

    assert [
        wrong for wrong in faults if "<select" not in wrong and "Cramped" not in wrong
    ] == []  # a select shows the beginning


def test_with_letters_of_twice_the_size_nothing_scrolls_sideways(site, worlds):
    """The long words of German, and the frame may have more lines (WCAG 1.4.4)."""
    faults = in_chromium(
        partial(everywhere, site, worlds, "de"), "--blink-settings=defaultFontSize=32"
    )

    assert any("The frame" in wrong for wrong in faults)  # so the letters are larger
    assert [wrong for wrong in faults if "sideways" in wrong] == []


def test_the_parts_of_long_pages_stay_at_hand(site, worlds):
    calendar, _meeting = worlds["en"]

    def walk(browser: Browser) -> None:
        page = Windows(site, browser).sign_in(
            "owner-en", f"/app/calendars/{calendar}/", width=PHONE, touch=True
        )
        page.emulate_media(reduced_motion="reduce")
        page.locator("availability-grid tbody tr").last.locator(
            "td:visible"
        ).first.scroll_into_view_if_needed()
        parts = page.get_by_role("navigation", name="On this page")
        for name, heading in (
            ("Best times", "best-h"),
            ("Everybody", "heat-h"),
            ("Your times", "mine-h"),
        ):
            expect(parts).to_be_in_viewport(ratio=1)
            parts.get_by_role("link", name=name).tap()
            expect(page.locator(f"#{heading}")).to_be_in_viewport(ratio=1)
        page.emulate_media(media="print")
        for pressed in (parts, page.locator(".tools"), page.locator(".brushes")):
            expect(pressed).to_be_hidden()
        page.emulate_media(media="screen", reduced_motion="reduce")
        page.goto(f"{site.url}/app/calendars/{calendar}/plan/")
        days = page.get_by_role("navigation", name="Days")
        page.locator(".slot").last.evaluate("each => each.scrollIntoView()")  # to the upper edge
        expect(days).to_be_in_viewport(ratio=1)
        days.get_by_role("link").first.tap()
        heading = page.locator(".day h4").first
        expect(heading).to_be_in_viewport(ratio=1)
        assert (
            heading.bounding_box()["y"] >= days.bounding_box()["y"] + days.bounding_box()["height"]
        )
        page.set_viewport_size({"width": DESK, "height": HEIGHT})
        expect(days).to_be_hidden()
        page.goto(f"{site.url}/app/calendars/{calendar}/")
        expect(parts).to_be_hidden()

    in_chromium(walk)


SHIFTS = """() => new Promise((tell) => {
  new PerformanceObserver((list) => tell(list.getEntries().length)).observe({
    type: "layout-shift",
    buffered: true,
  });
  setTimeout(() => tell(0), 500);
})"""


def test_home_does_not_jump_when_it_tells_that_the_device_is_in_another_zone(site, worlds):
    def visit(browser: Browser) -> None:
        windows = Windows(site, browser)
        signed_in = windows.sign_in("owner-en", width=PHONE, touch=True, zone="Asia/Kathmandu")
        page = signed_in.context.new_page()

        def late(route: Route) -> None:
            page.wait_for_timeout(1000)
            route.continue_()

        page.route("**/local-zone*.js", late)
        page.goto(f"{site.url}/app/")
        expect(page.locator("local-zone")).to_be_visible()
        assert page.evaluate(SHIFTS) == 0

    in_chromium(visit)


def test_it_would_be_found(site, worlds):
    def spoilt(browser: Browser) -> list[str]:
        windows = Windows(site, browser)
        page = windows.sign_in(
            "owner-fr", f"/app/calendars/{worlds['fr'][0]}/", width=PHONE, touch=True
        )
        for part, style in (
            (".undo", "padding: 0; width: 40px"),
            (".bar nav", "width: 8rem"),
            ("h1", "width: 500px"),
        ):
            page.locator(part).evaluate("(each, style) => each.style.cssText = style", style)
        return page.evaluate(WRONG)

    faults = " ".join(in_chromium(spoilt))

    assert all(words in faults for words in ("scrolls sideways", "The frame wraps", "Cramped"))

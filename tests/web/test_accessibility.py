"""The pages in a real Chromium: axe finds nothing in any state, nothing scrolls sideways on a phone, nothing breaks the content policy."""

import email
import os
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email import policy

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from tests import build
from tests.servers import Site, open_site, wait_until

pytestmark = pytest.mark.processes
CHROMIUM = shutil.which("chromium")
PHONE, DESK = 360, 1280


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    if CHROMIUM is None:
        assert not os.environ.get("CI"), "CI must have Chromium (.ci/run installs it)."
        pytest.skip("There is no Chromium here; CI has one.")
    with open_site(COMMONTIME_SMTP_URL="") as site:
        mina, iris = site.person("mina"), site.person("iris")
        calendar = mina.post("/calendars/", {"name": "A choir with rather a long name", "description": "Rehearsals."}).data["id"]
        mina.post("/calendars/invitations/", {"calendar": calendar, "receiver": iris.id})
        own = iris.post("/calendars/", {"name": "Band"}).data["id"]
        iris.post(f"/calendars/{own}/participants/", {"user": mina.id})
        start = build.day(18).isoformat()
        iris.post(f"/calendars/{own}/meetings/", {"title": "Concert", "deadline": start})
        fixed = iris.post(f"/calendars/{own}/meetings/", {"title": "Rehearsal", "deadline": start}).data["id"]
        iris.put(f"/calendars/{own}/meetings/{fixed}/", {"final_time": start, "deadline": start})
        mina.post("/calendars/invitations/", {"calendar": calendar, "email": "bao@example.org"})
        mina.post("/password_reset/", {"email": "iris@example.org"})
        wait_until(lambda: len(links_in_mails(site)) == 3)
        yield site


def links_in_mails(site: Site) -> set[str]:
    """Return one path for each kind of link that leads to a page of its own: a new password, fewer mails, an invitation to an address."""
    texts = [email.message_from_bytes(path.read_bytes(), policy=policy.default) for path in (site.folder / "mail").glob("*.eml")]
    bodies = [body.get_content() for text in texts if (body := text.get_body(("plain",)))]
    found = re.findall(rf"{site.url}((/password_reset/|/app/mail/stop/|/app/invitations/)\S+)", "\n".join(bodies))
    return set({kind: path for path, kind in found}.values())


class Visit:
    """One walk through the pages in one window; `found` gathers what is wrong, and on which page."""

    def __init__(self, browser: Browser, site: Site, width: int, scheme: str, zone: str = "UTC") -> None:
        self.site = site
        context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme, timezone_id=zone)  # type: ignore[arg-type]
        self.page: Page = context.new_page()
        self.page.on("console", lambda message: self.complain(message.text) if "Content Security" in message.text else None)
        self.page.on("request", lambda request: self.complain(request.url) if not request.url.startswith(site.url) else None)
        self.found: list[str] = []

    def complain(self, what: str) -> None:
        self.found.append(f"{self.page.url}: {what}")

    def look(self, path: str = "") -> None:
        if path:
            self.page.goto(self.site.url + path)
        for violation in Axe().run(self.page).response["violations"]:
            self.complain(f"{violation['id']} {violation['nodes'][0]['html']}")
        self.look_sideways()

    def look_sideways(self) -> None:
        if self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            self.complain("It scrolls sideways.")

    def send(self, path: str, **typed: str) -> None:
        """Fill the form on the page and press its button; look at what comes."""
        self.page.goto(self.site.url + path)
        for name, value in typed.items():
            self.page.fill(f"[name={name}]", value)
        self.page.click("main button")
        self.look()

    def glance(self) -> list[str]:
        """Look at the pages that have the most on them."""
        self.send("/app/sign-up/", username="not a name", email="nowhere", password="1")
        self.send("/app/sign-in/", identifier="iris", password=build.PASSWORD)
        self.page.get_by_role("link", name="Band", exact=True).click()
        self.look()
        return self.found

    def walk(self) -> list[str]:
        for path in ("/", "/app/nothing/", "/password_reset/MQ/x/", "/app/password_reset/", "/app/sign-up/"):
            self.look(path)
        self.send("/app/sign-up/", username="not a name", email="nowhere", password="1")
        self.send("/app/sign-in/", identifier="nobody", password="wrong")
        self.send("/app/password_reset/", email="nobody@example.org")
        self.send("/app/sign-in/", identifier="iris", password=build.PASSWORD)
        assert self.page.url.endswith("/app/")
        for path in ("/app/mail/", "/app/nothing/", *links_in_mails(self.site)):
            self.look(path)
        self.page.goto(self.site.url + "/app/")
        self.page.get_by_role("link", name="Band", exact=True).click()
        self.look()
        return self.found


def test_nothing_is_wrong_wherever_one_goes(site):
    assert in_chromium(lambda browser: Visit(browser, site, PHONE, "light").walk()) == []


def test_nothing_is_wrong_in_the_dark_on_a_desk(site):
    assert in_chromium(lambda browser: Visit(browser, site, DESK, "dark").glance()) == []


OWN_PAGES = ("/", "/app/sign-in/", "/app/", "/app/people/", "/app/settings/", "/app/settings/delete/", "/app/calendars/new/")


def test_nothing_is_wrong_with_ones_own_pages_at_any_width_in_light_and_dark(site):
    """Each page is loaded once and looked at in several ways: unfolded, with the account open, with a form refused."""

    def journey(browser: Browser) -> list[str]:
        visit = Visit(browser, site, DESK, "light", zone="Asia/Kathmandu")
        page = visit.page

        def look(*ways: tuple[int, str]) -> None:
            for width, scheme in ways:
                page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # no colour on its way to another
                page.set_viewport_size({"width": width, "height": 800})
                visit.look()

        for path in OWN_PAGES:
            page.goto(site.url + path)
            if path == "/app/sign-in/":
                look((PHONE, "light"))
                visit.send(path, identifier="mina", password=build.PASSWORD)
                page.get_by_role("button", name="Account of").click()
                assert page.locator("#account").is_visible()
            if path == "/app/":
                assert "Times are shown in UTC. This device is in Asia/Kat" in page.locator("local-zone").inner_text()
            for summary in page.locator("main summary").all():
                summary.click()
            page.set_viewport_size({"width": 768, "height": 800})
            visit.look_sideways()
            look((DESK, "dark"), (PHONE, "light"))
            visit.found += [f"{path}: {small} is too small to touch" for small in page.evaluate(TOO_SMALL)]
        page.fill("[name=name]", "Choir")
        page.fill("[name=others]", "nobody-here")
        page.get_by_role("button", name="Make the calendar").click()
        assert page.locator("#id_others_error").is_visible()
        look((PHONE, "dark"))
        for do in ("names", "password"):
            page.goto(f"{site.url}/app/settings/#{do}")
            section = page.locator(f"section#{do}")
            for field in section.locator("input:not([type=hidden])").all():
                field.fill("no name")
            section.get_by_role("button").click()
            assert section.locator(".mend").first.is_visible()
            look((PHONE, "dark"))
        return visit.found

    assert in_chromium(journey) == []


# Buttons, links that stand alone, and fields lower or narrower than 44 pixels; a tick counts with its label.
TOO_SMALL = """() => [...document.querySelectorAll("button, .bar a, .button, summary, select, textarea, input:not([type=hidden])")]
  .filter(each => each.checkVisibility()).map(each => [each, (each.type === "checkbox" || each.type === "radio") && each.labels[0] || each])
  .filter(([, box]) => box.getBoundingClientRect().height < 43.5).map(([each]) => each.outerHTML.slice(0, 120))"""


def test_axe_would_find_what_is_wrong(site):
    def spoilt(browser: Browser) -> list[str]:
        visit = Visit(browser, site, PHONE, "light")
        visit.page.goto(site.url + "/app/sign-in/")
        visit.page.evaluate("document.querySelector('label').remove()")
        visit.page.evaluate("document.body.style.width = '500px'")
        visit.page.evaluate("document.body.append(Object.assign(document.createElement('img'), {src: 'http://localhost:1/'}))")
        visit.look()
        return visit.found

    found = " ".join(in_chromium(spoilt))

    assert all(word in found for word in ("label", "scrolls sideways", "Content Security"))


def in_chromium(visit):
    """Run in a thread of its own: Playwright's loop would make Django refuse the database to this one."""

    def run():
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            try:
                return visit(browser)
            finally:
                browser.close()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(run).result()

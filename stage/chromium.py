"""Let people use the pages in a real Chromium.

Each has a window of their own, and faults on any page are gathered.
"""

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Dialog, Page, expect, sync_playwright

from stage.callers import PASSWORD
from stage.servers import PATIENCE, Site

CHROMIUM = shutil.which("chromium")
PHONE, TABLET, DESK = 360, 768, 1280
HEIGHT = 740
expect.set_options(timeout=PATIENCE * 1000)


def in_chromium(visit: Callable[[Browser], Any], *arguments: str) -> Any:
    """Run a visit in a thread of its own.

    Playwright's loop would make Django refuse the database to this one. arguments: Chromium's own.
    """

    def run() -> Any:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=CHROMIUM, args=["--no-sandbox", *arguments]
            )
            try:
                return visit(browser)
            finally:
                browser.close()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(run).result()


class Windows:
    """Windows of a browser, each of one person. faults: errors on any page, with its address."""

    def __init__(self, site: Site, browser: Browser) -> None:
        self.site, self.browser = site, browser
        self.faults: list[str] = []

    def open(
        self,
        *,
        width: int = DESK,
        touch: bool = False,
        scripts: bool = True,
        zone: str = "UTC",
        language: str = "en",
    ) -> Page:
        context = self.browser.new_context(
            viewport={"width": width, "height": HEIGHT},
            has_touch=touch,
            is_mobile=touch,
            java_script_enabled=scripts,
            timezone_id=zone,
            locale=language,
        )
        context.set_default_timeout(PATIENCE * 1000)
        page = context.new_page()
        page.on(
            "console",
            lambda message: (
                self.complain(page, message.text) if "Content Security" in message.text else None
            ),
        )
        page.on("pageerror", lambda error: self.complain(page, str(error)))
        page.on(
            "request",
            lambda request: (
                None if request.url.startswith(self.site.url) else self.complain(page, request.url)
            ),
        )
        page.on("dialog", lambda dialog: self.hear(page, dialog))
        return page

    def sign_in(
        self, name: str, path: str = "/app/", *, page: Page | None = None, **window: Any
    ) -> Page:
        """Sign in on the way to a page, and return its window.

        page: a window to use; without one a new window opens.
        """
        page = page or self.open(**window)
        page.goto(f"{self.site.url}/app/sign-in/?{urlencode({'next': path})}")
        page.fill("[name=identifier]", name)
        page.fill("[name=password]", PASSWORD)
        page.click("main button")
        page.wait_for_url(lambda url: url == self.site.url + path)
        return page

    def hear(self, page: Page, dialog: Dialog) -> None:
        if dialog.type == "beforeunload":
            dialog.accept()  # it asks whether to leave
        else:
            self.complain(page, f"It said {dialog.message}")
            dialog.dismiss()

    def complain(self, page: Page, what: str) -> None:
        self.faults.append(f"{page.url}: {what}")

    def look(self, page: Page, *looks: tuple[int, str]) -> None:
        """Have axe check the page, or its widths and colour schemes."""
        if not looks:
            self.look_at(page)
        before = page.viewport_size
        for width, scheme in looks:
            page.set_viewport_size({"width": width, "height": HEIGHT})
            # Without motion, or axe would look at a colour that is changing.
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            self.look_at(page, f"{width} {scheme} ")
        page.set_viewport_size(before)

    def look_at(self, page: Page, how: str = "") -> None:
        page.wait_for_load_state()  # a click does not wait for the styles of the page it leads to
        for violation in Axe().run(page).response["violations"]:
            self.complain(page, f"{how}{violation['id']} {violation['nodes'][0]['html']}")
        if page.evaluate(
            "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        ):
            self.complain(page, f"{how}It scrolls sideways.")


# Painting, in a calendar of the week from MONDAY on that is shown from 8 o'clock ------------------

TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
MONDAY = TODAY + timedelta(days=21 - TODAY.weekday())


def at(day: int, hour: float) -> datetime:
    return MONDAY + timedelta(days=day, hours=hour)


def cell(page: Page, day: int, hour: float) -> Any:
    return (
        page.locator("availability-grid tbody tr").nth(int((hour - 8) * 2)).locator("td").nth(day)
    )


def drag(page: Page, start: Any, end: Any) -> None:
    # before it, the scripts have not run, and one would paint on mere ticks
    page.wait_for_load_state()
    start.scroll_into_view_if_needed()
    start.hover()
    page.mouse.down()
    end.hover()
    page.mouse.up()


def saved(page: Page) -> None:
    expect(page.locator("availability-grid .state")).to_have_text("Saved")

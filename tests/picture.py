"""Make docs/calendar.png, the README's picture of the calendar's page, from the demo: `make
picture`. Needs Chromium.
"""

import sys
from pathlib import Path

from playwright.sync_api import Browser

sys.path[:0] = [str(Path(__file__).resolve().parent.parent)]

from commontime.jobs.management.commands._choir import PASSWORD  # noqa: E402 (the path comes first)
from stage.chromium import in_chromium  # noqa: E402 (the path comes first)
from stage.servers import ROOT, open_site  # noqa: E402 (the path comes first)

WIDTH, HEIGHT = 1280, 900
MOST = 200 * 1024  # bytes: it is fetched by whoever looks at the README


def take() -> bytes:
    """Return the page of the choir's rehearsals as its conductor sees it, as a PNG."""
    with open_site(COMMONTIME_SMTP_URL="", start=False, server="") as site:
        site.manage("demo")
        site.start("web")

        def look(browser: Browser) -> bytes:
            page = browser.new_page(
                viewport={"width": WIDTH, "height": HEIGHT},
                timezone_id="Europe/Berlin",
                color_scheme="light",
            )
            page.goto(f"{site.url}/app/sign-in/")
            page.fill("[name=identifier]", "ingrid")
            page.fill("[name=password]", PASSWORD)
            page.click("main button")
            page.get_by_role("link", name="Summer concert", exact=True).click()
            page.locator("availability-grid.ready").wait_for()
            return page.screenshot(animations="disabled")

        picture: bytes = in_chromium(look)
    return picture


if __name__ == "__main__":
    picture = take()
    if len(picture) > MOST:
        sys.exit(f"The picture has {len(picture)} bytes; {MOST} are enough.")
    (ROOT / "docs" / "calendar.png").write_bytes(picture)
    print(f"docs/calendar.png: {len(picture)} bytes")

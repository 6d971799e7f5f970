"""The page that shows the API works in a browser, from this server alone and under the strict content policy."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from commontime.api import docs
from tests.api.test_schema import OPERATIONS

CHROMIUM = "/usr/bin/chromium"
pytestmark = [
    pytest.mark.django_db(transaction=True),
    # Where this runs for all of us it must run; at a desk without Chromium it may not.
    pytest.mark.skipif("not shutil.which(CHROMIUM) and 'CI' not in os.environ", reason="Debian's chromium is not installed"),
]


@pytest.fixture
def browser_page(monkeypatch) -> Iterator[Page]:
    assert shutil.which(CHROMIUM), "CI needs Debian's chromium"
    # Playwright's loop runs in this thread, and Django would take us for asynchronous.
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium.new_page()
        chromium.close()


def test_the_page_shows_every_operation_and_asks_nobody_else(live_server, browser_page):
    said: list[str] = []
    asked: list[str] = []
    browser_page.on("console", lambda message: said.append(message.text))
    browser_page.on("pageerror", lambda error: said.append(str(error)))
    browser_page.on("request", lambda request: asked.append(request.url))

    browser_page.goto(f"{live_server.url}/docs")
    expect(browser_page.locator(".opblock")).to_have_count(len(OPERATIONS), timeout=30_000)
    browser_page.locator(".opblock-summary", has_text="/calendars/{calendar_id}/").first.click()
    expect(browser_page.locator(".opblock-body").first).to_be_visible()

    assert said == []  # no error, and nothing the content policy blocked
    assert [url for url in asked if not url.startswith((live_server.url, "data:"))] == []
    assert f"{live_server.url}/schema/" in asked
    assert browser_page.get_by_role("button", name="Authorize").is_visible()
    for name in docs.TAGS:
        assert browser_page.locator(f"#operations-tag-{name.replace(' ', '_')}").is_visible()

"""The page of the API works in a browser, from this server alone, under the strict policy."""

import os

import pytest
from playwright.sync_api import Browser, expect

from commontime.api import schema
from stage.chromium import CHROMIUM, in_chromium
from tests.api.test_schema import OPERATIONS

pytestmark = [
    pytest.mark.django_db(transaction=True),
    # Where this runs for all of us it must run; at a desk without Chromium it may not.
    pytest.mark.skipif(
        CHROMIUM is None and "CI" not in os.environ, reason="There is no Chromium here; CI has one."
    ),
]


def test_the_page_shows_every_operation_and_asks_nobody_else(live_server):
    said: list[str] = []
    asked: list[str] = []

    def visit(browser: Browser) -> None:
        page = browser.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))

        page.goto(f"{live_server.url}/docs")
        expect(page.locator(".opblock")).to_have_count(len(OPERATIONS))
        page.locator(".opblock-summary", has_text="/calendars/{calendar_id}/").first.click()
        expect(page.locator(".opblock-body").first).to_be_visible()

        assert page.get_by_role("button", name="Authorize").is_visible()
        for name in schema.TAGS:
            assert page.locator(f"#operations-tag-{name.replace(' ', '_')}").is_visible()

    in_chromium(visit)

    assert said == []  # no error, and nothing the content policy blocked
    assert [url for url in asked if not url.startswith((live_server.url, "data:"))] == []
    assert f"{live_server.url}/schema/" in asked

"""The calendar that the tests of painting, saving and news look at, and its windows."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from playwright.sync_api import Browser, Page

from stage.chromium import Windows, at
from stage.servers import Site
from tests.client import Caller


@cache
def singers(site: Site) -> dict[str, Caller]:
    """Return the three who sing at a site, signed in over the API."""
    return {name: site.person(name) for name in ("mina", "sam", "iris")}


class Choir(Windows):
    """Mina's calendar of one week with Sam and Iris, shown from 8 to 20 o'clock."""

    def __init__(self, site: Site, browser: Browser) -> None:
        super().__init__(site, browser)
        window = {"window_start": at(0, 8).isoformat(), "window_end": at(6, 20).isoformat()}
        self.people = singers(site)
        self.mina = self.people["mina"]
        self.id = self.mina.post("/calendars/", {"name": "Choir", **window}).data["id"]
        for name in ("sam", "iris"):
            self.mina.post(f"/calendars/{self.id}/participants/", {"user": self.people[name].id})
        self.meeting({"title": "Rehearsal", "deadline": at(-1, 0).isoformat()})

    def meeting(self, fields: dict[str, Any]) -> None:
        assert self.mina.post(f"/calendars/{self.id}/meetings/", fields).status_code == 201

    def visit(self, name: str, **window: Any) -> Page:
        return self.sign_in(name, f"/app/calendars/{self.id}/", **window)

    def given(self, name: str) -> list[tuple[datetime, datetime, int]]:
        rows = (
            self.people[name]
            .get(f"/calendars/{self.id}/nonbusytimes/?user={self.people[name].id}")
            .data
        )
        moments = [
            (
                datetime.fromisoformat(row["start_time"]),
                datetime.fromisoformat(row["end_time"]),
                row,
            )
            for row in rows
        ]
        return [
            (start.astimezone(UTC), end.astimezone(UTC), row["preference_level"])
            for start, end, row in moments
        ]


def ask(page: Page, *, rounds: int = 5) -> None:
    """Have the page ask for news so often, and wait for what comes of it."""
    for _ in range(rounds):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        page.wait_for_timeout(100)
    page.evaluate("fetch('/?a')")  # what was asked before it has been answered

"""The pages in a real Chromium: axe finds nothing in any state, nothing scrolls sideways on a
phone, nothing breaks the content policy.
"""

import email
import re
from email import policy

import pytest
from playwright.sync_api import Browser

from stage.chromium import DESK, PHONE, TABLET, Windows, in_chromium
from stage.servers import Site, wait_until
from tests import build

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def site(site: Site) -> Site:
    mina, iris = site.person("mina"), site.person("iris")
    calendar = mina.post(
        "/calendars/", {"name": "A choir with rather a long name", "description": "Rehearsals."}
    ).data["id"]
    mina.post("/calendars/invitations/", {"calendar": calendar, "receiver": iris.id})
    own = iris.post("/calendars/", {"name": "Band"}).data["id"]
    iris.post(f"/calendars/{own}/participants/", {"user": mina.id})
    start = build.day(18).isoformat()
    iris.post(f"/calendars/{own}/meetings/", {"title": "Concert", "deadline": start})
    fixed = iris.post(
        f"/calendars/{own}/meetings/", {"title": "Rehearsal", "deadline": start}
    ).data["id"]
    iris.put(f"/calendars/{own}/meetings/{fixed}/", {"final_time": start, "deadline": start})
    mina.post("/calendars/invitations/", {"calendar": calendar, "email": "bao@example.org"})
    mina.post("/password_reset/", {"email": "iris@example.org"})
    wait_until(lambda: len(links_in_mails(site)) == 3)
    return site


def links_in_mails(site: Site) -> set[str]:
    """Return one path for each kind of link that leads to a page of its own: a new password, fewer
    mails, an invitation to an address.
    """
    texts = [
        email.message_from_bytes(path.read_bytes(), policy=policy.default)
        for path in (site.folder / "mail").glob("*.eml")
    ]
    bodies = [body.get_content() for text in texts if (body := text.get_body(("plain",)))]
    links = re.findall(
        rf"{site.url}((/password_reset/|/app/mail/stop/|/app/invitations/)\S+)", "\n".join(bodies)
    )
    return set({kind: path for path, kind in links}.values())


class Visit(Windows):
    """One walk through the pages, in one window."""

    def __init__(
        self, browser: Browser, site: Site, width: int, scheme: str, zone: str = "UTC"
    ) -> None:
        super().__init__(site, browser)
        self.page = self.open(width=width, zone=zone)
        self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]

    def go(self, path: str) -> None:
        self.page.goto(self.site.url + path)
        self.look(self.page)

    def send(self, path: str, **typed: str) -> None:
        """Fill the form on the page and press its button; look at what comes."""
        self.page.goto(self.site.url + path)
        for name, value in typed.items():
            self.page.fill(f"[name={name}]", value)
        self.page.click("main button")
        self.look(self.page)

    def open_band(self) -> None:
        self.page.get_by_role("link", name="Band", exact=True).click()
        self.look(self.page)

    def glance(self) -> list[str]:
        """Look at the pages that have the most on them."""
        self.send("/app/sign-up/", username="not a name", email="nowhere", password="1")
        self.send("/app/sign-in/", identifier="iris", password=build.PASSWORD)
        self.open_band()
        return self.faults

    def walk(self) -> list[str]:
        for path in (
            "/",
            "/app/nothing/",
            "/password_reset/MQ/x/",
            "/app/password_reset/",
            "/app/sign-up/",
        ):
            self.go(path)
        self.send("/app/sign-up/", username="not a name", email="nowhere", password="1")
        self.send("/app/sign-in/", identifier="nobody", password="wrong")
        self.send("/app/password_reset/", email="nobody@example.org")
        self.send("/app/sign-in/", identifier="iris", password=build.PASSWORD)
        assert self.page.url.endswith("/app/")
        for path in ("/app/mail/", "/app/nothing/", *links_in_mails(self.site)):
            self.go(path)
        self.page.goto(self.site.url + "/app/")
        self.open_band()
        return self.faults


def test_nothing_is_wrong_wherever_one_goes(site):
    assert in_chromium(lambda browser: Visit(browser, site, PHONE, "light").walk()) == []


def test_nothing_is_wrong_in_the_dark_on_a_desk(site):
    assert in_chromium(lambda browser: Visit(browser, site, DESK, "dark").glance()) == []


OWN_PAGES = (
    "/",
    "/app/sign-in/",
    "/app/",
    "/app/people/",
    "/app/settings/",
    "/app/settings/delete/",
    "/app/calendars/new/",
)


def test_nothing_is_wrong_with_ones_own_pages_at_any_width_in_light_and_dark(site):
    """Each page is loaded once and looked at in several ways: unfolded, with the account open, with
    a form refused.
    """

    def journey(browser: Browser) -> list[str]:
        visit = Visit(browser, site, PHONE, "light", zone="Asia/Kathmandu")
        page = visit.page
        for path in OWN_PAGES:
            page.goto(site.url + path)
            if path == "/app/sign-in/":
                visit.look(page, (PHONE, "light"))
                visit.send(path, identifier="mina", password=build.PASSWORD)
                page.get_by_role("button", name="Account:").click()
                assert page.locator("#account").is_visible()
            if path == "/app/":
                assert (
                    "Times are shown in UTC. This device is in Asia/Kat"
                    in page.locator("local-zone").inner_text()
                )
            for summary in page.locator("main summary").all():
                summary.click()
            visit.look(page, (TABLET, "light"), (DESK, "dark"), (PHONE, "light"))
            visit.faults += [
                f"{path}: {small} is too small to touch" for small in page.evaluate(TOO_SMALL)
            ]
        page.fill("[name=name]", "Choir")
        page.fill("[name=others]", "nobody-here")
        page.get_by_role("button", name="Create calendar").click()
        assert page.locator("#id_others_error").is_visible()
        visit.look(page, (PHONE, "dark"))
        for do in ("names", "password"):
            page.goto(f"{site.url}/app/settings/#{do}")
            section = page.locator(f"section#{do}")
            for field in section.locator("input:not([type=hidden])").all():
                field.fill("no name")
            section.get_by_role("button").click()
            assert section.locator(".mend").first.is_visible()
            visit.look(page, (PHONE, "dark"))
        return visit.faults

    assert in_chromium(journey) == []


# Buttons, links that stand alone, and fields lower or narrower than 44 pixels; a tick counts with
# its label.
TOO_SMALL = """() => {
  const controls = document.querySelectorAll(
    "button, .bar a, .button, summary, select, textarea, input:not([type=hidden])",
  );
  const box = (control) =>
    ["checkbox", "radio"].includes(control.type) && control.labels[0] || control;
  return [...controls]
    .filter((control) => control.checkVisibility())
    .filter((control) => box(control).getBoundingClientRect().height < 43.5)
    .map((control) => control.outerHTML.slice(0, 120));
}"""


def test_axe_would_find_what_is_wrong(site):
    def spoilt(browser: Browser) -> list[str]:
        visit = Visit(browser, site, PHONE, "light")
        visit.page.goto(site.url + "/app/sign-in/")
        visit.page.evaluate("document.querySelector('label').remove()")
        visit.page.evaluate("document.body.style.width = '500px'")
        visit.page.evaluate(
            "document.body.append(Object.assign(document.createElement('img'), {src: "
            "'http://localhost:1/'}))"
        )
        visit.look(visit.page)
        return visit.faults

    faults = " ".join(in_chromium(spoilt))

    assert all(word in faults for word in ("label", "scrolls sideways", "Content Security"))

"""People sign up in a real Chromium and get their meeting, with and without scripts; and nothing
that they type ever runs.
"""

from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from stage.chromium import MONDAY, PHONE, TABLET, Windows, at, cell, drag, in_chromium, saved
from stage.servers import wait_until
from tests import build

pytestmark = pytest.mark.processes


def sign_up(windows: Windows, name: str, **window: Any) -> Page:
    page = windows.open(**window)
    page.goto(windows.site.url)
    page.get_by_role("link", name="Sign up").first.click()
    typed = {
        "username": name,
        "email": f"{name}@example.org",
        "first_name": name.title(),
        "password": build.PASSWORD,
    }
    for field, value in typed.items():
        page.fill(f"[name={field}]", value)
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("heading", name="Your calendars")).to_be_visible()
    return page


def new_calendar(page: Page, name: str, *others: str) -> str:
    """Create a calendar for a week from 8 to 20 o'clock, as a new user does; return its path."""
    page.get_by_role("link", name="New calendar").first.click()
    page.fill("[name=name]", name)
    page.fill("[name=first_day]", f"{MONDAY:%Y-%m-%d}")
    page.fill("[name=last_day]", f"{MONDAY + timedelta(days=6):%Y-%m-%d}")
    page.fill("[name=latest_hour]", "20:00")
    page.fill("[name=deadline]", f"{at(-1, 0):%Y-%m-%dT%H:%M}")
    page.fill("[name=others]", "\n".join(others))
    page.get_by_role("button", name="Create calendar").click()
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
    return page.url


def bottom(box: dict[str, float]) -> float:
    return box["y"] + box["height"]


def test_three_people_sign_up_paint_and_get_their_meeting(site):
    def journey(browser: Browser) -> None:
        windows = Windows(site, browser)
        mina, sam, iris = (
            sign_up(windows, "mina"),
            sign_up(windows, "sam", width=PHONE, touch=True),
            sign_up(windows, "iris", width=TABLET),
        )
        here = new_calendar(mina, "Supper club", "sam", "iris")
        drag(mina, cell(mina, 0, 9), cell(mina, 0, 11.5))
        saved(mina)

        sam.reload()
        sam.get_by_role("button", name="Accept Supper club").tap()
        expect(sam.get_by_role("heading", name="When can you come?")).to_be_visible()
        cell(sam, 0, 10).tap()
        cell(sam, 0, 12).tap()
        saved(sam)
        expect(mina.locator(".best li").first).to_contain_text("10:00–11:00")

        iris.reload()
        iris.get_by_role("button", name="Accept Supper club").focus()
        iris.keyboard.press("Enter")
        iris.locator('availability-grid td[tabindex="0"]').focus()
        for key in ("ArrowDown",) * 5 + ("Shift+ArrowDown",) * 2 + ("3",):
            iris.keyboard.press(key)
        saved(iris)
        for page in (mina, sam, iris):  # nobody loads the page again
            expect(page.locator(".best .all").first).to_contain_text("10:30–11:30")

        mina.locator(".best h3 a").click()
        mina.fill("#final_time", f"{at(0, 9):%Y-%m-%dT%H:%M}")
        mina.get_by_role("button", name="Choose this time", exact=True).click()
        expect(mina.locator(".doubts")).to_contain_text(
            "Sam, Iris: required, but can’t come at this time."
        )
        mina.get_by_role("link", name="No, go back").click()
        mina.fill("#final_time", f"{at(0, 9.5):%Y-%m-%dT%H:%M}")
        mina.get_by_role("button", name="Choose this time", exact=True).click()
        mina.get_by_role("button", name="Yes, go ahead").click()
        expect(mina.locator(".settled .moment")).to_contain_text("9:30–10:30")
        for page in (mina, sam, iris):
            page.goto(here)
            expect(page.locator(".fixed li")).to_contain_text("9:30–10:30")
            page.get_by_role("link", name="Home").click()
            expect(page.locator(".leaves li")).to_contain_text("9:30–10:30")
        assert windows.faults == []

    in_chromium(journey)


def test_without_scripts_the_same_is_done_with_lists_and_forms(site):
    def journey(browser: Browser) -> None:
        windows = Windows(site, browser)
        kira, lena = (
            sign_up(windows, "kira", scripts=False),
            sign_up(windows, "lena", width=PHONE, scripts=False),
        )
        here = new_calendar(kira, "Book club")
        kira.get_by_role("link", name="Invite people").click()
        kira.fill("[name=who]", "lena")
        kira.get_by_role("button", name="Invite", exact=True).click()
        expect(
            kira.locator("section", has=kira.get_by_role("heading", name="Invited, no answer yet"))
        ).to_contain_text("Lena")

        lena.reload()
        lena.get_by_role("button", name="Accept Book club").click()
        for page, text in (
            (kira, "Mon 9-12 works"),
            (lena, "Mon 10-11:30 ideal\nTue 9-10 if need be"),
        ):
            page.goto(here)
            page.get_by_role("link", name="Type your times instead").click()
            page.get_by_label("Times").fill(text)
            page.get_by_role("button", name="Preview").click()
            preview = page.locator(".preview").bounding_box()
            assert page.get_by_text("Times", exact=True).bounding_box()["y"] > bottom(preview) + 12
            page.get_by_role("button", name="Save these times").click()

        expect(lena.locator(".best .all").first).to_contain_text("10:00–11:00")
        kira.goto(here)
        kira.locator(".best h3 a").click()
        kira.get_by_role("button", name="Choose this time").first.click()
        expect(kira.locator(".settled .moment")).to_contain_text("10:00–11:00")
        lena.reload()
        expect(lena.locator(".fixed li")).to_contain_text("10:00–11:00")
        assert windows.faults == []

    in_chromium(journey)


# What people type (WE-01, WE-02, WE-17, WE-18) ----------------------------------------------------

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=/canary onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "javascript:alert(1)",
    "<a href=javascript:alert(1)>x</a>",
    '" autofocus onfocus=alert(1) x="',
    "' onmouseover='alert(1)",
    "</title><script>alert(1)</script>",
    "</textarea></style>--><img src=/canary>",
    '" hx-get="/canary" hx-trigger="load',
    '<b hx-on::load=alert(1) data-hx-get="/canary">',
    "{{7*7}}{% debug %}${7*7}",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "%3Cscript%3Ealert(1)%3C/script%3E",
    '\\"]};alert(1);//',
]
NAMES = [
    " ".join(HOSTILE[first : first + 4]) for first in range(0, len(HOSTILE), 4)
]  # each fits where 150 characters do
ALL = "\n".join(HOSTILE)
# What a text that got out of its place would have made: handlers, htmx, links that run, elements
# that are never ours.
MADE = r"""() => {
  const isOurs = ({ name, value }) =>
    !/^(on|hx-|data-hx|autofocus)/.test(name) &&
    !(name === "href" && /^\s*javascript:/i.test(value));
  return [...document.querySelectorAll("*")]
    .filter((made) => made.localName === "img" || ![...made.attributes].every(isOurs))
    .map((made) => made.outerHTML.slice(0, 200));
}"""


def test_what_people_type_is_shown_as_typed_to_everybody_and_runs_for_nobody(site):
    people = {}
    for name, (first, last) in {
        "olga": (0, 1),
        "pavel": (2, 3),
        "rosa": (1, 2),
        "tea": (3, 0),
    }.items():
        people[name] = site.person(name)
        changed = people[name].post(
            "/profile/edit/", {"first_name": NAMES[first], "last_name": NAMES[last]}
        )
        assert changed.status_code == 200, changed.text
    olga = people["olga"]
    texts = {"description": ALL, "location": NAMES[2]}
    calendar = olga.post(
        "/calendars/",
        {
            "name": NAMES[1],
            "window_start": at(0, 8).isoformat(),
            "window_end": at(6, 20).isoformat(),
            **texts,
        },
    )
    here = f"/app/calendars/{calendar.data['id']}/"
    api = f"/calendars/{calendar.data['id']}/"
    olga.post(f"{api}participants/", {"user": people["pavel"].id})
    olga.post(
        "/calendars/invitations/", {"calendar": calendar.data["id"], "receiver": people["rosa"].id}
    )
    for person in (olga, people["pavel"]):
        person.post(
            f"{api}nonbusytimes/",
            {"start_time": at(0, 9).isoformat(), "end_time": at(0, 12).isoformat()},
        )
        person.post("/contacts/add/", {"contactee": "tea"})
    meetings = [
        olga.post(
            f"{api}meetings/", {"title": name, "deadline": at(-1, 0).isoformat(), **texts}
        ).data["id"]
        for name in NAMES
    ]
    olga.post(
        f"/calendars/meetings/{meetings[0]}/suggestions/", {"suggested_time": at(0, 10).isoformat()}
    )
    fixed = olga.put(
        f"{api}meetings/{meetings[1]}/",
        {"final_time": at(0, 9).isoformat(), "deadline": at(-1, 0).isoformat()},
    )
    assert fixed.status_code == 200, fixed.text

    everybody = [
        "/",
        "/app/",
        "/app/people/",
        "/app/settings/",
        "/app/mail/",
        here,
        f"{here}meetings/{meetings[0]}/",
        "/<script>alert(1)</script>",
    ]
    inside = [
        f"{here}people/",
        f"{here}times/",
        f"{here}?day=0&row=0",
        f"{here}meetings/{meetings[1]}/",
    ]
    owners = [
        "settings/",
        "meetings/new/",
        f"meetings/{meetings[0]}/edit/",
        f"meetings/{meetings[0]}/?if=1&without={people['pavel'].id}",
        "plan/",
    ]
    pages = {
        "olga": [
            *everybody,
            *inside,
            *(here + path for path in owners),
            "/app/settings/delete/",
            "/app/calendars/new/",
        ],
        "pavel": [*everybody, *inside],
        "rosa": everybody,
        "tea": everybody,
    }

    def journey(browser: Browser) -> None:
        windows = Windows(site, browser)
        for name, paths in pages.items():
            page = windows.sign_in(name)
            page.on(
                "request",
                lambda request: (
                    windows.faults.append(request.url) if "canary" in request.url else None
                ),
            )
            shown = {}
            for path in paths:
                page.goto(site.url + path)
                windows.faults += [f"{name} {path}: {made}" for made in page.evaluate(MADE)]
                shown[path] = page.evaluate("document.documentElement.textContent")
                if path == here and name == "olga":
                    page.locator("heat-map tbody tr").nth(2).locator("td").first.hover()
                    expect(page.locator("heat-map .who")).to_contain_text(f"{NAMES[2]} {NAMES[3]}")
            if name in ("olga", "pavel"):
                assert all(
                    text in shown[here] for text in (NAMES[0], NAMES[1], NAMES[3], *HOSTILE)
                ), name
                assert all(
                    text in shown[f"{here}meetings/{meetings[0]}/"]
                    for text in (NAMES[0], NAMES[2], *HOSTILE)
                ), name
                assert NAMES[1] in shown[f"{here}meetings/{meetings[1]}/"]
                page.goto(f"{site.url}{here}times/?zone={HOSTILE[0]}")
                page.get_by_label("Times").fill(ALL)
                page.get_by_role("button", name="Preview").click()
                expect(page.get_by_label("Times")).to_have_value(ALL)
                windows.faults += page.evaluate(MADE)
            elif name == "rosa":
                assert NAMES[1] in shown["/app/"]
            else:
                assert NAMES[1] not in shown[here]
        assert windows.faults == []

        # A text that got out of its place would have been noticed.
        page.evaluate(f"document.body.innerHTML += {HOSTILE[1]!r}")
        for sign in ("canary", "Content Security"):
            wait_until(
                lambda sign=sign: (
                    page.wait_for_timeout(20) or any(sign in fault for fault in windows.faults)
                )
            )
        assert len(page.evaluate(MADE)) == 1

    in_chromium(journey)

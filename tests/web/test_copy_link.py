"""Without a mail server nobody got the link of their invitation; its organiser hands it out."""

import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import expect

from commontime.calendars import actions
from commontime.calendars.models import Calendar, CalendarParticipant, Invitation
from stage.chromium import DESK, PHONE, Windows, in_chromium
from stage.servers import Site
from tests import build
from tests.client import caller
from tests.web.browser import Browser, browser_of
from tests.web.test_calendar_page import browser_of as client_of

IN_DJANGO = pytest.mark.usefixtures("db", "quick_passwords")


@pytest.fixture
def calendar(mina, sam) -> Calendar:
    return build.calendar(owner=mina, participants=[sam], name="Band")


def links_on(page: Any) -> list[str]:
    """Return the links that stand in fields to be copied."""
    fields = re.findall(r'<input readonly value="([^"]*)"', page.text)
    return [unescape(field).removeprefix("http://127.0.0.1:8000") for field in fields]


def start(browser: Any, others: str) -> Any:
    """Create a calendar on its page, and return the page it leads to."""
    sheet = {"name": "Choir", "first_day": "2031-05-05", "last_day": "2031-05-09"}
    sheet |= {"earliest_hour": "18:00", "latest_hour": "22:00", "duration_minutes": "60"}
    sheet |= {"visibility": "open", "time_zone": "UTC", "others": others}
    return browser.post("/app/calendars/new/", sheet, follow=True)


def people_page(person: User, calendar: Calendar) -> Any:
    return browser_of(person).get(f"/app/calendars/{calendar.pk}/people/")


@IN_DJANGO
def test_somebody_invited_by_address_had_no_way_in(calendar, mina):
    actions.invite_address(calendar.pk, by=mina, email="ana@example.org")
    (link,) = links_on(people_page(mina, calendar))
    ana = Browser()

    ana.get(link)
    ana.get("/app/sign-up/?next=" + ana.page.path.partition("next=")[2])
    ana.send("/app/sign-up/", username="ana", email="ana@example.org", password=build.PASSWORD)
    ana.send(link)

    assert CalendarParticipant.objects.filter(calendar=calendar, user__username="ana").exists()
    assert links_on(people_page(mina, calendar)) == []


@IN_DJANGO
def test_the_link_of_an_account_is_for_that_account(calendar, mina, iris, eve):
    actions.invite_person(calendar.pk, by=mina, receiver=iris.pk)
    (link,) = links_on(people_page(mina, calendar))

    assert client_of(eve).post(link).status_code == 404
    client_of(iris).post(link)

    assert Invitation.objects.get().status == "accepted"


@IN_DJANGO
def test_nobody_but_the_organiser_sees_a_link(calendar, mina, sam, eve):
    actions.invite_address(calendar.pk, by=mina, email="ana@example.org")

    assert links_on(people_page(sam, calendar)) == []
    assert people_page(eve, calendar).status_code == 404
    query = f"?new={Invitation.objects.get().pk}"
    assert links_on(browser_of(sam).get(f"/app/calendars/{calendar.pk}/{query}")) == []
    for person in (mina, sam):
        for path in ("/calendars/invitations/?box=sent", f"/calendars/{calendar.pk}/participants/"):
            assert "/app/invitations/" not in caller(person).get(path).text


@IN_DJANGO
def test_a_new_calendar_shows_the_links_of_its_invitations(mina, iris):
    page = start(client_of(mina), "ana@example.org, iris")

    links = links_on(page)

    assert "Invited:" in page.text
    assert len(links) == 2
    assert [client_of(iris).get(link).status_code for link in links] == [200, 200]


@IN_DJANGO
def test_a_link_taken_back_stood_on_a_page_that_was_cached(mina):
    browser = client_of(mina)
    address = start(browser, "ana@example.org").redirect_chain[-1][0]
    assert len(links_on(browser.get(address))) == 1
    invitation = Invitation.objects.get()
    actions.revoke_invitation(invitation, by=mina)
    actions.invite_address(invitation.calendar_id, by=mina, email="bao@example.org")

    assert links_on(browser.get(address)) == []


@IN_DJANGO
def test_where_sign_up_is_closed_the_organiser_is_told_who_needs_an_account_first(
    calendar, mina, settings
):
    pages = [f"/app/calendars/{calendar.pk}/people/", "/app/calendars/new/"]
    browser = client_of(mina)
    sentence = "Whoever has no account here yet needs one before they can join."
    assert [sentence in browser.get(page).text for page in pages] == [False, False]

    settings.SIGN_UP = "closed"

    assert [sentence in browser.get(page).text for page in pages] == [True, True]


# In a real browser --------------------------------------------------------------------------------


def invited_on(site: Site, name: str) -> str:
    """Invite an address to a calendar, and return the page of its people."""
    owner = site.person(name)
    calendar = owner.post("/calendars/", {"name": "Choir"}).data["id"]
    owner.post("/calendars/invitations/", {"calendar": calendar, "email": f"{name}@example.net"})
    return f"/app/calendars/{calendar}/people/"


@pytest.mark.processes
def test_one_click_copies_the_link(site):
    path = invited_on(site, "kim")

    def copying(browser: Chromium) -> list[str]:
        windows = Windows(site, browser)
        page = windows.sign_in("kim", path)
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        button = page.get_by_label("Copy link: kim@example.net")
        button.click()
        expect(page.locator("copy-link [role=status]")).to_have_text("Copied")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == page.get_by_label("Link", exact=True).input_value()
        windows.look(page, (PHONE, "light"), (DESK, "dark"))
        button.press("Enter")
        expect(page.get_by_label("Link", exact=True)).to_be_hidden()
        page.goto(copied)
        expect(page.get_by_role("heading", name="Choir")).to_be_visible()
        return windows.faults

    assert in_chromium(copying) == []


@pytest.mark.processes
def test_where_nothing_may_be_copied_the_link_is_selected(site):
    path = invited_on(site, "lea")

    def looking(browser: Chromium) -> list[str]:
        windows = Windows(site, browser)
        page = windows.sign_in("lea", path)
        page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject() }")
        page.get_by_label("Copy link: lea@example.net").click()
        field = page.get_by_label("Link", exact=True)
        expect(field).to_be_focused()
        selected = field.evaluate(
            "field => field.value.slice(field.selectionStart, field.selectionEnd)"
        )
        assert selected == field.input_value()
        return windows.faults

    assert in_chromium(looking) == []


@pytest.mark.processes
def test_without_scripts_the_link_stands_in_a_field(site):
    path = invited_on(site, "mo")

    def reading(browser: Chromium) -> str:
        page = Windows(site, browser).sign_in("mo", path, scripts=False)
        page.get_by_label("Copy link: mo@example.net").click()
        field = page.get_by_label("Link", exact=True)
        expect(field).to_be_visible()
        return str(field.input_value())

    assert in_chromium(reading).startswith(f"{site.url}/app/invitations/")

"""Two people called the same are told apart on every page that lists people."""

import re
from html import unescape

import pytest

from commontime.calendars import actions
from commontime.contacts import actions as contacts
from commontime.core import links
from tests import build
from tests.web.browser import browser_of
from tests.web.test_calendar_page import browser_of as client_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_passwords")]
MISTAKABLE = re.compile(r"Thomas Müller(?! \(thomas2?\))")


@pytest.fixture
def namesakes():
    return [
        build.user(name, first_name="Thomas", last_name="Müller") for name in ("thomas", "thomas2")
    ]


@pytest.fixture
def calendar(namesakes):
    """A calendar of Mina's with both and a meeting, for which both suggested a time."""
    calendar = build.calendar(owner=build.user("mina"), participants=namesakes)
    meeting = build.meeting(calendar=calendar)
    for hour, person in enumerate(namesakes, start=10):
        build.suggestion(meeting, person, build.day(hour))
    return calendar


def people_on(page: str) -> list[str]:
    """Return the usernames beside the shared name, in their order."""
    return re.findall(r"Thomas Müller \((thomas2?)\)", unescape(page))


@pytest.mark.parametrize(
    "path",
    [
        "",
        "people/",
        "settings/",
        "meetings/new/",
        "meetings/{meeting}/",
        "meetings/{meeting}/edit/",
        "meetings/{meeting}/?if=1",
        "plan/",
    ],
)
def test_namesakes_looked_the_same_in_a_calendar(calendar, path):
    meeting = calendar.meetings.get()

    page = (
        browser_of(calendar.owner)
        .get(f"/app/calendars/{calendar.pk}/{path.format(meeting=meeting.pk)}")
        .text
    )

    assert set(people_on(page)) == {"thomas", "thomas2"}
    assert not MISTAKABLE.search(unescape(page))


def test_buttons_for_namesakes_were_called_the_same(calendar):
    page = browser_of(calendar.owner).get(f"/app/calendars/{calendar.pk}/people/").text

    labels = [unescape(label) for label in re.findall(r'aria-label="([^"]*)"', page)]

    for button in ("Remove", "Remind", "Make optional:"):
        for username in ("thomas", "thomas2"):
            assert labels.count(f"{button} Thomas Müller ({username})") == 1


def test_an_invited_namesake_of_somebody_there_looked_the_same(namesakes):
    first, second = namesakes
    calendar = build.calendar(participants=[first])
    build.invitation(calendar, second)

    page = browser_of(calendar.owner).get(f"/app/calendars/{calendar.pk}/people/").text

    assert set(people_on(page)) == {"thomas", "thomas2"}
    assert not MISTAKABLE.search(unescape(page))
    assert "Withdraw the invitation for Thomas Müller (thomas2)" in unescape(page)


def test_namesakes_looked_the_same_among_contacts_and_invitations(namesakes, mina):
    for person in namesakes:
        contacts.add_contact(person, by=mina)
        build.invitation(build.calendar(owner=person), mina)
        build.invitation(build.calendar(owner=mina), person)
    browser = browser_of(mina)

    pages = {
        path: browser.get(path).text for path in ("/app/people/", "/app/calendars/new/", "/app/")
    }

    for path, page in pages.items():
        assert set(people_on(page)) == {"thomas", "thomas2"}, path
        assert not MISTAKABLE.search(unescape(page)), path
    assert "Remove Thomas Müller (thomas2) from your contacts" in unescape(pages["/app/people/"])
    assert "Withdraw the invitation for Thomas Müller (thomas2)" in unescape(pages["/app/people/"])


def test_heirs_of_the_same_name_looked_the_same(namesakes, mina):
    build.calendar(owner=mina, participants=namesakes)

    page = browser_of(mina).get("/app/settings/delete/").text

    assert sorted(people_on(page)) == ["thomas", "thomas2"]
    assert not MISTAKABLE.search(unescape(page))


def test_invited_namesakes_were_named_alike_afterwards(namesakes):
    calendar = build.calendar()

    sent = {"do": "invite", "who": "thomas thomas2"}
    page = (
        client_of(calendar.owner)
        .post(f"/app/calendars/{calendar.pk}/people/", sent, follow=True)
        .text
    )

    assert "Invited: Thomas Müller (thomas), Thomas Müller (thomas2)." in page


def test_who_is_invited_by_their_namesake_could_not_tell(namesakes):
    first, second = namesakes
    named = build.calendar(owner=first, name="Choir")
    build.invitation(named, second)
    by_mail = actions.invite_address(named.pk, by=first, email="thomas@example.com")
    link = links.token(links.Kind.INVITATION, by_mail.pk)
    browser = browser_of(second)

    for path in ("/app/", f"/app/invitations/{link}/"):
        page = unescape(browser.get(path).text)
        assert "Thomas Müller (thomas)" in page, path


def test_who_invites_a_namesake_to_a_new_calendar_could_not_tell(namesakes):
    first, second = namesakes
    calendar = build.calendar(owner=first)
    invitation = build.invitation(calendar, second)

    page = browser_of(first).get(f"/app/calendars/{calendar.pk}/?new={invitation.pk}").text

    assert "Invited: Thomas Müller (thomas2)." in page


def test_a_name_that_nobody_else_in_sight_has_stays_as_it_is(namesakes):
    calendar = build.calendar(participants=namesakes[:1])

    page = browser_of(calendar.owner).get(f"/app/calendars/{calendar.pk}/people/").text

    assert "Remove Thomas Müller" in page
    assert people_on(page) == []

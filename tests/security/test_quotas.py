"""What one person keeps is bounded; who reaches a bound is told the way out, at both doors."""

import html
from datetime import timedelta

import pytest

from commontime.calendars.models import Calendar, Invitation, Meeting, Plan, ScheduleSuggestion
from commontime.contacts.models import Contact
from commontime.core import clock
from tests import build
from tests.api.cast import iso
from tests.client import Caller, caller
from tests.web.test_calendar_page import browser_of, here

pytestmark = pytest.mark.django_db


@pytest.fixture
def quota(settings):
    """Set quotas for a test."""

    def set_to(**most: int) -> None:
        settings.QUOTAS = {**settings.QUOTAS, **most}

    return set_to


@pytest.fixture
def mina() -> Caller:
    return caller("mina")


def is_refused(answer, way_out: str) -> bool:
    refused = (answer.status_code, answer.data["code"]) == (409, "quota_reached")
    return refused and way_out in answer.data["detail"]


def meeting_in(calendar: Calendar) -> tuple[str, dict]:
    deadline = iso(clock.now() + timedelta(days=3))
    return f"/calendars/{calendar.pk}/meetings/", {"deadline": deadline}


def test_calendars_without_end(mina, quota):
    quota(calendars=2)
    body = {"name": "Choir", "is_finalized": False}

    answers = [mina.post("/calendars/", body) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [201, 201, 409]
    assert is_refused(answers[2], "can have 2 calendars. Delete those")
    assert Calendar.objects.count() == 2
    assert caller("sam").post("/calendars/", body).status_code == 201
    mina.delete(answers[0].headers["Location"])
    assert mina.post("/calendars/", body).status_code == 201


def test_a_page_says_the_same_and_keeps_what_was_typed(mina, quota):
    quota(suggestions=1)
    calendar = build.calendar(owner=mina.user)
    meeting = build.meeting(calendar=calendar)
    build.suggestion(meeting, mina.user, build.day(9))
    form = {"do": "suggest", "suggested_time": build.day(10).strftime("%Y-%m-%dT%H:%M")}

    page = browser_of(mina.user).post(here(calendar, f"meetings/{meeting.pk}/"), form)

    assert page.status_code == 422
    assert "can suggest 1 times" in html.unescape(page.content.decode())
    assert ScheduleSuggestion.objects.count() == 1


def test_meetings_without_end(mina, quota):
    quota(meetings=2)
    calendar, other = (
        build.calendar(owner=mina.user, participants=[build.user(name)]) for name in ("sam", "noor")
    )
    path, body = meeting_in(calendar)
    build.meeting(calendar=other)

    assert mina.post(path, body).status_code == 201
    assert is_refused(mina.post(path, body), "2 meetings")
    pairs = mina.post(f"/calendars/{calendar.pk}/one-on-ones/", body)
    assert is_refused(pairs, "2 meetings")
    assert is_refused(
        mina.post(f"/calendars/{calendar.pk}/duplicate/", {"shift_days": 7}), "2 meetings"
    )
    assert (Meeting.objects.count(), Calendar.objects.count()) == (2, 2)


def test_suggestions_without_end(mina, quota):
    quota(suggestions=2)
    sam = caller("sam")
    meeting = build.meeting(calendar=build.calendar(owner=mina.user, participants=[sam.user]))
    path = f"/calendars/meetings/{meeting.pk}/suggestions/"
    times = [{"suggested_time": iso(build.day(9 + hour))} for hour in range(4)]

    answers = [sam.post(path, time) for time in times[:3]]

    assert [answer.status_code for answer in answers] == [201, 201, 409]
    assert is_refused(answers[2], "Withdraw those")
    assert mina.post(path, times[3]).status_code == 201


def test_invitations_without_end(mina, quota):
    quota(invitations=2)
    calendar = build.calendar(owner=mina.user)
    sent = [
        mina.post(
            "/calendars/invitations/",
            {"calendar": str(calendar.pk), "email": f"guest{n}@example.org"},
        )
        for n in range(3)
    ]

    assert is_refused(sent[2], "Withdraw some")
    assert Invitation.objects.count() == 2
    mina.delete(f"/calendars/invitations/{sent[0].data['id']}/")
    again = {"calendar": str(calendar.pk), "email": "guest9@example.org"}
    assert mina.post("/calendars/invitations/", again).status_code == 201


def test_contacts_without_end(mina, quota):
    quota(contacts=1)

    answers = [
        mina.post("/contacts/add/", {"contactee": build.user(name).pk}) for name in ("sam", "iris")
    ]

    assert answers[0].status_code == 201
    assert is_refused(answers[1], "Remove some")
    assert Contact.objects.count() == 1


def test_descriptions_without_end(mina, quota):
    quota(text=100)
    body = {"name": "Choir", "is_finalized": False, "description": "x" * 60}
    calendar = mina.post("/calendars/", body).data["id"]
    path, meeting = meeting_in(Calendar.objects.get(pk=calendar))

    assert is_refused(mina.post("/calendars/", body), "100 characters")
    assert is_refused(mina.post(path, {**meeting, "description": "y" * 41}), "100 characters")
    stored = mina.post(path, {**meeting, "description": "y" * 40})
    assert stored.status_code == 201
    grown = {"description": "z" * 41}
    assert is_refused(mina.put(stored.headers["Location"], grown), "Shorten")
    assert is_refused(mina.put(f"/calendars/{calendar}/", {"description": "x" * 61}), "Shorten")
    assert mina.put(f"/calendars/{calendar}/", {"description": "x"}).status_code == 200
    assert mina.put(stored.headers["Location"], grown).status_code == 200


def test_plans_without_end(mina, quota):
    quota(plans=1)
    paths = []
    for _ in range(2):
        calendar = build.calendar(owner=mina.user)
        build.window(calendar, mina.user, build.day(9), build.day(12), 5)
        build.meeting(calendar=calendar)
        paths.append(f"/calendars/{calendar.pk}/plan/")

    assert mina.post(paths[0], {}).status_code == 200
    assert is_refused(mina.post(paths[1], {}), "plans in 1 calendars")
    assert mina.post(paths[0], {}).status_code == 200  # it takes the place of the last one
    assert Plan.objects.count() == 1


def test_others_could_fill_somebodys_quota_by_handing_over(mina, quota):
    quota(calendars=4)
    eve = caller("eve")
    theirs = [build.calendar(owner=eve.user, participants=[mina.user]) for _ in range(3)]

    answers = [
        eve.post(f"/calendars/{calendar.pk}/transfer/", {"user": mina.user.pk})
        for calendar in theirs
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 409]
    assert is_refused(answers[2], "Choose somebody else")
    assert mina.post("/calendars/", {"name": "Choir", "is_finalized": False}).status_code == 201

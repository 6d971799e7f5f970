"""A form saved untouched asks nothing, though one of its moments is in an hour that comes twice."""

from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from commontime.calendars import actions
from commontime.calendars.models import Calendar, Meeting, Plan
from commontime.calendars.planning.plans import Question
from tests import build
from tests.pages import Client
from tests.web.forms import Form, forms_in
from tests.web.test_calendar_page import browser_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_passwords")]
# In Berlin both are 2:30 on 26 October 2031.
FIRST, SECOND = (datetime(2031, 10, 26, hour, 30, tzinfo=UTC) for hour in (0, 1))
NEITHER = datetime(2031, 10, 26, 9, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def september():
    with time_machine.travel("2031-09-01T09:00Z", tick=False):
        yield


def form_of(browser: Client, path: str, button: str = "") -> Form:
    forms = forms_in(browser.get(path).content.decode(), path)
    return next(
        form for form in forms if form.typed and (not button or ("do", button) in form.buttons)
    )


def save(browser: Client, form: Form, **typed: str) -> Any:
    return browser.post(form.action, form.data(**typed))


@pytest.mark.parametrize("moment", [FIRST, SECOND])
def test_a_meeting_saved_untouched_keeps_its_moments(moment):
    mina = build.user("mina", time_zone="Europe/Berlin")
    meeting = build.meeting(
        calendar=build.calendar(owner=mina), title="Rehearsal", deadline=moment, latest=moment
    )
    browser, path = browser_of(mina), f"/app/calendars/{meeting.calendar_id}/meetings/{meeting.pk}/"
    before = Meeting.objects.values().get()

    answer = save(browser, form_of(browser, f"{path}edit/"))

    assert answer.status_code == 302, answer.content.decode()
    assert Meeting.objects.values().get() == before


@pytest.mark.parametrize("moment", [FIRST, SECOND])
def test_a_meeting_renamed_keeps_its_moments(moment):
    mina = build.user("mina", time_zone="Europe/Berlin")
    meeting = build.meeting(calendar=build.calendar(owner=mina), deadline=moment)
    browser, path = browser_of(mina), f"/app/calendars/{meeting.calendar_id}/meetings/{meeting.pk}/"

    save(browser, form_of(browser, f"{path}edit/"), title="Concert")

    assert Meeting.objects.values_list("title", "deadline").get() == ("Concert", moment)


@pytest.mark.parametrize("moment", [FIRST, SECOND])
def test_a_calendar_saved_untouched_keeps_its_moments(moment):
    mina = build.user("mina", time_zone="America/New_York")
    calendar = build.calendar(
        owner=mina, time_zone="Europe/Berlin", window_start=moment, window_end=NEITHER
    )
    browser = browser_of(mina)
    before = Calendar.objects.values().get()

    answer = save(browser, form_of(browser, f"/app/calendars/{calendar.pk}/settings/", "edit"))

    assert answer.status_code == 302, answer.content.decode()
    assert Calendar.objects.values().get() == before


@pytest.mark.parametrize("moment", [FIRST, SECOND])
def test_a_set_time_planned_again_is_the_same(moment):
    mina = build.user("mina", time_zone="Europe/Berlin")
    calendar = build.calendar(owner=mina)
    meeting = build.meeting(calendar=calendar, duration_minutes=15)
    build.window(calendar, mina, FIRST, NEITHER)
    actions.make_plan(calendar, by=mina, question=Question(pinned={meeting.pk: moment}))
    Plan.objects.update(status="failed")
    browser = browser_of(mina)

    answer = save(
        browser, form_of(browser, f"/app/calendars/{calendar.pk}/plan/", "plan"), do="plan"
    )

    assert answer.status_code == 302, answer.content.decode()
    pinned = Plan.objects.get().question["pinned"]
    assert [datetime.fromisoformat(start) for start in pinned.values()] == [moment]


def test_another_time_in_that_hour_is_asked_about():
    mina = build.user("mina", time_zone="Europe/Berlin")
    meeting = build.meeting(calendar=build.calendar(owner=mina), deadline=SECOND)
    browser, path = browser_of(mina), f"/app/calendars/{meeting.calendar_id}/meetings/{meeting.pk}/"
    form = form_of(browser, f"{path}edit/")

    answer = save(browser, form, deadline="2031-10-26T02:15")

    assert answer.status_code == 422
    assert "This time happens twice" in answer.text


def test_the_other_of_the_two_can_be_chosen():
    mina = build.user("mina", time_zone="Europe/Berlin")
    meeting = build.meeting(calendar=build.calendar(owner=mina), deadline=SECOND)
    browser, path = browser_of(mina), f"/app/calendars/{meeting.calendar_id}/meetings/{meeting.pk}/"

    answer = save(
        browser, form_of(browser, f"{path}edit/"), deadline_at="2031-10-26T02:30:00+02:00"
    )

    assert answer.status_code == 302
    assert Meeting.objects.get().deadline == FIRST

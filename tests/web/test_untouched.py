"""A page that is saved as it was shown changes nothing, not even a version, and mails nobody."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from commontime.accounts.models import UserSetting
from commontime.calendars.models import Calendar, CalendarParticipant, Meeting, NonBusyTime
from commontime.mail.models import Message
from tests import build
from tests.web.forms import forms_in
from tests.web.test_calendar_page import browser_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_passwords")]
TABLES = (User, UserSetting, Calendar, CalendarParticipant, Meeting, NonBusyTime, Message)
LINES = "Bring:\n\n  music – “all of it”\n<b>and</b> a cushion"


def stored() -> Any:
    return {table.__name__: [*table.objects.order_by("pk").values()] for table in TABLES}


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
@pytest.mark.parametrize(
    ("path", "button"),
    [
        ("/app/calendars/{calendar}/meetings/{meeting}/edit/", None),
        ("/app/calendars/{calendar}/settings/", ("do", "edit")),
        ("/app/calendars/{calendar}/times/", ("do", "save")),
        ("/app/settings/", ("do", "names")),
        ("/app/settings/", ("do", "time")),
        ("/app/settings/", ("do", "mail")),
        ("/app/settings/", ("do", "privacy")),
    ],
)
def test_saving_what_the_page_shows_changes_nothing(path, button, zone):
    mina = build.user("mina", time_zone=zone, first_name="Mina", last_name="Søndergård")
    sam = build.user("sam")
    calendar = build.calendar(
        owner=mina,
        participants=[sam],
        time_zone="Europe/Berlin",
        description=LINES,
        location="St. Nikolai",
        window_start=build.day(8),
        window_end=build.day(200.25),
    )
    meeting = build.meeting(
        calendar=calendar,
        title="Concert",
        description=LINES,
        required=[sam],
        quorum=2,
        buffer_minutes=15,
        earliest=build.day(9),
        final_time=build.day(10),
    )
    build.window(calendar, mina, build.day(9), build.day(20), 7)
    browser, path = browser_of(mina), path.format(calendar=calendar.pk, meeting=meeting.pk)
    form = next(
        form
        for form in forms_in(browser.get(path).content.decode(), path)
        if form.typed and (button is None or button in form.buttons or button[1] == "save")
    )
    before = stored()

    answer = browser.post(form.action, form.data(**dict([button] if button else [])))

    assert answer.status_code == 302, answer.content.decode()
    assert stored() == before

"""A day or time in a field is repeated as its reader writes it, however the browser shows it."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.utils import translation
from playwright.sync_api import Browser, expect

from commontime.core import clock
from commontime.web.templatetags.told import day, told
from commontime.web.words import day_name
from stage.chromium import PHONE, Windows, in_chromium
from tests import build
from tests.web.test_calendar_page import browser_of

HALF_PAST_FIVE = datetime.fromisoformat("2026-12-08T17:30")  # without a zone, as fields give it


@pytest.mark.parametrize(
    ("value", "clock", "language", "said"),
    [
        (HALF_PAST_FIVE, "G:i", "en", "Tuesday 8 December, 17:30"),
        (HALF_PAST_FIVE, "g:i A", "en", "Tuesday 8 December, 5:30 pm"),
        ("2026-12-08T17:30", "G:i", "de", "Dienstag, 8. Dezember, 17:30"),
        ("2026-12-08T17:30:00+00:00", "G:i", "en", "Tuesday 8 December, 17:30"),
        ("2026-12-08", "G:i", "fr", "mardi 8 décembre"),
        (date(2026, 12, 8), "G:i", "en", "Tuesday 8 December"),
        ("08:00", "g:i A", "en", "8:00 am"),
        (time(20), "G:i", "en", "20:00"),
        ("tomorrow", "G:i", "en", ""),
        ("", "G:i", "en", ""),
        (None, "G:i", "en", ""),
    ],
)
def test_days_and_times_are_written_out(value, clock, language, said):
    with translation.override(language):
        assert told(value, clock) == said


def test_a_day_is_told_with_its_year_if_that_is_another():
    now = clock.now()
    assert told("2020-01-01T10:00", "G:i") == "Wednesday 1 January 2020, 10:00"
    assert day(now) == f"{now:%a} {now.day} {now:%b}"
    assert day(now.replace(year=now.year + 1, month=6, day=15)).endswith(f"15 Jun {now.year + 1}")


@pytest.mark.parametrize(("month", "said"), [(3, "mars"), (6, "juin"), (7, "juil."), (8, "août")])
def test_french_months_are_shortened_as_the_french_do(month, said):
    with translation.override("fr"):
        assert day_name(date(2027, month, 8), short=True).endswith(f" 8 {said}")


@pytest.mark.django_db
@pytest.mark.usefixtures("quick_passwords")
@pytest.mark.parametrize(("cycle", "said"), [("h23", "17:30"), ("h12", "5:30 pm")])
def test_a_stored_moment_is_written_below_its_field(cycle, said):
    mina = build.user("mina", time_zone="UTC", hour_cycle=cycle)
    calendar = build.calendar(owner=mina)
    meeting = build.meeting(
        calendar=calendar,
        deadline=datetime.now(UTC).replace(hour=17, minute=30) + timedelta(days=3),
    )

    page = browser_of(mina).get(f"/app/calendars/{calendar.pk}/meetings/{meeting.pk}/edit/").text

    field = page.split('id="id_deadline"')[1].split("</written-out>")[0]
    assert field.endswith(f", {said}")


@pytest.mark.processes
def test_what_one_types_is_written_out_at_once_as_the_server_would(site):
    mina = site.person("told")
    mina.patch("/profile/settings/", {"hour_cycle": "h12"})

    def typing(browser: Browser) -> None:
        page = Windows(site, browser).sign_in(
            "told", "/app/calendars/new/", width=PHONE, touch=True
        )
        for name, typed, said in (
            ("first_day", "2026-12-08", "Tuesday 8 December"),
            ("latest_hour", "20:15", "8:15 pm"),
            ("earliest_hour", "00:30", "12:30 am"),
            ("deadline", "2026-12-08T12:05", "Tuesday 8 December, 12:05 pm"),
            ("deadline", "", ""),
        ):
            page.fill(f"[name={name}]", typed)
            expect(page.locator(f"[name={name}] + written-out")).to_have_text(said)

    in_chromium(typing)

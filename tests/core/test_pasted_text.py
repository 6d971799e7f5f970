"""What is pasted from other programs, through both doors."""

import pytest

from commontime.calendars.models import Calendar, Meeting
from tests import build
from tests.client import caller
from tests.web.test_calendar_page import browser_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_passwords")]
PASTED = "\ufeffSee \u202ewww.example.org\u202c\u2028Bring tea\x0band \u2066cake\u2069"
CLEAN = "See www.example.org\nBring tea\nand cake"


def test_a_description_pasted_with_invisible_characters_is_cleaned_by_the_api():
    mina = caller("mina")
    calendar = mina.post("/calendars/", {"name": "Choir", "description": PASTED})
    meeting = mina.post(
        f"/calendars/{calendar.data['id']}/meetings/",
        {"deadline": build.day(3).isoformat(), "description": PASTED},
    )

    assert (calendar.status_code, meeting.status_code) == (201, 201)
    assert (calendar.data["description"], meeting.data["description"]) == (CLEAN, CLEAN)
    assert Calendar.objects.get().description == Meeting.objects.get().description == CLEAN


def test_a_description_pasted_with_invisible_characters_is_cleaned_by_the_page(mina):
    calendar = build.calendar(owner=mina)

    answer = browser_of(mina).post(
        f"/app/calendars/{calendar.pk}/meetings/new/",
        {"title": "Rehearsal", "deadline": "2031-05-01T18:00", "description": PASTED},
    )

    assert answer.status_code == 302
    assert Meeting.objects.get().description == CLEAN


def test_direction_marks_around_pasted_addresses_are_no_part_of_them():
    mina, iris = build.user("mina"), build.user("iris")
    calendar = build.calendar(owner=mina)

    browser_of(mina).post(
        f"/app/calendars/{calendar.pk}/people/",
        {"do": "invite", "who": "\u202airis\u202c\u2028sam@example.org\ufeff"},
    )

    assert set(calendar.invitations.values_list("receiver", "email")) == {
        (iris.pk, ""),
        (None, "sam@example.org"),
    }


@pytest.mark.parametrize("field", ["name", "location"])
def test_a_name_with_an_invisible_character_is_refused_with_its_place(field):
    body = {"name": "Choir", field: "Choir\u202ecidab"}

    answer = caller("mina").post("/calendars/", body)

    assert answer.status_code == 400
    assert answer.data["fields"] == {
        field: [
            "This contains an invisible character (U+202E RIGHT-TO-LEFT OVERRIDE) after “Choir”. "
            "Delete it."
        ]
    }

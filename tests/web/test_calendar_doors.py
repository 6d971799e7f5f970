"""What the calendar's page does is what the API does: the same rows afterwards, and the same
refusals.
"""

from typing import Any

import pytest

from commontime.calendars.models import (
    Calendar,
    CalendarParticipant,
    Invitation,
    Meeting,
    NonBusyTime,
    Plan,
    ScheduleSuggestion,
)
from commontime.mail.models import Message
from tests import build
from tests.client import caller
from tests.pages import Client
from tests.test_both_doors import undone

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_passwords")]
DEADLINE = "2031-05-01T10:00"


def stored() -> Any:
    """Return what a calendar's actions change, without the ids and moments that every request makes
    anew.
    """
    return (
        sorted(
            Calendar.objects.values_list(
                "name", "owner__username", "is_finalized", "duration_minutes", "visibility"
            )
        ),
        sorted(
            CalendarParticipant.objects.values_list("calendar__name", "user__username", "required")
        ),
        sorted(
            NonBusyTime.objects.values_list(
                "user__username", "start_time", "end_time", "preference_level"
            )
        ),
        sorted(
            Invitation.objects.values_list(
                "calendar__name", "receiver__username", "email", "status"
            ),
            key=str,
        ),
        sorted(
            Meeting.objects.values_list(
                "title", "deadline", "for_everyone", "final_time", "sequence"
            ),
            key=str,
        ),
        sorted(ScheduleSuggestion.objects.values_list("author__username", "suggested_time")),
        [
            (plan.status, plan.stop_wanted, {**plan.question, "seconds": ...})
            for plan in Plan.objects.all()
        ],
        sorted(Message.objects.values_list("kind", "recipient")),
    )


class Doors:
    """Mina's choir with Sam in it and Iris invited; Nina stands outside. Everybody stands at both
    doors.
    """

    def __init__(self, **fields: Any) -> None:
        self.people = {name: build.user(name) for name in ("mina", "sam", "iris", "nina")}
        self.calendar = build.calendar(
            owner=self.people["mina"], participants=[self.people["sam"]], **fields
        )
        build.window(self.calendar, self.people["sam"], build.day(9), build.day(12), 6)
        self.invitation = build.invitation(self.calendar, self.people["iris"])
        self.before = stored()

    def seat(self, name: str) -> CalendarParticipant:
        return CalendarParticipant.objects.get(calendar=self.calendar, user__username=name)

    def both(
        self,
        name: str,
        method: str,
        path: str,
        body: Any,
        page: str,
        form: Any,
        *,
        page_method: str = "POST",
    ) -> list[Any]:
        """Return for each door whether it refused and what is stored afterwards."""
        api, browser = caller(self.people[name]), Client()
        browser.post("/app/sign-in/", {"identifier": name, "password": build.PASSWORD})
        base, outcomes = f"/app/calendars/{self.calendar.pk}/", []
        with undone():
            outcomes.append((api(method, path, body).status_code >= 400, stored()))
        with undone():
            if page_method == "PUT":
                answer = browser.put(base + page, form, content_type="application/json")
            else:
                answer = browser.post(base + page, form)
            outcomes.append((answer.status_code >= 400, stored()))
        return outcomes


@pytest.mark.parametrize("name", ["mina", "sam", "iris", "nina"])
@pytest.mark.parametrize("is_finalized", [False, True])
@pytest.mark.parametrize(
    "what",
    [
        "paint",
        "invite",
        "invite address",
        "add",
        "required",
        "revoke",
        "meeting",
        "edit",
        "finish",
        "transfer",
        "delete",
    ],
)
def test_both_doors_do_the_same_and_refuse_the_same(what, name, is_finalized):
    doors = Doors(is_finalized=is_finalized)
    path, sam = f"/calendars/{doors.calendar.pk}/", doors.people["sam"]
    start, end = build.day(10), build.day(14)
    window = {"start_time": start.isoformat(), "end_time": end.isoformat(), "preference_level": 9}
    seconds = [start.timestamp(), end.timestamp()]
    seat, nina = doors.seat("sam").pk, doors.people["nina"].pk
    settings = {"name": "Band", "duration_minutes": 90, "time_zone": "UTC", "visibility": "counts"}
    asked: dict[str, tuple[Any, ...]] = {
        "paint": (
            (
                "PUT",
                f"{path}nonbusytimes/",
                {"from": start.isoformat(), "to": end.isoformat(), "windows": [window]},
            ),
            ("availability/", [[*seconds, 9]]),
        ),
        "invite": (
            (
                "POST",
                "/calendars/invitations/",
                {"calendar": str(doors.calendar.pk), "receiver": nina},
            ),
            ("people/", {"do": "invite", "who": "nina"}),
        ),
        "invite address": (
            (
                "POST",
                "/calendars/invitations/",
                {"calendar": str(doors.calendar.pk), "email": "bao@example.org"},
            ),
            ("people/", {"do": "invite", "who": "bao@example.org"}),
        ),
        "add": (
            ("POST", f"{path}participants/", {"user": nina}),
            ("people/", {"do": "invite", "who": "nina", "at_once": "on"}),
        ),
        "required": (
            ("PUT", f"{path}participants/{seat}/", {"required": False}),
            ("people/", {"do": "optional", "participant": str(seat)}),
        ),
        "revoke": (
            ("DELETE", f"/calendars/invitations/{doors.invitation.pk}/", None),
            ("people/", {"do": "revoke", "invitation": str(doors.invitation.pk)}),
        ),
        "meeting": (
            ("POST", f"{path}meetings/", {"title": "Rehearsal", "deadline": f"{DEADLINE}:00Z"}),
            ("meetings/new/", {"title": "Rehearsal", "deadline": DEADLINE}),
        ),
        "edit": (("PUT", path, settings), ("settings/", settings)),
        "finish": (
            ("PUT", path, {"is_finalized": not is_finalized}),
            ("settings/", {"do": "reopen" if is_finalized else "finish"}),
        ),
        "transfer": (
            ("POST", f"{path}transfer/", {"user": sam.pk}),
            ("settings/", {"do": "transfer", "user": str(sam.pk)}),
        ),
        "delete": (("DELETE", path, None), ("settings/", {"do": "delete"})),
    }
    (method, address, body), (page, form) = asked[what]

    by_api, by_page = doors.both(
        name, method, address, body, page, form, page_method="PUT" if what == "paint" else "POST"
    )

    assert by_api == by_page
    assert by_api[0] == (by_api[1] == doors.before)
    if name == "nina":
        assert by_api[0]

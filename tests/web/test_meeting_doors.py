"""What the pages of a meeting and of a plan do is what the API does: the same rows afterwards, and
the same refusals.
"""

from datetime import UTC, datetime
from typing import Any

import pytest

from commontime.calendars import actions
from commontime.calendars.enums import PlanStatus
from commontime.calendars.models import Calendar, Plan
from commontime.calendars.planning import plans
from tests import build
from tests.web.test_calendar_doors import DEADLINE, Doors, stored

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_passwords")]


class Planned(Doors):
    """The choir with a plan, and a rehearsal that Mina and Sam can come to from 9 to 12.

    Sam suggested a time for it.
    """

    def __init__(self, *, is_finalized: bool, status: str = PlanStatus.DONE) -> None:
        super().__init__()
        mina, sam = self.people["mina"], self.people["sam"]
        build.window(self.calendar, mina, build.day(9), build.day(12), 6)
        self.meeting = build.meeting(calendar=self.calendar, title="Rehearsal")
        self.suggestion = build.suggestion(self.meeting, sam, build.day(10))
        actions.make_plan(self.calendar, by=mina, question=plans.Question())
        Plan.objects.update(status=status)
        Calendar.objects.update(is_finalized=is_finalized)
        self.before = stored()


@pytest.mark.parametrize(
    ("name", "is_finalized"), [("mina", False), ("mina", True), ("sam", False), ("nina", False)]
)
@pytest.mark.parametrize(
    "what",
    [
        "suggest",
        "withdraw the suggestion",
        "fix",
        "fix badly",
        "retitle",
        "delete",
        "one-on-ones",
        "plan",
        "plan some",
        "plan while one runs",
        "stop",
        "publish",
    ],
)
def test_both_doors_do_the_same_and_refuse_the_same(what, name, is_finalized):
    running = what in ("stop", "plan while one runs")
    doors = Planned(
        is_finalized=is_finalized, status=PlanStatus.RUNNING if running else PlanStatus.DONE
    )
    path, meeting = f"/calendars/{doors.calendar.pk}/", f"meetings/{doors.meeting.pk}/"
    suggestions, typed = f"/calendars/{meeting}suggestions/", "%Y-%m-%dT%H:%M"
    good, bad = build.day(11), build.day(20)
    deadline = datetime.fromisoformat(f"{DEADLINE}:00").replace(tzinfo=UTC)
    asked: dict[str, tuple[Any, ...]] = {
        "suggest": (
            ("POST", suggestions, {"suggested_time": good.isoformat()}),
            (meeting, {"do": "suggest", "suggested_time": good.strftime(typed)}),
        ),
        "withdraw the suggestion": (
            ("DELETE", f"{suggestions}{doors.suggestion.pk}/", None),
            (meeting, {"do": "take-back", "suggestion": str(doors.suggestion.pk)}),
        ),
        "fix": (
            ("PUT", path + meeting, {"final_time": good.isoformat(), "strict": True}),
            (meeting, {"do": "fix", "final_time": good.isoformat()}),
        ),
        "fix badly": (
            ("PUT", path + meeting, {"final_time": bad.isoformat(), "strict": True}),
            (meeting, {"do": "fix", "final_time": bad.strftime(typed)}),
        ),
        "retitle": (
            ("PUT", path + meeting, {"title": "Concert", "deadline": deadline.isoformat()}),
            (f"{meeting}edit/", {"title": "Concert", "deadline": DEADLINE}),
        ),
        "delete": (("DELETE", path + meeting, None), (meeting, {"do": "delete"})),
        "one-on-ones": (
            ("POST", f"{path}one-on-ones/", {"deadline": deadline.isoformat()}),
            ("plan/", {"do": "one-on-ones", "deadline": DEADLINE}),
        ),
        "plan": (
            ("POST", f"{path}plan/", {"align_minutes": 30}),
            ("plan/", {"do": "plan", "align": "30", "seconds": "10"}),
        ),
        "plan some": (
            (
                "POST",
                f"{path}plan/",
                {
                    "priorities": [{"meeting": str(doors.meeting.pk), "priority": 4}],
                    "pinned": [{"meeting": str(doors.meeting.pk), "final_time": good.isoformat()}],
                },
            ),
            (
                "plan/",
                {
                    "do": "plan",
                    "align": "15",
                    "seconds": "30",
                    f"planned-{doors.meeting.pk}": "on",
                    f"matters-{doors.meeting.pk}": "4",
                    f"then-{doors.meeting.pk}": good.strftime(typed),
                },
            ),
        ),
        "stop": (("POST", f"{path}plan/stop/", None), ("plan/", {"do": "stop"})),
        "publish": (("POST", f"{path}plan/apply/", None), ("plan/", {"do": "publish"})),
    }
    (method, address, body), (page, form) = asked.get(what) or asked["plan"]

    by_api, by_page = doors.both(name, method, address, body, page, form)

    assert by_api == by_page
    changes = (
        not is_finalized and name == "mina" and what not in ("fix badly", "plan while one runs")
    )
    changes |= (
        is_finalized and name == "mina" and what == "stop"
    )  # what stops a search changes nothing that people see
    changes |= not is_finalized and name == "sam" and what in ("suggest", "withdraw the suggestion")
    assert by_api[0] == (not changes)
    assert (by_api[1] == doors.before) == (not changes)

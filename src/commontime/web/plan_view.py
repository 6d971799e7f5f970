"""What the page of a plan knows."""

from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import islice
from typing import Any
from uuid import UUID

import msgspec
from django.urls import reverse
from django.utils.translation import get_language

from commontime.calendars import limits, queries
from commontime.calendars.enums import PlanStatus
from commontime.calendars.models import Calendar, Meeting, Plan
from commontime.calendars.planning import plans
from commontime.calendars.queries.people import Roster
from commontime.core import cache
from commontime.web.look import Look


@dataclass(frozen=True)
class PlanView:
    """A calendar's meetings and its last plan, for its owner.

    ticked: the pins of a timetable that is shown again; None: those the plan was asked with.
    """

    calendar: Calendar
    user: Any
    look: Look
    now: datetime
    plan: Plan | None
    roster: Roster
    ticked: frozenset[UUID] | None = None

    def address(self, name: str = "web:plan", **more: str) -> str:
        return f"{reverse(name, args=[self.calendar.pk])}{self.look.query(**more)}"

    @property
    def here(self) -> str:
        return self.address()

    @cached_property
    def meetings(self) -> dict[UUID, Meeting]:
        rows = queries.meetings.meetings_of(self.calendar).order_by("created_at", "id")
        meetings = {meeting.pk: meeting for meeting in rows}
        for meeting in meetings.values():
            meeting.calendar = self.calendar
        return meetings

    @cached_property
    def open(self) -> dict[UUID, Meeting]:
        return {pk: meeting for pk, meeting in self.meetings.items() if meeting.final_time is None}

    @cached_property
    def listed(self) -> dict[UUID, Meeting]:
        """Return the meetings to plan together. While a plan runs there are none."""
        return {} if self.is_running else dict(islice(self.open.items(), limits.MOST_PLANNED))

    @cached_property
    def question(self) -> plans.Question:
        return (
            msgspec.convert(self.plan.question, plans.Question) if self.plan else plans.Question()
        )

    @cached_property
    def answer(self) -> plans.Answer | None:
        return plans.answer_for(self.user, self.plan) if self.plan and self.plan.answer else None

    @cached_property
    def placed(self) -> list[plans.Placement]:
        """Return the placements whose meetings still exist."""
        placements = self.answer.placed if self.answer else ()
        return [placement for placement in placements if placement.meeting in self.meetings]

    @property
    def pinned(self) -> Set[UUID]:
        return self.question.pinned.keys() if self.ticked is None else self.ticked

    @property
    def is_running(self) -> bool:
        return self.plan is not None and self.plan.status == PlanStatus.RUNNING

    @property
    def tag(self) -> str:
        plan = self.plan
        state = plan and (plan.pk, plan.status, plan.seconds, plan.stop_wanted)
        return cache.tag_of(
            (self.calendar.pk, state, str(self.look.zone), self.look.h12, get_language())
        )

"""Many meetings at once: one-on-ones, and joint plans. Shapes, then views."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from django.contrib.auth.models import User
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers

from commontime.api import docs
from commontime.api.answers import json_answer
from commontime.api.body import parse
from commontime.api.fields import Flag, Id, Instant, Moment, UserId, Whole, zone_of
from commontime.api.meetings import MeetingOutput, show
from commontime.api.request import Request
from commontime.api.view import View
from commontime.calendars import actions, limits, queries
from commontime.calendars.actions.checks import Caution
from commontime.calendars.enums import PlanStatus
from commontime.calendars.planning import plans
from commontime.calendars.queries.people import Person
from commontime.core.errors import InvalidInput


class OneOnOnesInput(serializers.Serializer[Any]):
    deadline = Instant(help_text="When the times must be decided.")
    duration_minutes = Whole(
        required=False,
        allow_null=True,
        min_value=limits.DURATION_MINUTES.least,
        max_value=limits.DURATION_MINUTES.most,
        help_text="By default the calendar's.",
    )
    buffer_minutes = Whole(
        required=False,
        min_value=limits.BUFFER_MINUTES.least,
        max_value=limits.BUFFER_MINUTES.most,
        help_text="Kept free after each.",
    )
    earliest = Instant(required=False, allow_null=True)
    latest = Instant(required=False, allow_null=True)

    def get_fields(self) -> dict[str, Any]:
        # `with` is no name that Python allows.
        whom = serializers.ListField(
            child=UserId(),
            source="people",
            required=False,
            max_length=limits.MOST_NAMED,
            help_text="User ids; everybody if left out.",
        )
        return {**super().get_fields(), "with": whom}


class Pin(serializers.Serializer[Any]):
    meeting = Id()
    final_time = Instant()


class Priority(serializers.Serializer[Any]):
    meeting = Id()
    priority = Whole(min_value=limits.PRIORITY.least, max_value=limits.PRIORITY.most)


class PlanInput(serializers.Serializer[Any]):
    meetings = serializers.ListField(
        child=Id(),
        required=False,
        max_length=limits.MOST_PLANNED,
        help_text="Ids of open meetings; all of them if left out.",
    )
    pinned = serializers.ListField(
        child=Pin(),
        required=False,
        max_length=limits.MOST_PLANNED,
        help_text="Meetings that must be just then.",
    )
    priorities = serializers.ListField(
        child=Priority(),
        required=False,
        max_length=limits.MOST_PLANNED,
        help_text="How much a meeting matters if not all fit; 1 if left out.",
    )
    align_minutes = Whole(
        required=False,
        allow_null=True,
        min_value=limits.ALIGN_MINUTES.least,
        max_value=limits.ALIGN_MINUTES.most,
        help_text=(
            "Starts lie on multiples of it, by clocks in the calendar's zone; 15 if left "
            "out. null: on any minute."
        ),
    )
    time_limit_s = Whole(
        required=False,
        min_value=limits.SEARCH_SECONDS.least,
        max_value=limits.SEARCH_SECONDS.most,
        help_text="Search for at most so long; 30 if left out.",
    )
    apply = Flag(required=False, help_text="true: if it is done at once, set the final times too.")


class PlanCounts(msgspec.Struct):
    """What a plan is worth, in the order of importance: `priority` of the meetings placed and
    `optional` attendances (more is better), attendances at `if_need_be` and `works` (fewer is
    better), and the sum of all preferences (more is better).
    """

    priority: int
    optional: int
    if_need_be: int
    works: int
    preference: int


class PlacedMeeting(msgspec.Struct):
    """A meeting with its time and the user ids of those who attend; null if the calendar hides what
    each answered.

    An optional person who can't come, or attends another meeting then, is not among them but stays
    asked: they hear of both and may choose.
    """

    meeting: UUID
    title: str
    final_time: Moment
    end_time: Moment
    attending: list[int] | None


class WantedTime(msgspec.Struct):
    user: int
    name: str
    start_time: Moment
    end_time: Moment


class Ask(msgspec.Struct):
    """The fewest people, and of each the time, that would have to be offered for the meeting to be
    at `final_time`.
    """

    final_time: Moment
    wanted: list[WantedTime]


class UnplacedMeeting(msgspec.Struct):
    """A meeting without a time, and why. `people`: user ids, null if the calendar hides what each
    answered; `meetings`: those in the way. `ask` is null then too, and if asking can't help, or if
    it is one of many.
    """

    meeting: UUID
    title: str
    reason: Annotated[
        str,
        msgspec.Meta(
            extra_json_schema={
                "enum": ["not_answered", "nobody_required", "no_common_time", "in_the_way"]
            }
        ),
    ]
    detail: str
    people: list[int] | None
    meetings: list[UUID]
    ask: Ask | None


class PlanOutput(msgspec.Struct):
    """A joint plan. `optimal`: proved that none is worth more; else none is worth more than
    `bound`. `gap`: the relative difference in the first count in which they differ. While `status`
    is `running` it shows the best so far.
    """

    id: UUID
    calendar: UUID
    status: PlanStatus
    optimal: bool
    gap: float
    value: PlanCounts
    bound: PlanCounts
    elapsed_s: float
    time_limit_s: float
    stopping: bool
    created_at: Moment
    placed: list[PlacedMeeting]
    unplaced: list[UnplacedMeeting]


class PlanWithWarnings(PlanOutput, omit_defaults=True):
    warnings: list[docs.Warning] = []


NOT_APPLIED = Caution(
    "not_applied",
    "The plan is still being computed, so no final time is set. Apply it once it is done: POST to "
    "plan/apply/.",
    {},
)


def show_plan(details: plans.PlanDetails, user: User) -> PlanOutput:
    plan, meetings, people = details.plan, details.meetings, details.roster.by_id
    answer, question = (
        plans.answer_for(user, plan),
        msgspec.convert(plan.question, plans.Question),
    )
    titles = {pk: meeting.name for pk, meeting in meetings.items()}
    return PlanOutput(
        id=plan.pk,
        calendar=plan.calendar_id,
        status=PlanStatus(plan.status),
        optimal=answer.proved,
        gap=answer.gap,
        value=PlanCounts(**msgspec.structs.asdict(answer.value)),
        bound=PlanCounts(**msgspec.structs.asdict(answer.bound)),
        elapsed_s=round(plan.seconds, 2),
        time_limit_s=question.seconds,
        stopping=plan.stop_wanted and plan.status == PlanStatus.RUNNING,
        created_at=plan.created_at,
        placed=[
            PlacedMeeting(
                p.meeting,
                titles[p.meeting],
                p.start,
                p.start + meetings[p.meeting].duration,
                None if p.attending is None else sorted(p.attending),
            )
            for p in sorted(answer.placed, key=lambda placed: (placed.start, placed.meeting))
            if p.meeting in meetings
        ],
        unplaced=[
            UnplacedMeeting(
                u.meeting,
                titles[u.meeting],
                u.reason,
                plans.why_unplaced(u, people, titles),
                None if u.people is None else sorted(u.people),
                list(u.meetings),
                _ask(u, people),
            )
            for u in answer.unplaced
            if u.meeting in meetings
        ],
    )


def _ask(unplaced: plans.Omission, people: dict[int, Person]) -> Ask | None:
    if unplaced.start is None:
        return None
    wanted = [
        WantedTime(w.user, people[w.user].name, w.start, w.end)
        for w in unplaced.ask
        if w.user in people
    ]
    return Ask(unplaced.start, wanted)


class OneOnOnes(View):
    for_owner = True

    @extend_schema(
        request=OneOnOnesInput,
        responses={201: list[MeetingOutput], 403: "not_allowed", 409: "calendar_finalized"},
    )
    def post(self, request: Request, calendar_id: UUID) -> HttpResponse:
        """Look for a time for a meeting of the owner with each participant that has none yet.
        Returns the new meetings.
        """
        calendar = request.auth.calendar()
        data = parse(OneOnOnesInput, request, zone=zone_of(calendar.time_zone))
        made, roster = actions.create_one_on_ones(calendar, by=request.user, **data)
        body = msgspec.json.encode([show(meeting, roster, request.user) for meeting in made])
        headers = {"Location": f"/calendars/{calendar_id}/meetings/"}
        return HttpResponse(body, status=201, content_type="application/json", headers=headers)


class PlanView(View):
    single = True
    for_owner = True

    @extend_schema(responses={200: PlanOutput, 403: "not_allowed"})
    def get(self, request: Request, calendar_id: UUID) -> HttpResponse:
        """Show the calendar's last plan, to its owner.

        It says how far the search is, where each meeting is placed, and why others have no time.
        """
        details = plans.details_of(*queries.plans.plan_for(request.user, request.auth.calendar()))
        return json_answer(request, show_plan(details, request.user))

    @extend_schema(
        request=PlanInput,
        responses={
            200: PlanWithWarnings,
            202: PlanWithWarnings,
            403: "not_allowed",
            409: "calendar_finalized plan_running changed_meanwhile",
        },
    )
    def post(self, request: Request, calendar_id: UUID) -> HttpResponse:
        """Compute one joint plan for all open meetings, as the owner.

        Nobody is in two meetings at once in it. It takes the place of the last plan and changes no meeting before it is applied. What takes
        longer than two seconds goes on in the background: 202, and this address shows how far it
        is. Under an Idempotency-Key so does all that takes longer than a moment. A warning
        `not_applied` says that `apply` was wanted, and no time is set yet. Required people must
        have answered.
        """
        calendar = request.auth.calendar()
        data = parse(PlanInput, request, zone=zone_of(calendar.time_zone))
        question, apply = _question(data), data.get("apply", False)
        details = actions.make_plan(
            calendar, by=request.user, question=question, apply=apply, waits=not self.in_transaction
        )
        plan = details.plan
        status = 202 if plan.status == PlanStatus.RUNNING else 200
        beside = docs.warned([NOT_APPLIED] if apply and plan.status != PlanStatus.APPLIED else [])
        return json_answer(
            request,
            show_plan(details, request.user),
            status=status,
            location=f"/calendars/{calendar_id}/plan/",
            beside=beside,
        )


class PlanStop(View):
    for_owner = True

    @extend_schema(request=None, responses={200: PlanOutput, 403: "not_allowed"})
    def post(self, request: Request, calendar_id: UUID) -> HttpResponse:
        """Stop the search of a running plan and keep the best so far.

        The plan is `done` in the answer, or a moment later.
        """
        plan, roster = queries.plans.plan_for(request.user, request.auth.calendar())
        plan = actions.stop_plan(plan, by=request.user)
        return json_answer(request, show_plan(plans.details_of(plan, roster), request.user))


class PlanApply(View):
    single = True
    for_owner = True

    def present(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        details = plans.details_of(*queries.plans.plan_for(request.user, request.auth.calendar()))
        return json_answer(request, show_plan(details, request.user))

    @extend_schema(
        request=None,
        responses={
            200: PlanOutput,
            403: "not_allowed",
            409: "calendar_finalized plan_not_done changed_meanwhile",
        },
    )
    def post(self, request: Request, calendar_id: UUID) -> HttpResponse:
        """Set all final times of the plan, and tell everybody.

        All are set or none. It is refused if anything has changed that the plan was computed from.
        """
        calendar = request.auth.calendar()
        return json_answer(
            request, show_plan(actions.apply_plan(calendar, by=request.user), request.user)
        )


def _question(data: dict[str, Any]) -> plans.Question:
    pinned = {pin["meeting"]: pin["final_time"] for pin in data.get("pinned", [])}
    priorities = {each["meeting"]: each["priority"] for each in data.get("priorities", [])}
    for name, given in (("pinned", pinned), ("priorities", priorities)):
        if len(given) < len(data.get(name, [])):
            raise InvalidInput("List each meeting only once.", field=name)
    return plans.Question(
        meetings=tuple(data.get("meetings", ())),
        pinned=pinned,
        priorities=priorities,
        align_minutes=data.get("align_minutes", 15),
        seconds=data.get("time_limit_s", 30),
    )

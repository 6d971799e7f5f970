"""Many meetings at once: one-on-ones, and joint plans."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

import msgspec
from django.contrib.auth.models import User
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers

from commontime.api import docs
from commontime.api.answers import json_answer, json_list
from commontime.api.body import parse
from commontime.api.docs import means
from commontime.api.fields import Flag, Id, Instant, Moment, UserId, Whole, zone_of
from commontime.api.meetings import MeetingOutput, show
from commontime.api.request import Request
from commontime.api.view import View
from commontime.calendars import actions, limits, queries
from commontime.calendars.actions.checks import Caution, about_mails
from commontime.calendars.enums import PlanStatus
from commontime.calendars.models import Meeting
from commontime.calendars.planning import plans
from commontime.calendars.queries.people import Person
from commontime.core.errors import InvalidInput
from commontime.core.shapes import Fields


class OneOnOnesInput(serializers.Serializer[Any]):
    deadline = Instant(help_text="When people must have answered.")
    duration_minutes = Whole(
        required=False,
        allow_null=True,
        within=limits.DURATION_MINUTES,
        help_text="By default the calendar's.",
    )
    buffer_minutes = Whole(
        required=False,
        within=limits.BUFFER_MINUTES,
        help_text="How long both people are kept free after each.",
    )
    earliest = Instant(required=False, allow_null=True, help_text="When they may start.")
    latest = Instant(required=False, allow_null=True, help_text="When they must be over.")

    def get_fields(self) -> Fields:
        # `with` is a keyword of Python, so no attribute can have this name.
        people = serializers.ListField(
            child=UserId(),
            source="people",
            required=False,
            max_length=limits.MOST_NAMED,
            help_text="User ids; by default everybody in the calendar.",
        )
        return {**super().get_fields(), "with": people}


class Pin(serializers.Serializer[Any]):
    meeting = Id()
    final_time = Instant()


class Priority(serializers.Serializer[Any]):
    meeting = Id()
    priority = Whole(within=limits.PRIORITY)


class PlanInput(serializers.Serializer[Any]):
    meetings = serializers.ListField(
        child=Id(),
        required=False,
        max_length=limits.MOST_PLANNED,
        help_text="Ids of open meetings; by default all of them.",
    )
    pinned = serializers.ListField(
        child=Pin(),
        required=False,
        max_length=limits.MOST_PLANNED,
        help_text="Meetings whose time is set already.",
    )
    priorities = serializers.ListField(
        child=Priority(),
        required=False,
        max_length=limits.MOST_PLANNED,
        help_text="Which meetings matter more if not all fit; 1 by default.",
    )
    align_minutes = Whole(
        required=False,
        allow_null=True,
        within=limits.ALIGN_MINUTES,
        help_text=(
            "Starts are multiples of it, by the clocks in the calendar's time zone. 15 by "
            "default; null: any minute."
        ),
    )
    time_limit_s = Whole(
        required=False,
        within=limits.SEARCH_SECONDS,
        help_text="How long to search at most; 30 by default.",
    )
    apply = Flag(
        required=False, help_text="true: confirm the times too, if the plan is ready at once."
    )


class PlanCounts(msgspec.Struct):
    """What a plan is worth. Plans are compared by these counts, in this order."""

    priority: Annotated[
        int, means("The priorities of all placed meetings, added up. More is better.")
    ]
    optional: Annotated[int, means("How often an optional person can come. More is better.")]
    if_need_be: Annotated[int, means("How often somebody comes only if need be. Less is better.")]
    works: Annotated[
        int, means("How often a time only works for somebody, and isn't ideal. Less is better.")
    ]
    preference: Annotated[int, means("All preference levels, added up. More is better.")]


class PlacedMeeting(msgspec.Struct):
    """A meeting to which the plan gives a time."""

    meeting: UUID
    title: str
    final_time: Moment
    end_time: Moment
    attending: Annotated[
        list[int] | None,
        means(
            "User ids; null if the calendar hides what each answered. Optional people who can't "
            "come, or are in another meeting then, are left out here but invited all the same."
        ),
    ]


class WantedTime(msgspec.Struct):
    """Time that a person would have to add."""

    user: int
    name: str
    start_time: Moment
    end_time: Moment


class Ask(msgspec.Struct):
    """What to ask for, so that the meeting can start at `final_time`."""

    final_time: Moment
    wanted: Annotated[list[WantedTime], means("The fewest people, and the times they lack.")]


class UnplacedMeeting(msgspec.Struct):
    """A meeting to which the plan gives no time, and why."""

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
    detail: Annotated[str, means("The reason in words.")]
    people: Annotated[
        list[int] | None,
        means("Whom it is about, as user ids; null if the calendar hides what each answered."),
    ]
    meetings: Annotated[list[UUID], means("The meetings that are in the way.")]
    ask: Annotated[
        Ask | None,
        means(
            "null if the calendar hides answers, if asking can't help, or if many meetings have "
            "no time."
        ),
    ]


class PlanOutput(msgspec.Struct):
    """A joint plan. While it is `running`, it shows the best so far."""

    id: UUID
    calendar: UUID
    status: PlanStatus
    optimal: Annotated[bool, means("Whether it is proved that no plan is worth more.")]
    gap: Annotated[
        float,
        means(
            "The relative difference between `value` and `bound`, in the first count in which they "
            "differ; 0 if none does."
        ),
    ]
    value: PlanCounts
    bound: Annotated[PlanCounts, means("No plan is worth more than this.")]
    elapsed_s: Annotated[float, means("How long the search has taken, in seconds.")]
    time_limit_s: float
    stopping: Annotated[bool, means("Whether the search has been asked to stop.")]
    created_at: Moment
    placed: list[PlacedMeeting]
    unplaced: list[UnplacedMeeting]


class PlanWithWarnings(PlanOutput, omit_defaults=True):
    warnings: list[docs.Warning] = []


NOT_APPLIED = Caution(
    "not_applied",
    "The plan is still being computed, so no time is confirmed yet. Once it is done, POST to "
    "plan/apply/.",
    {},
)


def show_plan(details: plans.PlanDetails, user: User) -> PlanOutput:
    plan, answer = details.plan, plans.answer_for(user, details.plan)
    question = msgspec.convert(plan.question, plans.Question)
    placed = sorted(answer.placed, key=lambda placement: (placement.start, placement.meeting))
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
            _placed(placement, details.meetings[placement.meeting])
            for placement in placed
            if placement.meeting in details.meetings
        ],
        unplaced=[
            _unplaced(omission, details)
            for omission in answer.unplaced
            if omission.meeting in details.meetings
        ],
    )


def _placed(placement: plans.Placement, meeting: Meeting) -> PlacedMeeting:
    return PlacedMeeting(
        meeting=meeting.pk,
        title=meeting.name,
        final_time=placement.start,
        end_time=placement.start + meeting.duration,
        attending=None if placement.attending is None else sorted(placement.attending),
    )


def _unplaced(omission: plans.Omission, details: plans.PlanDetails) -> UnplacedMeeting:
    people = details.roster.by_id
    titles = {pk: meeting.name for pk, meeting in details.meetings.items()}
    return UnplacedMeeting(
        meeting=omission.meeting,
        title=titles[omission.meeting],
        reason=omission.reason,
        detail=plans.why_unplaced(omission, people, titles),
        people=None if omission.people is None else sorted(omission.people),
        meetings=list(omission.meetings),
        ask=_ask(omission, people),
    )


def _ask(omission: plans.Omission, people: Mapping[int, Person]) -> Ask | None:
    if omission.start is None:
        return None
    wanted = [
        WantedTime(extra.user, people[extra.user].name, extra.start, extra.end)
        for extra in omission.ask
        if extra.user in people
    ]
    return Ask(omission.start, wanted)


class OneOnOnes(View):
    for_owner = True

    @extend_schema(
        request=OneOnOnesInput,
        responses={201: list[MeetingOutput], 403: "not_allowed", 409: "calendar_finalized"},
    )
    def post(self, request: Request, calendar_id: UUID) -> HttpResponse:
        """Add a one-on-one of the owner with each participant who has none yet.

        The answer is the list of the new meetings.
        """
        calendar = request.auth.calendar()
        data = parse(OneOnOnesInput, request, zone=zone_of(calendar.time_zone))
        meetings, roster = actions.create_one_on_ones(calendar, by=request.user, **data)
        response = json_list(show(meeting, roster, request.user) for meeting in meetings)
        response.status_code = 201
        response["Location"] = f"/calendars/{calendar_id}/meetings/"
        return response


def _answer(request: Request, details: plans.PlanDetails) -> HttpResponse:
    return json_answer(request, show_plan(details, request.user))


def _show_last(request: Request) -> HttpResponse:
    plan, roster = queries.plans.plan_for(request.user, request.auth.calendar())
    return _answer(request, plans.details_of(plan, roster))


class PlanView(View):
    expensive = ("POST",)
    single = True
    for_owner = True

    @extend_schema(responses={200: PlanOutput, 403: "not_allowed"})
    def get(self, request: Request, calendar_id: UUID) -> HttpResponse:
        """Show the calendar's last plan to its owner.

        It says how far the search is, where each meeting is placed, and why others have no time.
        """
        return _show_last(request)

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

        Nobody is in two meetings at once, and required people must have answered. The plan replaces
        the last one and changes no meeting until it is applied.

        After two seconds (with an Idempotency-Key at once) the search goes on in the background.
        The answer is then 202, and a GET shows how far it is. The warning `not_applied` says that
        `apply` was wanted but no time is confirmed yet.
        """
        calendar = request.auth.calendar()
        data = parse(PlanInput, request, zone=zone_of(calendar.time_zone))
        question, apply = _question(data), data.get("apply", False)
        details = actions.make_plan(
            calendar, by=request.user, question=question, apply=apply, waits=not self.in_transaction
        )
        plan = details.plan
        status = 202 if plan.status == PlanStatus.RUNNING else 200
        cautions = []
        if apply:
            is_applied = plan.status == PlanStatus.APPLIED
            cautions = _about_mails(details, request.user) if is_applied else [NOT_APPLIED]
        return json_answer(
            request,
            show_plan(details, request.user),
            status=status,
            location=f"/calendars/{calendar_id}/plan/",
            beside=docs.warned(cautions),
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
        return _answer(request, plans.details_of(plan, roster))


class PlanApply(View):
    single = True
    for_owner = True

    def present(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        return _show_last(request)

    @extend_schema(
        request=None,
        responses={
            200: PlanWithWarnings,
            403: "not_allowed",
            409: "calendar_finalized plan_not_done changed_meanwhile",
        },
    )
    def post(self, request: Request, calendar_id: UUID) -> HttpResponse:
        """Confirm all times of the plan, and tell everybody.

        It confirms all of them or none. It is refused if anything has changed that the plan was
        computed from. Warnings say whose emails are kept back: `address_not_confirmed`, and
        `mails_wait` until the day is over.
        """
        details = actions.apply_plan(request.auth.calendar(), by=request.user)
        return json_answer(
            request,
            show_plan(details, request.user),
            beside=docs.warned(_about_mails(details, request.user)),
        )


def _about_mails(details: plans.PlanDetails, user: User) -> list[Caution]:
    """Return what keeps back the mails of an applied plan."""
    answer = plans.answer_for(user, details.plan)
    ids = {placed.meeting for placed in answer.placed} & details.meetings.keys()
    told = plans.mail_counts([details.meetings[pk] for pk in ids], details.roster)
    return about_mails([person for person, _number in told], by=user)


def _question(data: Fields) -> plans.Question:
    pinned = {pin["meeting"]: pin["final_time"] for pin in data.get("pinned", [])}
    priorities = {row["meeting"]: row["priority"] for row in data.get("priorities", [])}
    for name, by_meeting in (("pinned", pinned), ("priorities", priorities)):
        if len(by_meeting) < len(data.get(name, [])):
            raise InvalidInput("List each meeting only once.", field=name)
    return plans.Question(
        meetings=tuple(data.get("meetings", ())),
        pinned=pinned,
        priorities=priorities,
        align_minutes=data.get("align_minutes", 15),
        seconds=data.get("time_limit_s", 30),
    )

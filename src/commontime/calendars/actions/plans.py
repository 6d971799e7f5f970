import time
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from commontime.calendars import queries, writes
from commontime.calendars.actions.checks import (
    held_plan,
    hold,
    hold_final_times,
    require_planner,
)
from commontime.calendars.actions.meetings import save_final_times
from commontime.calendars.enums import PlanStatus
from commontime.calendars.models import Calendar, Plan
from commontime.calendars.planning import plans
from commontime.calendars.queries.calendars import require_owner
from commontime.calendars.tasks.plans import hand_to_planner
from commontime.core import clock, quotas
from commontime.core.errors import Conflict, InvalidInput, NotFound
from commontime.core.turns import take_turns

AT_ONCE = 2.0  # seconds somebody waits for an answer; what takes longer is the worker's
SILENT = timedelta(seconds=3)  # a worker says twice a second how far it is


def make_plan(
    calendar: Calendar,
    *,
    by: User,
    question: plans.Question,
    apply: bool = False,
    waits: bool = True,
) -> plans.PlanDetails:
    """Compute one joint plan for the calendar's open meetings.

    It takes the place of the last one. It changes no meeting before it is applied. What takes
    longer than AT_ONCE goes on in the worker, from the best so far. With `apply` one that is done
    at once is applied too. waits: false inside a transaction, in which everybody else's changes
    would wait with it (SQLite): all but a first look is the worker's.
    """
    require_planner(by, calendar, _("plan meetings"))
    begun, now = time.monotonic(), clock.now()
    problem = plans.problem_of(calendar, question, now=now)
    _require_turn(problem.being_planned)
    plan = _first_plan(problem, question, begun=begun, now=now, at_once=AT_ONCE if waits else 0.0)
    plan.calendar = calendar
    with transaction.atomic():
        hold(calendar)
        require_planner(by, calendar, _("plan meetings"))
        if plan.status == PlanStatus.RUNNING:
            take_turns(f"plan of {by.pk}")
            _require_turn(queries.plans.being_planned(by))
        kept = Plan.objects.filter(calendar__owner=by).exclude(calendar=calendar)
        quotas.require_room("plans", kept)
        # One that has begun to be computed meanwhile stays.
        if not writes.store_plan(plan):
            raise _running(calendar.name)
        if plan.status == PlanStatus.RUNNING:
            hand_to_planner(plan, question)
        elif apply:
            return _apply(plan, now=now)
    return plans.details_from(plan, problem)


def _first_plan(
    problem: plans.Problem,
    question: plans.Question,
    *,
    begun: float,
    now: datetime,
    at_once: float,
) -> Plan:
    """Search for at most `at_once` seconds since `begun`. Reading is part of that wait."""
    seconds = max(0.0, min(question.seconds, at_once + begun - time.monotonic()))
    answer = plans.solve(problem, question, seconds=seconds)
    is_done = answer.proved or question.seconds <= at_once
    return Plan(
        status=PlanStatus.DONE if is_done else PlanStatus.RUNNING,
        question=msgspec.to_builtins(question),
        basis=problem.basis,
        answer=msgspec.to_builtins(answer),
        seconds=time.monotonic() - begun,
        created_at=now,
    )


def _require_turn(being_planned: str | None) -> None:
    """Refuse a second plan of one person, so that everybody gets a turn."""
    if being_planned is not None:
        raise _running(being_planned)


def _running(calendar: str) -> Conflict:
    return Conflict(
        _(
            "A plan of yours is being worked out in “%(calendar)s”. Wait for it to finish, or "
            "stop it first."
        )
        % {"calendar": calendar},
        code="plan_running",
    )


def stop_plan(plan: Plan, *, by: User) -> Plan:
    """End the search of a plan that is being computed.

    The best so far is kept. Stopping again changes nothing. The worker ends it within a second. If
    none works on it, it is done now; one that is only late finds it so, and writes no more.
    """
    require_owner(by, plan.calendar, _("stop the plan"))
    if plan.status != PlanStatus.RUNNING:
        return plan
    running = Plan.objects.filter(pk=plan.pk, status=PlanStatus.RUNNING)
    is_left = plan.worked_at < clock.now() - SILENT
    if is_left and running.filter(worked_at=plan.worked_at).update(status=PlanStatus.DONE):
        plan.status = PlanStatus.DONE
    else:
        running.update(stop_wanted=True)
        plan.stop_wanted = True
    return plan


@transaction.atomic
def apply_plan(calendar: Calendar, *, by: User, seen: UUID | None = None) -> plans.PlanDetails:
    """Set the final times of the calendar's plan.

    All are set, or none, once it is finished. Conflict if anything it was computed from has changed
    since. Everybody hears of their meetings as if each had been fixed alone. Applying again changes
    nothing. seen: the plan that is meant.
    """
    # Before a stranger to it learns whether there is one.
    require_owner(by, calendar, _("apply the plan"))
    plan = held_plan(calendar)
    require_planner(by, calendar, _("apply the plan"))
    if seen not in (None, plan.pk):
        raise NotFound(_("This plan has been replaced by a newer one."))
    if plan.status == PlanStatus.APPLIED:
        return plans.details_of(plan, queries.people.roster_of(calendar))
    if plan.status != PlanStatus.DONE:
        raise Conflict(
            _("This plan isn’t finished, or it failed. Stop it, or make another."),
            code="plan_not_done",
        )
    return _apply(plan, now=clock.now())


def _apply(plan: Plan, *, now: datetime) -> plans.PlanDetails:
    question = msgspec.convert(plan.question, plans.Question)
    answer = msgspec.convert(plan.answer, plans.Answer)
    hold_final_times()
    try:
        problem = plans.problem_of(plan.calendar, question, now=now)
    except InvalidInput:
        raise _changed_meanwhile() from None  # a meeting that it names is fixed or gone
    if problem.basis != plan.basis or any(placed.start <= now for placed in answer.placed):
        raise _changed_meanwhile()
    meetings = {meeting.pk: meeting for meeting in problem.meetings}
    fixed = [(meetings[placed.meeting], placed.start) for placed in answer.placed]
    save_final_times(fixed, problem.roster)
    plan.status = PlanStatus.APPLIED
    Plan.objects.filter(pk=plan.pk).update(status=plan.status)
    return plans.details_from(plan, problem)


def _changed_meanwhile() -> Conflict:
    return Conflict(
        _("People’s times or the meetings have changed since this plan was made. Plan again."),
        code="changed_meanwhile",
    )

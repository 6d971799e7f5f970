"""Plans that take longer than somebody waits for an answer."""

import logging
import time
from uuid import UUID

import msgspec
from django.db import InterfaceError, OperationalError
from django.db.models import QuerySet
from django.tasks import task

from commontime.calendars import limits
from commontime.calendars.enums import PlanStatus
from commontime.calendars.models import Plan
from commontime.calendars.planning import plans
from commontime.core import clock
from commontime.core.errors import Refusal

logger = logging.getLogger(__name__)
MOST_RUNS = 4  # the queue tries a task five times


def hand_to_planner(plan: Plan, question: plans.Question) -> None:
    """Have a planner work on a plan, in the order of asking.

    A short one has a queue of its own, where it never waits for a long one.
    """
    queue = "short-plans" if question.seconds <= limits.SHORT_PLAN else "plans"
    work_on_plan.using(queue_name=queue).enqueue(str(plan.pk))


@task(queue_name="plans")
def work_on_plan(plan_id: str) -> None:
    """Work on a plan until it is done.

    That is when it is proved, its time is over, or its owner stops it. The best so far is stored
    every half second, with the time it took. When a worker dies the queue gives the task to
    another, which begins with the time that is left; whoever began last is the only one who may
    still write.
    """
    plan = (
        Plan.objects.select_related("calendar__owner")
        .filter(pk=UUID(plan_id), status=PlanStatus.RUNNING)
        .first()
    )
    if plan is None:
        return
    mine = _take(plan)
    if mine is None:
        return
    try:
        _work(plan, mine)
    except (OperationalError, InterfaceError):
        raise  # the database is away: the queue tries again
    except Refusal as refusal:
        # Its meetings were fixed or deleted meanwhile.
        logger.info("Plan %s can't be computed any more: %s", plan.pk, refusal)
        mine.update(status=PlanStatus.FAILED)
    except Exception:
        logger.exception("Plan %s failed.", plan.pk)
        mine.update(status=PlanStatus.FAILED)


def _take(plan: Plan) -> QuerySet[Plan] | None:
    """Take over a plan, and return its row.

    It is there as long as the plan is ours.

    None if another worker was quicker, or too many died over it: then it ends as it is.
    """
    row = Plan.objects.filter(pk=plan.pk, status=PlanStatus.RUNNING)
    free = row.filter(run=plan.run)
    if plan.run >= MOST_RUNS:
        logger.error(
            "Plan %s ends with the best so far: its workers died %d times, perhaps for want of "
            "memory.",
            plan.pk,
            plan.run,
        )
        free.update(status=PlanStatus.DONE)
        return None
    if not free.update(run=plan.run + 1, worked_at=clock.now()):
        return None
    return row.filter(run=plan.run + 1)


def _work(plan: Plan, mine: QuerySet[Plan]) -> None:
    question = msgspec.convert(plan.question, plans.Question)
    problem = plans.problem_of(plan.calendar, question, now=clock.now())
    known = _known_answer(plan, problem)
    begun = time.monotonic()

    def store(latest: plans.Answer, **changes: object) -> bool:
        """Store the best so far. True if the search shall end."""
        answer = latest if known is None else plans.better(latest, known)
        stored = {
            "answer": msgspec.to_builtins(answer),
            "basis": problem.basis,
            "seconds": plan.seconds + time.monotonic() - begun,
            "worked_at": clock.now(),
            **changes,
        }
        return not mine.update(**stored) or bool(
            Plan.objects.filter(pk=plan.pk, stop_wanted=True).exists()
        )

    answer = plans.solve(
        problem, question, seconds=max(1.0, question.seconds - plan.seconds), on_progress=store
    )
    store(answer, status=PlanStatus.DONE)


def _known_answer(plan: Plan, problem: plans.Problem) -> plans.Answer | None:
    """Return the best answer so far, if it is still one to this problem."""
    if plan.answer and problem.basis == plan.basis:
        return msgspec.convert(plan.answer, plans.Answer)
    return None

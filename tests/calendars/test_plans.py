"""Joint plans: through the API's door, in the worker, and into everybody's calendars."""

import time
from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from unittest.mock import patch

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_ox.models import OxTask

from commontime import engine
from commontime.calendars import actions, queries
from commontime.calendars.actions import plans as plan_actions
from commontime.calendars.models import Calendar, Meeting, NonBusyTime, Plan
from commontime.calendars.planning import plans
from commontime.calendars.tasks import plans as work
from commontime.core import clock
from commontime.core.errors import NotFound
from commontime.mail.models import Message
from tests import build
from tests.api.cast import iso
from tests.calendars.cast import refuses
from tests.client import caller
from tests.web.test_calendar_page import browser_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    """Mina with four people; each has the morning, Noor only from ten."""
    mina, *others = (caller(name) for name in ("mina", "sam", "iris", "noor", "lea"))
    calendar = build.calendar(owner=mina.user, participants=[person.user for person in others])
    for person in (mina, *others):
        build.window(
            calendar,
            person.user,
            build.day(10 if person.user.username == "noor" else 9),
            build.day(13),
            5,
        )
    return SimpleNamespace(
        mina=mina,
        others=others,
        sam=others[0],
        calendar=calendar,
        path=f"/calendars/{calendar.pk}/plan/",
    )


def one_on_ones(world, **fields) -> list[Meeting]:
    made, _ = actions.create_one_on_ones(
        world.calendar, by=world.mina.user, deadline=clock.now() + timedelta(days=3), **fields
    )
    return made


def starts(plan: dict) -> dict[str, str]:
    return {
        placed["title"].partition(" & ")[2]: placed["final_time"][11:16]
        for placed in plan["placed"]
    }


def test_one_on_ones_are_placed_one_after_the_other_and_proved(world):
    one_on_ones(world)

    answer = world.mina.post(world.path, {})

    plan = answer.json()
    assert (answer.status_code, plan["status"], plan["optimal"], plan["gap"], plan["unplaced"]) == (
        200,
        "done",
        True,
        0,
        [],
    )
    assert sorted(starts(plan).values()) == ["09:00", "10:00", "11:00", "12:00"]
    assert starts(plan)["Noor"] != "09:00"
    assert (
        plan["value"]
        == plan["bound"]
        == {"priority": 4, "optional": 0, "if_need_be": 0, "works": 8, "preference": 40}
    )
    assert not Meeting.objects.exclude(final_time=None).exists()
    assert not Message.objects.exists()
    assert world.mina.get(world.path).json() == plan


def test_what_has_no_room_says_why_and_what_to_ask(world):
    one_on_ones(world, duration_minutes=90)

    plan = world.mina.post(world.path, {"align_minutes": None}).json()

    assert len(plan["placed"]) == 2
    assert {(u["reason"], len(u["meetings"]) > 0) for u in plan["unplaced"]} == {
        ("in_the_way", True)
    }
    first = plan["unplaced"][0]
    assert "can’t be in two meetings at once" in first["detail"]
    assert first["ask"]["wanted"]
    # With what is asked for, it has room.
    for each in first["ask"]["wanted"]:
        person = User.objects.get(pk=each["user"])
        build.window(
            world.calendar,
            person,
            *(datetime.fromisoformat(each[name]) for name in ("start_time", "end_time")),
        )
    assert len(world.mina.post(world.path, {"align_minutes": None}).json()["placed"]) == 3


def test_it_is_applied_at_once_and_everybody_hears_of_theirs(world):
    one_on_ones(world)
    plan = world.mina.post(world.path, {}).json()

    answer = world.mina.post(world.path + "apply/")

    assert (answer.status_code, answer.json()["status"]) == (200, "applied")
    stored = {str(meeting.pk): iso(meeting.final_time) for meeting in Meeting.objects.all()}
    assert {placed["meeting"]: placed["final_time"] for placed in plan["placed"]} == {
        pk: time.replace("+00:00", "Z") for pk, time in stored.items()
    }
    assert Message.objects.filter(kind="request").count() == 8  # each is of two people
    # Again changes nothing.
    assert world.mina.post(world.path + "apply/").json()["status"] == "applied"
    assert Message.objects.filter(kind="request").count() == 8


def test_computing_and_applying_in_one_request(world):
    one_on_ones(world)

    plan = world.mina.post(world.path, {"apply": True}).json()
    assert (plan["status"], plan.get("warnings")) == ("applied", None)
    assert not Meeting.objects.filter(final_time=None).exists()


@pytest.mark.parametrize(
    "change",
    [
        lambda w: NonBusyTime.objects.filter(user=w.sam.user).delete(),
        lambda w: build.window(w.calendar, w.sam.user, build.day(14), build.day(15)),
        lambda w: Meeting.objects.first().delete(),
        lambda w: actions.edit_meeting(
            queries.meetings.with_attendees().select_related("calendar__owner").first(),
            by=w.mina.user,
            title="Other",
        ),
        lambda w: build.meeting(
            calendar=build.calendar(participants=[w.sam.user]), final_time=build.day(9)
        ),
        lambda w: build.meeting(calendar=w.calendar),
        lambda w: build.participant(w.calendar, build.user("new")),
        lambda w: actions.edit_calendar(w.calendar, by=w.mina.user, window_start=build.day(11)),
        lambda w: actions.edit_calendar(w.calendar, by=w.mina.user, window_end=build.day(11)),
        lambda w: actions.edit_calendar(w.calendar, by=w.mina.user, time_zone="Asia/Kolkata"),
    ],
    ids=[
        "time gone",
        "more time",
        "meeting gone",
        "meeting changed",
        "busy elsewhere",
        "another meeting",
        "somebody new, silent",
        "later window",
        "earlier window",
        "other clocks",
    ],
)
def test_what_moved_meanwhile_is_noticed(world, change):
    one_on_ones(world)
    world.mina.post(world.path, {})
    change(world)

    answer = world.mina.post(world.path + "apply/")

    assert (answer.status_code, answer.json()["code"]) == (409, "changed_meanwhile")
    assert not Meeting.objects.filter(calendar=world.calendar).exclude(final_time=None).exists()


def test_a_plan_beside_a_meeting_whose_time_is_over_was_stale_a_minute_later(world):
    build.meeting(calendar=world.calendar, latest=clock.now() - timedelta(days=1))
    one_on_ones(world)
    plan = world.mina.post(world.path, {}).json()
    moment = clock.now() + timedelta(minutes=2)

    with patch.object(clock, "now", lambda: moment):
        answer = world.mina.post(world.path + "apply/")

    assert (len(plan["placed"]), len(plan["unplaced"])) == (4, 1)
    assert answer.status_code == 200
    assert Meeting.objects.exclude(final_time=None).count() == 4


def test_without_looking_what_moved_meanwhile_would_be_planned_over(world, monkeypatch):
    one_on_ones(world)
    world.mina.post(world.path, {})
    NonBusyTime.objects.filter(user=world.sam.user).update(
        end_time=build.day(9) + timedelta(minutes=30)
    )
    monkeypatch.setattr(plans.Problem, "basis", Plan.objects.get().basis)

    assert world.mina.post(world.path + "apply/").status_code == 200


def test_what_was_not_seen_is_not_applied(world):
    one_on_ones(world)
    world.mina.post(world.path, {})
    seen = Plan.objects.get().pk
    world.mina.post(world.path, {"align_minutes": 5})

    with refuses(NotFound):
        actions.apply_plan(world.calendar, by=world.mina.user, seen=seen)

    assert not Meeting.objects.exclude(final_time=None).exists()
    assert Plan.objects.get().pk != seen


def test_meetings_to_plan_are_as_they_are_stored(world):
    bounds = {
        "earliest": build.day(9),
        "latest": build.day(12),
        "duration_minutes": 30,
        "buffer_minutes": 5,
        "quorum": 2,
    }
    build.meeting(
        calendar=world.calendar,
        title="All",
        description='a\n"b"',
        location="Hall",
        auto_finalize=True,
        **bounds,
    )
    build.meeting(calendar=world.calendar, required=[world.mina.user], optional=[world.sam.user])
    build.meeting(calendar=world.calendar, final_time=build.day(9))
    build.meeting(calendar=build.calendar(owner=world.mina.user))

    open_meetings = queries.plans.plan_rows(
        world.calendar, named=(), most=9, after=clock.now()
    ).meetings

    stored = list(
        queries.meetings.meetings_of(world.calendar)
        .filter(final_time=None)
        .order_by("created_at", "id")
    )
    fields = [field.attname for field in Meeting._meta.concrete_fields]
    assert [[getattr(m, name) for name in fields] for m in open_meetings] == [
        [getattr(m, name) for name in fields] for m in stored
    ]
    assert [m.attendees for m in open_meetings] == [m.attendees for m in stored]
    assert (
        queries.plans.plan_rows(world.calendar, named=(), most=1, after=clock.now()).meetings
        == stored[:1]
    )
    assert (
        queries.plans.plan_rows(
            world.calendar, named=[stored[1].pk], most=9, after=clock.now()
        ).meetings
        == stored[1:]
    )


def test_nobody_is_planned_away_from_another_meeting(world):
    build.meeting(
        calendar=build.calendar(participants=[world.sam.user]),
        final_time=build.day(9),
        duration_minutes=180,
    )
    one_on_ones(world, people=[world.sam.user.pk])

    plan = world.mina.post(world.path, {}).json()

    assert starts(plan) == {"Sam": "12:00"}


def test_who_has_not_answered_keeps_their_meeting_out(world):
    NonBusyTime.objects.filter(user=world.sam.user).delete()
    one_on_ones(world)

    plan = world.mina.post(world.path, {}).json()

    (out,) = plan["unplaced"]
    assert (out["reason"], out["people"], out["detail"], out["ask"]) == (
        "not_answered",
        [world.sam.user.pk],
        "Sam hasn’t answered yet.",
        None,
    )
    assert len(plan["placed"]) == 3
    assert plan["optimal"]


def test_pins_and_priorities(world):
    meetings = {
        meeting.title.partition(" & ")[2]: meeting
        for meeting in one_on_ones(world, duration_minutes=120)
    }
    noor, lea = meetings["Noor"], meetings["Lea"]

    plan = world.mina.post(
        world.path,
        {
            "pinned": [{"meeting": str(noor.pk), "final_time": iso(build.day(10))}],
            "priorities": [{"meeting": str(lea.pk), "priority": 5}],
        },
    ).json()
    rated = world.mina.post(
        world.path, {"priorities": [{"meeting": str(lea.pk), "priority": 5}]}
    ).json()

    assert starts(plan) == {"Noor": "10:00"}
    assert "Lea" in starts(rated)
    assert rated["value"]["priority"] == 6


def test_a_meeting_pinned_where_somebody_cannot_come_says_so(world):
    meeting = one_on_ones(world)[0]
    night = iso(build.day(3, days=1))

    (out,) = world.mina.post(
        world.path,
        {
            "meetings": [str(meeting.pk)],
            "pinned": [{"meeting": str(meeting.pk), "final_time": night}],
        },
    ).json()["unplaced"]

    assert out["detail"] == "Not everybody required can come at the set time."
    assert {datetime.fromisoformat(wanted["start_time"]) for wanted in out["ask"]["wanted"]} == {
        build.day(3, days=1)
    }


def test_bad_questions_are_refused(world):
    (meeting,) = one_on_ones(world, people=[world.sam.user.pk])
    fixed = build.meeting(calendar=world.calendar, final_time=build.day(9))
    other = build.meeting()

    for body, field in [
        ({"meetings": [str(fixed.pk)]}, "meetings"),
        ({"meetings": [str(other.pk)]}, "meetings"),
        ({"pinned": [{"meeting": str(other.pk), "final_time": iso(build.day(9))}]}, "pinned"),
        ({"pinned": [{"meeting": str(meeting.pk)}]}, "pinned.0.final_time"),
        ({"pinned": [{"meeting": str(meeting.pk), "final_time": iso(build.day(9))}] * 2}, "pinned"),
        ({"priorities": [{"meeting": str(meeting.pk), "priority": 0}]}, "priorities.0.priority"),
        ({"time_limit_s": 0}, "time_limit_s"),
        ({"time_limit_s": 301}, "time_limit_s"),
        ({"align_minutes": 0}, "align_minutes"),
        ({"apply": "yes"}, "apply"),
    ]:
        answer = world.mina.post(world.path, body)
        assert (answer.status_code, set(answer.json().get("fields", {}))) == (400, {field}), body
    assert not Plan.objects.exists()


def test_a_time_mistyped_decades_away_is_no_error_of_ours(world):
    one_on_ones(world)
    build.window(
        world.calendar, world.sam.user, build.day(9, days=25_000), build.day(10, days=25_000), 5
    )

    answer = world.mina.post(world.path, {})

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_input")
    assert "Set narrower limits" in answer.json()["detail"]
    Calendar.objects.update(window_end=build.day(20, days=30))
    assert world.mina.post(world.path, {}).json()["optimal"]


def test_only_the_owner_plans_and_only_what_runs(world):
    one_on_ones(world)
    assert world.sam.post(world.path, {}).status_code == 403
    assert world.sam.get(world.path).status_code == 403
    assert world.mina.get(world.path).status_code == 404

    world.mina.post(world.path, {})
    Calendar.objects.update(is_finalized=True)

    for path in ("", "apply/"):
        assert world.mina.post(world.path + path, {}).json()["code"] == "calendar_finalized"


def test_an_empty_calendar_has_an_empty_plan(world):
    plan = world.mina.post(world.path, {}).json()

    assert (plan["placed"], plan["unplaced"], plan["optimal"]) == ([], [], True)


def test_as_many_statements_for_thirty_as_for_two():
    def cost(size: int) -> tuple[int, int]:
        mina = caller(f"mina{size}")
        people = [build.user() for _ in range(size)]
        calendar = build.calendar(owner=mina.user, participants=people)
        for person in (mina.user, *people):
            build.window(calendar, person, build.day(0), build.day(23))
        actions.create_one_on_ones(
            calendar, by=mina.user, deadline=clock.now() + timedelta(days=3), duration_minutes=15
        )
        with CaptureQueriesContext(connection) as planning_it:
            assert mina.post(f"/calendars/{calendar.pk}/plan/", {}).status_code == 200
        with CaptureQueriesContext(connection) as applying_it:
            assert mina.post(f"/calendars/{calendar.pk}/plan/apply/").status_code == 200
        return len(planning_it), len(applying_it)

    assert cost(2) == cost(30)


# What takes longer --------------------------------------------------------------------------------


@pytest.fixture
def slow(monkeypatch):
    """A search that does not come to its end at once."""
    real = engine.plan

    def unproved(free, meetings, *, seconds, on_progress=None, **rest):
        plan = real(free, meetings, seconds=0, **rest)
        if seconds > plan_actions.AT_ONCE:
            plan = real(free, meetings, seconds=seconds, on_progress=on_progress, **rest)
            if on_progress:
                on_progress(plan)
            return plan
        return engine.Plan(
            plan.start,
            plan.attends,
            plan.value,
            engine.Value(*(n + 1 for n in plan.value)),
            False,
            plan.why,
        )

    monkeypatch.setattr("commontime.calendars.planning.plans.engine.plan", unproved)
    return unproved


def test_what_takes_longer_goes_on_in_the_worker(world, slow):
    one_on_ones(world)

    answer = world.mina.post(world.path, {"apply": True})
    running = answer.json()

    assert (answer.status_code, answer["Location"], running["status"], running["optimal"]) == (
        202,
        world.path,
        "running",
        False,
    )
    assert running["gap"] > 0
    assert len(running["placed"]) == 4
    assert [warning["code"] for warning in running["warnings"]] == ["not_applied"]
    assert world.mina.post(world.path, {}).json()["code"] == "plan_running"
    assert world.mina.post(world.path + "apply/").json()["code"] == "plan_not_done"
    work.work_on_plan.call(str(Plan.objects.get().pk))
    done = world.mina.get(world.path).json()
    assert (done["status"], done["optimal"], done["gap"]) == ("done", True, 0)
    assert done["elapsed_s"] >= running["elapsed_s"]
    assert world.mina.post(world.path + "apply/").json()["status"] == "applied"


def other_calendar(world, owner) -> str:
    """Return the path of the plan of a calendar of theirs, in which there is something to plan."""
    calendar = build.calendar(owner=owner.user, participants=[world.sam.user], name="Sopranos")
    build.window(calendar, owner.user, build.day(9), build.day(13), 5)
    build.meeting(calendar=calendar)
    return f"/calendars/{calendar.pk}/plan/"


def test_five_plans_of_one_person_kept_the_planner_from_everybody(world, slow):
    one_on_ones(world)
    mine, sams = other_calendar(world, world.mina), other_calendar(world, world.others[2])
    world.mina.post(world.path, {"time_limit_s": 300})

    second = world.mina.post(mine, {})

    assert (second.status_code, second.json()["code"]) == (409, "plan_running")
    assert f"“{world.calendar.name}”" in second.json()["detail"]
    assert world.others[2].post(sams, {}).status_code == 202
    world.mina.post(world.path + "stop/")
    work.work_on_plan.call(str(Plan.objects.get(calendar=world.calendar).pk))
    assert world.mina.post(mine, {}).status_code == 202


def test_of_two_plans_asked_for_at_once_one_is_worked_on(world, slow, monkeypatch):
    one_on_ones(world)
    mine = other_calendar(world, world.mina)
    real = queries.plans.plan_rows
    monkeypatch.setattr(
        queries.plans,
        "plan_rows",
        lambda *args, **kwargs: replace(real(*args, **kwargs), being_planned=None),
    )  # each looked before the other was stored

    answers = [world.mina.post(path, {}).status_code for path in (world.path, mine)]

    assert answers == [202, 409]
    assert Plan.objects.count() == 1


def test_short_plans_never_wait_for_long_ones(world, slow):
    one_on_ones(world)
    world.mina.post(world.path, {"time_limit_s": 300})
    world.others[2].post(other_calendar(world, world.others[2]), {"time_limit_s": 30})

    queued = OxTask.objects.filter(task_path__endswith="work_on_plan").order_by("enqueued_at")

    assert list(queued.values_list("queue_name", flat=True)) == ["plans", "short-plans"]


def test_a_calendar_handed_over_takes_no_turn_of_its_new_owner(world, slow):
    one_on_ones(world)
    world.mina.post(world.path, {"time_limit_s": 300})

    world.mina.post(f"/calendars/{world.calendar.pk}/transfer/", {"user": world.sam.user.pk})

    work.work_on_plan.call(str(Plan.objects.get().pk))
    assert world.sam.get(world.path).json()["status"] == "done"


def test_it_can_be_stopped_and_keeps_the_best(world, slow):
    one_on_ones(world)
    world.mina.post(world.path, {})

    assert world.sam.post(world.path + "stop/").status_code == 403
    assert world.mina.post(world.path + "stop/").json()["stopping"]
    work.work_on_plan.call(str(Plan.objects.get().pk))

    plan = world.mina.get(world.path).json()
    assert (plan["status"], plan["stopping"], len(plan["placed"])) == ("done", False, 4)


def test_one_that_nobody_works_on_is_done_when_it_is_stopped(world, slow):
    one_on_ones(world)
    running = world.mina.post(world.path, {}).json()
    Plan.objects.update(worked_at=clock.now() - 2 * plan_actions.SILENT)

    stopped = world.mina.post(world.path + "stop/").json()

    assert (stopped["status"], stopped["stopping"], stopped["placed"]) == (
        "done",
        False,
        running["placed"],
    )
    assert (stopped["optimal"], stopped["bound"]) == (False, running["bound"])
    assert world.mina.post(world.path + "apply/").json()["status"] == "applied"


def test_one_whose_workers_die_again_and_again_ends_with_the_best_so_far(world, slow, monkeypatch):
    one_on_ones(world)
    running = world.mina.post(world.path, {}).json()
    monkeypatch.setattr(work, "_work", lambda plan, mine: None)  # gone without a word

    for _ in range(4):
        work.work_on_plan.call(str(Plan.objects.get().pk))
        assert world.mina.get(world.path).json()["status"] == "running"
    work.work_on_plan.call(str(Plan.objects.get().pk))

    ended = world.mina.get(world.path).json()
    assert (ended["status"], ended["optimal"], ended["placed"]) == (
        "done",
        False,
        running["placed"],
    )


def test_a_worker_that_is_only_late_finds_its_plan_stopped_and_writes_no_more(
    world, slow, monkeypatch
):
    one_on_ones(world)
    stopped, ended = world.mina.post(world.path, {}).json(), []
    real = plans.solve

    def late(*args, on_progress, **kwargs):
        Plan.objects.update(worked_at=clock.now() - 2 * plan_actions.SILENT)
        stopped.update(world.mina.post(world.path + "stop/").json())
        return real(*args, on_progress=lambda found: ended.append(on_progress(found)), **kwargs)

    monkeypatch.setattr(plans, "solve", late)
    work.work_on_plan.call(str(Plan.objects.get().pk))

    assert stopped["status"] == "done"
    assert world.mina.get(world.path).json() == stopped
    assert ended
    assert all(ended)


def test_a_worker_that_is_back_before_it_is_stopped_ends_the_search_itself(world, slow):
    one_on_ones(world)
    world.mina.post(world.path, {})
    seen, _ = queries.plans.plan_for(world.mina.user, world.calendar)
    seen.worked_at -= (
        2 * plan_actions.SILENT
    )  # as it was read, a moment before the worker wrote again

    actions.stop_plan(seen, by=world.mina.user)

    assert (seen.status, Plan.objects.get().status, Plan.objects.get().stop_wanted) == (
        "running",
        "running",
        True,
    )


def test_only_who_began_last_writes(world, slow):
    one_on_ones(world)
    world.mina.post(world.path, {})
    plan = Plan.objects.get()

    real = plans.solve

    def interrupted(*args, **kwargs):
        # While this worker slept, another began and finished.
        Plan.objects.filter(pk=plan.pk).update(run=plan.run + 2, answer=plan.answer, status="done")
        return real(*args, **kwargs)

    plans.solve, before = interrupted, plans.solve
    try:
        work.work_on_plan.call(str(plan.pk))
    finally:
        plans.solve = before

    assert Plan.objects.get().answer == plan.answer


def test_one_that_began_meanwhile_is_not_replaced(world, slow, monkeypatch):
    one_on_ones(world)
    world.mina.post(world.path, {})
    running = Plan.objects.get().pk
    real = queries.plans.plan_rows
    monkeypatch.setattr(
        queries.plans,
        "plan_rows",
        lambda *args, **kwargs: replace(real(*args, **kwargs), being_planned=None),
    )  # it looked before

    answer = world.mina.post(world.path, {})

    assert (answer.status_code, answer.json()["code"]) == (409, "plan_running")
    assert Plan.objects.get().pk == running


def test_one_that_can_not_be_computed_any_more_says_so(world, slow):
    (meeting,) = one_on_ones(world, people=[world.sam.user.pk])
    world.mina.post(world.path, {"meetings": [str(meeting.pk)]})
    Meeting.objects.all().delete()

    work.work_on_plan.call(str(Plan.objects.get().pk))

    assert world.mina.get(world.path).json()["status"] == "failed"
    assert world.mina.post(world.path, {}).status_code == 202


# What came of attacking it ------------------------------------------------------------------------


def test_a_buffer_keeps_nobody_from_a_meeting_before_another(world):
    """Ten to eleven is free beside a fixed meeting at eleven, whatever buffer some other meeting
    has.
    """
    build.meeting(calendar=world.calendar, final_time=build.day(10), duration_minutes=240)
    build.meeting(
        calendar=world.calendar,
        required=[world.others[3].user],
        duration_minutes=30,
        buffer_minutes=30,
        earliest=build.day(0, days=40),
    )
    wanted = build.meeting(
        calendar=world.calendar, required=[world.mina.user, world.sam.user], title="Before"
    )

    plan = world.mina.post(world.path, {}).json()

    assert {placed["title"]: placed["final_time"] for placed in plan["placed"]} == {
        "Before": iso(build.day(9))
    }
    assert wanted.pk


def test_nobody_is_asked_for_time_that_another_meeting_takes(world):
    elsewhere = build.calendar(owner=world.sam.user)
    build.meeting(calendar=elsewhere, final_time=build.day(9), duration_minutes=4 * 60)
    build.meeting(
        calendar=world.calendar,
        required=[world.mina.user, world.sam.user],
        earliest=build.day(9),
        latest=build.day(14),
    )

    (unplaced,) = world.mina.post(world.path, {}).json()["unplaced"]

    assert [
        (wanted["start_time"], wanted["end_time"])
        for wanted in unplaced["ask"]["wanted"]
        if wanted["name"] == "Sam"
    ] == [(iso(build.day(13)), iso(build.day(14)))]


def test_where_only_counts_are_shown_a_plan_tells_the_owner_nobodys_times(world):
    one_on_ones(world, duration_minutes=90)
    Calendar.objects.update(visibility="counts")

    plan = world.mina.post(world.path, {"align_minutes": 30}).json()

    assert {placed["attending"] for placed in plan["placed"]} == {None}
    assert {unplaced["ask"] for unplaced in plan["unplaced"]} == {None}
    meeting = Meeting.objects.order_by("created_at")[0]
    warned = world.mina.put(
        f"/calendars/{world.calendar.pk}/meetings/{meeting.pk}/",
        {"final_time": iso(build.day(20)), "strict": True},
    )
    assert warned.status_code == 409
    assert "users" not in warned.content.decode()
    assert "Sam" not in warned.content.decode()


def test_where_only_counts_are_shown_nobody_is_named_who_stands_in_the_way(world):
    Calendar.objects.update(visibility="counts")
    both = [world.mina.user, world.sam.user]
    for title, bounds in (("Early", (6, 9)), ("Long", (9, 13)), ("Short", (9, 13))):
        earliest, latest = map(build.day, bounds)
        long = {} if title == "Early" else {"duration_minutes": 240}
        build.meeting(
            calendar=world.calendar,
            title=title,
            required=both,
            earliest=earliest,
            latest=latest,
            **long,
        )
    silent = build.participant(world.calendar, build.user("vva")).user
    build.meeting(calendar=world.calendar, title="Unanswered", required=[silent])

    made = world.mina.post(world.path, {})

    for plan in (made.json(), world.mina.get(world.path).json()):
        assert {unplaced["people"] for unplaced in plan["unplaced"]} == {None}
        early, unanswered, way = sorted(
            plan["unplaced"],
            key=lambda each: each["title"].replace("Long", "Way").replace("Short", "Way"),
        )
        assert (
            early["detail"]
            == "2 people have no time in common that is long enough outside other meetings."
        )
        assert unanswered["detail"] == "1 person hasn’t answered yet."
        assert way["detail"].startswith(
            "2 people can’t be in two meetings at once. This clashes with "
        )
    page = browser_of(world.mina.user).get(f"/app/calendars/{world.calendar.pk}/plan/").text
    reasons = page[page.index('<ul class="left">') : page.index('<div class="after">')]
    assert "2 people have no time in common" in reasons
    assert not any(name in reasons for name in ("Mina", "Sam", "Vva"))


def test_a_calendar_finished_meanwhile_is_not_planned(world, monkeypatch):
    one_on_ones(world)
    real = plans.solve
    monkeypatch.setattr(
        plans,
        "solve",
        lambda *args, **kwargs: (Calendar.objects.update(is_finalized=True), real(*args, **kwargs))[
            1
        ],
    )

    answer = world.mina.post(world.path, {"apply": True})

    assert (answer.status_code, answer.json()["code"]) == (409, "calendar_finalized")
    assert not Meeting.objects.exclude(final_time=None).exists()


@pytest.mark.parametrize("change", ["fixed", "deleted"])
def test_what_was_named_and_is_gone_has_changed_meanwhile(world, change):
    meeting = one_on_ones(world)[0]
    world.mina.post(world.path, {"meetings": [str(meeting.pk)]})
    if change == "fixed":
        actions.edit_meeting(
            queries.meetings.meeting_for(world.mina.user, meeting.pk),
            by=world.mina.user,
            final_time=build.day(9),
        )
    else:
        Meeting.objects.filter(pk=meeting.pk).delete()

    answer = world.mina.post(world.path + "apply/")

    assert (answer.status_code, answer.json()["code"]) == (409, "changed_meanwhile")


def test_an_older_plan_is_not_applied_in_place_of_the_newest(world):
    one_on_ones(world)
    old = world.mina.post(world.path, {})["ETag"]
    world.mina.post(world.path, {"align_minutes": 30, "time_limit_s": 2})

    assert world.mina.post(world.path + "apply/", if_match=old).status_code == 412
    assert (
        world.mina.post(
            world.path + "apply/", if_match=world.mina.get(world.path)["ETag"]
        ).status_code
        == 200
    )


@pytest.mark.parametrize(
    "moment", [build.day(9, days=-1), build.day(9) + timedelta(seconds=30), build.day(3)]
)
def test_nothing_is_pinned_where_nothing_may_be(world, moment):
    Calendar.objects.update(window_start=build.day(8))
    meeting = one_on_ones(world)[0]

    answer = world.mina.post(
        world.path, {"pinned": [{"meeting": str(meeting.pk), "final_time": iso(moment)}]}
    )

    assert (answer.status_code, set(answer.json()["fields"]), answer.json()["meeting"]) == (
        400,
        {"pinned"},
        str(meeting.pk),
    )
    assert not Plan.objects.exists()


@pytest.mark.parametrize(
    ("headers", "waits"),
    [({}, True), ({"idempotency_key": "once"}, False), ({"if_match": "*"}, False)],
)
def test_inside_a_transaction_the_worker_searches(world, monkeypatch, headers, waits):
    """Such a request holds SQLite's only lock: nobody else shall wait for a plan. And what reading
    takes is part of any wait.
    """
    one_on_ones(world)
    world.mina.post(world.path, {})
    asked = []

    def solve(*args, _real=plans.solve, **kwargs):
        asked.append(kwargs["seconds"])
        return _real(*args, **kwargs)

    def read(*args, _real=plans.problem_of, **kwargs):
        time.sleep(0.2)
        return _real(*args, **kwargs)

    monkeypatch.setattr(plans, "solve", solve)
    monkeypatch.setattr(plans, "problem_of", read)

    assert world.mina.post(world.path, {}, **headers).status_code in (200, 202)
    (most,) = asked
    assert 0 < most <= plan_actions.AT_ONCE - 0.2 if waits else most == 0

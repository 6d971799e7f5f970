"""What happens at a meeting's deadline, whatever the clock and the schedulers do (DS-07, CR-14)."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import OperationalError
from django.utils.module_loading import import_string

from commontime.calendars import actions
from commontime.calendars.models import Calendar, Meeting
from commontime.jobs import tasks
from stage.servers import PATIENCE, ROOT, Site, open_site
from tests import build
from tests.post import Post

pytestmark = pytest.mark.django_db
BEGIN = datetime(2030, 3, 4, 9, tzinfo=UTC)


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def clock():
    """A clock that stands still until it is moved: `clock.shift(timedelta(...))`,
    `clock.move_to(...)`.
    """
    with time_machine.travel(BEGIN, tick=False) as traveller:
        yield traveller


@pytest.fixture
def mina(clock) -> User:
    return build.user("mina")


@pytest.fixture
def sam(clock) -> User:
    return build.user("sam")


@pytest.fixture
def choir(mina, sam) -> Calendar:
    """Mina and Sam, who both can from ten to twelve, two days after BEGIN."""
    calendar = build.calendar(owner=mina, participants=[sam], name="Choir")
    for person in (mina, sam):
        build.window(
            calendar, person, BEGIN + timedelta(days=2, hours=1), BEGIN + timedelta(days=2, hours=3)
        )
    return calendar


def meeting_of(choir: Calendar, **fields) -> Meeting:
    return build.meeting(
        calendar=choir, title="Rehearsal", **{"deadline": BEGIN + timedelta(hours=1), **fields}
    )


def at(clock, moment: datetime) -> None:
    """Run the job at this moment."""
    clock.move_to(moment)
    tasks.meet_deadlines.func()


# The report ---------------------------------------------------------------------------------------


def test_the_owner_is_told_at_the_deadline_and_not_before(choir, clock, post):
    meeting = meeting_of(choir)

    at(clock, meeting.deadline - timedelta(microseconds=1))
    assert post.told() == []
    at(clock, meeting.deadline)
    assert post.told() == ["deadline mina"]


def test_the_report_has_the_three_best_times_and_who_has_not_answered(choir, clock, post):
    for name in ("lea", "ida"):
        build.participant(choir, build.user(name))
    build.suggestion(meeting := meeting_of(choir), choir.owner, BEGIN + timedelta(days=3))

    at(clock, meeting.deadline)

    [report] = post.deliver()
    assert report.to == "mina@example.org"
    assert "Rehearsal" in report.subject
    assert all(name in report.text for name in ("Lea", "Ida"))
    assert "Sam" not in report.text
    assert "10:00" in report.text  # when both can
    assert "Both people who answered" in report.text


def test_a_report_without_any_answer_says_so(mina, clock, post):
    meeting = meeting_of(build.calendar(owner=mina))

    at(clock, meeting.deadline)

    [report] = post.deliver()
    assert "Mina" in report.text


def test_a_report_is_not_sent_of_what_is_gone_by_then(choir, clock, post):
    meeting = meeting_of(choir)
    at(clock, meeting.deadline)

    actions.delete_meeting(Meeting.objects.select_related("calendar").get(), by=choir.owner)

    assert post.deliver() == []


def test_a_meeting_with_its_final_time_has_no_deadline_to_meet(choir, clock, post):
    meeting = meeting_of(choir, final_time=BEGIN + timedelta(days=2, hours=1))

    at(clock, meeting.deadline + timedelta(days=1))

    assert post.told() == []


# Once ---------------------------------------------------------------------------------------------


def test_it_happens_once_however_often_the_job_runs(choir, clock, post):
    meeting = meeting_of(choir)

    for minutes in range(0, 60, 5):
        at(clock, meeting.deadline + timedelta(minutes=minutes))

    assert post.told() == ["deadline mina"]


@pytest.mark.parametrize("late", [timedelta(minutes=1), timedelta(days=1), timedelta(days=40)])
def test_a_deadline_over_which_no_job_ran_is_met_late(choir, clock, post, late):
    meeting = meeting_of(choir)

    at(clock, meeting.deadline + late)

    assert post.told() == ["deadline mina"]


def test_a_clock_that_steps_back_repeats_nothing(choir, clock, post):
    meeting = meeting_of(choir)
    at(clock, meeting.deadline)

    for minutes in (-10, -5, 0, 5):
        at(clock, meeting.deadline + timedelta(minutes=minutes))

    assert post.told() == ["deadline mina"]


def test_a_clock_that_steps_forward_a_day_and_back_repeats_nothing(choir, clock, post):
    meeting = meeting_of(choir)
    at(clock, meeting.deadline - timedelta(minutes=30) + timedelta(days=1))
    assert post.told() == ["deadline mina"]

    for minutes in (-29, 0, 30):
        at(clock, meeting.deadline + timedelta(minutes=minutes))

    assert post.told() == []


@pytest.mark.parametrize(
    "night", [datetime(2030, 3, 31, tzinfo=UTC), datetime(2030, 10, 27, tzinfo=UTC)]
)
@pytest.mark.parametrize("minutes", [59, 60, 61])
def test_in_the_night_the_clocks_change_it_happens_once_and_at_its_moment(
    mina, clock, post, night, minutes
):
    """01:00 UTC is when Europe changes its clocks."""
    meeting = meeting_of(
        build.calendar(owner=mina, time_zone="Europe/Berlin"),
        deadline=night + timedelta(minutes=minutes),
    )
    told_at = []

    for minute in range(50, 75):
        at(clock, night + timedelta(minutes=minute))
        told_at += [minute for _ in post.told()]

    assert told_at == [minutes]
    assert meeting.deadline == night + timedelta(minutes=minutes)


# Deadlines that move ------------------------------------------------------------------------------


def test_a_deadline_that_moved_counts_from_where_it_is_now(choir, clock, post):
    meeting = meeting_of(choir)
    actions.edit_meeting(meeting, by=choir.owner, deadline=BEGIN + timedelta(hours=3))

    at(clock, BEGIN + timedelta(hours=2))
    assert post.told() == []
    at(clock, BEGIN + timedelta(hours=3))
    assert post.told() == ["deadline mina"]


def test_a_deadline_moved_after_it_was_met_is_met_again(choir, clock, post):
    meeting = meeting_of(choir)
    at(clock, meeting.deadline)
    actions.edit_meeting(
        Meeting.objects.select_related("calendar").get(),
        by=choir.owner,
        deadline=BEGIN + timedelta(days=1),
    )

    at(clock, BEGIN + timedelta(hours=2))
    at(clock, BEGIN + timedelta(days=1))
    at(clock, BEGIN + timedelta(days=1, minutes=1))

    assert post.told() == ["deadline mina", "deadline mina"]


def test_a_deadline_moved_between_the_look_and_the_act_is_not_met(choir, clock, post):
    """The job read the meeting as due; before it got there the owner gave everybody another day."""
    meeting = meeting_of(choir)
    clock.move_to(meeting.deadline)
    [due] = tasks.queries.meetings.meetings_past_deadline(meeting.deadline)
    actions.edit_meeting(meeting, by=choir.owner, deadline=BEGIN + timedelta(days=1))

    actions.finish_deadline(due)

    assert post.told() == []
    assert Meeting.objects.get().announced_at is None


@pytest.mark.parametrize("is_gone", ["meeting", "calendar"])
def test_a_meeting_deleted_between_the_look_and_the_act_is_no_trouble(choir, clock, post, is_gone):
    meeting = meeting_of(choir)
    clock.move_to(meeting.deadline)
    [due] = tasks.queries.meetings.meetings_past_deadline(meeting.deadline)
    (Meeting if is_gone == "meeting" else Calendar).objects.all().delete()

    actions.finish_deadline(due)

    assert post.told() == []


# The machine decides ------------------------------------------------------------------------------


def test_with_auto_finalize_the_best_time_is_set_and_everybody_told(choir, clock, post):
    meeting = meeting_of(choir, auto_finalize=True)

    at(clock, meeting.deadline)

    meeting.refresh_from_db()
    assert meeting.final_time == BEGIN + timedelta(days=2, hours=1)
    assert post.told() == ["deadline mina", "request mina", "request sam"]


def test_without_it_nothing_is_set(choir, clock, post):
    meeting = meeting_of(choir)

    at(clock, meeting.deadline)

    meeting.refresh_from_db()
    assert meeting.final_time is None


@pytest.mark.parametrize(
    ("quorum", "is_set"),
    [(None, False), (1, True), (2, True), (3, False)],
    ids=["all who are required", "one", "both", "three of three"],
)
def test_the_quorum_decides_whether_enough_can_come(choir, clock, post, quorum, is_set):
    """Mina and Sam can; Lea is in the calendar and can only on another day."""
    lea = build.user("lea")
    build.participant(choir, lea)
    build.window(choir, lea, BEGIN + timedelta(days=5), BEGIN + timedelta(days=5, hours=2))
    meeting = meeting_of(choir, auto_finalize=True, quorum=quorum)

    at(clock, meeting.deadline)

    meeting.refresh_from_db()
    assert (meeting.final_time is not None) == is_set
    requests = ["request lea", "request mina", "request sam"] if is_set else []
    assert post.told() == ["deadline mina", *requests]


def test_two_meetings_due_at_once_are_not_set_to_the_same_time(choir, clock, post):
    first, second = (
        meeting_of(choir, auto_finalize=True, duration_minutes=45, buffer_minutes=15)
        for _ in range(2)
    )

    at(clock, first.deadline)

    times = sorted(
        Meeting.objects.filter(pk__in=[first.pk, second.pk]).values_list("final_time", flat=True)
    )
    assert None not in times
    assert times[1] - times[0] >= first.duration + timedelta(minutes=15)


def test_who_is_in_another_meeting_then_can_not_come_to_this_one(choir, clock, post):
    sam = User.objects.get(username="sam")
    other = build.calendar(participants=[sam])
    build.meeting(calendar=other, final_time=BEGIN, duration_minutes=31 * 24 * 60)
    meeting = meeting_of(choir, auto_finalize=True)

    at(clock, meeting.deadline)

    meeting.refresh_from_db()
    assert meeting.final_time is None


def test_nobody_answered_is_no_quorum(mina, clock, post):
    meeting = meeting_of(build.calendar(owner=mina), auto_finalize=True, quorum=1)

    at(clock, meeting.deadline)

    meeting.refresh_from_db()
    assert meeting.final_time is None
    assert post.told() == ["deadline mina"]


def test_a_required_person_named_who_can_not_come_is_not_outvoted(choir, clock):
    lea = build.user("lea")
    build.participant(choir, lea)
    build.window(choir, lea, BEGIN + timedelta(days=5), BEGIN + timedelta(days=5, hours=2))
    meeting = meeting_of(
        choir,
        auto_finalize=True,
        quorum=2,
        required=[lea],
        optional=[choir.owner, User.objects.get(username="sam")],
    )

    at(clock, meeting.deadline)

    meeting.refresh_from_db()
    assert meeting.final_time is None


def test_a_best_time_that_has_passed_by_then_is_not_set(choir, clock):
    meeting = meeting_of(choir, auto_finalize=True)

    at(clock, BEGIN + timedelta(days=9))

    meeting.refresh_from_db()
    assert meeting.final_time is None


def test_a_finalised_calendar_stays_as_it_is(choir, clock, post):
    meeting = meeting_of(choir, auto_finalize=True)
    Calendar.objects.update(is_finalized=True)

    at(clock, meeting.deadline)

    meeting.refresh_from_db()
    assert meeting.final_time is None
    assert post.told() == ["deadline mina"]


def test_what_the_owner_withdrew_after_the_deadline_is_not_set_again(choir, clock, post):
    meeting = meeting_of(choir, auto_finalize=True)
    at(clock, meeting.deadline)
    actions.edit_meeting(
        tasks.queries.meetings.with_attendees().select_related("calendar").get(),
        by=choir.owner,
        final_time=None,
    )
    post.told()

    at(clock, meeting.deadline + timedelta(minutes=1))

    meeting.refresh_from_db()
    assert meeting.final_time is None
    assert post.told() == []


# When something goes wrong ------------------------------------------------------------------------


def test_one_that_fails_keeps_no_other_waiting_and_is_tried_again(
    choir, clock, post, monkeypatch, caplog
):
    bad = meeting_of(choir, deadline=BEGIN + timedelta(minutes=30))
    good = meeting_of(choir)
    real = actions.finish_deadline
    monkeypatch.setattr(
        actions, "finish_deadline", lambda meeting: 1 / 0 if meeting.pk == bad.pk else real(meeting)
    )

    at(clock, good.deadline)

    assert post.told() == ["deadline mina"]
    assert f"The deadline of meeting {bad.pk} could not be met." in caplog.text
    monkeypatch.setattr(actions, "finish_deadline", real)
    at(clock, good.deadline + timedelta(seconds=30))
    assert post.told() == ["deadline mina"]


def test_while_the_database_is_away_the_job_fails_as_a_whole(choir, clock, monkeypatch):
    """So that the queue knows, and tries again."""
    meeting_of(choir)

    def away(meeting: Meeting) -> None:
        raise OperationalError("away")

    monkeypatch.setattr(actions, "finish_deadline", away)

    with pytest.raises(OperationalError):
        at(clock, BEGIN + timedelta(hours=1))


def test_half_of_it_never_stays(choir, clock, post, monkeypatch):
    """The final time, the requests and the report are one transaction."""
    meeting = meeting_of(choir, auto_finalize=True)

    def fail(*about: object) -> None:
        raise ValueError("broken")

    monkeypatch.setattr("commontime.calendars.tasks.notices.tell_deadline", fail)

    at(clock, meeting.deadline)

    meeting.refresh_from_db()
    assert (meeting.final_time, meeting.announced_at, post.told()) == (None, None, [])


# Two schedulers -----------------------------------------------------------------------------------


def test_every_schedule_names_a_task_of_ours(settings):
    schedules = settings.TASKS["default"]["OPTIONS"]["SCHEDULES"]

    assert {entry["task"] for entry in schedules.values()} == {
        "commontime.mail.tasks.deliver",
        "commontime.jobs.tasks.meet_deadlines",
        "commontime.jobs.tasks.clean_up",
    }
    for entry in schedules.values():
        assert callable(import_string(entry["task"]).func)
        assert timedelta(seconds=1) <= entry["every"] <= timedelta(hours=1)


MEETINGS = 30
FILL = f"""
from datetime import timedelta
from commontime.core import clock
from tests import build
mina, sam = build.user("mina"), build.user("sam")
choir = build.calendar(owner=mina, participants=[sam])
for person in (mina, sam):
    build.window(choir, person, build.day(9), build.day(9 + 2 * {MEETINGS}))
for _ in range({MEETINGS}):
    build.meeting(calendar=choir, deadline=clock.now() - timedelta(minutes=1), auto_finalize=True)
"""
RUN = """
import json, pathlib, time
from commontime.calendars.actions import meetings
from commontime.calendars.tasks import notices
from commontime.jobs.tasks import meet_deadlines, queries
look, tell, told = queries.meetings.meetings_past_deadline, notices.tell_deadline, []
def together(now):
    due = list(look(now)[:200])
    pathlib.Path("{folder}/looked-{number}").touch()
    while not pathlib.Path("{folder}/looked-{other}").exists():
        time.sleep(0.002)
    return due
queries.meetings.meetings_past_deadline = together
notices.tell_deadline = lambda meeting, *rest: (told.append(str(meeting.pk)), tell(meeting, *rest))
{guard}
meet_deadlines.func()
print(json.dumps(told))
"""


def met_by_two(site: Site, guard: str = "") -> list[str]:
    """Run the job in two processes that have both seen every meeting due before either acts. Return
    what they met.
    """
    site.sql("UPDATE calendars_meeting SET final_time = NULL, announced_at = NULL, version = 1")
    for looked in site.folder.glob("looked-*"):
        looked.unlink()
    scripts = [
        RUN.format(folder=site.folder, number=number, other=1 - number, guard=guard)
        for number in (0, 1)
    ]
    commands = [
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", script] for script in scripts
    ]
    running = [
        subprocess.Popen(command, cwd=ROOT, env=site.environment, stdout=subprocess.PIPE, text=True)
        for command in commands
    ]
    return [
        meeting
        for process in running
        for meeting in json.loads(process.communicate(timeout=PATIENCE)[0])
    ]


@pytest.fixture(scope="module")
def due_site() -> Iterator[Site]:
    with open_site(start=False) as site:
        site.manage("shell", "--no-imports", "-c", FILL)
        yield site


@pytest.mark.processes
def test_two_schedulers_at_once_meet_each_deadline_once(due_site):
    met = met_by_two(due_site)

    assert len(met) == len(set(met)) == MEETINGS
    assert (
        due_site.count("calendars_meeting", "final_time IS NOT NULL AND announced_at IS NOT NULL")
        == MEETINGS
    )
    assert due_site.count("mail_message", "kind = 'deadline'") == MEETINGS
    assert due_site.count("mail_message", "kind = 'request'") == 2 * MEETINGS


@pytest.mark.processes
def test_without_the_second_look_two_schedulers_would_meet_some_twice(due_site):
    guard = """
roster_of = meetings.queries.people.roster_of
meetings.held = lambda meeting: (meeting, roster_of(meeting.calendar))
"""
    met = met_by_two(due_site, guard=guard)

    assert len(met) > len(set(met)) == MEETINGS

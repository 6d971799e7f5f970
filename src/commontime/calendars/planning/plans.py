"""Plan many meetings at once with the engine. Say why some find no time."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from uuid import UUID

import msgspec
from django.contrib.auth.models import User
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from commontime import engine
from commontime.calendars import limits, queries, rules
from commontime.calendars.models import Calendar, Meeting, Plan
from commontime.calendars.planning import bounds
from commontime.calendars.planning.groups import (
    Group,
    attendees_of,
    group_for,
    group_of,
    minutes_of,
    windows_of,
)
from commontime.calendars.planning.outcomes import span
from commontime.calendars.planning.round_times import round_times
from commontime.calendars.planning.words import names_of
from commontime.calendars.queries.people import Person, Roster
from commontime.calendars.queries.plans import BusyTime
from commontime.core import clock, memory
from commontime.core.errors import InvalidInput

MOST_ASKS = 20  # meetings without a time of which it is told what to ask
# Why a meeting has no time.
NOT_ANSWERED, NOBODY_REQUIRED, NO_COMMON_TIME, IN_THE_WAY = (
    "not_answered",
    "nobody_required",
    "no_common_time",
    "in_the_way",
)


class Question(msgspec.Struct, frozen=True):
    """What the owner asks of a plan.

    meetings: which; none: all open ones. pinned: where some must be. priorities: how much some
    matter, 1 by default. align_minutes: on multiples of how many minutes a start may lie, by the
    clock of the calendar's zone; None: on any. seconds: for how long to look at most.
    """

    meetings: tuple[UUID, ...] = ()
    pinned: dict[UUID, datetime] = {}
    priorities: dict[UUID, int] = {}
    align_minutes: int | None = 15
    seconds: float = 30


class Counts(msgspec.Struct, frozen=True):
    """The engine's Value. In the order of importance: of the first two more is better, of the next
    two less, of the last more.
    """

    priority: int
    optional: int
    if_need_be: int
    works: int
    preference: int


class Placement(msgspec.Struct, frozen=True):
    meeting: UUID
    start: datetime
    attending: tuple[int, ...] | None


class ExtraTime(msgspec.Struct, frozen=True):
    """Time that somebody would have to offer."""

    user: int
    start: datetime
    end: datetime


class Omission(msgspec.Struct, frozen=True):
    """A meeting for which the plan has no time.

    people, meetings: who and what is in the way. people is None where nobody may be named; then
    `how_many` they are. ask: the least to ask of people, if that was `asked`. is_pinned: it could
    only be at the time set for it.
    """

    meeting: UUID
    reason: str
    people: tuple[int, ...] | None = ()
    how_many: int = 0
    meetings: tuple[UUID, ...] = ()
    asked: bool = False
    start: datetime | None = None
    ask: tuple[ExtraTime, ...] = ()
    is_pinned: bool = False


class Answer(msgspec.Struct, frozen=True):
    """What is placed where, and how good that is.

    `bound` is what no plan can beat; proved: none is better than this.
    """

    proved: bool
    gap: float
    value: Counts
    bound: Counts
    placed: tuple[Placement, ...]
    unplaced: tuple[Omission, ...]


@dataclass(frozen=True)
class Problem:
    """Everything a plan of the `asked` meetings is computed from.

    posed: the `meetings` that the engine can place; unposed: those it can't even try.
    being_planned: which of the owner's calendars is being planned, if any. align: where starts may
    lie by the zone's clocks; None means anywhere.
    """

    roster: Roster
    people: list[Person]
    silent: list[Person]
    free: engine.Windows
    busy: list[tuple[int, int, int]]
    asked: list[Meeting]
    meetings: list[Meeting]
    posed: list[engine.Meeting]
    unposed: list[Omission]
    being_planned: str | None
    align: engine.Marks | None
    zone: str

    def users(self, places: Iterable[int]) -> tuple[int, ...]:
        """Return the user ids of people at these places."""
        return tuple(self.people[place].user_id for place in places)

    @cached_property
    def basis(self) -> str:
        """A fingerprint of everything that decides about the plan.

        Only the time of day is not in it.
        """
        parts = [
            [(person.user_id, person.packed) for person in (*self.people, *self.silent)],
            sorted(self.busy),
            [
                (meeting.pk, meeting.version, meeting.calendar.window_start)
                for meeting in self.meetings
            ],
            [
                (m.duration, m.required, m.optional, m.buffer, m.latest_end, m.pinned, m.priority)
                for m in self.posed
            ],
            [(unposed.meeting, unposed.people) for unposed in self.unposed],
            self.zone if self.align else "",
        ]
        return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()


def problem_of(calendar: Calendar, question: Question, *, now: datetime) -> Problem:
    """Fetch what the plan is about, in the engine's words.

    One query. Somebody required by name who has not answered keeps their meeting out; in a meeting
    for everyone they are left out, as elsewhere.
    """
    rows = queries.plans.plan_rows(
        calendar,
        named=question.meetings,
        most=limits.MOST_PLANNED + 1,
        after=now - limits.LONGEST_MEETING,
    )
    meetings = _asked_for(rows.meetings, question, now)
    everybody = group_of(rows.roster.people)
    people = everybody.answered
    place = {person.user_id: index for index, person in enumerate(people)}
    free = windows_of([person.packed for person in people])
    possible, unposed = _possible(meetings, rows.roster)
    posed = [_posed(meeting, group, place, free, question, now) for meeting, group in possible]
    return Problem(
        rows.roster,
        people,
        everybody.silent,
        free,
        _busy_ticks(rows.busy, place, now),
        meetings,
        [meeting for meeting, _group in possible],
        posed,
        unposed,
        rows.being_planned,
        _marks_for(calendar, question, posed),
        clock.canonical_zone(calendar.time_zone),
    )


def _possible(
    meetings: Iterable[Meeting], roster: Roster
) -> tuple[list[tuple[Meeting, Group]], list[Omission]]:
    """Tell the meetings that can be placed from the others."""
    possible, omitted = [], []
    for meeting in meetings:
        group = group_for(meeting, roster)
        if omission := _out_of_question(meeting, group):
            omitted.append(omission)
        else:
            possible.append((meeting, group))
    return possible, omitted


def _busy_ticks(
    busy: Iterable[BusyTime], place: Mapping[int, int], now: datetime
) -> list[tuple[int, int, int]]:
    """Return who is in scheduled meetings when. Nobody is taken out of a meeting that is fixed."""
    return [
        (
            place[each.user_id],
            engine.end_tick(each.start),
            engine.start_tick(each.end + each.buffer),
        )
        for each in busy
        if each.end > now
    ]


def _marks_for(
    calendar: Calendar, question: Question, posed: Sequence[engine.Meeting]
) -> engine.Marks | None:
    earliest = min((meeting.earliest for meeting in posed), default=0)
    latest = max((meeting.latest_end for meeting in posed), default=0)
    return round_times(calendar, question.align_minutes, earliest, latest)


@dataclass(frozen=True, slots=True)
class PlanDetails:
    """A plan with its meetings, by id, and its people.

    The meetings are those its answer speaks of, if they are still there.
    """

    plan: Plan
    meetings: dict[UUID, Meeting]
    roster: Roster


def details_of(plan: Plan, roster: Roster) -> PlanDetails:
    """Fetch the meetings that the plan's answer speaks of. One query."""
    answer = msgspec.convert(plan.answer, Answer)
    ids = {placed.meeting for placed in answer.placed} | {
        pk for unplaced in answer.unplaced for pk in (unplaced.meeting, *unplaced.meetings)
    }
    meetings = {
        meeting.pk: meeting
        for meeting in queries.meetings.meetings_of(plan.calendar).filter(pk__in=ids)
    }
    for meeting in meetings.values():
        meeting.calendar = plan.calendar
    return PlanDetails(plan, meetings, roster)


def details_from(plan: Plan, problem: Problem) -> PlanDetails:
    """Return the details of a plan computed just now. It was computed from this problem."""
    return PlanDetails(plan, {meeting.pk: meeting for meeting in problem.asked}, problem.roster)


def _asked_for(
    open_meetings: Sequence[Meeting], question: Question, now: datetime
) -> list[Meeting]:
    by_id = {meeting.pk: meeting for meeting in open_meetings}
    named = {
        "meetings": question.meetings,
        "pinned": question.pinned,
        "priorities": question.priorities,
    }
    for name, ids in named.items():
        if unknown := [pk for pk in ids if pk not in by_id]:
            raise InvalidInput(
                _("%(id)s isn’t an open meeting in this calendar.") % {"id": unknown[0]}, field=name
            )
    meetings = [by_id[pk] for pk in dict.fromkeys(question.meetings)] or list(by_id.values())
    if len(meetings) > limits.MOST_PLANNED:
        raise InvalidInput(
            _("Choose at most %(n)d meetings at once.") % {"n": limits.MOST_PLANNED},
            field="meetings",
        )
    _check_numbers(question)
    _refuse_pins(question, meetings, now)
    return meetings


def _check_numbers(question: Question) -> None:
    for priority in question.priorities.values():
        limits.check_whole(priority, limits.PRIORITY, field="priorities")
    if question.align_minutes is not None:
        limits.check_whole(question.align_minutes, limits.ALIGN_MINUTES, field="align_minutes")


def _refuse_pins(question: Question, meetings: Sequence[Meeting], now: datetime) -> None:
    """Refuse to pin what is not planned, or outside bounds.

    The refusal says which meeting it is about.
    """
    planned = {meeting.pk: meeting for meeting in meetings}
    for pk, start in question.pinned.items():
        if detail := _against_pin(pk, planned.get(pk), start, now):
            raise InvalidInput(detail, field="pinned", extra={"meeting": str(pk)})


def _against_pin(pk: UUID, meeting: Meeting | None, start: datetime, now: datetime) -> str:
    if meeting is None:
        return _("%(id)s is pinned but isn’t one of the meetings to plan.") % {"id": pk}
    if start <= now:
        return _("A meeting can’t be pinned to a time in the past.")
    if start.second or start.microsecond:
        return _("A meeting can only be pinned to a whole minute.")
    if not bounds.allow(meeting, start):
        return _("A meeting can’t be pinned outside the times set for it and its calendar.")
    return ""


def _out_of_question(meeting: Meeting, group: Group) -> Omission | None:
    silent = [
        person.user_id for person in group.silent if person.required and not meeting.for_everyone
    ]
    if silent or not group.answered:
        return Omission(
            meeting.pk,
            NOT_ANSWERED,
            people=tuple(silent or (person.user_id for person in group.silent)),
        )
    if not any(person.required for person in group.answered):
        return Omission(meeting.pk, NOBODY_REQUIRED)
    return None


def _posed(
    meeting: Meeting,
    group: Group,
    place: Mapping[int, int],
    free: engine.Windows,
    question: Question,
    now: datetime,
) -> engine.Meeting:
    earliest, latest_end = bounds.ticks(meeting, now=now)
    if latest_end is None:
        latest_end = int(free.end.max()) if len(free) else 0
    pinned = question.pinned.get(meeting.pk)
    return engine.Meeting(
        duration=minutes_of(meeting.duration),
        required=tuple(place[person.user_id] for person in group.answered if person.required),
        optional=tuple(place[person.user_id] for person in group.answered if not person.required),
        earliest=earliest,
        latest_end=latest_end,
        buffer=meeting.buffer_minutes,
        priority=question.priorities.get(meeting.pk, 1),
        pinned=None if pinned is None else span(pinned, meeting.duration)[0],
    )


def solve(
    problem: Problem,
    question: Question,
    *,
    seconds: float,
    on_progress: Callable[[Answer], bool] | None = None,
) -> Answer:
    """Compute the plan, for at most so many seconds. on_progress: told of the best so far every
    half second; true ends the search.

    InvalidInput: its bounds are so far apart that it is too large to compute.
    """

    def tell(plan: engine.Plan) -> bool:
        return on_progress is not None and on_progress(_answer(problem, question, plan, asks=False))

    try:
        plan = engine.plan(
            problem.free,
            problem.posed,
            align=problem.align,
            seconds=seconds,
            busy=problem.busy,
            on_progress=tell if on_progress else None,
        )
    except engine.TooManyStartsError:
        raise InvalidInput(
            _(
                "There are too many possible times for these meetings. Set narrower limits for "
                "them or for the calendar."
            )
        ) from None
    finally:
        memory.give_back()  # the solver has taken 50 MB and more
    return _answer(problem, question, plan, asks=True)


def better(one: Answer, other: Answer) -> Answer:
    """Return the better of two answers to one question. The first if they are worth the same."""

    def key(answer: Answer) -> tuple[int, ...]:
        return engine.Value(*msgspec.structs.astuple(answer.value)).key

    return other if key(other) > key(one) else one


def _answer(problem: Problem, question: Question, plan: engine.Plan, *, asks: bool) -> Answer:
    placed, unplaced = [], list(problem.unposed)
    asked = 0
    for number, meeting in enumerate(problem.meetings):
        if plan.start[number] >= 0:
            attending = problem.users(plan.attends[number])
            placed.append(Placement(meeting.pk, engine.moment_of(plan.start[number]), attending))
        else:
            # Each takes a while, and nobody goes and asks for more than a few.
            asked += 1
            unplaced.append(
                _unplaced(problem, question, plan, number, asks=asks and asked <= MOST_ASKS)
            )
    return Answer(
        plan.proved,
        plan.gap,
        Counts(*plan.value),
        Counts(*plan.bound),
        tuple(placed),
        tuple(unplaced),
    )


def _unplaced(
    problem: Problem, question: Question, plan: engine.Plan, number: int, *, asks: bool
) -> Omission:
    why = plan.why[number]
    room = (
        engine.room_for(
            problem.free, problem.posed, plan, number, align=problem.align, busy=problem.busy
        )
        if asks
        else None
    )
    return Omission(
        problem.meetings[number].pk,
        IN_THE_WAY if why.meetings else NO_COMMON_TIME,
        people=problem.users(why.people),
        meetings=tuple(problem.meetings[other].pk for other in why.meetings),
        asked=asks,
        start=engine.moment_of(room.start) if room else None,
        ask=tuple(_extra_time(problem, wanted) for wanted in room.wanted) if room else (),
        is_pinned=problem.posed[number].pinned is not None,
    )


def _extra_time(problem: Problem, wanted: engine.Need) -> ExtraTime:
    return ExtraTime(
        problem.people[wanted.who].user_id,
        engine.moment_of(wanted.start),
        engine.moment_of(wanted.end),
    )


def answer_for(user: User, plan: Plan) -> Answer:
    """Return as much of the answer as the user may know.

    Where answers are hidden, it has numbers, and nobody's times.
    """
    answer = msgspec.convert(plan.answer, Answer)
    if rules.may_see_windows_of_others(user, plan.calendar):
        return answer
    placed = (msgspec.structs.replace(each, attending=None) for each in answer.placed)
    hidden = {"people": None, "asked": False, "start": None, "ask": ()}
    unplaced = (
        msgspec.structs.replace(each, how_many=len(each.people or ()), **hidden)
        for each in answer.unplaced
    )
    return msgspec.structs.replace(answer, placed=tuple(placed), unplaced=tuple(unplaced))


def mail_counts(meetings: Sequence[Meeting], roster: Roster) -> list[tuple[Person, int]]:
    """Return who would get how many mails. That is if these meetings got final times."""
    counts: dict[int, tuple[Person, int]] = {}
    for meeting in meetings:
        for person in attendees_of(meeting, roster):
            if person.is_active:
                counts[person.user_id] = (person, counts.get(person.user_id, (person, 0))[1] + 1)
    return sorted(counts.values(), key=lambda each: (-each[1], each[0].name, each[0].user_id))


def why_unplaced(
    omission: Omission, people: Mapping[int, Person], titles: Mapping[UUID, str]
) -> str:
    """Say why a meeting has no time. Also whether asking can help."""
    who = [people[user] for user in omission.people or () if user in people]
    n = omission.how_many if omission.people is None else len(who)
    if omission.reason == NOT_ANSWERED:
        return _not_answered(who, n)
    if omission.reason == NOBODY_REQUIRED:
        return _("Nobody who answered is required, so any time would do. Choose who must come.")
    if omission.reason == IN_THE_WAY:
        sentence = _in_two_meetings(who, n, [titles.get(pk) for pk in omission.meetings[:3]])
    elif omission.is_pinned:
        sentence = _("Not everybody required can come at the set time.")
    else:
        sentence = _no_time_in_common(who, n)
    if omission.start or not omission.asked:
        return sentence
    no_help = _(
        "Asking people for more time won’t help as long as the other meetings stay where they are."
    )
    return f"{sentence} {no_help}"


def _names_or_number(who: Sequence[Person], n: int) -> str:
    if who:
        return names_of(who)
    if n:
        return ngettext("%(n)d person", "%(n)d people", n) % {"n": n}
    return _("The people required")


def _not_answered(who: Sequence[Person], n: int) -> str:
    if not n:
        return _("There’s nobody left who could come.")
    sentence = ngettext("%(names)s hasn’t answered yet.", "%(names)s haven’t answered yet.", n)
    return sentence % {"names": _names_or_number(who, n)}


def _in_two_meetings(who: Sequence[Person], n: int, titles: Sequence[str | None]) -> str:
    others = ", ".join(title or _("another meeting") for title in titles)
    sentence = ngettext(
        "%(names)s can’t be in two meetings at once. This clashes with %(others)s.",
        "%(names)s can’t be in two meetings at once. This clashes with %(others)s.",
        n or 2,
    )
    return sentence % {"names": _names_or_number(who, n), "others": others}


def _no_time_in_common(who: Sequence[Person], n: int) -> str:
    if n and not who:
        number = ngettext(
            "%(n)d person has no time that is long enough outside other meetings.",
            "%(n)d people have no time in common that is long enough outside other meetings.",
            n,
        )
        return number % {"n": n}
    sentence = ngettext(
        "There’s no time long enough when %(names)s can come and isn’t in another meeting.",
        "There’s no time long enough when %(names)s can come and aren’t in another meeting.",
        n or 2,
    )
    return sentence % {"names": _names_or_number(who, n)}

"""Rows <-> engine values: the only importer of the engine."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import cast

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from commontime import engine
from commontime.calendars.models import Calendar, CalendarParticipant, Meeting, ScheduleSuggestion
from commontime.core import rows
from commontime.core.errors import InvalidInput

ANSWERS = ("no", "if_need_be", "yes", "yes")  # by the engine's level
FARTHEST = timedelta(days=400)
ENTRY = 17  # characters of one period in CalendarParticipant.packed


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody a meeting is for. `packed` is their non-busy times as migration 0002 describes; empty: they have not answered."""

    user_id: int
    username: str
    first_name: str
    last_name: str
    email: str
    is_active: bool
    required: bool
    packed: str

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip() or self.username


@dataclass(frozen=True)
class Group:
    """The people a meeting is for: who answered, in the engine's order, and who did not."""

    answered: list[Person]
    silent: list[Person]

    @cached_property
    def free(self) -> engine.Windows:
        return _windows_of([person.packed for person in self.answered])

    @cached_property
    def required(self) -> NDArray[np.bool_]:
        return np.array([person.required for person in self.answered], np.bool_)

    @property
    def people(self) -> list[Person]:
        return [*self.answered, *self.silent]


def group_for(meeting: Meeting) -> Group:
    """Return whom the meeting is for: the named attendees, or everybody in the calendar."""
    return _grouped(attendees_of(meeting))


def attendees_of(meeting: Meeting) -> list[Person]:
    """Return the named attendees with whether they are required for this meeting, or everybody in the calendar."""
    people = people_of(meeting.calendar)
    if meeting.for_everyone:
        return people
    named = named_in(meeting)
    return [replace(person, required=named[person.user_id]) for person in people if person.user_id in named]


def people_of(calendar: Calendar) -> list[Person]:
    """Return everybody in the calendar. One query, one row a person, and once for each calendar instance, so once a request."""
    if "people" not in calendar.__dict__:
        names = [f"user__{name}" for name in ("username", "first_name", "last_name", "email", "is_active")]
        seats = CalendarParticipant.objects.filter(calendar=calendar).order_by("joined_at", "id")
        calendar.__dict__["people"] = [Person(*row) for row in seats.values_list("user_id", *names, "required", "packed")]
    return cast(list[Person], calendar.__dict__["people"])


def forget_people(calendar: Calendar) -> None:
    """Have them read again, after something that may have changed them."""
    calendar.__dict__.pop("people", None)


def named_in(meeting: Meeting) -> dict[int, bool]:
    """Return who is named for the meeting and whether they are required, from the annotation of queries.meetings()."""
    marks = (mark for mark in (getattr(meeting, "named", None) or "").split(",") if mark)
    return {int(mark[:-1]): mark.endswith("r") for mark in sorted(marks)}


def is_for(meeting: Meeting, user_id: int) -> bool:
    """Return whether the meeting is for this person of its calendar."""
    return meeting.for_everyone or user_id in named_in(meeting)


def _grouped(people: Iterable[Person]) -> Group:
    answered: list[Person] = []
    silent: list[Person] = []
    for person in people:
        (answered if person.packed else silent).append(person)
    return Group(answered, silent)


def _windows(packed: str, sizes: Sequence[int]) -> engine.Windows:
    """Read people's packed periods, one after the other and so many each, into the engine's columns, without a loop over periods."""
    words = np.frombuffer(bytes.fromhex(packed.replace(";", "")), ">u4").astype(np.int64).reshape(-1, 2)
    start, rest = words[:, 0], words[:, 1]
    who = np.repeat(np.arange(len(sizes)), sizes)
    key = who << 32 | start
    if len(key) > 1 and (key[1:] < key[:-1]).any():
        # SQLite appends; sorting one key is quicker than the engine's sorting by two.
        order = key.argsort()
        who, start, rest = who[order], start[order], rest[order]
    return engine.from_arrays(who, start, start + (rest >> 8), rest & 255, people=len(sizes))


def _windows_of(people: Sequence[str]) -> engine.Windows:
    return _windows("".join(people), [len(packed) // ENTRY for packed in people])


def may_cross(packed: str, given: int, start: datetime, end: datetime) -> bool:
    """Return whether one of the `given` times may reach over an edge of `[start, end)`; packing rounds, so one within a minute counts."""
    free = _windows_of([packed])
    if len(free) < given:  # some are too short to be packed
        return True
    edges = (engine.end_tick(start), engine.start_tick(end))
    return any(bool(((free.start <= edge + 1) & (free.end >= edge - 1)).any()) for edge in edges)


# Availability -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Crowd:
    """Everybody in a calendar without their names: the ids of those who answered, in the engine's order, and how many did not."""

    answered: list[int]
    required: NDArray[np.bool_]
    free: engine.Windows
    silent: int


@dataclass(frozen=True, slots=True)
class Availability:
    """The exact profile of a crowd, cut into pieces in which every person's preference stays the same.

    edges: (pieces + 1) where a piece ends and the next begins. counts: (pieces, 4) people who cannot, if need be, works, ideal;
    missing: required people who cannot; preference: the sum. levels: (pieces, answered) the level of each person, or None.
    """

    edges: list[datetime]
    counts: list[list[int]]
    missing: list[int]
    preference: list[int]
    levels: list[list[int]] | None


def crowd_of(calendar: Calendar) -> Crowd:
    """Return the calendar's people in one row: a thousand of them cost little more than ten."""
    join = "group_concat" if connection.vendor == "sqlite" else "string_agg"
    marks = f"{join}(CAST(user_id AS text) || CASE WHEN required THEN 'r' ELSE 'o' END, ',')"
    sizes = f"{join}(CAST(length(packed) / {ENTRY} AS text), ',')"
    statement = f"SELECT {marks}, {sizes}, {join}(packed, '') FROM calendars_calendarparticipant WHERE calendar_id = %s"  # noqa: S608
    row = rows.fetch_one(statement, [rows.uuid(calendar.pk)])
    if not row or not row[0]:
        return Crowd([], np.zeros(0, np.bool_), _windows("", []), 0)
    people = [(int(mark[:-1]), mark[-1] == "r", int(size)) for mark, size in zip(row[0].split(","), row[1].split(","), strict=True)]
    answered = [person for person in people if person[2]]
    must = np.array([must for _, must, _ in answered], np.bool_)
    free = _windows(row[2], [size for _, _, size in answered])
    return Crowd([user for user, _, _ in answered], must, free, len(people) - len(answered))


def availability(crowd: Crowd, *, earliest: datetime, latest: datetime, duration: timedelta, most_names: int) -> Availability:
    """Return when how many can come. A piece holds the starts of a meeting of this duration; for one minute, simply the minutes.

    Names are told for at most so many people times pieces; without them, neighbours that differ only in who comes are one piece.
    """
    if latest - earliest > FARTHEST:
        raise InvalidInput(f"Ask for at most {FARTHEST.days} days at once.", field="to")
    begin, end = engine.start_tick(earliest), engine.end_tick(latest)
    profile = engine.profile(crowd.free, _minutes(duration), required=crowd.required, earliest=begin, latest_end=end)
    if not len(profile):
        return Availability([], [], [], [], [])
    first, counts, missing, preference = profile.first, profile.everyone, profile.missing, profile.preference
    named = len(first) * len(crowd.answered) <= most_names
    if not named:
        shown = np.column_stack([counts, missing, preference])
        keep = np.flatnonzero(np.append(True, (shown[1:] != shown[:-1]).any(axis=1)))
        first, counts, missing, preference = first[keep], counts[keep], missing[keep], preference[keep]
    return Availability(
        engine.moments_of(np.append(first, profile.last[-1] + 1)),
        counts.tolist(),
        missing.tolist(),
        preference.tolist(),
        engine.levels(engine.preferences(crowd.free, first, profile.duration)).tolist() if named else None,
    )


def known_range(calendar: Calendar, crowd: Crowd) -> tuple[datetime, datetime] | None:
    """Return where times are wanted: the calendar's window, or from the first to the last known non-busy time; None if nobody answered."""
    starts, ends = crowd.free.start, crowd.free.end
    earliest = calendar.window_start or (engine.moment_of(int(starts.min())) if len(starts) else None)
    latest = calendar.window_end or (engine.moment_of(int(ends.max())) if len(ends) else None)
    if earliest is None or latest is None or latest <= earliest:
        return None
    return earliest, min(latest, earliest + FARTHEST)


# One start ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a start would mean. Lists hold the people; `missing` are the required ones of `cannot`."""

    start: datetime
    ideal: list[Person] = field(default_factory=list)
    works: list[Person] = field(default_factory=list)
    if_need_be: list[Person] = field(default_factory=list)
    cannot: list[Person] = field(default_factory=list)
    missing: list[Person] = field(default_factory=list)
    unanswered: list[Person] = field(default_factory=list)
    preference: int = 0

    @property
    def attending(self) -> list[Person]:
        return [*self.ideal, *self.works, *self.if_need_be]

    @property
    def rank_key(self) -> tuple[int, int, int, int, int, datetime]:
        """Smaller is better: the default rank of engine.FAIR, here for one start that may lie anywhere."""
        return (len(self.missing), -len(self.attending), len(self.if_need_be), len(self.works), -self.preference, self.start)


def outcomes(group: Group, starts: Sequence[datetime], duration: timedelta) -> list[Outcome]:
    """Return what each start would mean for the group."""
    table = _preferences(group, [_span(start, duration) for start in starts])
    found = []
    for start, row, levels in zip(starts, table.tolist(), engine.levels(table).tolist(), strict=True):
        outcome = Outcome(start, unanswered=group.silent, preference=sum(value for value in row if value > 0))
        lists = (outcome.cannot, outcome.if_need_be, outcome.works, outcome.ideal)
        for person, level in zip(group.answered, levels, strict=True):
            lists[level].append(person)
            if level == engine.CANNOT and person.required:
                outcome.missing.append(person)
        found.append(outcome)
    return found


def answers_at(group: Group, start: datetime, duration: timedelta) -> dict[int, str]:
    """Return `yes`, `if_need_be`, `no` or `unanswered` by user id for a meeting at this start."""
    answers = {person.user_id: "unanswered" for person in group.silent}
    levels = engine.levels(_preferences(group, [_span(start, duration)])[0]).tolist()
    return answers | {person.user_id: ANSWERS[level] for person, level in zip(group.answered, levels, strict=True)}


def _span(start: datetime, duration: timedelta) -> tuple[int, int]:
    """Return the first tick of a meeting and how many it takes: a minute of which it needs only a part, it needs."""
    first = engine.end_tick(start)
    return first, engine.start_tick(start + duration) - first


def _preferences(group: Group, spans: Sequence[tuple[int, int]]) -> NDArray[np.int8]:
    """Return each person's preference for each meeting, (spans, answered); -1 = cannot."""
    table = np.full((len(spans), len(group.answered)), -1, np.int8)
    for length in {ticks for _, ticks in spans} if group.answered else ():
        alike = [place for place, (_, ticks) in enumerate(spans) if ticks == length]
        table[alike] = engine.preferences(group.free, [spans[place][0] for place in alike], length)
    return table


# Suggestions --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ranked:
    """A start with its place, what it would mean, and the stored suggestion if somebody made one."""

    rank: int
    outcome: Outcome
    stored: ScheduleSuggestion | None
    reasons: list[str]


def bounds_of(meeting: Meeting, group: Group, now: datetime) -> tuple[int, int]:
    """Return [earliest, latest end) in ticks: the meeting's own bounds, else from now to the end of the known times."""
    calendar = meeting.calendar
    known_end = int(group.free.end.max()) if len(group.free) else 0
    earliest = max(engine.start_tick(moment) for moment in (now, meeting.earliest, calendar.window_start) if moment)
    ends = [engine.end_tick(moment) for moment in (meeting.latest, calendar.window_end) if moment]
    return earliest, min([known_end, *ends])


def lies_within(meeting: Meeting, start: datetime) -> bool:
    """Return whether the meeting may begin at `start` by its own bounds."""
    if meeting.earliest and start < meeting.earliest:
        return False
    return meeting.latest is None or start + meeting.duration <= meeting.latest


def best_starts(meeting: Meeting, group: Group, *, now: datetime, limit: int) -> list[datetime]:
    """Return the best starts, best first: fewest required people missing, most attending, least reluctantly, earliest."""
    if not group.answered:
        return []
    earliest, latest_end = bounds_of(meeting, group, now)
    if latest_end <= earliest:
        return []
    profile = engine.profile(group.free, _minutes(meeting.duration), required=group.required, earliest=earliest, latest_end=latest_end)
    slots = engine.best(profile, limit)
    return [engine.moment_of(slot.start) for slot in slots if sum(slot.everyone[1:])]


def ranked(meeting: Meeting, group: Group, stored: Sequence[ScheduleSuggestion], *, now: datetime, limit: int, named: bool) -> list[Ranked]:
    """Return stored and computed starts together, best first, each with its reasons: all stored ones, and at most `limit` computed ones."""
    by_start = {suggestion.suggested_time: suggestion for suggestion in stored}
    computed = best_starts(meeting, group, now=now, limit=limit)
    starts = list(dict.fromkeys([*by_start, *computed]))
    found = sorted(outcomes(group, starts, meeting.duration), key=lambda outcome: outcome.rank_key)
    listed = [
        Ranked(place, outcome, by_start.get(outcome.start), reasons(outcome, group, meeting, named=named))
        for place, outcome in enumerate(found, start=1)
    ]
    if named and listed and listed[0].outcome.missing:
        listed[0].reasons.extend(_near_miss(listed[0].outcome, group, meeting, now))
    return listed


def reasons(outcome: Outcome, group: Group, meeting: Meeting, *, named: bool) -> list[str]:
    """Say in words why a start stands where it does, from the same lists as its rank; without names where they must not be told."""
    said = []
    must = [person for person in group.answered if person.required]
    everyone = len(group.answered)
    if not group.answered:
        return ["Nobody has answered yet."]
    if len(outcome.attending) == everyone:
        said.append(f"{_all(everyone, 'people', 'person')} who answered can come.")
    elif must and not outcome.missing:
        said.append(f"{_all(len(must), 'required people', 'required person')} can come; {len(outcome.attending)} of {everyone} in all.")
    else:
        said.append(f"{len(outcome.attending)} of {everyone} can come.")
    if outcome.missing and named:
        short = _minutes_short(group, outcome, meeting.duration)
        of = _span(outcome.start, meeting.duration)[1]
        said.extend(f"{p.name} is required and can't: {short[p.user_id]} of {of} minutes short." for p in outcome.missing[:5])
    elif outcome.missing:
        said.append(f"{len(outcome.missing)} required can't.")
    optional = [person for person in outcome.cannot if not person.required]
    if optional:
        said.append(f"{_names(optional)} can't." if named else f"{len(optional)} optional can't.")
    if outcome.if_need_be:
        said.append(f"{_names(outcome.if_need_be)} if need be." if named else f"{len(outcome.if_need_be)} if need be.")
    if outcome.unanswered:
        said.append(f"{len(outcome.unanswered)} not answered yet.")
    return said


def _near_miss(best: Outcome, group: Group, meeting: Meeting, now: datetime) -> list[str]:
    """Say which start comes nearest to suiting all required people, if it is another than the best one, at which somebody is missing."""
    earliest, latest_end = bounds_of(meeting, group, now)
    duration = _minutes(meeting.duration)
    misses = engine.near_misses(group.free, duration, required=group.required, earliest=earliest, latest_end=latest_end, k=1)
    if not misses or misses[0].short >= sum(_minutes_short(group, best, meeting.duration).values()):
        return []
    nearest = misses[0]
    away = engine.moment_of(nearest.first) - best.start
    who = [group.answered[place] for place in nearest.missing]
    short = f"{_names(who)} {'is' if len(who) == 1 else 'are together'} only {_count(nearest.short, 'minute')} short"
    return [f"Starting {_length(abs(away))} {'later' if away > timedelta(0) else 'earlier'}, {short}."]


def _length(time: timedelta) -> str:
    """Return a length in words, without a zone that a clock time would need."""
    hours, minutes = divmod(_minutes(time), 60)
    parts = [_count(hours // 24, "day"), _count(hours % 24, "hour"), _count(minutes, "minute")]
    return " ".join(part for part in parts if not part.startswith("0 ")) or "moments"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _all(count: int, many: str, one: str) -> str:
    return f"All {count} {many}" if count > 1 else f"The one {one}"


def _names(people: Sequence[Person], most: int = 5) -> str:
    names = [person.name for person in people[:most]]
    if len(people) > most:
        names.append(f"{len(people) - most} more")
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _minutes_short(group: Group, outcome: Outcome, duration: timedelta) -> dict[int, int]:
    """Return how many minutes of the meeting each missing person did not offer."""
    start, length = _span(outcome.start, duration)
    covered = np.clip(np.minimum(group.free.end, start + length) - np.maximum(group.free.start, start), 0, None)
    offered = np.bincount(group.free.who, covered, minlength=len(group.answered)).astype(int)
    places = {person.user_id: place for place, person in enumerate(group.answered)}
    return {person.user_id: length - int(offered[places[person.user_id]]) for person in outcome.missing}


def _minutes(duration: timedelta) -> int:
    return int(duration // timedelta(minutes=1))


def lost_by(meetings: Iterable[Meeting], before: str, after: str) -> list[Meeting]:
    """Return the scheduled meetings a person could come to with the times `before` (packed) but can't with those `after`."""
    return [
        m for m in meetings if m.final_time and _covers(before, m.final_time, m.duration) and not _covers(after, m.final_time, m.duration)
    ]


def _covers(packed: str, start: datetime, duration: timedelta) -> bool:
    return bool(packed) and bool(engine.attendance(_windows_of([packed]), *_span(start, duration))[0])

"""What one start would mean for a meeting's people."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from commontime import engine
from commontime.calendars.models import Meeting
from commontime.calendars.planning.groups import Group, minutes_of, windows_of
from commontime.calendars.queries.people import Person

ANSWERS = ("no", "if_need_be", "yes", "yes")  # by the engine's level


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a start would mean. Lists hold the people; `missing` are the required ones of `cannot`;
    `row`: the preference of each who answered, -1 = cannot.
    """

    start: datetime
    ideal: list[Person] = field(default_factory=list)
    works: list[Person] = field(default_factory=list)
    if_need_be: list[Person] = field(default_factory=list)
    cannot: list[Person] = field(default_factory=list)
    missing: list[Person] = field(default_factory=list)
    unanswered: list[Person] = field(default_factory=list)
    preference: int = 0
    row: NDArray[np.int8] = field(
        default_factory=lambda: np.zeros(0, np.int8), repr=False, compare=False
    )

    @property
    def attending(self) -> list[Person]:
        return [*self.ideal, *self.works, *self.if_need_be]


def outcomes_at(group: Group, starts: Sequence[datetime], duration: timedelta) -> list[Outcome]:
    """Return what each start would mean for the group."""
    table = preferences(group, [span(start, duration) for start in starts])
    outcomes = []
    sums = np.maximum(table, 0).sum(axis=1, dtype=np.int64).tolist()
    for start, row, preference, levels in zip(
        starts, table, sums, engine.levels(table), strict=True
    ):
        cannot, if_need_be, works, ideal = (
            [group.answered[place] for place in np.flatnonzero(levels == level).tolist()]
            for level in range(4)
        )
        missing = [person for person in cannot if person.required]
        outcomes.append(
            Outcome(start, ideal, works, if_need_be, cannot, missing, group.silent, preference, row)
        )
    return outcomes


def counts(group: Group, starts: Sequence[datetime], duration: timedelta) -> list[list[int]]:
    """Return how many cannot and can at each start.

    (starts, 4): cannot, can if need be, can, and like to. One call of the engine, however many.
    """
    if not starts or not group.answered:
        return [[0] * 4 for _ in starts]
    ticks = np.array([engine.end_tick(start) for start in starts])
    length, latest_end = minutes_of(duration), engine.end_tick(max(starts) + duration)
    profile = engine.profile(group.free, length, earliest=int(ticks.min()), latest_end=latest_end)
    table: list[list[int]] = profile.everyone[
        profile.first.searchsorted(ticks, side="right") - 1
    ].tolist()
    return table


def answers_at(group: Group, start: datetime, duration: timedelta) -> dict[int, str]:
    """Return each person's answer to a start, by user id.

    It is `yes`, `if_need_be`, `no` or `unanswered`.
    """
    answers = {person.user_id: "unanswered" for person in group.silent}
    levels = engine.levels(preferences(group, [span(start, duration)])[0]).tolist()
    return answers | {
        person.user_id: ANSWERS[level] for person, level in zip(group.answered, levels, strict=True)
    }


def span(start: datetime, duration: timedelta) -> tuple[int, int]:
    """Return a meeting's first tick and its length in ticks.

    A minute that the meeting needs in part counts whole.
    """
    first = engine.end_tick(start)
    return first, engine.start_tick(start + duration) - first


def preferences(group: Group, spans: Sequence[tuple[int, int]]) -> NDArray[np.int8]:
    """Return each person's preference for each meeting, (spans, answered); -1 = cannot."""
    table = np.full((len(spans), len(group.answered)), -1, np.int8)
    for length in {ticks for _, ticks in spans} if group.answered else ():
        alike = [place for place, (_, ticks) in enumerate(spans) if ticks == length]
        table[alike] = engine.preferences(group.free, [spans[place][0] for place in alike], length)
    return table


def lost_by(meetings: Iterable[Meeting], before: str, after: str) -> list[Meeting]:
    """Return the scheduled meetings a person can no longer come to.

    before, after: their packed times around a change.
    """
    return [
        m
        for m in meetings
        if m.final_time
        and _covers(before, m.final_time, m.duration)
        and not _covers(after, m.final_time, m.duration)
    ]


def _covers(packed: str, start: datetime, duration: timedelta) -> bool:
    return bool(packed) and bool(engine.attendance(windows_of([packed]), *span(start, duration))[0])

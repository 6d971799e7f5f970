"""Score a plan by the twelve constraints of OptaPlanner's example.

Each is computed slowly, by its definition. It shares nothing with the search in
`bench.optaplanner`, whose figures come from here. Source: `MeetingSchedulingConstraintProvider` of
optaplanner-examples, with the weights that all five files carry (100 for touching, 10 for
overlapping meetings, 1 for the others).
"""

import json
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import NamedTuple


class Score(NamedTuple):
    """Never positive; compared from left to right."""

    hard: int
    medium: int
    soft: int

    def __str__(self) -> str:
        return "/".join(f"{part:,}" for part in self)


@dataclass(frozen=True)
class Meeting:
    duration: int  # grains of 15 minutes
    required: tuple[int, ...]
    preferred: tuple[int, ...]
    capacity: int  # seats it needs


@dataclass(frozen=True)
class Instance:
    days: tuple[int, ...]  # the day of each grain
    rooms: tuple[int, ...]  # seats
    people: int
    meetings: tuple[Meeting, ...]


def read(path: Path) -> Instance:
    """Read the JSON conversion of one of OptaPlanner's spreadsheets: grains, rooms, persons,
    meetings of dur, req, pref and cap.
    """
    data = json.loads(path.read_text())
    meetings = (
        Meeting(row["dur"], tuple(row["req"]), tuple(row["pref"]), row["cap"])
        for row in data["meetings"]
    )
    return Instance(
        tuple(data["grains"]), tuple(data["rooms"]), len(data["persons"]), tuple(meetings)
    )


def score(instance: Instance, starts: list[int], rooms: list[int]) -> Score:
    """Score meetings that start at these grains, in these rooms (numbers in `instance.rooms`).

    O(meetings² x people).
    """
    hard = medium = soft = 0
    for meeting, start, room in zip(instance.meetings, starts, rooms, strict=True):
        last, seats = start + meeting.duration - 1, instance.rooms[room]
        if last >= len(instance.days):
            hard += last  # Don't go in overtime
        elif instance.days[start] != instance.days[last]:
            hard += 1  # Start and end on same day
        hard += max(0, meeting.capacity - seats)  # Required room capacity
        soft += last  # Do all meetings as soon as possible
        soft += sum(
            larger - seats for larger in instance.rooms if larger > seats
        )  # Assign larger rooms first

    placed = sorted(zip(starts, rooms, instance.meetings, strict=True), key=lambda one: one[0])
    for (start, room, meeting), (next_start, next_room, next_meeting) in combinations(placed, 2):
        end = start + meeting.duration
        overlap = max(0, min(end, next_start + next_meeting.duration) - next_start)
        required, preferred = set(meeting.required), set(meeting.preferred)
        next_required, next_preferred = set(next_meeting.required), set(next_meeting.preferred)
        if room == next_room:
            hard += overlap  # Room conflict
        hard += overlap * len(required & next_required)  # Required attendance conflict
        medium += overlap * (
            len(required & next_preferred) + len(preferred & next_required)
        )  # Required and preferred attendance conflict
        medium += overlap * len(preferred & next_preferred)  # Preferred attendance conflict
        soft += 10 * overlap  # Overlapping meetings
        if next_start == end:
            soft += 100  # One TimeGrain break between two consecutive meetings
        if room != next_room and start < next_start and next_start - end <= 2:
            both = sum(
                person in {*next_required, *next_preferred}
                for person in (*meeting.required, *meeting.preferred)
            )
            soft += both  # Room stability
    return Score(-hard, -medium, -soft)

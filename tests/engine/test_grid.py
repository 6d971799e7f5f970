"""Without `align` the starts that matter are enough for the best plan.

Room is looked for among all starts, not only those.
"""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commontime.engine import (
    Meeting,
    TooManyStartsError,
    Windows,
    plan,
    preferences,
    room_for,
    windows,
)
from commontime.engine.columns import starts_that_matter
from commontime.engine.meetings import apart
from tests.engine.plans import best_of_all, clash, is_possible

quiet = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SPAN = 15
WAYS = [[0, 3, 1], [3, 0, 2], [1, 2, 0]]


@st.composite
def odd_problems(draw) -> tuple[Windows, list[Meeting], list[list[int]] | None]:
    """Draw ticks that share no divisor, while durations often do.

    Some meetings are pinned, some are in other places.
    """
    rows = draw(
        st.lists(
            st.tuples(
                st.integers(0, 2), st.integers(0, SPAN - 2), st.integers(2, 9), st.integers(0, 10)
            ),
            min_size=3,
            max_size=8,
        )
    )
    free = windows(
        [(who, start, start + length, preference) for who, start, length, preference in rows], 3
    )
    unit = draw(st.integers(1, 4))
    meetings = []
    for _ in range(draw(st.integers(1, 3))):
        who = draw(st.permutations(range(3)))
        asked = draw(st.integers(1, 2))
        earliest = draw(st.integers(0, SPAN - 4))
        meetings.append(
            Meeting(
                duration=unit * draw(st.integers(1, 2)),
                required=tuple(who[:asked]),
                optional=tuple(who[asked : asked + draw(st.integers(0, 1))]),
                earliest=earliest,
                latest_end=draw(st.integers(earliest + 3, SPAN + 6)),
                buffer=unit * draw(st.integers(0, 1)),
                place=draw(st.integers(0, 2)),
                pinned=draw(st.one_of(st.none(), st.none(), st.integers(0, SPAN - 3))),
            )
        )
    return free, meetings, draw(st.sampled_from([None, None, WAYS]))


@quiet
@given(odd_problems())
def test_no_plan_on_any_tick_is_better(problem):
    free, meetings, travel = problem
    movable = [replace(meeting, pinned=None) for meeting in meetings]

    answer = plan(free, movable, align=None, seconds=60, travel=travel)

    assert is_possible(free, movable, answer.start, answer.attends, travel)
    assert answer.proved
    assert answer.value.key == best_of_all(free, movable, 1, travel)


@quiet
@given(odd_problems())
def test_beside_pinned_meetings_it_is_as_good_as_with_every_tick(problem):
    free, meetings, travel = problem

    some, all_of_them = (
        plan(free, meetings, align=align, seconds=60, travel=travel) for align in (None, 1)
    )

    assert some.value == all_of_them.value
    assert (some.proved, all_of_them.proved) == (True, True)


def test_a_meeting_follows_a_pinned_one_at_any_minute():
    free = windows([(0, 480, 607, 5)], 1)
    first = Meeting(duration=60, required=(0,), earliest=0, latest_end=720)

    assert plan(free, [first, replace(first, pinned=487)], align=None).start == (547, 487)


def test_what_would_fill_the_memory_is_refused():
    far = 40 * 365 * 24 * 60
    free = windows([(0, 0, 60, 5), (1, 0, 60, 5), (0, far, far + 60, 5)], 2)

    with pytest.raises(TooManyStartsError, match="could start at"):
        plan(free, [Meeting(duration=60, required=(0, 1), earliest=0, latest_end=far + 60)])


def test_an_odd_now_costs_one_class_of_starts_and_only_where_it_can_bind():
    free = windows(
        [(who, day * 1440 + 540, day * 1440 + 1020, 5) for who in range(4) for day in range(5)], 4
    )

    def grid(now: int) -> tuple[int, list[int]]:
        meetings = [
            Meeting(duration=60, required=(0, who), earliest=now, latest_end=5 * 1440)
            for who in (1, 2, 3)
        ]
        grid = starts_that_matter(free, meetings, apart(meetings))
        return grid.step, grid.offsets.tolist()

    assert grid(7) == (60, [0])  # nobody is free then, so no meeting begins because of it
    assert grid(547) == (60, [0, 7])


@quiet
@given(odd_problems(), st.sampled_from([None, 1, 2, 5]))
def test_the_room_equals_its_definition(problem, align):
    free, meetings, travel = problem
    answer = plan(free, meetings, align=align, seconds=60, travel=travel)

    free_at = (preferences(free, range(-10, 40), 1) >= 0).tolist()
    for number in answer.why:
        meeting = meetings[number]
        others = [(m, s, m.required) for m, s in zip(meetings, answer.start, strict=True) if s >= 0]
        every = [
            t
            for t in range(meeting.earliest, meeting.latest_end - meeting.duration + 1)
            if t % (align or 1) == 0
        ]
        asked = []
        for start in every if meeting.pinned is None else [meeting.pinned]:
            if not any(
                clash((meeting, start, meeting.required), other, travel) for other in others
            ):
                ticks = range(start, start + meeting.duration)
                lacking = [
                    (who, tick)
                    for who in sorted(meeting.required)
                    for tick in ticks
                    if not free_at[tick + 10][who]
                ]
                asked.append((len({who for who, _ in lacking}), len(lacking), start, lacking))

        room = room_for(free, meetings, answer, number, align=align, travel=travel)

        if not asked:
            assert room is None
            continue
        assert room is not None
        wanted = sorted(
            (each.who, tick) for each in room.wanted for tick in range(each.start, each.end)
        )
        assert (room.start, wanted) == min(asked)[2:]

"""Between meetings in different places people need the time to get there."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commontime.engine import Meeting, plan, room_for, windows
from tests.engine.plans import GRID, best_of_all, is_possible, problems, value_of

quiet = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def journeys(draw):
    """Draw journeys along a street, so that no detour is shorter."""
    spots = draw(st.lists(st.integers(0, 4), min_size=3, max_size=3))
    return [[GRID * abs(one - other) for other in spots] for one in spots]


@quiet
@given(problems(), journeys(), st.lists(st.integers(0, 2), min_size=3, max_size=3))
def test_no_plan_with_journeys_is_better(problem, travel, places):
    free, asked = problem
    meetings = [
        replace(meeting, place=place) for meeting, place in zip(asked, places, strict=False)
    ]

    answer = plan(free, meetings, align=GRID, seconds=60, travel=travel)

    assert is_possible(free, meetings, answer.start, answer.attends, travel)
    assert answer.value == value_of(free, meetings, answer.start, answer.attends)
    assert answer.value.key == best_of_all(free, meetings, GRID, travel)
    assert answer.proved


def schedule(case, ticks):
    """Return whether all meetings of CSPLib's problem 46 fit.

    It tries every tick for meeting after meeting.
    """
    starts: list[int] = []
    agents, apart = case

    def place() -> bool:
        number = len(starts)
        if number == len(agents):
            return True
        for tick in range(ticks):
            if all(
                abs(tick - t) > apart[number][n] or not agents[number] & agents[n]
                for n, t in enumerate(starts)
            ):
                starts.append(tick)
                if place():
                    return True
                starts.pop()
        return False

    return place()


@pytest.mark.parametrize("seed", range(24))
def test_whether_everybody_can_get_to_all_meetings_is_told(seed):
    # As in CSPLib's problem 46: meetings of one tick, random ways between any two, agents with
    # several meetings each.
    rng = np.random.default_rng(seed)
    count, people, ticks = 6, 4, 7
    agents = [set(rng.permutation(people)[:2].tolist()) for _ in range(count)]
    travel = np.triu(rng.integers(0, 3, (count, count)), 1)
    travel = (travel + travel.T).tolist()
    free = windows([(person, 0, ticks, 5) for person in range(people)], people)
    meetings = [
        Meeting(duration=1, required=tuple(who), earliest=0, latest_end=ticks, place=n)
        for n, who in enumerate(agents)
    ]

    answer = plan(free, meetings, align=1, seconds=60, travel=travel)

    assert is_possible(free, meetings, answer.start, answer.attends, travel)
    assert answer.proved
    assert (answer.value.priority == count) == schedule((agents, travel), ticks)


def test_a_journey_and_a_buffer_run_at_once():
    free = windows([(0, 480, 720, 5)], 1)
    here = Meeting(duration=60, required=(0,), earliest=480, latest_end=720, buffer=30, pinned=480)
    there = Meeting(duration=60, required=(0,), earliest=480, latest_end=720, place=1)

    assert plan(free, [here, there], travel=[[0, 45], [45, 0]]).start == (480, 585)
    assert plan(free, [here, there], travel=[[0, 15], [15, 0]]).start == (480, 570)
    assert plan(free, [here, there], travel=[[0, 75], [75, 0]]).start == (480, 615)


def test_asking_for_time_minds_the_journey():
    free = windows([(0, 480, 540, 5)], 1)
    here = Meeting(duration=60, required=(0,), earliest=480, latest_end=720, pinned=480)
    there = Meeting(duration=60, required=(0,), earliest=480, latest_end=720, place=1)
    travel = [[0, 45], [45, 0]]

    answer = plan(free, [here, there], travel=travel)

    assert answer.start == (480, -1)
    assert answer.why[1].meetings == (0,)
    assert room_for(free, [here, there], answer, 1, travel=travel).start == 585


@pytest.mark.parametrize("travel", [[[0, 1]], [[0, -1], [1, 0]], [[0]]])
def test_journeys_that_make_no_sense_are_refused(travel):
    meeting = Meeting(duration=60, required=(0,), earliest=0, latest_end=600, place=1)

    with pytest.raises(ValueError):
        plan(windows([(0, 0, 600, 5)], 1), [meeting], travel=travel)


def test_one_on_ones_in_a_row_leave_time_for_the_way_between_them():
    free = windows([(person, 0, 180, 5) for person in range(5)], 5)
    meetings = [
        Meeting(duration=30, required=(0, other), optional=(), earliest=0, latest_end=180)
        for other in range(1, 5)
    ]
    travel = [[45]]

    answer = plan(free, meetings, align=GRID, seconds=60, travel=travel)

    assert is_possible(free, meetings, answer.start, answer.attends, travel)
    assert answer.value.priority == 3

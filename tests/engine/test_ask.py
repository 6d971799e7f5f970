"""The fewest people to ask, and for which time."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from commontime import engine
from commontime.engine.room import Need, Room
from tests.engine import brute
from tests.engine.problems import elsewhere, problems

ALIGNS = st.sampled_from((None, 2, 5))


def starts_of(problem, align):
    return [
        t
        for t in range(problem.earliest, problem.latest_end - problem.duration + 1)
        if t % (align or 1) == 0
    ]


def not_offered(problem, who, start):
    return [
        tick
        for tick in range(start, start + problem.duration)
        if brute.preference_at(problem.rows, who, tick) < 0
    ]


def is_taken(busy, people, start, duration):
    return any(
        who in people and begin < start + duration and end > start for who, begin, end in busy
    )


@settings(max_examples=200, deadline=None)
@given(problems(rows=12, ticks=30), ALIGNS, st.integers(-1, 3), st.data())
def test_the_ask_equals_its_definition(problem, align, never, data):
    busy = data.draw(elsewhere(problem.people))
    never = never if 0 <= never < problem.people else None
    needed = [who for who in range(problem.people) if problem.required[who]]
    wanted = []
    for start in starts_of(problem, align):
        lacking = {who: not_offered(problem, who, start) for who in needed}
        if lacking.get(never) or is_taken(busy, needed, start, problem.duration):
            continue
        asked = sorted((who, tick) for who, ticks in lacking.items() for tick in ticks)
        wanted.append((sum(map(bool, lacking.values())), len(asked), start, asked))

    room = engine.smallest_ask(
        problem.windows, problem.duration, **problem.bounds, align=align, never=never, busy=busy
    )

    if not wanted:
        assert room is None
        return
    assert room is not None
    ticks = [(each.who, tick) for each in room.wanted for tick in range(each.start, each.end)]
    assert (room.start, sorted(ticks)) == min(wanted)[2:]
    # And each stretch is told as one.
    assert all(
        one.who != two.who or one.end < two.start
        for one, two in zip(room.wanted, room.wanted[1:], strict=False)
    )


@settings(max_examples=75, deadline=None)
@given(problems(rows=12))
def test_whoever_offers_what_is_wanted_makes_it_work(problem):
    room = engine.smallest_ask(problem.windows, problem.duration, **problem.bounds)
    if room is None:
        return
    more = engine.windows(
        [*problem.rows, *((each.who, each.start, each.end, 5) for each in room.wanted)],
        problem.people,
    )

    can = engine.attendance(more, room.start, problem.duration) > 0

    assert can[np.array(problem.required)].all()


@settings(max_examples=100, deadline=None)
@given(problems(rows=12, ticks=30), ALIGNS, st.data())
def test_what_somebody_lacks_equals_its_definition(problem, align, data):
    busy = data.draw(elsewhere(problem.people))
    starts = starts_of(problem, align)
    bounds = {
        "earliest": problem.earliest,
        "latest_end": problem.latest_end,
        "align": align,
        "busy": busy,
    }

    for who in range(problem.people):
        open_starts = [
            start for start in starts if not is_taken(busy, [who], start, problem.duration)
        ]
        least = min((len(not_offered(problem, who, start)) for start in open_starts), default=None)
        assert engine.least_short(problem.windows, problem.duration, who, **bounds) == least


def test_far_horizons_stay_exact_and_small():
    century = 52_560_000
    free = engine.windows(
        [(0, 0, 60, 9), (1, 0, 50, 4), (1, 90 * century, 90 * century + 60, 9)], 2
    )

    room = engine.smallest_ask(free, 60, earliest=-100 * century, latest_end=100 * century)

    assert room == Room(0, (Need(1, 50, 60),))

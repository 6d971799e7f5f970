"""Joint plans are the best possible, and keep all rules."""

import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commontime.engine import Meeting, Plan, Value, attendance, plan, preferences, room_for, windows
from commontime.engine.columns import columns
from commontime.engine.joint import components
from commontime.engine.meetings import apart
from commontime.engine.neighbourhoods import Neighbourhoods
from commontime.engine.placing import Board
from commontime.engine.programme import maximal_moments, programme
from commontime.engine.searching import Search
from commontime.engine.solver import maximise, weights_of
from tests.engine.plans import GRID, best_of_all, is_possible, problems, value_of

quiet = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@quiet
@given(problems())
def test_no_plan_is_better(problem):
    free, meetings = problem

    answer = plan(free, meetings, align=GRID, seconds=60)

    assert is_possible(free, meetings, answer.start, answer.attends)
    assert answer.value == value_of(free, meetings, answer.start, answer.attends)
    assert answer.value.key == best_of_all(free, meetings, GRID)
    assert answer.proved
    assert answer.bound == answer.value
    assert answer.gap == 0
    assert set(answer.why) == {n for n, start in enumerate(answer.start) if start < 0}


@quiet
@given(problems(people=5, most=6, span=60))
def test_without_time_a_plan_is_possible_and_its_bound_true(problem):
    free, meetings = problem

    quick, best = (
        plan(free, meetings, align=GRID, seconds=0),
        plan(free, meetings, align=GRID, seconds=60),
    )

    assert is_possible(free, meetings, quick.start, quick.attends)
    assert quick.value == value_of(free, meetings, quick.start, quick.attends)
    assert quick.value.key <= best.value.key <= quick.bound.key
    assert quick.proved <= (quick.value == best.value)
    assert best.proved


@quiet
@given(problems(), st.integers(-500, 500))
def test_the_same_later_is_planned_the_same_later(problem, shift):
    free, meetings = problem
    by = shift * GRID
    moved = windows(
        list(zip(free.who, free.start + by, free.end + by, free.preference, strict=True)),
        free.people,
    )
    later = [replace(m, earliest=m.earliest + by, latest_end=m.latest_end + by) for m in meetings]

    now, then = plan(free, meetings, align=None), plan(moved, later, align=None)

    assert now.value == then.value
    assert now.proved
    assert then.proved


@quiet
@given(
    problems(),
    st.tuples(st.integers(0, 2), st.integers(-10, 60), st.integers(1, 40), st.integers(0, 10)),
)
def test_more_time_never_makes_it_worse(problem, more):
    free, meetings = problem
    who, start, length, preference = more
    rows = list(
        zip(
            free.who.tolist(),
            free.start.tolist(),
            free.end.tolist(),
            free.preference.tolist(),
            strict=True,
        )
    )
    freer = windows([*rows, (who, start, start + length, preference)], free.people)

    assert plan(free, meetings, align=GRID).value.key <= plan(freer, meetings, align=GRID).value.key


@quiet
@given(problems(), st.permutations(range(3)))
def test_who_is_called_what_does_not_matter(problem, names):
    free, meetings = problem
    other = windows(
        [
            (names[w], *row)
            for w, *row in zip(free.who, free.start, free.end, free.preference, strict=True)
        ],
        3,
    )
    renamed = [
        replace(
            m,
            required=tuple(names[who] for who in m.required),
            optional=tuple(names[who] for who in m.optional),
        )
        for m in meetings
    ]

    assert plan(free, meetings, align=GRID).value == plan(other, renamed, align=GRID).value


@quiet
@given(problems(), st.randoms(use_true_random=False))
def test_a_window_may_be_split_repeated_or_covered(problem, random):
    free, meetings = problem
    rows = list(
        zip(
            free.who.tolist(),
            free.start.tolist(),
            free.end.tolist(),
            free.preference.tolist(),
            strict=True,
        )
    )
    halves = [
        part
        for who, a, b, x in rows
        for part in [(who, a, a + GRID, x), (who, a + GRID, b, x)]
        if part[2] > part[1]
    ]
    below = [(who, random.randrange(a, b), b, random.randint(0, x)) for who, a, b, x in rows]

    once = plan(free, meetings, align=GRID)

    for same in (halves, rows + rows[:3], rows + below):
        answer = plan(windows(same, free.people), meetings, align=GRID)
        assert (answer.start, answer.attends, answer.value) == (
            once.start,
            once.attends,
            once.value,
        )


@quiet
@given(problems(), st.randoms(use_true_random=False))
def test_in_which_order_meetings_are_named_does_not_matter(problem, random):
    free, meetings = problem
    others = random.sample(meetings, len(meetings))

    assert plan(free, meetings, align=GRID).value == plan(free, others, align=GRID).value


@quiet
@given(problems())
def test_a_grid_on_which_everything_lies_loses_nothing(problem):
    """Lemma 2: some best plan, moved to the left, lies on the grid."""
    free, meetings = problem

    coarse, fine = (plan(free, meetings, align=align, seconds=60) for align in (GRID, 1))

    assert coarse.value == fine.value
    assert (coarse.proved, fine.proved) == (True, True)


@quiet
@given(problems(), problems())
def test_meetings_that_share_nobody_are_planned_as_if_alone(problem, other):
    """Lemma 6."""
    (free, meetings), (their_free, theirs) = problem, other
    rows = [
        list(
            zip(
                f.who.tolist(), f.start.tolist(), f.end.tolist(), f.preference.tolist(), strict=True
            )
        )
        for f in (free, their_free)
    ]
    both = windows(
        [*rows[0], *((who + free.people, *rest) for who, *rest in rows[1])],
        free.people + their_free.people,
    )
    moved = [
        replace(
            m,
            required=tuple(who + free.people for who in m.required),
            optional=tuple(who + free.people for who in m.optional),
        )
        for m in theirs
    ]

    one, two, together = (
        plan(free, meetings, align=GRID),
        plan(their_free, theirs, align=GRID),
        plan(both, [*meetings, *moved], align=GRID),
    )

    assert together.value.key == tuple(map(sum, zip(one.value.key, two.value.key, strict=True)))
    assert together.start == one.start + two.start


@given(st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=3, unique=True), max_size=8))
def test_meetings_are_in_one_part_exactly_if_people_connect_them(groups):
    meetings = [
        Meeting(duration=1, required=(first,), optional=tuple(others), earliest=0, latest_end=1)
        for first, *others in groups
    ]
    linked = [
        {n} | {m for m, other in enumerate(groups) if set(group) & set(other)}
        for n, group in enumerate(groups)
    ]
    for _ in groups:
        linked = [set().union(*(linked[m] for m in some)) for some in linked]

    assert sorted(map(sorted, components(range(len(meetings)), meetings))) == sorted(
        map(list, {tuple(sorted(some)) for some in linked})
    )


@given(st.lists(st.integers(1, 9), min_size=1, max_size=5), st.data())
def test_one_weighted_sum_orders_as_all_counts_do(widths, data):
    """Lemma 5."""
    counts = st.tuples(*(st.integers(0, width - 1) for width in widths))
    one, other = data.draw(counts), data.draw(counts)
    weights = weights_of(widths)

    assert (one < other, one == other) == (
        weights @ one < weights @ other,
        weights @ one == weights @ other,
    )


# Facts --------------------------------------------------------------------------------------------

HOUR = 60


def two(**fields):
    """Return two meetings of an hour for the same two people."""
    return [
        Meeting(duration=HOUR, required=(0, 1), earliest=0, latest_end=12 * HOUR, **fields)
        for _ in range(2)
    ]


def free_for(*hours, people=2, preference=5):
    return windows(
        [(who, a * HOUR, b * HOUR, preference) for who in range(people) for a, b in hours], people
    )


def test_meetings_of_the_same_people_follow_each_other():
    assert sorted(plan(free_for((8, 10)), two()).start) == [8 * HOUR, 9 * HOUR]


def test_a_buffer_keeps_them_apart():
    assert sorted(plan(free_for((8, 11)), two(buffer=30)).start) == [480, 570]
    assert sorted(plan(free_for((8, 10)), two(buffer=30)).start) == [-1, 480]


def test_the_meeting_with_priority_gets_the_only_time():
    first, second = two()
    urgent = Meeting(duration=HOUR, required=(0, 1), earliest=0, latest_end=600, priority=3)

    answer = plan(free_for((8, 9)), [first, urgent, second])

    assert answer.start == (-1, 480, -1)
    assert answer.value.priority == 3
    assert {number: (why.people, why.meetings) for number, why in answer.why.items()} == {
        0: ((0, 1), (1,)),
        2: ((0, 1), (1,)),
    }


def test_a_pinned_meeting_stays_where_it_is():
    first, _ = two()
    pinned = Meeting(duration=HOUR, required=(0, 1), earliest=0, latest_end=720, pinned=487)

    answer = plan(free_for((8, 10)), [first, pinned])

    assert answer.start == (-1, 487)
    assert answer.proved
    assert plan(free_for((8, 12)), [first, pinned]).start == (555, 487)


def test_of_two_pinned_to_one_time_the_second_has_no_place():
    pinned = Meeting(duration=HOUR, required=(0, 1), earliest=0, latest_end=720, pinned=480)

    answer = plan(free_for((8, 10)), [pinned, pinned])

    assert answer.start == (480, -1)
    assert answer.why[1].meetings == (0,)


def test_who_has_no_common_time_is_told():
    free = windows([(0, 480, 540, 5), (1, 600, 660, 5)], 2)

    answer = plan(free, two()[:1])

    assert answer.start == (-1,)
    assert answer.why[0].people == (0, 1)
    assert answer.why[0].meetings == ()
    assert answer.proved


def test_without_align_any_minute_will_do():
    free = windows([(0, 487, 547, 5), (1, 487, 547, 5)], 2)

    assert plan(free, two()[:1]).start == (-1,)
    assert plan(free, two()[:1], align=None).start == (487,)


def a_full_week():
    people = 24
    free = windows(
        [
            (who, 540 + 1440 * day + 30 * (who % 5), 1020 + 1440 * day, (who * 7 + day) % 11)
            for who in range(people)
            for day in range(5)
        ],
        people,
    )
    asked = [(n % people, (n * 5 + 1) % people, (n * 3 + 2) % people, n) for n in range(40)]
    meetings = [
        Meeting(
            duration=60,
            required=(one, two),
            optional=(three,) if n % 3 else (),
            earliest=0,
            latest_end=5 * 1440,
        )
        for one, two, three, n in asked
        if len({one, two, three}) == 3
    ]
    return free, meetings


def test_many_meetings_are_proved_and_told_of_on_the_way(monkeypatch):
    free, meetings = a_full_week()
    told: list[Plan] = []
    once = plan(free, meetings, seconds=60)
    monkeypatch.setattr(
        "commontime.engine.joint.ALONE", 0
    )  # what is proved is the same with the search beside the solver and without
    monkeypatch.setattr("commontime.engine.joint.REPORT_EVERY", 0.05)

    answer = plan(free, meetings, seconds=60, on_progress=lambda so_far: bool(told.append(so_far)))

    assert is_possible(free, meetings, answer.start, answer.attends)
    assert answer.proved
    assert answer == once
    for so_far in told:
        assert is_possible(free, meetings, so_far.start, so_far.attends)
        assert so_far.value.key <= answer.value.key <= so_far.bound.key


def test_a_freed_neighbourhood_is_never_placed_worse():
    free, meetings = a_full_week()
    gaps, numbers = apart(meetings), list(range(len(meetings)))
    options = columns(free, meetings, 15, gaps)
    board = Board(meetings, options, gaps, free.people)
    for number in numbers[:-2]:
        board.put(
            number,
            next(
                column for column in range(len(options[number])) if board.open(number) >> column & 1
            ),
        )
    model = programme(meetings, options, gaps, placed=[False] * len(meetings))
    neighbourhoods = Neighbourhoods(
        board, model, numbers, numbers, Search(board, numbers, seed=1).near
    )
    totals = [board.total]

    for _ in range(4):
        neighbourhoods.improve(time.monotonic() + 60)
        totals.append(board.total)

        starts = [board.begin[number] if board.place[number] >= 0 else -1 for number in numbers]
        attends = [
            (*m.required, *some) if start >= 0 else ()
            for m, some, start in zip(meetings, board.attends(), starts, strict=True)
        ]
        assert is_possible(free, meetings, starts, attends)

    assert totals == sorted(totals)
    assert totals[0] < totals[-1]
    assert min(board.place) >= 0


def test_a_search_can_be_stopped_and_keeps_the_best(monkeypatch):
    monkeypatch.setattr("commontime.engine.joint.REPORT_EVERY", 0)
    free, meetings = (
        free_for((8, 12), people=4),
        [
            Meeting(
                duration=45,
                required=(n % 4, (n + 1) % 4),
                optional=((n + 2) % 4,),
                earliest=0,
                latest_end=720,
            )
            for n in range(12)
        ],
    )

    answer = plan(free, meetings, seconds=60, on_progress=lambda so_far: True)

    assert is_possible(free, meetings, answer.start, answer.attends)
    assert answer.value.priority > 0
    assert answer.value.key <= plan(free, meetings, seconds=60).value.key <= answer.bound.key


@pytest.mark.parametrize("relaxed_first", [False, True])
def test_a_solver_that_fails_bounds_nothing(monkeypatch, relaxed_first):
    free, meetings = a_full_week()
    gaps = apart(meetings)
    model = programme(
        meetings, columns(free, meetings, 15, gaps), gaps, placed=[False] * len(meetings)
    )
    monkeypatch.setattr("commontime.engine.solver.Highs.run", lambda highs: None)

    solution, bound = maximise(model, model.gain[:, 0], 0, relaxed_first=relaxed_first)

    assert solution is None
    assert bound == 2**62


SOLVER_PAST_ITS_TIME = """
import time
from commontime.engine import Meeting, plan, windows
from commontime.engine.proof import Proof

def run(self, known, until):
    time.sleep(0.5)
    print("The solver came back.")

Proof.run = run
free = windows([(0, 0, 60, 9), (0, 60, 120, 2)], 1)
plan(free, [Meeting(duration=60, required=(0,), earliest=0, latest_end=120)] * 2, seconds=0.5)
print("The process ends.")
"""


def test_a_process_ends_after_the_solver_came_back():
    """Python 3.13 may abort otherwise: "terminate called without an active exception"."""
    ended = subprocess.run(
        [sys.executable, "-c", SOLVER_PAST_ITS_TIME],
        cwd="src",
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.stdout.splitlines() == ["The process ends.", "The solver came back."]
    assert ended.returncode == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"duration": 0},
        {"buffer": -1},
        {"priority": 0},
        {"required": (0, 2)},
        {"required": (0, 0)},
        {"required": (0,), "optional": (0,)},
        {"required": ()},
    ],
)
def test_what_makes_no_sense_is_refused(wrong):
    meeting = Meeting(
        **{"duration": 60, "required": (0, 1), "earliest": 0, "latest_end": 600, **wrong}
    )

    with pytest.raises(ValueError, match="Meeting 1"):
        plan(free_for((8, 10)), [two()[0], meeting])


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 6)), min_size=1, max_size=12))
def test_moments_hold_all_largest_sets_of_intervals_and_no_other(spans):
    begin = np.array([a for a, _ in spans])
    end = np.array([a + n for a, n in spans])

    def held_at(moment):
        return frozenset(np.flatnonzero((begin <= moment) & (end > moment)).tolist())

    everything = {held_at(moment) for moment in range(30)} - {frozenset()}
    largest = {one for one in everything if not any(one < other for other in everything)}
    moments = maximal_moments(begin, end).tolist()

    assert {held_at(moment) for moment in moments} == largest
    assert len(moments) == len(largest)


# Room for one more --------------------------------------------------------------------------------


def test_the_smallest_ask_is_the_fewest_people_then_the_least_time():
    free = windows([(0, 480, 600, 5), (1, 480, 520, 5), (1, 565, 600, 5), (2, 480, 600, 5)], 3)
    meeting = Meeting(duration=60, required=(0, 1, 2), earliest=480, latest_end=600)

    answer = plan(free, [meeting])
    room = room_for(free, [meeting], answer, 0)

    assert answer.start == (-1,)
    assert (room.start, [(w.who, w.start, w.end) for w in room.wanted]) == (480, [(1, 520, 540)])


def test_asking_cannot_help_where_people_are_in_other_meetings():
    meetings = [*two()[:1], Meeting(duration=60, required=(0,), earliest=480, latest_end=540)]
    answer = plan(free_for((8, 9)), meetings)

    assert answer.start.count(-1) == 1
    homeless = answer.start.index(-1)
    room = room_for(free_for((8, 9)), meetings, answer, homeless)
    assert (room is None) == (homeless == 1)


@quiet
@given(problems())
def test_what_is_asked_for_gives_the_meeting_its_place(problem):
    free, meetings = problem
    answer = plan(free, meetings, align=GRID)

    for number in answer.why:
        room = room_for(free, meetings, answer, number, align=GRID)
        if room is None:
            continue
        rows = list(
            zip(
                free.who.tolist(),
                free.start.tolist(),
                free.end.tolist(),
                free.preference.tolist(),
                strict=True,
            )
        )
        given_too = windows(
            [*rows, *((w.who, w.start, w.end, 5) for w in room.wanted)], free.people
        )
        needed = set(meetings[number].required)
        start = [room.start if n == number else s for n, s in enumerate(answer.start)]
        # Whoever is asked to come here need not go where they are only optional.
        attends = [
            meetings[number].required
            if n == number
            else tuple(p for p in people if p in meetings[n].required or p not in needed)
            for n, people in enumerate(answer.attends)
        ]
        start = [s if people else -1 for s, people in zip(start, attends, strict=True)]
        assert is_possible(given_too, meetings, start, attends)
        # Nobody is asked for what they offered.
        assert all(
            attendance(free, wanted.start, wanted.end - wanted.start)[wanted.who] == 0
            for wanted in room.wanted
        )


@given(
    st.lists(
        st.tuples(st.integers(0, 1), st.integers(0, 30), st.integers(1, 15), st.integers(0, 10)),
        max_size=6,
    ),
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 30), st.integers(1, 9)), max_size=4),
    st.integers(0, 6),
)
def test_who_is_elsewhere_attends_nothing_then_nor_in_the_buffer_after_it(
    offered, elsewhere, buffer
):
    """Compare with every start of a meeting with a required and an optional person."""
    free = windows([(who, a, a + n, level) for who, a, n, level in offered], 2)
    busy = [(who, a, a + n) for who, a, n in elsewhere]
    meeting = Meeting(
        duration=5, required=(0,), optional=(1,), earliest=0, latest_end=60, buffer=buffer
    )

    def can(who, start):
        is_elsewhere = any(
            w == who and start < end and start + 5 + buffer > begin for w, begin, end in busy
        )
        return -1 if is_elsewhere else int(preferences(free, [start], 5)[0, who])

    values = {start: (can(0, start), can(1, start)) for start in range(56)}
    keys = {
        start: Value(1, optional >= 0, *counts(required, optional)).key
        for start, (required, optional) in values.items()
        if required >= 0
    }

    answer = plan(free, [meeting], align=None, busy=busy)

    assert answer.proved
    assert answer.value.key == max(keys.values(), default=Value().key)
    assert answer.start[0] == min(
        (start for start in keys if keys[start] == answer.value.key), default=-1
    )
    room = room_for(free, [meeting], answer, 0, align=None, busy=busy)
    assert room is None or not any(
        who == 0 and room.start < end and room.start + 5 + buffer > begin
        for who, begin, end in busy
    )


def counts(*preferences: int) -> tuple[int, int, int]:
    """Return the counts *if need be* and *works*, and the sum."""
    here = [each for each in preferences if each >= 0]
    return sum(each < 4 for each in here), sum(4 <= each < 8 for each in here), sum(here)

"""Plans too large to be proved are still possible, and truly bounded.

Their size is limited, and each meeting is as early as it can be.
"""

import time
import tracemalloc
from dataclasses import replace
from itertools import chain, repeat

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from commontime.engine import Meeting, plan, preferences, windows
from commontime.engine import columns as columns_of
from commontime.engine import joint as joint_of
from commontime.engine.columns import columns
from commontime.engine.fitting import fit
from commontime.engine.meetings import apart
from commontime.engine.placing import Board
from commontime.engine.programme import entries, few_enough, programme
from tests.engine.plans import GRID, best_of_all, is_possible, problems, value_of

quiet = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


LIMITS = (
    [(columns_of, "MOST_COLUMNS", 6)],
    [(joint_of, "MOST_ENTRIES", 12)],
    [(columns_of, "FEWEST_LOOKED_AT", 3), (joint_of, "CELLS_A_SECOND", 0)],
)


@quiet
@given(problems(people=4, most=3), st.sampled_from(LIMITS))
def test_with_some_columns_a_plan_is_possible_and_its_bound_true(problem, limits):
    free, meetings = problem
    best = best_of_all(free, meetings, 1)

    with pytest.MonkeyPatch.context() as patched:
        for limit in limits:
            patched.setattr(*limit)
        answer = plan(free, meetings, align=1, seconds=0.3)

    assert is_possible(free, meetings, answer.start, answer.attends)
    assert answer.value == value_of(free, meetings, answer.start, answer.attends)
    assert answer.value.key <= best <= answer.bound.key
    assert not answer.proved or answer.value.key == best


def test_that_some_of_the_starts_clash_is_no_proof_that_all_do(monkeypatch):
    """Each keeps two starts at which both can't be; three hours later they could."""
    monkeypatch.setattr(columns_of, "MOST_COLUMNS", 4)
    free = windows([(0, 0, 60, 10), (0, 60, 240, 5)], 1)
    asked = [Meeting(duration=60, required=(0,), earliest=0, latest_end=240) for _ in range(2)]

    answer = plan(free, asked, align=15, seconds=0.2)

    assert not answer.proved
    assert answer.bound.priority == 2


@quiet
@given(problems(people=4, most=4), st.integers(2, 9))
def test_each_meeting_keeps_where_it_is_worth_most(problem, most):
    free, meetings = problem
    for option in columns(free, meetings, 1, apart(meetings)):
        held = len(option) // 2 if len(option) else -1
        kept = option.sample(most, held)
        some = option.only(kept)

        assert kept.tolist() == sorted(set(kept.tolist()))
        assert len(kept) <= most + 1
        assert held < 0 or held in kept
        assert (len(kept) == len(option)) or len(kept) >= most
        assert not len(option) or tuple(option.best) in {
            tuple(row) for row in (some.gain + columns_of.worth(some.optional).sum(axis=1))
        }


@quiet
@given(problems(people=4, most=4), st.integers(1, 60))
def test_a_programme_has_no_more_entries_than_it_may(problem, most):
    free, meetings = problem
    gaps, options = apart(meetings), columns(free, meetings, 1, apart(meetings))
    place = [len(option) - 1 for option in options]
    if not sum(map(len, options)):
        return

    kept = few_enough(meetings, options, gaps, place, most)
    model = programme(meetings, options, gaps, placed=[False] * len(meetings), kept=kept)

    if kept is None:
        assert len(model.matrix.value) <= entries(meetings, options, gaps, most) <= most
    else:
        assert sum(map(len, kept)) < sum(map(len, options)) or max(map(len, options)) <= 5
        assert all(column in some for column, some in zip(place, kept, strict=True) if column >= 0)
        assert (
            model.values_of(place, [()] * len(meetings), meetings) & (model.seat < 0)
        ).sum() == sum(column >= 0 for column in place)


def a_wide_week() -> tuple:
    """Return sixty free days, and too many meetings to prove by the minute."""
    rng = np.random.default_rng(4)
    free = windows(
        [
            (who, day * 1440, (day + 1) * 1440, int(rng.integers(0, 11)))
            for who in range(12)
            for day in range(60)
        ],
        12,
    )
    who = [rng.permutation(12)[:4].tolist() for _ in range(60)]
    asked = [
        Meeting(
            duration=45,
            required=tuple(w[:3]),
            optional=tuple(w[3:]),
            earliest=0,
            latest_end=60 * 1440,
        )
        for w in who
    ]
    return free, asked


def test_columns_and_programme_stay_within_memory(monkeypatch):
    monkeypatch.setattr("commontime.engine.columns.MOST_COLUMNS", 60_000)
    free, asked = a_wide_week()
    gaps = apart(asked)

    options = columns(free, asked, 1, gaps)
    kept = few_enough(asked, options, gaps, [-1] * len(asked), 100_000)
    model = programme(asked, options, gaps, placed=[False] * len(asked), kept=kept)

    assert {(len(option), option.is_complete) for option in options} == {(1_000, False)}
    assert 10_000 < len(model.matrix.value) <= 100_000


def test_where_choices_rule_out_too_much_nothing_is_tried():
    free, asked = a_wide_week()
    gaps = apart(asked[:12])
    board = Board(asked[:12], columns(free, asked[:12], 1, gaps), gaps, free.people)

    assert fit(board, range(12), go_on=lambda: True) is None


def test_a_plan_without_time_is_the_greedy_one_and_possible():
    free, asked = a_wide_week()

    answer = plan(free, asked, align=None, seconds=0)

    assert is_possible(free, asked, answer.start, answer.attends)
    assert answer.value.priority == len(asked)


def test_what_lies_between_two_changes_is_never_written_out(monkeypatch):
    """300 people on a minute's grid of 60 days have 26 million preferences.

    Each changes 60 times.
    """
    monkeypatch.setattr(columns_of, "MOST_COLUMNS", 15_000)
    free = windows(
        [
            (who, day * 1440, (day + 1) * 1440, (who + day) % 11)
            for who in range(300)
            for day in range(60)
        ],
        300,
    )
    asked = [
        Meeting(duration=45, required=(who, who + 150), earliest=0, latest_end=60 * 1440)
        for who in range(150)
    ]
    gaps = apart(asked)

    tracemalloc.start()
    options = columns(free, asked, 1, gaps)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert {len(option) for option in options} == {100}
    assert peak < 12_000_000


def test_optional_people_are_looked_at_at_no_more_starts_than_there_is_time_for(monkeypatch):
    free = windows(
        [
            (who, day * 1440 + who, day * 1440 + who + 600, (who + day) % 11)
            for who in range(60)
            for day in range(30)
        ],
        60,
    )
    asked = [
        Meeting(
            duration=45,
            required=(who,),
            optional=tuple({*range(60)} - {who}),
            earliest=0,
            latest_end=30 * 1440,
        )
        for who in range(20)
    ]
    looked = []
    sums = columns_of._sums

    def counting(*asked_for):
        table = sums(*asked_for)
        looked.append(table.size)
        return table

    monkeypatch.setattr(columns_of, "_sums", counting)
    all_of = columns(free, asked, 1, apart(asked))
    everything = sum(looked)
    looked.clear()
    some_of = columns(free, asked, 1, apart(asked), cells=100_000)

    assert sum(looked) < 150_000 < everything / 10
    for some, every in zip(some_of, all_of, strict=True):
        where = every.start.searchsorted(some.start)
        assert (every.start[where] == some.start).all()
        assert (every.gain[where] == some.gain).all()
        assert (every.optional[where] == some.optional).all()
        assert not some.is_complete
        assert tuple(some.best) >= tuple(every.best)


def test_after_its_time_a_plan_places_what_is_left_without_looking_at_optional_people(monkeypatch):
    free, asked = a_wide_week()
    clock = chain([0.0] * 4, repeat(9.0))  # over after the third meeting
    weighed, best_place = [], Board.best_place
    monkeypatch.setattr(joint_of.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(
        Board, "best_place", lambda board, *args: weighed.append(args) or best_place(board, *args)
    )

    answer = plan(free, asked, align=15, seconds=1)

    assert len(weighed) == 3
    assert is_possible(free, asked, answer.start, answer.attends)
    assert answer.value.priority == len(asked)


@quiet
@given(problems(people=4, most=6), st.randoms(use_true_random=False))
def test_optional_people_attend_as_much_as_if_each_two_meetings_were_compared(problem, random):
    free, meetings = problem
    gaps, options = apart(meetings), columns(free, meetings, 1, apart(meetings))
    board = Board(meetings, options, gaps, free.people)
    for number, option in enumerate(options):
        if is_open := [column for column in range(len(option)) if board.open(number) >> column & 1]:
            board.put(number, random.choice(is_open))
    at_once, attends = board.total, board.attends()

    board._has_journeys = True
    board._changed = set(range(free.people))

    assert board.total == at_once
    starts = [
        board.begin[number] if board.place[number] >= 0 else -1 for number in range(len(meetings))
    ]
    people = [
        (*m.required, *some) if start >= 0 else ()
        for m, some, start in zip(meetings, attends, starts, strict=True)
    ]
    assert is_possible(free, meetings, starts, people)


def earlier_starts(free, meetings, answer, number, align) -> list[int]:
    """Return earlier starts of a meeting that change nothing for anybody.

    The other meetings stay.
    """
    meeting, start, people = meetings[number], answer.start[number], answer.attends[number]
    now = preferences(free, [start], meeting.duration)[0, list(people)]
    others = answer.start[:number], answer.start[number + 1 :]
    return [
        tick
        for tick in range(-(-meeting.earliest // align) * align, start, align)
        if (preferences(free, [tick], meeting.duration)[0, list(people)] == now).all()
        and is_possible(free, meetings, (*others[0], tick, *others[1]), answer.attends)
    ]


ALONE = (
    windows([(0, 0, 20, 5), (0, 50, 90, 5), (1, 10, 24, 8), (1, 45, 90, 2)], 2),
    [Meeting(duration=10, required=(0,), optional=(1,), earliest=50, latest_end=90)],
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(problems(people=4, most=4), st.sampled_from([None, 1, GRID]))
@example(ALONE, 1)
def test_each_meeting_is_as_early_as_costs_nobody_anything(problem, align):
    """The wishes of people who do not attend do not matter."""
    free, meetings = problem

    answer = plan(free, meetings, align=align, seconds=60)

    for number, start in enumerate(answer.start):
        if start >= 0:
            assert earlier_starts(free, meetings, answer, number, align or GRID) == []


def test_who_does_not_attend_keeps_no_meeting_late():
    """Ann is in the other meeting, so her wishes do not matter here."""
    free = windows([(0, 0, 120, 5), (1, 0, 60, 2), (1, 60, 120, 9), (2, 0, 120, 5)], 3)
    base = Meeting(duration=60, required=(0,), optional=(1,), earliest=0, latest_end=120)
    other = Meeting(duration=120, required=(1, 2), earliest=0, latest_end=120, pinned=0)
    late = [replace(base, earliest=0), other]

    board = Board(late, columns(free, late, 30, apart(late)), apart(late), 3)
    board.put(1, 0)
    board.put(0, 2)
    joint_of.settle(board, [0], lambda: True)

    assert board.begin[0] == 0


def test_without_time_nothing_is_moved():
    free = windows([(0, 0, 120, 5)], 1)
    only = [Meeting(duration=60, required=(0,), earliest=0, latest_end=120)]
    board = Board(only, columns(free, only, 30, apart(only)), apart(only), 1)
    board.put(0, 2)

    joint_of.settle(board, [0], lambda: time.monotonic() < 0)

    assert board.begin[0] == 60

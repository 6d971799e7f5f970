"""Starts lie at round times of a clock whose offset from UTC changes."""

from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commontime import engine
from tests.engine import brute
from tests.engine.plans import best_of_all, is_possible
from tests.engine.plans import problems as plans
from tests.engine.problems import problems

quiet = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@dataclass(frozen=True)
class Clock:
    """A clock; its round ticks are known by trying each."""

    step: int
    offsets: tuple[tuple[int, int], ...]

    @property
    def marks(self) -> engine.Marks:
        return engine.marks(self.step, self.offsets)

    def is_round(self, tick: int) -> bool:
        ahead = next(
            (ahead for since, ahead in reversed(self.offsets) if tick >= since), self.offsets[0][1]
        )
        return (tick + ahead) % self.step == 0

    def between(self, first: int, last: int) -> list[int]:
        return [tick for tick in range(first, last + 1) if self.is_round(tick)]


@st.composite
def clocks(draw, span=60):
    changes = sorted(draw(st.sets(st.integers(-10, span), min_size=1, max_size=4)))
    return Clock(
        draw(st.integers(1, 9)), tuple((tick, draw(st.integers(-12, 12))) for tick in changes)
    )


@given(clocks(), st.integers(-20, 70))
def test_each_tick_knows_the_marks_about_it(clock, tick):
    marks, near = clock.marks, clock.between(-100, 150)

    assert marks.at_or_after(tick) == next(mark for mark in near if mark >= tick)
    assert marks.at_or_before(tick) == next(mark for mark in reversed(near) if mark <= tick)
    assert marks.before(tick) - marks.before(-20) == len(clock.between(-20, tick - 1))


@given(clocks(), st.integers(-20, 70), st.integers(-1, 60))
def test_marks_between_two_ticks_and_not_too_many(clock, first, length):
    wanted = clock.between(first, first + length)

    assert clock.marks.within(first, first + length, len(wanted)).tolist() == wanted
    if wanted:
        with pytest.raises(engine.TooManyStartsError):
            clock.marks.within(first, first + length, len(wanted) - 1)


@quiet
@given(problems(rows=12, ticks=40), clocks())
def test_the_best_start_is_the_best_mark(problem, clock):
    low, high = problem.bounds["earliest"], problem.bounds["latest_end"] - problem.duration
    rows = [
        (brute.everybody(problem.rows, problem.people, start, problem.duration), start)
        for start in clock.between(low, high)
    ]

    def key(row) -> tuple:
        came, start = row
        counts = brute.histogram(came)
        must = [came[person] for person in range(problem.people) if problem.required[person]]
        return (
            -sum(p < 0 for p in must),
            sum(counts[1:]),
            -counts[1],
            -counts[2],
            brute.happy(came),
            -start,
        )

    slots = engine.best(problem.profile, 1, align=clock.marks)

    assert [slot.start for slot in slots] == [max(rows, key=key)[1]] if rows else slots == []


@quiet
@given(problems(rows=12, ticks=40), clocks())
def test_who_alone_is_missing_is_counted_on_marks(problem, clock):
    low, high = problem.bounds["earliest"], problem.bounds["latest_end"] - problem.duration
    alone = [0] * problem.people
    for start in clock.between(low, high):
        came = brute.everybody(problem.rows, problem.people, start, problem.duration)
        missing = [
            person
            for person in range(problem.people)
            if problem.required[person] and came[person] < 0
        ]
        if len(missing) == 1:
            alone[missing[0]] += 1

    assert (
        engine.swing(
            problem.windows, problem.duration, align=clock.marks, **problem.bounds
        ).tolist()
        == alone
    )


@quiet
@given(problems(rows=12, ticks=40), clocks())
def test_the_smallest_ask_is_on_a_mark(problem, clock):
    low, high = problem.bounds["earliest"], problem.bounds["latest_end"] - problem.duration
    people = [person for person in range(problem.people) if problem.required[person]]

    def wanted(start: int) -> tuple[int, int, int]:
        lacking = [
            sum(
                brute.preference_at(problem.rows, person, tick) < 0
                for tick in range(start, start + problem.duration)
            )
            for person in people
        ]
        return sum(map(bool, lacking)), sum(lacking), start

    room = engine.smallest_ask(
        problem.windows, problem.duration, align=clock.marks, **problem.bounds
    )

    starts = clock.between(low, high)
    assert (room.start if room else None) == (min(map(wanted, starts))[2] if starts else None)


@quiet
@given(problems(rows=12, ticks=40), clocks())
def test_two_sessions_begin_on_marks_and_none_reach_more(problem, clock):
    low, high = problem.bounds["earliest"], problem.bounds["latest_end"] - problem.duration
    starts = clock.between(low, high)
    rows = {
        start: brute.everybody(problem.rows, problem.people, start, problem.duration)
        for start in starts
    }
    most = [
        sum(max(pair) >= 0 for pair in zip(rows[a], rows[b], strict=True))
        for a in starts
        for b in starts
        if b >= a + problem.duration
    ]

    pair = engine.two_sessions(
        problem.windows, problem.duration, align=clock.marks, **problem.bounds
    )

    assert (pair is None) == (not most)
    if pair:
        assert clock.is_round(pair.first)
        assert clock.is_round(pair.second)
        assert int((pair.preferences >= 0).sum()) == max(most)


@quiet
@given(plans(people=3, most=2), clocks())
def test_a_plan_on_marks_is_as_good_as_the_best_on_marks(problem, clock):
    free, meetings = problem

    answer = engine.plan(free, meetings, align=clock.marks, seconds=60)

    assert is_possible(free, meetings, answer.start, answer.attends)
    assert all(clock.is_round(start) for start in answer.start if start >= 0)
    assert answer.proved
    assert answer.value.key == best_of_all(free, meetings, clock.between)


@pytest.mark.parametrize("align", [0, -15])
def test_below_one_there_are_no_marks(align):
    with pytest.raises(ValueError, match="at least 1"):
        engine.marks_of(align)

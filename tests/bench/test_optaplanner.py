"""OptaPlanner's scorer agrees with sums by hand, and the search with it."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import optaplanner
from bench.optaplanner_score import Instance, Meeting, Score, score

ANN, BOB, CAT = range(3)


def instance(*meetings: Meeting, days=(0,) * 20, rooms=(4, 2)) -> Instance:
    return Instance(days, rooms, 3, meetings)


def meeting(duration: int, required=(), preferred=(), capacity=1) -> Meeting:
    return Meeting(duration, tuple(required), tuple(preferred), capacity)


def test_a_meeting_alone_costs_its_last_grain_and_the_larger_rooms_left_empty():
    alone = instance(meeting(3, [ANN]))

    assert score(alone, [5], [0]) == Score(0, 0, -7)
    assert score(alone, [5], [1]) == Score(0, 0, -7 - 2)


def test_overtime_costs_the_last_grain_and_crossing_a_day_one():
    assert score(instance(meeting(3)), [18], [0]) == Score(-20, 0, -20)
    assert score(instance(meeting(3), days=(0,) * 6 + (1,) * 14), [5], [0]) == Score(-1, 0, -7)


def test_missing_seats_are_hard():
    assert score(instance(meeting(1, capacity=5)), [0], [1]) == Score(-3, 0, -2)


def test_two_meetings_in_one_room_pay_for_each_grain_they_share():
    assert score(instance(meeting(3), meeting(3)), [0, 1], [0, 0]) == Score(-2, 0, -2 - 3 - 20)


def test_required_in_both_is_hard_and_every_other_conflict_medium():
    def conflict(one, other):
        return score(instance(one, other), [0, 0], [0, 1])[:2]

    assert conflict(meeting(2, [ANN, BOB]), meeting(3, [BOB, ANN])) == (-4, 0)
    assert conflict(meeting(2, [ANN]), meeting(2, [BOB], [ANN])) == (0, -2)
    assert conflict(meeting(2, [ANN], [BOB]), meeting(1, [], [BOB, CAT])) == (0, -1)


def test_touching_costs_a_hundred_in_whatever_rooms():
    touching = instance(meeting(2, [ANN]), meeting(2, [BOB]))

    assert score(touching, [0, 2], [0, 0]) == Score(0, 0, -1 - 3 - 100)
    assert score(touching, [2, 0], [0, 1]) == Score(0, 0, -1 - 3 - 2 - 100)


@pytest.mark.parametrize(("start", "changes"), [(0, 0), (1, 2), (4, 2), (5, 0)])
def test_whoever_must_change_rooms_within_two_grains_costs_one(start, changes):
    """OptaPlanner says that nobody has to change at the same start."""
    both = instance(meeting(2, [ANN], [BOB, CAT]), meeting(2, [BOB], [ANN]))
    there, apart = (score(both, [0, start], [0, room]).soft for room in (0, 1))

    assert there - apart == changes + 2  # two for the smaller room


def random_meetings() -> st.SearchStrategy[Meeting]:
    people = st.permutations([ANN, BOB, CAT])
    return st.builds(
        lambda duration, who, required, preferred, capacity: meeting(
            duration, who[:required], who[required : required + preferred], capacity
        ),
        *(st.integers(1, 5), people, st.integers(0, 2), st.integers(0, 2), st.integers(1, 4)),
    )


instances = st.builds(
    lambda meetings, day, rooms: instance(
        *meetings, days=tuple(grain // day for grain in range(40)), rooms=tuple(rooms)
    ),
    *(
        st.lists(random_meetings(), min_size=1, max_size=6),
        st.integers(8, 12),
        st.permutations([4, 3, 2]),
    ),
)


def worths(problem: Instance, plan: optaplanner.Plan) -> Score:
    soft, medium, hard = (
        int(optaplanner.worth(optaplanner.facts(problem, hard=h, medium=m), plan))
        for h, m in ((0, 0), (0, 1), (1, 0))
    )
    return Score(soft - hard, soft - medium, -soft)


def scored(problem: Instance, plan: optaplanner.Plan) -> Score:
    largest_first = np.argsort(-np.array(problem.rooms), kind="stable")
    return score(problem, plan.start.tolist(), largest_first[plan.room].tolist())


@settings(max_examples=25, deadline=None)
@given(instances, st.integers(0, 1000), st.sampled_from([1.0, 100.0, 10_000.0]))
def test_the_search_knows_after_every_move_what_the_scorer_says(problem, seed, temperature):
    facts = optaplanner.facts(problem, hard=1000, medium=100)
    optaplanner.sow(seed)
    plan = optaplanner.greedy(facts, seed)

    for _ in range(3):
        before = optaplanner.worth(facts, plan)
        growth = optaplanner.anneal(facts, plan, 20, temperature, len(problem.days))

        assert optaplanner.worth(facts, plan) - before == growth
        assert worths(problem, plan) == scored(problem, plan)
        grid = np.full_like(plan.grid, optaplanner.FREE)
        for number, (start, room, length) in enumerate(
            zip(plan.start, plan.room, facts.duration, strict=True)
        ):
            assert optaplanner.fits(facts, number, start, room)
            grid[room, optaplanner.NEAR + start : optaplanner.NEAR + start + length] = number
        assert np.array_equal(grid, plan.grid)


@settings(max_examples=20, deadline=None)
@given(instances, st.integers(0, 1000))
def test_a_refused_move_leaves_the_plan_as_it_was(problem, seed):
    facts = optaplanner.facts(problem, hard=1000, medium=100)
    optaplanner.sow(seed)
    plan = optaplanner.greedy(facts, seed)
    before = [part.copy() for part in plan[:3]]

    for count in (
        optaplanner.relocate(facts, plan, len(problem.days)),
        optaplanner.exchange(facts, plan),
    ):
        assert optaplanner.move(facts, plan, max(count, 0), -optaplanner.NEVER) == optaplanner.NEVER
        assert all(np.array_equal(was, part) for was, part in zip(before, plan[:3], strict=True))


def test_cooling_finds_the_best_plan_of_two_meetings():
    # Both need everybody and the large room. Short before long, one grain between them: last grains
    # 0 and 4.
    two = instance(meeting(1, [ANN, BOB], capacity=4), meeting(3, [ANN, BOB], capacity=4))
    facts = optaplanner.facts(two, hard=1000, medium=100)
    optaplanner.sow(1)
    plan = optaplanner.greedy(facts, 1)

    for temperature in (100.0, 10.0, 2.0, 0.2):
        optaplanner.anneal(facts, plan, 400, temperature, len(two.days))

    assert scored(two, plan) == Score(0, 0, -4)


def test_solving_says_whether_it_was_as_good_as_the_known_figures(monkeypatch):
    monkeypatch.setattr(optaplanner, "CHUNK", 10)
    two = instance(meeting(1, [ANN]), meeting(3, [BOB]))

    assert optaplanner.solve(two, 1, 0.01, known=Score(-99, -99, -999)).reached is not None
    assert optaplanner.solve(two, 1, 0.01, known=Score(0, 0, 0)).reached is None


def test_missing_files_are_named_loudly(capsys):
    assert optaplanner.main(["--data", str(Path(__file__).parent)]) != 0

    assert str(Path(__file__).parent) in capsys.readouterr().err

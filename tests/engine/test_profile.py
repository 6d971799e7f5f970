"""The profile equals its definition, in both ways of computing it."""

from contextlib import contextmanager
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commontime import engine
from commontime.engine import erosion, explain, sweep
from tests.engine import brute
from tests.engine.problems import Problem, pieces, problems

FEW_PREFERENCES = st.sampled_from((0, 1, 5))


@contextmanager
def way(dense):
    """Force one of the two ways, whatever the problem's size."""
    with (
        mock.patch.object(sweep, "is_dense", return_value=dense),
        mock.patch.object(explain, "is_dense", return_value=dense),
    ):
        yield


def dense():
    return way(True)


def packed():
    return way(False)


@settings(max_examples=600, deadline=None)
@given(problems())
def test_profile_equals_its_definition(problem):
    assert pieces(problem.profile) == brute.profile(*problem.definition)


@settings(max_examples=300, deadline=None)
@given(problems(people=st.integers(1, 2), rows=14, preferences=FEW_PREFERENCES), st.integers(1, 5))
def test_long_chains_in_small_blocks_equal_the_definition(problem, block):
    with mock.patch.object(erosion, "BLOCK", block):
        assert pieces(problem.profile) == brute.profile(*problem.definition)


@settings(max_examples=300, deadline=None)
@given(problems())
def test_dense_and_packed_agree(problem):
    with dense():
        one = pieces(problem.profile)
    with packed():
        other = pieces(problem.profile)

    assert one == other


@pytest.mark.parametrize("people", [30, 4_000, 5_000, 20_000])
def test_dense_and_packed_agree_on_a_crowd(people):
    rng = np.random.default_rng(people)
    who = rng.integers(0, people, 40_000)
    start = rng.integers(0, 3_000, 40_000)
    free = engine.from_arrays(
        who,
        start,
        start + rng.integers(30, 300, 40_000),
        rng.integers(0, 11, 40_000),
        people=people,
    )
    asked = {"required": rng.random(people) < 0.4, "earliest": 100, "latest_end": 3_000}

    with dense():
        one = engine.profile(free, 45, **asked)
    with packed():
        other = engine.profile(free, 45, **asked)

    assert pieces(one) == pieces(other)
    for segment in rng.integers(0, len(one), 5).tolist():
        preferences = engine.preferences(free, one.first[segment], 45)[0]
        assert tuple(one.everyone[segment]) == tuple(
            np.bincount(engine.levels(preferences), minlength=4)
        )
        assert one.preference[segment] == preferences[preferences > 0].sum()


def test_everybody_always_ideal_in_a_crowd_does_not_overflow():
    """The packed counters at their largest."""
    for people in (4_095, 4_096, 70_000):
        free = engine.from_arrays(
            np.arange(people),
            np.zeros(people, int),
            np.full(people, 90),
            np.full(people, 10),
            people=people,
        )

        for chosen in (dense(), packed()):
            with chosen:
                p = engine.profile(free, 30, earliest=-10, latest_end=100)
            assert p.everyone.tolist() == [[people, 0, 0, 0], [0, 0, 0, people], [people, 0, 0, 0]]
            assert p.preference.tolist() == [0, 10 * people, 0]


def test_far_horizons_stay_exact_and_small():
    year = 525_600
    free = engine.windows(
        [(0, 0, 60, 9), (1, 0, 90, 4), (0, 10_000 * year, 10_000 * year + 60, 9)], 2
    )

    p = engine.profile(free, 60, earliest=-100_000 * year, latest_end=100_000 * year)

    assert p.first.tolist() == [-100_000 * year, 0, 1, 31, 10_000 * year, 10_000 * year + 1]
    assert p.attending.tolist() == [0, 2, 1, 0, 1, 0]


def test_nobody_is_a_group_too():
    p = engine.profile(engine.windows([], 0), 30, earliest=5, latest_end=95)

    assert pieces(p) == [(5, 65, (0, 0, 0, 0), (0, 0, 0, 0), 0, 0)]
    assert engine.preferences(engine.windows([], 0), [5, 6], 30).shape == (2, 0)


@settings(max_examples=200, deadline=None)
@given(problems())
def test_segments_cover_the_starts_without_gaps_and_neighbours_differ(problem):
    p = problem.profile
    latest = problem.latest_end - problem.duration
    if latest < problem.earliest:
        assert len(p) == 0
        return

    assert (p.first[0], p.last[-1]) == (problem.earliest, latest)
    assert (p.first[1:] == p.last[:-1] + 1).all()
    people = engine.preferences(problem.windows, p.first, problem.duration)
    assert (people[1:] != people[:-1]).any(axis=1).all()


@settings(max_examples=200, deadline=None)
@given(problems(), problems())
def test_profile_of_two_groups_is_the_sum_of_their_profiles(one, other):
    """Lemma 4: on the starts they share, counts and sums add up."""
    both = Problem(
        people=one.people + other.people,
        rows=one.rows + tuple((who + one.people, *rest) for who, *rest in other.rows),
        required=one.required + other.required,
        duration=one.duration,
        earliest=one.earliest,
        latest_end=one.latest_end,
    )
    asked = {"duration": one.duration, "earliest": one.earliest, "latest_end": one.latest_end}
    left, right = (
        one.profile,
        engine.profile(other.windows, **asked, required=np.array(other.required)),
    )

    together = both.profile

    i, j = (np.searchsorted(part.first, together.first, side="right") - 1 for part in (left, right))
    assert (together.required == left.required[i] + right.required[j]).all()
    assert (together.everyone == left.everyone[i] + right.everyone[j]).all()
    assert (
        together.required_preference == left.required_preference[i] + right.required_preference[j]
    ).all()
    assert (together.preference == left.preference[i] + right.preference[j]).all()


@settings(max_examples=200, deadline=None)
@given(problems(), st.integers(0, 10))
def test_erosion(problem, threshold):
    """Lemma 1: starts within maximal runs are the free ones, at each threshold.

    They lie in [a, b - d] of the maximal runs [a, b).
    """
    end = problem.latest_end - problem.duration + 1
    for person in range(problem.people):
        ticks = range(problem.earliest, problem.latest_end)
        runs = brute.segments(
            [brute.preference_at(problem.rows, person, tick) >= threshold for tick in ticks],
            problem.earliest,
        )
        eroded = {
            start for a, b, free in runs if free for start in range(a, b + 1 - problem.duration + 1)
        }

        starts = list(range(problem.earliest, end))
        row = engine.preferences(problem.windows, starts, problem.duration)[:, person]

        assert {
            start for start, value in zip(starts, row, strict=True) if value >= threshold
        } == eroded


@settings(max_examples=200, deadline=None)
@given(problems(), st.integers(0, 3), st.integers(0, 3), st.none() | st.integers(0, 10))
def test_people_without_an_answer_can_be_read_both_ways(problem, required, optional, preference):
    more = required + optional
    always = [
        (problem.people + i, problem.earliest - 1, problem.latest_end + 1, preference)
        for i in range(more)
        if preference is not None
    ]
    with_them = Problem(
        people=problem.people + more,
        rows=(*problem.rows, *always),
        required=problem.required + (True,) * required + (False,) * optional,
        duration=problem.duration,
        earliest=problem.earliest,
        latest_end=problem.latest_end,
    )

    assert pieces(
        problem.profile.joined_by(required=required, optional=optional, preference=preference)
    ) == pieces(with_them.profile)


def test_those_who_will_come_cannot_be_unable_to():
    p = engine.profile(engine.windows([(0, 0, 60, 9)], 1), 30, earliest=0, latest_end=60)

    for wrong in (-1, 11):
        with pytest.raises(ValueError, match="preference"):
            p.joined_by(optional=1, preference=wrong)


def test_required_is_everybody_by_default():
    free = engine.windows([(0, 0, 60, 9), (1, 0, 90, 4)], 2)

    assert engine.profile(free, 30, earliest=0, latest_end=120).missing.tolist() == [0, 1, 2]


def test_arguments_that_make_no_sense_are_refused():
    free = engine.windows([(0, 0, 60, 9)], 2)

    for function in (engine.profile, engine.near_misses):
        with pytest.raises(ValueError, match="at least one tick"):
            function(free, 0, earliest=0, latest_end=60)
        with pytest.raises(ValueError, match="required"):
            function(free, 1, required=np.array([True]), earliest=0, latest_end=60)
        with pytest.raises(ValueError, match="required"):
            function(free, 1, required=np.array([0, 1]), earliest=0, latest_end=60)
        with pytest.raises(ValueError, match="too far"):
            function(free, 1, earliest=0, latest_end=2**50)
    with pytest.raises(ValueError, match="at least one tick"):
        engine.preferences(free, [3], 0)

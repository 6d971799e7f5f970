"""One-on-ones get the best slots."""

from unittest import mock

import numpy as np
import pytest
from highspy import Highs, MatrixFormat, ObjSense
from hypothesis import given, settings
from hypothesis import strategies as st

from commontime import engine
from commontime.engine import assign
from commontime.engine.assign import cut
from tests.engine import brute
from tests.engine.problems import problems


@st.composite
def wishes(draw, most=6):
    people, slots = draw(st.integers(1, most)), draw(st.integers(1, most))
    row = st.lists(st.sampled_from((-1, -1, 0, 2, 5, 6, 9)), min_size=slots, max_size=slots)
    return np.array(draw(st.lists(row, min_size=people, max_size=people)), np.int8)


def key(wish, slots):
    given = [int(wish[i, j]) if j >= 0 else -1 for i, j in enumerate(slots)]
    absent, need_be, works, _ = brute.histogram(given)
    return absent, need_be, works, -brute.happy(given), sum(j for j in slots if j >= 0)


def by_hand(wish):
    """Try every assignment, person by person.

    Of those that take the same slots the best is enough.
    """
    best = {frozenset(): (0, 0, 0, 0, 0)}
    for row in wish.tolist():
        after = {}
        for taken, so_far in best.items():
            for slot in (
                j for j in range(-1, len(row)) if j not in taken and (j < 0 or row[j] >= 0)
            ):
                mine = (
                    (1, 0, 0, 0, 0)
                    if slot < 0
                    else (
                        0,
                        brute.level(row[slot]) == 1,
                        brute.level(row[slot]) == 2,
                        -row[slot],
                        slot,
                    )
                )
                then, worth = taken | {slot} - {-1}, tuple(map(sum, zip(so_far, mine, strict=True)))
                after[then] = min(worth, after.get(then, worth))
        best = after
    return min(best.values())


@pytest.mark.parametrize("exact", [assign.EXACT, 3_000, 1])
@settings(max_examples=120, deadline=None)
@given(wish=wishes())
def test_a_pairing_is_the_best_of_all_whatever_the_stages(exact, wish):
    with mock.patch.object(assign, "EXACT", exact):
        pairing = engine.pair_up(wish)

    assert key(wish, pairing.slot.tolist()) == by_hand(wish)
    taken = [slot for slot in pairing.slot.tolist() if slot >= 0]
    assert len(taken) == len(set(taken))
    values = [int(wish[i, j]) if j >= 0 else -1 for i, j in enumerate(pairing.slot)]
    assert (pairing.histogram, pairing.preference) == (brute.histogram(values), brute.happy(values))


@settings(max_examples=120, deadline=None)
@given(wishes(), st.data())
def test_the_order_of_people_and_slots_does_not_matter(wish, data):
    people, slots = (data.draw(st.permutations(range(size))) for size in wish.shape)

    one, other = engine.pair_up(wish), engine.pair_up(wish[people][:, slots])

    assert (one.histogram, one.preference) == (other.histogram, other.preference)


@settings(max_examples=120, deadline=None)
@given(wishes(), st.data())
def test_who_offers_more_never_makes_it_worse(wish, data):
    more = wish.copy()
    more[
        data.draw(st.integers(0, wish.shape[0] - 1)), data.draw(st.integers(0, wish.shape[1] - 1))
    ] = 10

    before, after = (key(some, engine.pair_up(some).slot.tolist())[:4] for some in (wish, more))

    assert after <= before


@pytest.mark.parametrize(("people", "slots"), [(60, 80), (90, 70)])
def test_stages_agree_with_one_solve(people, slots):
    wish = (
        np.random.default_rng(people)
        .choice([-1, -1, -1, 1, 5, 7, 9, 10], (people, slots))
        .astype(np.int8)
    )
    assert len(assign._stages(people, slots)) == 1

    with mock.patch.object(assign, "EXACT", 2**20):
        assert len(assign._stages(people, slots)) > 1
        staged = engine.pair_up(wish)

    assert key(wish, staged.slot.tolist()) == key(wish, engine.pair_up(wish).slot.tolist())


def linear_bound(worth):
    """Return the bound of a linear programme: each row and column is in at most one pair."""
    people, slots = worth.shape
    pairs, sides = worth.size, people + slots
    in_both = np.stack([np.repeat(np.arange(people), slots), people + np.arange(pairs) % slots], 1)
    highs = Highs()
    highs.silent()
    highs.passModel(
        pairs,
        sides,
        2 * pairs,
        int(MatrixFormat.kColwise),
        int(ObjSense.kMaximize),
        0.0,
        worth.ravel().astype(float),
        np.zeros(pairs),
        np.ones(pairs),
        np.full(sides, -np.inf),
        np.ones(sides),
        np.arange(0, 2 * pairs + 1, 2),
        in_both.ravel(),
        np.ones(2 * pairs),
        np.zeros(pairs, np.int32),
    )
    highs.run()
    return highs.getInfo().objective_function_value


@pytest.mark.parametrize(("people", "slots"), [(6, 6), (40, 30), (120, 120), (200, 260)])
def test_no_linear_program_finds_better(people, slots):
    wish = (
        np.random.default_rng(slots).choice([-1, -1, -1, 2, 5, 9], (people, slots)).astype(np.int8)
    )
    # The linear program keeps some digits only, so it is asked for the first three criteria.
    base = min(people, slots) + 1
    worth = np.select([wish < 0, wish <= 3, wish <= 7], [0, base**2 - base, base**2 - 1], base**2)

    absent, need_be, works, _ = engine.pair_up(wish).histogram

    most = (people - absent) * base**2 - need_be * base - works
    assert most == round(linear_bound(worth))


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
def test_nobody_or_no_slot(shape):
    pairing = engine.pair_up(np.zeros(shape, np.int8))

    assert pairing.slot.tolist() == [-1] * shape[0]
    assert pairing.histogram == (shape[0], 0, 0, 0)


@pytest.mark.parametrize("bad", [[1, 2], [[11]], [[-2]], [[0.5]]])
def test_bad_preferences_are_refused(bad):
    with pytest.raises(ValueError):
        engine.pair_up(bad)


@settings(max_examples=200, deadline=None)
@given(problems(), st.integers(0, 3))
def test_slots_are_cut_from_the_owners_time(problem, buffer):
    bounds = {"earliest": problem.earliest, "latest_end": problem.latest_end}
    slots = cut(problem.windows, 0, problem.duration, buffer=buffer, **bounds)

    wanted, run = [], None
    for tick in range(problem.earliest, problem.latest_end + 1):
        free = tick < problem.latest_end and brute.preference_at(problem.rows, 0, tick) >= 0
        if free:
            run = tick if run is None else run
            if tick + 1 - run == problem.duration:
                wanted.append(run)
                run += problem.duration + buffer
        elif not free:
            run = None
    assert slots.start.tolist() == wanted
    for start, column in zip(wanted, slots.preference.T.tolist(), strict=True):
        vector = brute.everybody(problem.rows, problem.people, start, problem.duration)
        assert column == [-1, *(min(vector[0], value) for value in vector[1:])]

"""Starts are compared with the best one."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from commontime import engine
from tests.engine import brute
from tests.engine.problems import problems


@settings(max_examples=100, deadline=None)
@given(problems(rows=10), st.lists(st.integers(0, 20), min_size=1, max_size=5))
def test_losses_equal_their_definition(problem, starts):
    starts = [problem.earliest + start for start in starts]
    table = engine.preferences(problem.windows, starts, problem.duration)

    losses = engine.losses(table[0], table, problem.bounds["required"])

    best = brute.everybody(problem.rows, problem.people, starts[0], problem.duration)
    for start, loss in zip(starts, losses, strict=True):
        here = brute.everybody(problem.rows, problem.people, start, problem.duration)
        lost = [who for who in range(problem.people) if best[who] >= 0 > here[who]]
        assert loss.required == tuple(who for who in lost if problem.required[who])
        assert loss.optional == tuple(who for who in lost if not problem.required[who])
        assert loss.gained == tuple(
            who for who in range(problem.people) if here[who] >= 0 > best[who]
        )
        more = np.subtract(brute.histogram(here), brute.histogram(best)).tolist()
        assert (loss.cannot, loss.if_need_be, loss.works) == tuple(more[:3])
        needed = [
            [row[who] for who in range(problem.people) if problem.required[who]]
            for row in (here, best)
        ]
        assert loss.missing == brute.histogram(needed[0])[0] - brute.histogram(needed[1])[0]
        assert loss.preference == brute.happy(best) - brute.happy(here)


@settings(max_examples=100, deadline=None)
@given(problems(rows=10))
def test_no_start_but_the_best_is_without_a_loss_except_that_it_is_later(problem):
    best, *others = engine.best(problem.profile, 5, apart=0) or [None]
    if best is None or not others:
        return
    table = engine.preferences(
        problem.windows, [best.start, *(slot.start for slot in others)], problem.duration
    )

    for slot, loss in zip(
        others, engine.losses(table[0], table[1:], problem.bounds["required"]), strict=True
    ):
        first = next(
            (
                less
                for less in (
                    loss.missing,
                    loss.cannot,
                    loss.if_need_be,
                    loss.works,
                    loss.preference,
                )
                if less
            ),
            0,
        )
        assert first > 0 or (first == 0 and slot.start > best.start)

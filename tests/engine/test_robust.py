"""Cancellations, and the start to fall back on."""

from itertools import combinations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from commontime import engine
from tests.engine import brute
from tests.engine.problems import problems

ALIGNS = st.sampled_from((None, 2, 5))
QUORUMS = st.sampled_from((None, 1, 2, 3))


def key_at(problem, start, quorum, row=None):
    """Smaller is better."""
    row = row or brute.everybody(problem.rows, problem.people, start, problem.duration)
    cannot, if_need_be, works, _ = brute.histogram(row)
    missing = sum(value < 0 and must for value, must in zip(row, problem.required, strict=True))
    return (
        len(row) - cannot < (quorum or 0),
        missing,
        cannot,
        if_need_be,
        works,
        -brute.happy(row),
        start,
    )


@settings(max_examples=150, deadline=None)
@given(problems(rows=12), ALIGNS, QUORUMS)
def test_plan_b_is_the_best_start_that_does_not_overlap_the_best(problem, align, quorum):
    starts = [
        t
        for t in range(problem.earliest, problem.latest_end - problem.duration + 1)
        if t % (align or 1) == 0
    ]
    ranked = sorted(starts, key=lambda start: key_at(problem, start, quorum))
    away = [start for start in ranked if abs(start - ranked[0]) >= problem.duration]

    leading = engine.best(problem.profile, 1, rule=engine.rule_for(quorum), align=align)
    fallback = leading and engine.plan_b(
        problem.profile, leading[0], rule=engine.rule_for(quorum), align=align
    )

    assert [slot.start for slot in leading] == ranked[:1]
    assert (fallback.start if fallback else None) == (away[0] if away else None)


@settings(max_examples=150, deadline=None)
@given(problems(rows=12), QUORUMS)
def test_whose_cancellation_lets_plan_b_overtake(problem, quorum):
    p, rule = problem.profile, engine.rule_for(quorum)
    leading = engine.best(p, 1, rule=rule)
    other = leading and engine.plan_b(p, leading[0], rule=rule)
    if not other:
        return
    start = leading[0].start
    row = engine.preferences(problem.windows, [start], problem.duration)[0]

    overtakes = engine.overtaken(
        p, leading[0], other, row, required=problem.bounds["required"], rule=rule
    )

    for who in range(problem.people):
        without = [-1 if who == each else int(value) for each, value in enumerate(row)]
        worse = key_at(problem, other.start, quorum) < key_at(problem, start, quorum, without)
        assert overtakes[who] == (row[who] >= 0 and worse)


@given(st.lists(st.booleans(), max_size=6), st.integers(0, 7))
def test_as_many_may_cancel_as_are_not_needed(needed, quorum):
    people = range(len(needed))
    spare = [who for who in people if not needed[who]]

    def holds(gone):
        return len(people) - len(gone) >= quorum and not any(needed[who] for who in gone)

    counts = [
        count for count in range(len(spare) + 1) if all(map(holds, combinations(spare, count)))
    ]

    assert engine.survives(np.array([len(people)]), np.array([len(spare)]), quorum).tolist() == [
        max(counts, default=0)
    ]

"""People who alone are in the way of starts are counted."""

from hypothesis import given, settings
from hypothesis import strategies as st

from commontime import engine
from tests.engine import brute
from tests.engine.problems import elsewhere, problems
from tests.engine.test_ask import is_taken
from tests.engine.test_profile import dense, packed


@settings(max_examples=300, deadline=None)
@given(problems(rows=10), st.sampled_from((None, 2, 5)), st.data())
def test_swing_equals_its_definition(problem, align, data):
    busy = data.draw(elsewhere(problem.people))
    needed = {person for person in range(problem.people) if problem.required[person]}
    wanted = [0] * problem.people
    for start in range(problem.earliest, problem.latest_end - problem.duration + 1):
        missing = [
            person
            for person in needed
            if brute.preference_of(problem.rows, person, start, problem.duration) < 0
        ]
        if (
            len(missing) == 1
            and start % (align or 1) == 0
            and not is_taken(busy, needed, start, problem.duration)
        ):
            wanted[missing[0]] += 1

    for way in (dense, packed):
        with way():
            assert (
                engine.swing(
                    problem.windows, problem.duration, **problem.bounds, align=align, busy=busy
                ).tolist()
                == wanted
            )

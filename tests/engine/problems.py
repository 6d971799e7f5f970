"""Draw random small problems for the engine's tests."""

from dataclasses import dataclass, replace

import numpy as np
from hypothesis import strategies as st

from commontime import engine

GROUPS = st.integers(1, 4)
PREFERENCES = st.integers(0, 10)


@dataclass(frozen=True)
class Problem:
    people: int
    rows: tuple[tuple[int, int, int, int], ...]
    required: tuple[bool, ...]
    duration: int
    earliest: int
    latest_end: int

    @property
    def windows(self) -> engine.Windows:
        return engine.windows(self.rows, self.people)

    @property
    def profile(self) -> engine.Profile:
        return engine.profile(self.windows, self.duration, **self.bounds)

    @property
    def bounds(self):
        return {
            "required": np.array(self.required, bool),
            "earliest": self.earliest,
            "latest_end": self.latest_end,
        }

    @property
    def definition(self):
        return self.rows, self.people, self.duration, self.required, self.earliest, self.latest_end

    def with_rows(self, rows) -> "Problem":
        return replace(self, rows=tuple(rows))


@st.composite
def problems(draw, people=GROUPS, rows=8, ticks=24, preferences=PREFERENCES):
    """Draw problems in which windows overlap, touch, and reach beyond the bounds."""
    count = draw(people)
    epoch = draw(st.sampled_from((0, -7, 1000)))
    table = []
    for _ in range(draw(st.integers(0, rows))):
        start = epoch + draw(st.integers(-4, ticks))
        table.append(
            (
                draw(st.integers(0, count - 1)),
                start,
                start + draw(st.integers(1, 9)),
                draw(preferences),
            )
        )
    earliest = epoch + draw(st.integers(-2, 6))
    return Problem(
        people=count,
        rows=tuple(table),
        required=tuple(draw(st.lists(st.booleans(), min_size=count, max_size=count))),
        duration=draw(st.integers(1, 7)),
        earliest=earliest,
        latest_end=earliest + draw(st.integers(-1, ticks)),
    )


def pieces(p: engine.Profile):
    """Return a profile in the shape of the slow twin's."""
    return list(
        zip(
            p.first.tolist(),
            p.last.tolist(),
            map(tuple, p.required.tolist()),
            map(tuple, p.everyone.tolist()),
            p.required_preference.tolist(),
            p.preference.tolist(),
            strict=True,
        )
    )


@st.composite
def elsewhere(draw, people: int):
    """Draw times of other meetings, (who, start, end). Some overlap or touch."""
    epoch = draw(st.sampled_from((0, 1000)))
    times = st.tuples(st.integers(0, people - 1), st.integers(-4, 30), st.integers(1, 9))
    return [
        (who, epoch + start, epoch + start + length)
        for who, start, length in draw(st.lists(times, max_size=5))
    ]

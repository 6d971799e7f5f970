"""Judge joint plans by definition: their worth, and whether they are possible.

Also random small problems, and the best plan of each.
"""

from itertools import combinations

from hypothesis import strategies as st

from commontime.engine import Meeting, Value, attendance, preferences, windows

GRID = 5


def value_of(free, meetings, starts, attends) -> Value:
    """Add up a plan from the definitions."""
    total = [0] * 5
    for meeting, start, people in zip(meetings, starts, attends, strict=True):
        if start < 0:
            continue
        total[0] += meeting.priority
        table = preferences(free, [start], meeting.duration)[0]
        levels = attendance(free, start, meeting.duration)
        for person in people:
            total[1] += person in meeting.optional
            total[2] += levels[person] == 1
            total[3] += levels[person] == 2
            total[4] += int(table[person])
    return Value(*map(int, total))


def is_possible(free, meetings, starts, attends, travel=None) -> bool:
    """Return whether a plan is possible.

    Everybody who attends is free, is asked, and is in one place at a time, with buffers and
    journeys kept.
    """
    for meeting, start, people in zip(meetings, starts, attends, strict=True):
        if start < 0:
            if people:
                return False
            continue
        levels = attendance(free, start, meeting.duration)
        if (
            not set(meeting.required) <= set(people) <= {*meeting.required, *meeting.optional}
            or not people
        ):
            return False
        if (
            start < meeting.earliest
            or start + meeting.duration > meeting.latest_end
            or any(levels[p] == 0 for p in people)
        ):
            return False
        if meeting.pinned is not None and start != meeting.pinned:
            return False
    return not any(
        clash(one, other, travel)
        for one, other in combinations(zip(meetings, starts, attends, strict=True), 2)
    )


def clash(one, other, travel=None) -> bool:
    """Return whether two meetings (meeting, start, people) clash for somebody.

    They overlap, or leave too little time between them.
    """
    (m, s, a), (n, t, b) = one, other
    there, back = (travel[m.place][n.place], travel[n.place][m.place]) if travel else (0, 0)
    near = s < t + n.duration + max(n.buffer, back) and t < s + m.duration + max(m.buffer, there)
    return min(s, t) >= 0 and bool(set(a) & set(b)) and near


def best_of_all(free, meetings, align, travel=None) -> tuple[int, ...]:
    """Return the worth of the best plan, by trying all.

    Only pairs can clash, and worth adds up. align: a number, or a function that lists the starts
    from one tick to another.
    """
    choices = []
    for meeting in meetings:
        mine = [((meeting, -1, ()), (0,) * 5)]
        last = meeting.latest_end - meeting.duration
        starts = (
            align(meeting.earliest, last)
            if callable(align)
            else range(-(-meeting.earliest // align) * align, last + 1, align)
        )
        for start, row in zip(
            starts, preferences(free, list(starts), meeting.duration).tolist(), strict=True
        ):
            can = [person for person in meeting.optional if row[person] >= 0]
            for some in (some for size in range(len(can) + 1) for some in combinations(can, size)):
                people = (*meeting.required, *some)
                if all(row[person] >= 0 for person in people):
                    needs, works = (
                        -sum(row[person] in band for person in people)
                        for band in (range(4), range(4, 8))
                    )
                    worth = (
                        meeting.priority,
                        len(some),
                        needs,
                        works,
                        sum(row[person] for person in people),
                    )
                    mine.append(((meeting, start, people), worth))
        choices.append(mine)

    def best(chosen, worth, rest) -> tuple[int, ...]:
        if not rest:
            return worth
        open_ones = [
            (one, more)
            for one, more in rest[0]
            if not any(clash(one, other, travel) for other in chosen)
        ]
        return max(
            best([*chosen, one], tuple(map(sum, zip(worth, more, strict=True))), rest[1:])
            for one, more in open_ones
        )

    return best([], (0,) * 5, choices)


@st.composite
def problems(draw, people=3, most=3, span=40):
    rows = draw(
        st.lists(
            st.tuples(
                st.integers(0, people - 1),
                st.integers(0, span // GRID - 1),
                st.integers(1, 5),
                st.integers(0, 10),
            ),
            min_size=2,
            max_size=9,
        )
    )
    free = windows(
        [
            (who, start * GRID, (start + length) * GRID, preference)
            for who, start, length, preference in rows
        ],
        people,
    )
    meetings = []
    for _ in range(draw(st.integers(1, most))):
        who = draw(st.permutations(range(people)))
        needed = draw(st.integers(1, 2))
        asked = draw(st.integers(0, people - needed))
        earliest = draw(st.integers(0, 3)) * GRID
        meetings.append(
            Meeting(
                duration=draw(st.integers(1, 3)) * GRID,
                required=tuple(who[:needed]),
                optional=tuple(who[needed : needed + asked]),
                earliest=earliest,
                latest_end=draw(st.integers(4, 13)) * GRID,
                buffer=draw(st.sampled_from([0, 0, GRID, 2 * GRID])),
                priority=draw(st.sampled_from([1, 1, 2, 5])),
            )
        )
    return free, meetings

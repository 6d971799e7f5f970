"""Can all meetings have a place? By trying, with what each choice rules out kept in mind.

Backtracking with forward checking, in the column that leaves the others most; next comes the
meeting with the fewest columns left for how often it was stuck (Boussemart, Hemery, Lecoutre and
Sais, Boosting systematic search by weighting constraints, ECAI 2004). Optional people have no say
in it.
"""

from collections.abc import Callable, Sequence

from .placing import Board

EFFORT = (
    40_000_000  # choices tried before it gives up, times the columns there are: a second or two
)
LARGEST = 2**27  # bytes of what all choices rule out; beyond it there is no hope of an end


def fit(
    board: Board, movable: Sequence[int], *, go_on: Callable[[], bool]
) -> list[int] | bool | None:
    """Return a column for each of these meetings, or False if they don't all fit, or None if that
    is not known.

    Whatever else has a place keeps it.
    """
    held = [board.place[number] for number in movable]
    board.set(movable, [-1] * len(movable))
    left = {number: board.open(number) for number in movable}
    board.set(movable, held)
    rivals = {one: [other for other in board.rivals(one) if other in left] for one in movable}
    if (
        sum(
            mask.bit_count() * len(board.starts[n])
            for one, mask in left.items()
            for n in rivals[one]
        )
        > 8 * LARGEST
    ):
        return None
    excluded: dict[tuple[int, int], list[tuple[int, int]]] = {}

    def exclude(number: int, column: int) -> list[tuple[int, int]]:
        if (number, column) not in excluded:
            begin = board.starts[number][column]
            excluded[number, column] = [
                (other, mask)
                for other in rivals[number]
                if (mask := board.near_start(other, number, begin))
            ]
        return excluded[number, column]

    def order(number: int) -> list[int]:
        columns = [
            column for column in range(left[number].bit_length()) if left[number] >> column & 1
        ]
        return sorted(
            columns,
            key=lambda column: sum(
                (left[n] & mask).bit_count() for n, mask in exclude(number, column) if n in left
            ),
        )

    place: dict[int, int] = {}
    failed = dict.fromkeys(movable, 1)  # how often each had no column left
    tried, size = 0, sum(mask.bit_count() for mask in left.values())

    def place_rest() -> bool:
        nonlocal tried
        if not left:
            return True
        number = min(left, key=lambda one: left[one].bit_count() / failed[one])
        columns, mine = order(number), left.pop(number)
        for column in columns:
            tried += 1
            if tried * size > EFFORT or not go_on():
                raise _GivenUpError
            place[number] = column
            taken: dict[int, int] = {}
            for other, mask in exclude(number, column):
                if other in left and left[other] & mask:
                    taken[other] = left[other]
                    left[other] &= ~mask
            stuck = [other for other in taken if not left[other]]
            for other in stuck:
                failed[other] += 1
            if not stuck and place_rest():
                return True
            left.update(taken)
        left[number] = mine
        return False

    try:
        return [place[number] for number in movable] if place_rest() else False
    except _GivenUpError:
        return None


class _GivenUpError(Exception):
    pass

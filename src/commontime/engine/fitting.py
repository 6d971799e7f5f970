"""Decide by search whether all meetings can have a place.

Backtracking with forward checking (Haralick and Elliott, Artificial Intelligence 14, 1980), which
tries the column that leaves the others most, and takes next the meeting with the fewest columns
left for its failures (Boussemart, Hemery, Lecoutre and Sais, Boosting systematic search by
weighting constraints, ECAI 2004). Optional people have no say in it.
"""

from collections.abc import Callable, Sequence

from .placing import Board

# Choices tried before it gives up, times the columns there are: a second or two.
EFFORT = 40_000_000
# Bytes of the columns that all choices rule out; beyond it there is no hope of an end.
LARGEST = 2**27


def fit(
    board: Board, movable: Sequence[int], *, go_on: Callable[[], bool]
) -> list[int] | bool | None:
    """Return a column for each meeting, or False if they don't fit.

    None if it gave up before it knew. All other meetings keep their place.
    """
    held = [board.place[number] for number in movable]
    board.set(movable, [-1] * len(movable))
    left = {number: board.open(number) for number in movable}
    board.set(movable, held)
    search = _Backtracking(board, left, go_on)
    if search.is_hopeless():
        return None
    try:
        return [search.place[number] for number in movable] if search.place_rest() else False
    except _GivenUpError:
        return None


class _Backtracking:
    """A search for a place for each meeting.

    left: the columns that each unplaced meeting still has. place: the columns chosen so far.
    failures: how often each meeting had no column left.
    """

    def __init__(self, board: Board, left: dict[int, int], go_on: Callable[[], bool]) -> None:
        self.board, self.left, self.go_on = board, left, go_on
        self.rivals = {one: [other for other in board.rivals(one) if other in left] for one in left}
        self.place: dict[int, int] = {}
        self.failures = dict.fromkeys(left, 1)
        self.tried, self.size = 0, sum(mask.bit_count() for mask in left.values())
        self._ruled_out: dict[tuple[int, int], list[tuple[int, int]]] = {}

    def is_hopeless(self) -> bool:
        """Return whether the choices rule out more columns than memory holds."""
        bits = sum(
            mask.bit_count() * len(self.board.starts[rival])
            for number, mask in self.left.items()
            for rival in self.rivals[number]
        )
        return bits > 8 * LARGEST

    def place_rest(self) -> bool:
        """Place all meetings that are left; return whether that was possible."""
        left, failures = self.left, self.failures
        if not left:
            return True
        number = min(left, key=lambda one: left[one].bit_count() / failures[one])
        columns, mine = self._kindest_first(number), left.pop(number)
        for column in columns:
            self.tried += 1
            if self.tried * self.size > EFFORT or not self.go_on():
                raise _GivenUpError
            self.place[number] = column
            before = self._rule_out(number, column)
            stuck = [other for other in before if not left[other]]
            for other in stuck:
                failures[other] += 1
            if not stuck and self.place_rest():
                return True
            left.update(before)
        left[number] = mine
        return False

    def _rule_out(self, number: int, column: int) -> dict[int, int]:
        """Remove the columns a choice rules out. Return what the others had before."""
        left, before = self.left, {}
        for other, mask in self._ruled_out_by(number, column):
            if other in left and left[other] & mask:
                before[other] = left[other]
                left[other] &= ~mask
        return before

    def _kindest_first(self, number: int) -> list[int]:
        """Return a meeting's columns; those that cost others least come first."""
        left, mine = self.left, self.left[number]

        def cost(column: int) -> int:
            ruled_out = self._ruled_out_by(number, column)
            return sum((left[n] & mask).bit_count() for n, mask in ruled_out if n in left)

        return sorted((c for c in range(mine.bit_length()) if mine >> c & 1), key=cost)

    def _ruled_out_by(self, number: int, column: int) -> list[tuple[int, int]]:
        """Return the columns of each rival that a choice rules out."""
        choice = number, column
        if choice not in self._ruled_out:
            begin = self.board.starts[number][column]
            self._ruled_out[choice] = [
                (other, mask)
                for other in self.rivals[number]
                if (mask := self.board.near_start(other, number, begin))
            ]
        return self._ruled_out[choice]


class _GivenUpError(Exception):
    pass

"""Sets of people over time, as bits, and a tree above them: each node holds the union of its
children's sets.

Neighbouring starts suit nearly the same people, so a node's set is little larger than its
children's, and the union of two nodes' sets bounds what any pair of starts below them can reach.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .windows import Bytes, Ints

FAN = 8
NEVER = 2**62

type Words = NDArray[np.uint64]
type Places = NDArray[np.intp]


class Level(NamedTuple):
    """The nodes of a level in the order of time.

    sets (thresholds, words, n): who is at each threshold of preference or above, at one start at
    least. most (n,): how many people come to one of its starts at most. start, last (n,): its first
    and its last start.
    """

    sets: Words
    most: Ints
    start: Ints
    last: Ints


def packed(rows: Bytes, thresholds: Bytes) -> Words:
    """Return who is at each threshold or above in each row of preferences (n, people): (thresholds,
    words, n).
    """
    wide = np.full((len(rows), max(-(-rows.shape[1] // 64), 1) * 64), -1, np.int8)
    wide[:, : rows.shape[1]] = rows
    bits = np.stack([np.packbits(wide >= value, axis=1, bitorder="little") for value in thresholds])
    return np.ascontiguousarray(bits.view(np.uint64).transpose(0, 2, 1))


def tree_of(leaves: Level) -> list[Level]:
    """Return the levels, the leaves first, the last one a single node. All others are filled up to
    whole families of children.
    """
    tree = [leaves]
    while len(tree) == 1 or len(tree[-1].most) > 1:
        tree[-1] = below = _filled(tree[-1])
        union = np.bitwise_or.reduce(below.sets.reshape(*below.sets.shape[:2], -1, FAN), axis=3)
        most, start, last = (column.reshape(-1, FAN) for column in below[1:])
        tree.append(Level(union, most.max(axis=1), start.min(axis=1), last.max(axis=1)))
    return tree


def _filled(level: Level) -> Level:
    lacking = (0, -len(level.most) % FAN)
    sets, most = np.pad(level.sets, ((0, 0), (0, 0), lacking)), np.pad(level.most, lacking)
    start, last = (
        np.pad(column, lacking, constant_values=value)
        for column, value in ((level.start, NEVER), (level.last, -NEVER))
    )
    return Level(sets, most, start, last)


def children_of(level: Level, a: Places, b: Places) -> tuple[Ints, Ints]:
    """Tell of each pair of children, of two nodes above `level`, how many people it reaches at
    most, and how far apart its starts can be.

    a, b (n,): the nodes. Both (n, 8, 8).
    """
    count = np.zeros((len(a), FAN, FAN), np.int32)
    for word in level.sets[0].reshape(level.sets.shape[1], -1, FAN):
        count += np.bitwise_count(word[a][:, :, None] | word[b][:, None, :])
    most, start, last = (column.reshape(-1, FAN) for column in level[1:])
    return np.minimum(count, most[a][:, :, None] + most[b][:, None, :]), last[b][
        :, None, :
    ] - start[a][:, :, None]

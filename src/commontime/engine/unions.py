"""Build a tree of unions over the people who can come at each time.

Neighbouring starts suit nearly the same people, so a node's set is little larger than its
children's. The union of two nodes' sets bounds the reach of any pair of starts below them.
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

    sets (thresholds, words, n): who is at each threshold of preference or above, at any of a
    node's starts. most (n,): the most people who come to any one of them. start, last (n,): the
    first and the last of them.
    """

    sets: Words
    most: Ints
    start: Ints
    last: Ints


def packed(rows: Bytes, thresholds: Bytes) -> Words:
    """Pack rows of preferences (n, people) into sets of bits.

    (thresholds, words, n): the people at a threshold or above.
    """
    wide = np.full((len(rows), max(-(-rows.shape[1] // 64), 1) * 64), -1, np.int8)
    wide[:, : rows.shape[1]] = rows
    bits = np.stack([np.packbits(wide >= value, axis=1, bitorder="little") for value in thresholds])
    return np.ascontiguousarray(bits.view(np.uint64).transpose(0, 2, 1))


def tree_of(leaves: Level) -> list[Level]:
    """Return the levels, from the leaves to the root, a single node.

    All levels but the root's are filled up to whole families of children.
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
    """Bound the reach and the distance of each pair of children.

    a, b (n,): nodes one level above `level`. Both results are (n, 8, 8).
    """
    count = np.zeros((len(a), FAN, FAN), np.int32)
    for word in level.sets[0].reshape(level.sets.shape[1], -1, FAN):
        count += np.bitwise_count(word[a][:, :, None] | word[b][:, None, :])
    most, start, last = (column.reshape(-1, FAN) for column in level[1:])
    reach = np.minimum(count, most[a][:, :, None] + most[b][:, None, :])
    return reach, last[b][:, None, :] - start[a][:, :, None]

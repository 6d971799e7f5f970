"""Keep a sparse matrix row by row."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .windows import Ints

type Floats = NDArray[np.float64]
type Indices = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """A sparse matrix (CSR), without entries that are 0.

    Row r has the entries start[r] to start[r + 1]: their columns are in `index`, in any order, and
    their values in `value`. start (rows + 1,), index and value (entries,).
    """

    start: Ints
    index: Indices
    value: Floats
    columns: int

    def only(self, columns: NDArray[np.intp]) -> "Matrix":
        """Return some of the columns, in this order."""
        number = np.full(self.columns, -1, np.int32)
        number[columns] = np.arange(len(columns))
        index = number[self.index]
        here = index >= 0
        start = np.concatenate(([0], np.cumsum(here)))[self.start]
        return Matrix(start, index[here], self.value[here], len(columns))

    def without_empty(self, kept: NDArray[np.intp]) -> "Matrix":
        """Return some of the rows, all but empty ones."""
        start = np.append(self.start[kept], self.start[-1])
        return Matrix(start, self.index, self.value, self.columns)

    def above(self, other: "Matrix") -> "Matrix":
        """Return the rows of both."""
        return Matrix(
            np.concatenate([self.start, self.start[-1] + other.start[1:]]),
            np.concatenate([self.index, other.index]),
            np.concatenate([self.value, other.value]),
            self.columns,
        )

    def sums(self, weight: Floats) -> Floats:
        """Return the sum of each column, with a weight for each row."""
        weighted = self.value * np.repeat(weight, np.diff(self.start))
        return np.bincount(self.index, weighted, minlength=self.columns)


def from_entries(row: Ints, column: Ints, value: Floats, *, rows: int, columns: int) -> Matrix:
    """Return a matrix with these entries, at most one in each place."""
    order = np.argsort(row, kind="stable")
    start = np.concatenate(([0], np.cumsum(np.bincount(row, minlength=rows))))
    return Matrix(start, column[order].astype(np.int32), value[order], columns)

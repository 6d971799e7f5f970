"""A sparse matrix does what a dense one does."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from commontime.engine.sparse import from_entries

shapes = arrays.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=6)
tables = arrays.arrays(np.float64, shapes, elements=st.sampled_from([0.0, 0.0, 1.0, -1.0, 3.0]))


def sparse(table, *, backwards=False):
    row, column = np.nonzero(table)
    order = slice(None, None, -1 if backwards else 1)
    value = table[row, column]
    rows, columns = table.shape
    return from_entries(row[order], column[order], value[order], rows=rows, columns=columns)


def dense(matrix):
    table = np.zeros((len(matrix.start) - 1, matrix.columns))
    for row, (first, stop) in enumerate(zip(matrix.start, matrix.start[1:], strict=False)):
        table[row, matrix.index[first:stop]] += matrix.value[first:stop]
    return table.tolist()


@given(tables, st.booleans())
def test_entries_make_a_matrix_in_any_order(table, backwards):
    assert dense(sparse(table, backwards=backwards)) == table.tolist()


@given(tables, st.data())
def test_columns_are_kept_and_empty_rows_left_out(table, data):
    kept = np.flatnonzero(data.draw(arrays.arrays(bool, table.shape[1])))
    some = table[:, kept]
    full = np.flatnonzero(some.any(axis=1))

    matrix = sparse(table).only(kept)

    assert dense(matrix) == some.tolist()
    assert dense(matrix.without_empty(full)) == some[full].tolist()


@given(tables)
def test_rows_come_after_rows(table):
    assert dense(sparse(table).above(sparse(table[:1]))) == [*table.tolist(), *table[:1].tolist()]


@given(tables, st.data())
def test_each_column_is_summed_with_weights(table, data):
    weight = data.draw(arrays.arrays(np.float64, len(table), elements=st.integers(-5, 5)))

    assert sparse(table).sums(weight).tolist() == (weight @ table).tolist()

"""Memory that is asked for beforehand."""

import numpy as np

from optrun.numerics.prefetch import LINE, prefetch_row


def test_every_line_of_a_row_is_asked_for_and_nothing_is_changed():
    from numba import njit

    matrix = np.arange(300, dtype=np.uint8).reshape(3, 100)
    before = matrix.copy()
    row = njit(prefetch_row._with_helpers())  # not from the cache, which keeps no assembly
    row(matrix, 2)
    np.testing.assert_array_equal(matrix, before)
    (assembly,) = row.inspect_asm().values()
    assert any(word in assembly for word in ("prefetch", "prfm"))
    assert matrix.shape[1] > LINE  # more than one line

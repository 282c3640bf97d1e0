"""Products of many rows with a matrix of few columns, such as the scores of ten classes.

Where BLAS multiplies small matrices faster (see `blas.small_product`), the rows are taken some at
a time: for up to some twenty columns that takes from a third to two thirds of the time.
"""

import numpy as np

from optrun.numerics.flat import blend
from optrun.numerics.jit import kernel

NARROW = 24
FEWEST_ROWS = 16


@kernel
def multiply_rows(h, w, out, small):
    """out ← hw.

    Args:
        h: (n, i).
        w: (i, j).
        out: (n, j).
        small: the largest product to be made at once, as a number of multiplications.
    """
    step = rows_at_once(h.shape[0], w.size, w.shape[1], small)
    for start in range(0, h.shape[0], step):
        np.dot(h[start : start + step], w, out[start : start + step])


@kernel
def multiply_columns(h, d, out, small):
    """out ← hᵀd.

    Args:
        h: (n, i).
        d: (n, j).
        out: (i, j).
        small: the largest product to be made at once, as a number of multiplications.
    """
    step = rows_at_once(h.shape[0], out.size, out.shape[1], small)
    np.dot(h[:step].T, d[:step], out)
    if step < h.shape[0]:
        total, part = out.reshape(out.size), np.empty_like(out)
        for start in range(step, h.shape[0], step):
            np.dot(h[start : start + step].T, d[start : start + step], part)
            blend(total, total.dtype.type(1), part.reshape(part.size), total.dtype.type(1))


@kernel
def rows_at_once(n, size, columns, small):
    """Into pieces of how many rows a product of n rows with `size` numbers is to be cut."""
    if columns > NARROW or FEWEST_ROWS * size > small:
        return n
    pieces = np.ceil(n / np.floor(small / size))
    return int(np.ceil(n / max(pieces, 1.0)))

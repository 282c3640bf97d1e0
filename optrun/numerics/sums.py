"""Long sums in a fixed order, in float64.

Without leave to reassociate, a compiler must add one number after the other. Summing into many
lanes fixes an order that vector registers can keep to.
"""

import numpy as np

from optrun.numerics.jit import kernel

LANES = 256


@kernel
def norms(v):
    """(‖v‖₁, ‖v‖₂²) of a flat array."""
    absolute, squares = np.zeros(LANES), np.zeros(LANES)
    whole = v.size - v.size % LANES
    for start in range(0, whole, LANES):
        add_to_lanes(v[start : start + LANES], absolute, squares)
    add_to_lanes(v[whole:], absolute, squares)
    total_absolute, total_squares = 0.0, 0.0
    for i in range(LANES):
        total_absolute += absolute[i]
        total_squares += squares[i]
    return total_absolute, total_squares


@kernel
def add_to_lanes(v, absolute, squares):
    """Add |v_i| and v_i² to the i-th lanes."""
    for i in range(v.size):
        x = np.float64(v[i])
        absolute[i] += abs(x)
        squares[i] += x * x


@kernel
def relative_change(before, after):
    """‖v − u‖/‖u‖ of u = `before`, which is used up, and the first numbers v of `after`."""
    squares = norms(before)[1]
    for i in range(before.size):
        before[i] = after[i] - before[i]
    return np.sqrt(norms(before)[1] / squares)


@kernel
def fold(v):
    """Σv of a float64 array, which is used up: its second half is added to its first, and so on.

    For short rows, where clearing and adding up the lanes of `norms` would take longer.
    """
    size = v.size
    while size > 1:
        half = (size + 1) // 2
        for i in range(size - half):
            v[i] += v[half + i]
        size = half
    return v[0]

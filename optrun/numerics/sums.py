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
def relative_change(u, v):
    """‖v − u‖/‖u‖ of two flat arrays; of v, as many numbers count as u has."""
    moved, squares = np.zeros(LANES), np.zeros(LANES)
    whole = u.size - u.size % LANES
    for start in range(0, whole, LANES):
        stop = start + LANES
        add_change_to_lanes(u[start:stop], v[start:stop], moved, squares)
    add_change_to_lanes(u[whole:], v[whole:], moved, squares)
    total_moved, total_squares = 0.0, 0.0
    for i in range(LANES):
        total_moved += moved[i]
        total_squares += squares[i]
    return np.sqrt(total_moved / total_squares)


@kernel
def add_change_to_lanes(u, v, moved, squares):
    """Add (v_i − u_i)² and u_i² to the i-th lanes."""
    for i in range(u.size):
        x = np.float64(u[i])
        change = np.float64(v[i]) - x
        moved[i] += change * change
        squares[i] += x * x


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

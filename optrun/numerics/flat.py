"""Flat arrays as wholes. Loops, for assigning an array to another takes long to compile."""

from optrun.numerics.jit import kernel


@kernel
def copy(x, out):
    """out ← x."""
    for i in range(out.size):
        out[i] = x[i]


@kernel
def blend(x, a, y, b):
    """x ← ax + by."""
    for i in range(x.size):
        x[i] = a * x[i] + b * y[i]


@kernel
def multiply(a, b, out):
    """out ← a·b, elementwise."""
    for i in range(a.size):
        out[i] = a[i] * b[i]

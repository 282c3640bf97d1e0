"""The exponential of many numbers at once, in float64.

`np.exp` in a kernel is a call of the C library for every number. This one is a loop of plain
arithmetic, which vector registers speed up several times, and gives the same bits everywhere.
"""

import numpy as np

from optrun.numerics.jit import kernel

LOG2_E = 1.4426950408889634
LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
"""ln 2 in two parts; the first has so few digits that whole multiples up to 1024 are exact."""
LEAST = -708.0
"""The least x whose exponential is not taken for 0; e^x is about 3e-308 there."""
BIAS, MANTISSA = 1023, 52


@kernel
def exponential(x, out):
    """out ← e^x for flat float64 arrays with x ≤ 0, to 3 units in the last place.

        e^x = 2^k·e^r,   k = round(x/ln 2),   |r| ≤ ½ ln 2,   e^r by its series to r¹³/13!

    NaN stays NaN.
    """
    powers = np.empty(x.size, np.int64)
    for i in range(x.size):
        z = x[i] if x[i] > LEAST else LEAST
        k = np.rint(z * LOG2_E)
        r = (z - k * LN2_HIGH) - k * LN2_LOW
        out[i] = series(r)
        powers[i] = (np.int64(k) + BIAS) << MANTISSA
    scales = powers.view(np.float64)
    for i in range(x.size):
        out[i] = out[i] * scales[i] if x[i] > LEAST else 0.0 * x[i]


@kernel
def series(r):
    """Σ r^k/k! to the 13th power."""
    tail = ((r * (1 / 6227020800) + 1 / 479001600) * r + 1 / 39916800) * r + 1 / 3628800
    tail = (((tail * r + 1 / 362880) * r + 1 / 40320) * r + 1 / 5040) * r + 1 / 720
    return (((((tail * r + 1 / 120) * r + 1 / 24) * r + 1 / 6) * r + 0.5) * r + 1.0) * r + 1.0

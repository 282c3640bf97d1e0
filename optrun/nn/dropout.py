"""Dropout: masks drawn by counter, so that they depend on nothing that came before."""

import numpy as np

from optrun.numerics.jit import kernel
from optrun.numerics.philox import philox


@kernel
def keep_mask(mask, rate, seed, purpose, index, layer):
    """Fill the flat mask with 0 at the given rate and with 1/(1−rate) elsewhere.

    An entry depends on its place, the size of the mask, the seed, the purpose, the index (a step)
    and the layer only.
    """
    k0, k1 = np.uint32(seed & 0xFFFFFFFF), np.uint32(seed >> 32)
    c1, c2, c3 = np.uint32(index), np.uint32(layer), np.uint32(purpose)
    threshold = np.uint32(rate * 4294967296.0)
    zero, kept = mask.dtype.type(0), mask.dtype.type(1.0 / (1.0 - rate))
    # quarter by quarter, so that the four numbers of a counter go to four contiguous streams
    quarter = mask.size // 4
    m0, m1 = mask[:quarter], mask[quarter : 2 * quarter]
    m2, m3 = mask[2 * quarter : 3 * quarter], mask[3 * quarter : 4 * quarter]
    for i in range(quarter):
        r0, r1, r2, r3 = philox(np.uint32(i), c1, c2, c3, k0, k1)
        m0[i] = zero if r0 < threshold else kept
        m1[i] = zero if r1 < threshold else kept
        m2[i] = zero if r2 < threshold else kept
        m3[i] = zero if r3 < threshold else kept
    for i in range(4 * quarter, mask.size):
        r0, r1, r2, r3 = philox(np.uint32(i), c1, c2, c3, k0, k1)
        mask[i] = zero if r0 < threshold else kept

"""Counter-based random numbers inside kernels: Philox 4x32-10.

A number is a function of its key and counter alone. Salmon et al., Parallel Random Numbers: As
Easy as 1, 2, 3 (2011).
"""

import numpy as np

from optrun.numerics.jit import inlined, kernel

MULTIPLIER_0 = np.uint64(0xD2511F53)
MULTIPLIER_1 = np.uint64(0xCD9E8D57)
WEYL_0 = np.uint32(0x9E3779B9)
WEYL_1 = np.uint32(0xBB67AE85)
LOW = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)
ROUNDS = 10


@inlined
def philox(c0, c1, c2, c3, k0, k1):
    """Four random uint32 for the counter (c0, c1, c2, c3) and the key (k0, k1), all uint32."""
    for _ in range(ROUNDS):
        p0 = MULTIPLIER_0 * np.uint64(c0)
        p1 = MULTIPLIER_1 * np.uint64(c2)
        c0 = np.uint32(p1 >> HALF) ^ c1 ^ k0
        c2 = np.uint32(p0 >> HALF) ^ c3 ^ k1
        c1 = np.uint32(p1 & LOW)
        c3 = np.uint32(p0 & LOW)
        k0 = np.uint32(k0 + WEYL_0)
        k1 = np.uint32(k1 + WEYL_1)
    return c0, c1, c2, c3


@kernel
def keep_mask(mask, rate, seed, purpose, index, layer):
    """Fill the flat mask with 0 at the given rate and with 1/(1−rate) elsewhere.

    An entry depends on its place, the seed, the purpose, the index (a step) and the layer only.
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

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
def add_normal(x, std, seed, purpose, index):
    """Add normal numbers of mean 0 to the flat array x (Box & Muller 1958).

    A number depends on its place, the seed, the purpose and the index (a step) only.
    """
    k0, k1 = np.uint32(seed & 0xFFFFFFFF), np.uint32(seed >> 32)
    c1, c3, zero = np.uint32(index), np.uint32(purpose), np.uint32(0)
    for i in range(0, x.size, 4):
        r0, r1, r2, r3 = philox(np.uint32(i // 4), c1, zero, c3, k0, k1)
        pairs = normal_pair(r0, r1, std) + normal_pair(r2, r3, std)
        for j in range(min(4, x.size - i)):
            x[i + j] += pairs[j]


@kernel
def normal_pair(r0, r1, std):
    """Two independent normal numbers from two random uint32."""
    radius = std * np.sqrt(-2.0 * np.log((r0 + 0.5) / 4294967296.0))
    angle = 2.0 * np.pi * (r1 / 4294967296.0)
    return radius * np.cos(angle), radius * np.sin(angle)

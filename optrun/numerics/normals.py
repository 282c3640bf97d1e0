"""Normal random numbers inside kernels, cheap enough for every pixel of every batch."""

from statistics import NormalDist

import numpy as np

from optrun.numerics.jit import kernel
from optrun.numerics.philox import philox

CELLS = 256
LOW, BYTE = np.uint32(0xFF), np.uint32(8)


def halves() -> np.ndarray:
    """(CELLS,), float64: equally likely values whose pairwise sums are nearly N(0, 1).

    Each is N(0, 1)'s mean between two neighbouring quantiles, all scaled to a variance of ½.
    """
    normal = NormalDist()
    edges = [normal.pdf(normal.inv_cdf(cell / CELLS)) for cell in range(1, CELLS)]
    means = -np.diff([0.0, *edges, 0.0])
    return means * np.sqrt(0.5 / np.mean(means**2))


HALVES = halves()


@kernel
def add_normals(x, std, seed, purpose, index, part, words):
    """Add N(0, std²) to the flat array x.

    A number depends on its place, the seed, the purpose, the index and the part (uint32 both)
    only. It is the sum of two of `HALVES`, chosen by 16 random bits: mean 0, variance 1, fourth
    moment 2.98, at most 4.2.

    Args:
        words: room for `words_for(x.size)` numbers, uint32.
    """
    half = (x.size + 1) // 2
    fill_with_words(words, seed, purpose, index, part)
    add_pairs(x[:half], x.dtype.type(std), words[:half], np.uint32(0))
    add_pairs(x[half:], x.dtype.type(std), words[:half], np.uint32(16))


@kernel
def words_for(size):
    """Random words that `size` normal numbers need: one for two, in fours."""
    return 4 * ((size + 7) // 8)


@kernel
def fill_with_words(words, seed, purpose, index, part):
    """Random bits, four words a counter."""
    k0, k1 = np.uint32(seed & 0xFFFFFFFF), np.uint32(seed >> 32)
    c1, c2, c3 = np.uint32(index), np.uint32(part), np.uint32(purpose)
    for i in range(words.size // 4):
        w0, w1, w2, w3 = philox(np.uint32(i), c1, c2, c3, k0, k1)
        words[4 * i], words[4 * i + 1] = w0, w1
        words[4 * i + 2], words[4 * i + 3] = w2, w3


@kernel
def add_pairs(x, std, words, skip):
    """Add std·(a sum of two of HALVES) to x, chosen by 16 bits of each word after `skip`."""
    for i in range(x.size):
        bits = words[i] >> skip
        x[i] += std * x.dtype.type(HALVES[bits & LOW] + HALVES[(bits >> BYTE) & LOW])

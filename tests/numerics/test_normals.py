"""Normal numbers inside kernels: their distribution, and what they depend on."""

import numpy as np
import pytest

from optrun.numerics.jit import kernel
from optrun.numerics.normals import HALVES, add_normals, words_for
from tests import reference

SEED, PURPOSE, INDEX, PART = 2**40 + 3, 9, 11, 5


@kernel
def fill(x, std, seed, purpose, index, part):
    words = np.empty(words_for(x.size), np.uint32)
    add_normals(x, std, seed, purpose, index, part, words)


def drawn(size, std=1.0, key=(SEED, PURPOSE, INDEX, PART), dtype="float64"):
    x = np.zeros(size, dtype)
    fill(x, std, *key)
    return x


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 784])
def test_a_number_is_the_sum_of_two_halves_that_16_bits_choose(size):
    words = [
        word
        for call in range(size)
        for word in reference.philox([call, INDEX, PART, PURPOSE], [3, 2**8])
    ]
    half = -(-size // 2)
    bits = [words[i] for i in range(half)] + [words[i] >> 16 for i in range(size - half)]
    expected = [HALVES[b & 255] + HALVES[b >> 8 & 255] for b in bits]
    np.testing.assert_allclose(drawn(size), expected, rtol=1e-15)


def test_the_numbers_are_nearly_normal():
    from scipy.stats import kstest

    z = (HALVES[:, None] + HALVES).reshape(-1)
    moments = [(z**power).mean() for power in range(1, 7)]
    assert moments == pytest.approx([0, 1, 0, 3, 0, 15], rel=0.03, abs=1e-12)
    assert abs(z).max() == pytest.approx(4.2, abs=0.01)
    assert kstest(z, "norm").statistic < 0.003
    assert kstest(drawn(100_000), "norm").pvalue > 0.01


def test_they_are_added_and_scaled():
    x = np.full(100, 7.0, np.float32)
    fill(x, 0.5, SEED, PURPOSE, INDEX, PART)
    np.testing.assert_allclose(x, 7 + 0.5 * drawn(100), rtol=1e-6)


def test_every_part_of_the_key_matters():
    key = [SEED, PURPOSE, INDEX, PART]
    keys = [
        key,
        *([*key[:i], key[i] + 1, *key[i + 1 :]] for i in range(4)),
        [SEED + 2**32, *key[1:]],
    ]
    assert len({drawn(64, key=tuple(key)).tobytes() for key in keys}) == len(keys)

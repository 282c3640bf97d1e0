"""Random numbers: known answers, independence of streams."""

import numpy as np
import pytest

from optrun.numerics.jit import kernel
from optrun.numerics.philox import philox
from optrun.numerics.streams import Purpose, stream
from tests import reference

# Known answers that the generator's authors publish (Random123, philox4x32 with 10 rounds).
KNOWN = [
    ([0, 0, 0, 0], [0, 0], [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
    ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    (
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
        [0xA4093822, 0x299F31D0],
        [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
    ),
]


@kernel
def numbers(c, k, out):
    out[0], out[1], out[2], out[3] = philox(c[0], c[1], c[2], c[3], k[0], k[1])


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN)
def test_philox_gives_the_published_answers(counter, key, answer):
    out = np.zeros(4, np.uint32)
    numbers(np.array(counter, np.uint32), np.array(key, np.uint32), out)
    assert out.tolist() == answer
    assert reference.philox(counter, key) == answer


def test_streams_depend_on_seed_purpose_and_index_and_nothing_else():
    draws = {
        (seed, purpose, index): tuple(stream(seed, purpose, index).random(4))
        for seed in (0, 1, 2**63 - 1)
        for purpose in Purpose
        for index in (0, 1, 50)
    }
    assert len(set(draws.values())) == len(draws)
    assert tuple(stream(1, Purpose.ORDER, 50).random(4)) == draws[1, Purpose.ORDER, 50]

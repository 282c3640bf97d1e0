"""Random streams that depend on what they are for and on nothing else.

Every stream is keyed on (seed, purpose, index) and counted, not carried along: the order of
epoch 7 is the same whatever was drawn before it. So changing the optimizer changes neither start,
order nor noise (common random numbers), and a resumed run needs no generator state.
"""

from enum import IntEnum

import numpy as np


class Purpose(IntEnum):
    """What a stream is for. The numbers are part of a run's numerics: never reuse one."""

    SPLIT = 1
    SUBSET = 2
    SYNTHETIC = 3
    SYNTHETIC_TEST = 4
    START = 5
    ORDER = 6
    DROPOUT = 7
    LABEL_NOISE = 8
    AUGMENTATION = 9
    GRADIENT_NOISE = 10
    SEARCH = 11
    PROBE = 12
    START_OF_BIASES = 13


def stream(seed: int, purpose: Purpose, index: int = 0) -> np.random.Generator:
    """A generator for (seed, purpose, index): Philox 4x64-10 with a counter of its own.

    The index fills the highest word of the 256-bit counter, so streams never overlap.
    """
    key = np.array([seed, purpose], dtype=np.uint64)
    counter = np.array([0, 0, 0, index], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=counter))

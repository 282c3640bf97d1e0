"""A gathered batch is what preprocessing says, with its bounds, whatever else changes it."""

import numpy as np
import pytest

from optrun.data.prepare import prepare
from optrun.engine.compiler import compile_program
from optrun.engine.program import Program
from tests.programs import make_config

GLYPHS = {"name": "synthetic", "kind": "glyphs", "samples": 60, "test_samples": 30}
BLOBS = {"name": "synthetic", "kind": "blobs", "samples": 60, "features": 5}
NOISE = ["rotation", "brightness", "gaussian_noise", "erasing"]
CASES = {
    "bytes": GLYPHS,
    "reals": BLOBS,
    "augmented bytes": {**GLYPHS, "augmentation": NOISE},
    "augmented reals": {
        **GLYPHS,
        "augmentation": ["rotation"],
        "preprocessing": ["sample_mean"],
    },
}


def make(dataset: dict, clip: float | None, dtype: str) -> Program:
    steps = [*dataset.get("preprocessing", []), {"name": "standardize", "clip": clip}]
    config = make_config(
        dataset={**dataset, "preprocessing": steps}, model="linear", optimizer="sgd", dtype=dtype,
        training={"epochs": 1, "batch_size": 16, "best_by": "last"},
    )  # fmt: skip
    return compile_program(config, prepare(config.dataset, config.seed, config.dtype))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("dataset", CASES.values(), ids=CASES)
def test_a_batch_is_cut_off_at_the_bounds(dataset, dtype):
    free, bounded = make(dataset, None, dtype), make(dataset, 0.75, dtype)
    assert free.data.low.size == 0
    for program in (free, bounded):
        program.run(0, 1, program.epoch(0), np.inf)
    expected = np.clip(free.work.h, -0.75, 0.75)
    assert np.abs(free.work.h).max() > 2
    np.testing.assert_array_equal(bounded.work.h, expected)


@pytest.mark.parametrize("crops", [None, "five_crops"])
def test_evaluation_sees_the_bounds(crops):
    free = make({**GLYPHS, "test_time": crops}, None, "float64")
    bounded = make({**GLYPHS, "test_time": crops}, 0.75, "float64")
    for program in (free, bounded):
        program.evaluate(program.data.test, program.parameters.weights)
    expected = np.clip(free.evaluation_work.h, -0.75, 0.75)
    np.testing.assert_array_equal(bounded.evaluation_work.h, expected)
    if not crops:
        seen = bounded.data.test.x
        np.testing.assert_array_equal(bounded.evaluation_work.h[: seen.size], seen.ravel())

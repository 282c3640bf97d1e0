"""The kernel cache over several processes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import json, sys
from optrun.numerics.jit import cache_misses
from tests.programs import make_config, make_program, train_all
from tests.toys import toy_data
program = make_program(make_config(**json.loads(sys.argv[1])), *toy_data())
train_all(program)
program.evaluate(program.data.test, program.parameters.weights)
weights = program.parameters.weights.tobytes().hex()
print(json.dumps([cache_misses(), weights]))
"""
ROOT = Path(__file__).parents[2]


def run(cache: Path, **sections) -> tuple[set[str], str]:
    """Kernels that a fresh process had to compile for a config, and the weights it came to."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(sections)],
        env=os.environ | {"NUMBA_CACHE_DIR": str(cache)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    misses, weights = json.loads(done.stdout)
    return {name.removeprefix("optrun.") for name in misses}, weights


def misses(cache: Path, **sections) -> set[str]:
    """Kernels that a fresh process had to compile to run a config."""
    return run(cache, **sections)[0]


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> Path:
    """A cache filled by one process with one config."""
    folder = tmp_path_factory.mktemp("kernels")
    first = misses(folder)
    assert {"engine.loop.train_steps", "optim.descent.SGD.update"} <= first
    return folder


def test_the_same_config_compiles_nothing_in_a_second_process(cache):
    assert misses(cache) == set()


def test_another_config_compiles_only_what_it_alone_uses(cache):
    other = {
        "seed": 5,
        "model": {"name": "mlp", "hidden": [7, 6, 5], "activation": "relu"},
        "loss": "hinge",
        "optimizer": {"name": "nesterov", "lr": 0.01, "clipping": {"by_norm": 1.0}},
        "scheduler": "cosine",
        "warmup": {"name": "linear", "duration": "2 steps"},
        "regularization": {"l1": 0.1, "dropout": 0.5},
        "training": {"epochs": 2, "batch_size": "full", "best_by": "last"},
    }
    assert misses(cache, **other) == {
        "nn.activations.ReLU.forward",
        "nn.activations.ReLU.backward",
        "nn.losses.Hinge.loss",
        "nn.losses.labels_of",
        "optim.descent.Nesterov.update",
    }


def test_a_kernel_just_compiled_gives_the_bits_of_one_from_the_cache(cache):
    section = {"dtype": "float32", "optimizer": {"name": "adam", "lr": 0.01}}
    compiled, fresh = run(cache, **section)
    loaded, cached = run(cache, **section)
    assert "optim.adam.Adam.update" in compiled
    assert not loaded
    assert fresh == cached


def test_a_truncated_cache_file_is_compiled_again(cache):
    other = cache / "somebody_elses.nbi"
    other.write_text("not ours")
    for index in cache.rglob("*loop.train_steps*.nb*"):
        index.write_bytes(index.read_bytes()[:100])
    assert "engine.loop.train_steps" in misses(cache)
    assert other.read_text() == "not ours"
    misses(cache)  # compiles the rest of what went with the damaged file
    assert misses(cache) == set()

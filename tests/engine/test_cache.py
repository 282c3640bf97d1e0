"""The kernel cache over several processes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import json, sys
from optrun.engine.jit import cache_misses
from tests.programs import make_config, make_program, train_all
from tests.toys import toy_data
program = make_program(make_config(**json.loads(sys.argv[1])), *toy_data())
train_all(program)
program.evaluate(program.data.test)
print(json.dumps(cache_misses()))
"""
ROOT = Path(__file__).parents[2]


def misses(cache: Path, **sections) -> set[str]:
    """Kernels that a fresh process had to compile to run a config."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(sections)],
        env=os.environ | {"NUMBA_CACHE_DIR": str(cache)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.removeprefix("optrun.") for name in json.loads(done.stdout)}


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> Path:
    """A cache filled by one process with one config."""
    folder = tmp_path_factory.mktemp("kernels")
    first = misses(folder)
    assert {"engine.loop.train_steps", "optim.first_order.SGD.update"} <= first
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
        "optim.first_order.Nesterov.update",
    }


def test_a_truncated_cache_file_is_compiled_again(cache):
    for index in cache.rglob("*loop.train_steps*.nb*"):
        index.write_bytes(index.read_bytes()[:100])
    assert "engine.loop.train_steps" in misses(cache)
    misses(cache)  # compiles the rest of what went with the damaged file
    assert misses(cache) == set()

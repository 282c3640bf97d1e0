"""The kernel cache over several processes."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

# One process begins without a cache, which costs half a minute; all tests go on from what it left.
pytestmark = pytest.mark.xdist_group("kernel cache")

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
FIRST = {"dtype": "float32", "optimizer": {"name": "adam", "lr": 0.01}}


class Ran(NamedTuple):
    """What a process tells: the kernels that it had to compile, and the weights it came to."""

    misses: set[str]
    weights: str


def run(cache: Path, sections: dict[str, Any], **environment: str) -> Ran:
    """Run a config in a fresh process."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(sections)],
        env=os.environ | {"NUMBA_CACHE_DIR": str(cache)} | environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    misses, weights = json.loads(done.stdout)
    return Ran({name.removeprefix("optrun.") for name in misses}, weights)


@pytest.fixture(scope="module")
def filled(tmp_path_factory) -> tuple[Path, Ran]:
    """A cache filled by one process with one config, and what that process told."""
    folder = tmp_path_factory.mktemp("kernels")
    return folder, run(folder, FIRST)


@pytest.fixture
def cache(filled, tmp_path) -> Path:
    """A copy of that cache."""
    return shutil.copytree(filled[0], tmp_path / "kernels")


def test_the_same_config_compiles_nothing_in_a_second_process_and_gives_the_same_bits(
    filled, cache
):
    first, second = filled[1], run(cache, FIRST)
    assert {"engine.loop.train_steps", "optim.adam.Adam.update"} <= first.misses
    assert second.misses == set()
    assert second.weights == first.weights


def test_another_config_compiles_only_what_it_alone_uses(cache):
    other = {
        "dtype": "float32",
        "seed": 5,
        "model": {"name": "mlp", "hidden": [7, 6, 5], "activation": "relu"},
        "loss": "hinge",
        "optimizer": {"name": "nesterov", "lr": 0.01, "clipping": {"by_norm": 1.0}},
        "scheduler": "cosine",
        "warmup": {"name": "linear", "duration": "2 steps"},
        "regularization": {"l1": 0.1, "dropout": 0.5},
        "training": {"epochs": 2, "batch_size": "full", "best_by": "last"},
    }
    assert run(cache, other).misses == {
        "nn.activations.ReLU.forward",
        "nn.activations.ReLU.backward",
        "nn.losses.Hinge.loss",
        "nn.losses.labels_of",
        "optim.descent.Nesterov.update",
    }


def test_a_truncated_cache_file_is_compiled_again(cache):
    other = cache / "somebody_elses.nbi"
    other.write_text("not ours")
    for index in cache.rglob("*loop.train_steps*.nb*"):
        index.write_bytes(index.read_bytes()[:100])
    quickly = {"NUMBA_OPT": "1"}  # how fast the kernels are is not the point
    assert "engine.loop.train_steps" in run(cache, FIRST, **quickly).misses
    assert other.read_text() == "not ours"
    run(cache, FIRST, **quickly)  # compiles the rest of what went with the damaged file
    assert run(cache, FIRST, **quickly).misses == set()

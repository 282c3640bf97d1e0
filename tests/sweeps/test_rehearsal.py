"""Trying runs out: every kernel is compiled before workers need it, and times are told ahead."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from optrun.config.load import load
from optrun.data.prepare import prepare
from optrun.numerics import kernel_cache
from optrun.store.reading import load_run
from optrun.sweeps.rehearsal import (
    Speed,
    compile_for,
    estimate,
    kind_of,
    lacking_kernels,
    rehearse,
    size_of,
)
from optrun.training.run import run
from tests.sweeps.parts import TOY

ROOT = Path(__file__).parents[2]
KERNELS = """
import json, sys
from pathlib import Path
from optrun.config.load import load
from optrun.data.prepare import prepare
from optrun.numerics.jit import compiled_kernels
from optrun.sweeps.rehearsal import compile_for
from optrun.training.run import run

def used():
    return {k.name: [str(s) for s in k.compiled.signatures] for k in compiled_kernels()}

configs = [load(json.loads(text)).config for text in sys.argv[2:]]
for config in configs:
    compile_for(config, prepare(config.dataset, config.seed, config.dtype))
rehearsed = used()
for config in configs:
    run(config, Path(sys.argv[1]))
print(json.dumps([rehearsed, used()]))
"""


def test_a_run_needs_no_kernel_that_was_not_rehearsed(tmp_path):
    changes = [
        {},
        {"optimizer": {"name": "adam", "clipping": {"by_norm": 1.0}}},
        {"regularization": {"l2": 1e-3, "dropout": 0.2}, "averaging": "ema"},
        {"optimizer": "lbfgs", "training": {"epochs": 2, "batch_size": "full"}},
        {"scheduler": "plateau", "optimizer": "schedule_free_sgd"},
    ]
    done = subprocess.run(
        [sys.executable, "-c", KERNELS, str(tmp_path), *(json.dumps(TOY | c) for c in changes)],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        check=True,
    )
    rehearsed, used = json.loads(done.stdout)
    assert used == rehearsed


def test_runs_that_differ_in_numbers_need_the_same_kernels():
    def kernels(*overrides):
        return kind_of(load(TOY, overrides).config)

    assert kernels("optimizer.lr=0.7", "seed=0", "model.hidden=[5, 6]") == kernels()
    assert kernels("optimizer={name: rmsprop, momentum: 0.5}") != kernels("optimizer=rmsprop")
    assert kernels("optimizer=adam") != kernels()
    assert kernels("dtype=float64") != kernels()
    assert kernels("model.activation=tanh") != kernels()


def test_what_decides_the_speed():
    def size(*overrides):
        return size_of(load(TOY, overrides).config)

    assert size("optimizer.lr=0.7", "seed=4", "training.epochs=9", "name=other") == size()
    assert size("model.hidden=[5]") != size()
    assert size("training.batch_size=10") != size()


def test_an_estimate_counts_steps_and_evaluations():
    assert Speed(training=2.0, evaluation=0.5).seconds(10) == pytest.approx(25.5, abs=0.1)


@pytest.mark.parametrize("overrides", [(), ("training.batch_size=full",), ("training.epochs=0",)])
def test_a_rehearsal_writes_nothing_and_times_what_there_is(overrides, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = load(TOY, overrides).config
    speed = rehearse(config, prepare(config.dataset, config.seed, config.dtype))
    assert (speed.training > 0) == (config.training.epochs > 0)
    assert speed.evaluation > 0
    assert not list(tmp_path.iterdir())


def test_an_estimate_is_of_the_order_of_the_time_taken(tmp_path):
    config = load(TOY, ["training.epochs=2000", "training.log_every=1000"]).config
    configs = [config, config.model_copy(update={"seed": 1})]
    expected = estimate(configs, lambda c: prepare(c.dataset, c.seed, c.dtype))
    summary = load_run(run(config, tmp_path)).summary
    taken = 2 * (summary["seconds_train"] + summary["seconds_eval"])
    assert taken / 4 < expected < 4 * taken


@pytest.fixture
def no_kernels(tmp_path, monkeypatch):
    """A cache of kernels that is not there yet."""

    def forget():
        kernel_cache.cache_folder.cache_clear()
        kernel_cache.kernels_here.cache_clear()

    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "new" / "folder"))
    monkeypatch.setenv(kernel_cache.TEMPORARY, "")
    monkeypatch.setattr("optrun.sweeps.rehearsal.rehearse", lambda config, data, seconds: None)
    forget()
    yield forget
    monkeypatch.undo()
    forget()


def test_each_kind_of_config_is_compiled_once(no_kernels, monkeypatch):
    rates = [load(TOY, [f"optimizer.lr={rate}", f"name=at-{rate}"]).config for rate in (0.1, 0.2)]
    other = load(TOY, ["optimizer=adam"]).config
    assert lacking_kernels([*rates, other]) == [rates[1], other]
    compile_for(rates[0], None)
    assert lacking_kernels([*rates, other]) == [other]
    for attribute, value in {"LIBRARIES": (), "processor": lambda: "another"}.items():
        with monkeypatch.context() as patched:
            patched.setattr(kernel_cache, attribute, value)
            no_kernels()
            assert len(lacking_kernels([*rates, other])) == 2
    no_kernels()
    assert lacking_kernels(rates) == []
    kernel_cache.forget([])  # as when a file of the cache is found damaged
    assert lacking_kernels(rates) == [rates[1]]


def test_a_cache_that_cannot_be_written_is_no_obstacle(no_kernels, tmp_path):
    (tmp_path / "new").touch()
    config = load(TOY).config
    with pytest.warns(UserWarning, match="for this process only"):
        compile_for(config, None)
    assert lacking_kernels([config]) == []

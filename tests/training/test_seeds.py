"""Whether another seed gives another result, as a config says of itself."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from optrun.config.load import load
from optrun.config.schema import Config
from optrun.errors import ConfigError
from optrun.optim.optimizers import OPTIMIZERS
from optrun.store.run_directory import RunDirectory
from optrun.training.run import run

FUNCTION: dict[str, Any] = {
    "name": "walk",
    "dtype": "float64",
    "dataset": {"name": "function", "kind": "rosenbrock"},
    "model": "point",
    "optimizer": {"name": "sgd", "lr": 1e-4},
    "training": {"epochs": 3},
}
NOISE = {"gradient_noise": {"eta": 0.1}}
BLOBS = {"name": "synthetic", "kind": "blobs", "samples": 40, "test_samples": 10}


def walks() -> list[Config]:
    """A walk down a function with every optimizer that can, and with noise; and on data."""
    configs = []
    for name in OPTIMIZERS:
        base = {"base": {"name": "sgd", "lr": 1e-4}} if name in ("sam", "lookahead") else {}
        with suppress(ConfigError):  # some need layers
            configs.append(load(FUNCTION | {"optimizer": {"name": name, **base}}).config)
    configs.append(load(FUNCTION | {"regularization": NOISE}).config)
    configs.append(load(FUNCTION | {"dataset": BLOBS, "model": "linear"}).config)
    return configs


@pytest.mark.parametrize("config", walks(), ids=lambda config: config.optimizer.name)
def test_a_config_knows_whether_it_depends_on_the_seed(config: Config, tmp_path: Path):
    losses = {
        RunDirectory(run(config.model_copy(update={"seed": seed}), tmp_path)).read_summary()[
            "train_loss"
        ]
        for seed in (0, 1)
    }
    assert (len(losses) > 1) == config.depends_on_seed

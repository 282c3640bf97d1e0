"""Believable run directories, written without training anything."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from optrun.metrics import EVALUATED
from optrun.store.identity import run_id
from optrun.store.run_directory import RunDirectory

PER_EPOCH = 100
LOG_EVERY = 10
LIBRARY = "0.1.0"
Loss = Callable[[float], float]


def resolved_config(**settings: Any) -> dict[str, Any]:
    """A resolved config; `settings` are dotted keys with `__` for the dot."""
    config: dict[str, Any] = {
        "name": "glyphs-mlp",
        "seed": 0,
        "dtype": "float32",
        "dataset": {"name": "synthetic", "kind": "glyphs", "validation": 0.1, "subset": None},
        "model": {"name": "mlp", "hidden": [64], "activation": {"name": "relu"}},
        "loss": {"name": "softmax"},
        "optimizer": {"name": "adam", "lr": 0.001, "beta1": 0.9, "eps": 1e-8, "clipping": None},
        "scheduler": {"name": "constant"},
        "warmup": None,
        "regularization": {"l1": 0.0, "l2": 0.0, "dropout": 0.0},
        "training": {"epochs": 10, "batch_size": 128, "log_every": 10, "early_stopping": None},
    }
    for dotted, value in settings.items():
        *sections, key = dotted.split("__")
        place = config
        for section in sections:
            place = place[section]
        place[key] = value
    return config


SGD = {"name": "sgd", "lr": 0.1, "clipping": None}
COSINE = {"name": "cosine", "floor": 0.0}


def write_run(
    root: Path,
    config: Mapping[str, Any] | None = None,
    *,
    epochs: int = 10,
    status: str = "finished",
    validation: bool = True,
    labels: bool = True,
    diverged_step: int | None = None,
    rates: np.ndarray | None = None,
    start_loss: float = 2.3,
    started: str = "2024-05-01T10:00:00+00:00",
    **summary: Any,
) -> Path:
    """Write a run of `epochs` epochs of PER_EPOCH steps and return its directory."""
    config = dict(config or resolved_config())
    directory = RunDirectory.named(root, config["name"], run_id(config, "glyphs", 1))
    directory.create()
    directory.write_config(config)
    steps = diverged_step or epochs * PER_EPOCH
    rates = np.full(steps, config["optimizer"]["lr"]) if rates is None else rates
    rng = np.random.default_rng(int(directory.path.name[-16:], 16))
    power = rng.uniform(0.3, 0.9)

    def loss(epoch: float) -> float:
        return start_loss / (1 + 2 * epoch) ** power

    metrics = metric_rows(epochs, rates, validation, loss, rng)
    for row in metrics if not labels else []:
        row["train_accuracy"] = row["val_accuracy"] = None
    with directory.open_metrics() as table:
        table.append(metrics)
    with directory.open_steps() as table:
        table.append(step_rows(steps, rates, loss, diverged_step, rng))
    last = {name: metrics[-1].get(name) for name in EVALUATED}
    directory.write_summary(
        {"name": config["name"], "id": directory.path.name[-16:], "status": status,
         "epochs": epochs, "steps": steps, "best_epoch": epochs if epochs else 0, **last,
         "test_loss": None, "test_accuracy": None, "seconds_train": 0.5 * epochs,
         "seconds_eval": 0.1, "seconds_compile": 1.0, "samples_per_second": 1e5,
         "peak_memory_mb": 210.0, "diverged_step": diverged_step, "reason": None,
         "started": started, "ended": None, "optrun": LIBRARY, **summary}
    )  # fmt: skip
    directory.write_environment({"python": "3.11"})
    if epochs or status == "finished":
        directory.save_best({"layers.0.weight": np.eye(3), "layers.0.bias": np.zeros(3)})
    return directory.path


def metric_rows(
    epochs: int, rates: np.ndarray, validation: bool, fall: Loss, rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Losses that `fall`, with noise, and accuracies that belong to them."""
    rows: list[dict[str, Any]] = []
    for epoch in range(epochs + 1):
        loss = fall(epoch) * (1 + 0.03 * rng.standard_normal())
        held_out = loss + fall(0) * (0.02 + 0.01 * epoch**0.5)
        correct, held_out_correct = np.exp(-2 * np.array([loss, held_out]) / fall(0))
        rate = rates[epoch * PER_EPOCH - 1] if epoch else None
        row = {
            "epoch": epoch,
            "step": epoch * PER_EPOCH,
            "lr": rate,
            "train_loss": loss,
            "train_accuracy": correct,
            "penalty": 0.0,
            "weight_norm": 12.0,
            "seconds": 0.5 * epoch,
        }
        if validation:
            row |= {"val_loss": held_out, "val_accuracy": held_out_correct}
        if epoch:
            row |= {"grad_norm": 2 * loss, "update_norm": loss / 9}
        rows.append(row)
    return rows


def step_rows(
    steps: int, rates: np.ndarray, fall: Loss, diverged: int | None, rng: np.random.Generator
) -> list[dict[str, Any]]:
    """A row every LOG_EVERY steps; a diverged run's loss grows and ends in NaN."""
    at = [*range(LOG_EVERY, steps, LOG_EVERY), steps] if steps else []
    rows: list[dict[str, Any]] = []
    for step in at:
        loss = fall(step / PER_EPOCH) * (1 + 0.15 * rng.standard_normal())
        if diverged:
            loss = np.nan if step == diverged else abs(loss) * np.exp(12 * (step / diverged) ** 6)
        rows.append(
            {
                "step": step,
                "epoch": step / PER_EPOCH,
                "lr": rates[step - 1],
                "loss": loss,
                "penalty": 0.0,
                "grad_norm": 2 * loss,
                "seconds": 0.005 * step,
            }
        )
    return rows


def cosine_rates(steps: int, lr: float = 0.1) -> np.ndarray:
    """A cosine from `lr` to 0."""
    return lr * 0.5 * (1 + np.cos(np.pi * np.arange(1, steps + 1) / steps))

"""The learning rate of every step of a run, though only some steps are logged."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from optrun.store.reading import Run

if TYPE_CHECKING:
    import pandas as pd


def learning_rates(run: Run) -> "pd.DataFrame":
    """`step`, `epoch`, `seconds` and `lr` of each step done, from step 0 on.

    The rate of step t holds from t − 1 to t, so that `steps-pre` draws it as it was. At step 0
    stands the rate of the first.

    The tables hold the rates of logged steps and of epochs' ends. The others follow from the config
    and, where the schedule answers to a metric, from metrics.csv. They are used if they agree with
    all that were recorded; otherwise the result has the recorded ones only.
    """
    import pandas as pd

    recorded = run.learning_rates()
    if not len(recorded):
        return recorded
    planned = planned_rates(run)
    table = recorded
    if planned is not None and agree(planned, recorded):
        steps = np.arange(1, recorded["step"].iloc[-1] + 1)
        table = pd.DataFrame({
            "step": steps,
            "epoch": np.interp(steps, *known(recorded, "epoch")),
            "seconds": np.interp(steps, *known(recorded, "seconds")),
            "lr": planned[: len(steps)],
        })  # fmt: skip
    start = pd.DataFrame({"step": [0], "epoch": [0.0], "seconds": [0.0], "lr": table["lr"].iloc[0]})
    return pd.concat([start, table], ignore_index=True)


def known(recorded: "pd.DataFrame", column: str) -> tuple[np.ndarray, np.ndarray]:
    """Recorded steps and a column at them, both of which begin at 0."""
    return np.append(0.0, recorded["step"]), np.append(0.0, recorded[column])


def agree(planned: np.ndarray, recorded: "pd.DataFrame") -> bool:
    """Whether the planned rates are those recorded, at all steps that are."""
    steps = recorded["step"].to_numpy(dtype="int64")
    if steps[-1] > len(planned):
        return False
    return bool(np.allclose(planned[steps - 1], recorded["lr"], rtol=1e-9, atol=0))


def planned_rates(run: Run) -> np.ndarray | None:
    """The rate of every step of the whole run by its config; None where that does not say."""
    from pydantic import ValidationError

    from optrun.optim.plateau import Plateau
    from optrun.optim.schedules import SCHEDULES, learning_rates
    from optrun.optim.warmup import WARMUPS

    config, per_epoch = run.config, round(steps_per_epoch(run) or 0)
    try:
        schedule = SCHEDULES[config["scheduler"]["name"]].model_validate(config["scheduler"])
        climb = config["warmup"]
        warmup = WARMUPS[climb["name"]].model_validate(climb) if climb else None
        total = config["training"]["epochs"] * per_epoch
        planned = learning_rates(base_rate(config), schedule, warmup, per_epoch, total)
    except (KeyError, TypeError, ValidationError):  # written by another version
        return None
    if isinstance(schedule, Plateau):
        figures = run.metrics[schedule.watch][1:].tolist()
        watched = [None if math.isnan(figure) else figure for figure in figures]
        return schedule.cut_rates(planned, watched, per_epoch)
    return planned


def base_rate(config: Mapping[str, Any]) -> float:
    """The optimizer's rate, or that of the optimizer it wraps, scaled if the config says so."""
    optimizer, scaling = config["optimizer"], config["linear_scaling"]
    lr = optimizer["lr"] if "lr" in optimizer else optimizer["base"]["lr"]
    return float(lr * (config["training"]["batch_size"] / scaling if scaling else 1.0))


def steps_per_epoch(run: Run) -> float | None:
    """Steps in an epoch, from the last row that is past the start; None if there is none."""
    for table in (run.metrics, run.steps):
        begun = table[table["epoch"] > 0]
        if len(begun):
            return float(begun["step"].iloc[-1] / begun["epoch"].iloc[-1])
    return None


def changes(points: "pd.DataFrame", column: str) -> "pd.DataFrame":
    """The first point, the last, and each after which the column changes: all of its steps."""
    values = points[column].to_numpy()
    kept = np.ones(len(values), dtype=bool)
    kept[1:-1] = values[1:-1] != values[2:]
    return points[kept]

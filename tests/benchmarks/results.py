"""What the README says of results, measured again: mean ± standard deviation over seeds.

A setting that is compared has the mean of its difference from the first one on the same seeds, and
the 95 % interval of that mean. Of a run, the figures are those of the epoch that it chose. Runs
that diverged are counted and have no figures.
"""

import math
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean, median, stdev
from typing import Any

import yaml

import optrun
from optrun.metrics import is_accuracy, spread_text
from optrun.store.reading import Run
from optrun.sweeps.results.rows import read_results
from optrun.sweeps.run import Order, carry_out
from optrun.sweeps.space.load import Sweep, load_sweep
from optrun.sweeps.watcher import Watcher
from tests.benchmarks.claims import CLAIMS, Claim
from tests.benchmarks.images import is_stored
from tests.benchmarks.suite import Row, at_most
from tests.benchmarks.sweep_command import ROOT

WORKERS = 2
IMAGE_SETS = ("mnist", "cifar10")
CONFIDENCE = 0.95
OFF_CHANCE = 0.1
"""By what share the loss at the start may be off that of a guess."""


def loss_of_chance(run: Run) -> float:
    """The loss of a classifier that scores all classes alike."""
    classes = list(run.weights.values())[-1].size  # the last layer's biases
    return {"softmax": math.log(classes), "hinge": classes - 1.0}[run.config["loss"]["name"]]


def layer_std(index: int) -> Callable[[Run], float]:
    """The standard deviation of a layer's units in the first step of a run."""
    return lambda run: float(optrun.signals(run.config)["std"].iloc[index])


FIGURES: dict[str, Callable[[Run], float]] = {
    **{
        name: lambda run, name=name: run.summary[name]
        for name in (
            *("train_loss", "val_loss", "test_loss"),
            *("train_accuracy", "val_accuracy", "test_accuracy"),
        )
    },
    "start_against_chance": lambda run: run.metrics["train_loss"].iloc[0] / loss_of_chance(run),
    "test_errors": lambda run: round(10_000 * (1 - run.summary["test_accuracy"])),
    "first_layer_std": layer_std(0),
    "last_layer_std": layer_std(-2),
}
"""What a run is reported by. The last row of `optrun.signals` is the layer of the scores."""


def measure(seeds: int | None = None, out: Path | None = None) -> Iterator[Row]:
    """The rows of every claim; those about image sets only where the real ones are stored.

    Args:
        seeds: of every claim, if not its own number.
        out: a folder for the runs, which are not made again if they are there; else a temporary
            one.
    """
    with folder_or_temporary(out) as folder:
        for claim in CLAIMS:
            name = dataset_of(claim)
            if name in IMAGE_SETS and not is_stored(name):
                print(f"{claim.title} is left out: it takes the real {name}", file=sys.stderr)
                continue
            yield from rows_of(claim, seeds or claim.seeds, folder)


@contextmanager
def folder_or_temporary(folder: Path | None) -> Iterator[Path]:
    if folder:
        yield folder
        return
    with tempfile.TemporaryDirectory() as temporary:
        yield Path(temporary)


def config_file(claim: Claim) -> Path:
    return ROOT / "configs" / f"{claim.config}.yaml"


def dataset_of(claim: Claim) -> str:
    return str(yaml.safe_load(config_file(claim).read_text(encoding="utf-8"))["dataset"]["name"])


def rows_of(claim: Claim, seeds: int, out: Path) -> Iterator[Row]:
    """A row for every setting and figure of a claim."""
    runs = train(claim, seeds, out)
    first = next(iter(claim.settings))
    for setting in claim.settings:
        for figure in claim.figures:
            ours, theirs = (figures_of(runs[name], figure) for name in (setting, first))
            row = {"case": claim.title, "setting": setting, "figure": figure, "seeds": seeds}
            there = [value for value in ours if not math.isnan(value)]
            row |= {"mean": spread(there, figure), "median": median(there) if there else None}
            row |= {"diverged": len(ours) - len(there) or None}
            if setting != first:
                row["less_the_first"] = difference(ours, theirs, figure)
            if claim.timed:
                row |= seconds_of(runs[setting])
            if figure == "start_against_chance":
                row = at_most("off_chance", row | {"off_chance": abs(fmean(ours) - 1)}, OFF_CHANCE)
            yield row | {"values": ours}


def train(claim: Claim, seeds: int, out: Path) -> dict[str, list[Run]]:
    """The runs of a claim by setting, one a seed."""
    workers = 1 if claim.timed else min(WORKERS, os.cpu_count() or 1)
    order = Order(out, None, "local", workers, fail_fast=True)
    directory = carry_out(sweep_of(claim, seeds), order, Watcher())
    runs = [optrun.load_run(out / row.directory) for row in read_results(directory.results).rows]
    return {
        setting: runs[index * seeds : (index + 1) * seeds]
        for index, setting in enumerate(claim.settings)
    }


def sweep_of(claim: Claim, seeds: int) -> Sweep:
    """The claim's settings, and its seeds."""
    block = {
        "name": re.sub(r"\W+", "-", claim.title),
        "base": str(config_file(claim)),
        "each": [{"set": dict(setting)} for setting in claim.settings.values()],
        "seeds": seeds,
    }
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sweep.yaml"
        file.write_text(yaml.safe_dump({"sweep": block}))
        return load_sweep(file)


def figures_of(runs: Sequence[Run], figure: str) -> list[float]:
    """A figure of each run, NaN where the run diverged."""
    find = FIGURES[figure]
    return [find(run) if run.summary["status"] == "finished" else math.nan for run in runs]


def spread(values: Sequence[float], figure: str) -> str:
    """`97.98 ± 0.10 %`."""
    mean = fmean(values) if values else None
    return spread_text(mean, stdev(values) if len(values) > 1 else None, figure)


def difference(ours: Sequence[float], theirs: Sequence[float], figure: str) -> str:
    """`+0.52 (0.30 to 0.74)`: the mean on common seeds and its 95 % interval; points of per cent
    for accuracies."""
    scale = 100 if is_accuracy(figure) else 1
    pairs = [scale * (a - b) for a, b in zip(ours, theirs, strict=True)]
    low, mean, high = interval([pair for pair in pairs if not math.isnan(pair)])
    if math.isnan(mean):
        return ""
    return f"{mean:+.3g}" + ("" if math.isnan(low) else f" ({low:+.3g} to {high:+.3g})")


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """(low, mean, high): the mean and its 95 % interval by Student's t; NaN for what is unknown."""
    from scipy.special import stdtrit

    n = len(values)
    if n < 2:
        return math.nan, values[0] if values else math.nan, math.nan
    quantile = float(stdtrit(n - 1, (1 + CONFIDENCE) / 2))
    mean, reach = fmean(values), quantile * stdev(values) / math.sqrt(n)
    return mean - reach, mean, mean + reach


def seconds_of(runs: Sequence[Run]) -> Mapping[str, Any]:
    """Mean seconds of a run, spent training and evaluating."""
    return {
        name: fmean(run.summary[name] for run in runs) for name in ("seconds_train", "seconds_eval")
    }

"""optrun from Python: the same runs, the same directories, as from the command line."""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optrun.errors import UserError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from optrun.data.prepare import Data
    from optrun.frames import SweepResults
    from optrun.store.reading import Run

Source = str | Path | Mapping[str, Any]
ROOT = Path("runs")


def train(
    config: Source,
    overrides: Sequence[str] = (),
    out: str | Path = "runs",
    data_dir: str | Path | None = None,
    progress: bool = False,
) -> "Run":
    """Train a config, or find the run if it is there already.

    Args:
        config: path of a YAML file, or the same as a dict.
        overrides: changes to it, such as `"optimizer.lr=0.1"`.
        out: where run directories are made.
        data_dir: folder of datasets; default: `OPTRUN_DATA_DIR`, else the user's cache.
        progress: tell on standard error how training goes.

    Returns:
        What `load_run` returns for its directory. A diverged run is returned too; its
        `summary["status"]` says so.

    Warns:
        UserWarning: an override leaves out keys of the file, which are named; or what the config
            says is allowed but seldom meant.

    Raises:
        ConfigError: the config is wrong; the message lists every problem.
        DataError: the dataset is absent or damaged.
        RunError: the run cannot be written.
        KeyboardInterrupt: Ctrl-C, after everything has been saved; the same call goes on.
    """
    from optrun.cli.progress import watch
    from optrun.config.load import load
    from optrun.training.observer import Observer
    from optrun.training.run import run
    from optrun.viz.curves import update_curves

    loaded = load(config, overrides)
    for line in loaded.told():
        warnings.warn(line.removeprefix("note: "), stacklevel=2)
    with closing(watch() if progress else Observer()) as observer:
        directory = run(loaded.config, out, data_dir, observer)
    update_curves(directory)
    result = load_run(directory)
    if result.summary["status"] == "stopped":
        raise KeyboardInterrupt
    return result


def sweep(
    config: Source,
    overrides: Sequence[str] = (),
    workers: int | None = None,
    out: str | Path = "runs",
    data_dir: str | Path | None = None,
    progress: bool = False,
) -> "SweepResults":
    """Train every run of a grid or a search, and compare them.

    Runs that are there already are reused. It works from scripts and notebooks as it is: workers
    are processes that import nothing of the script, so no `if __name__ == "__main__":` is needed.

        found = optrun.sweep("configs/spirals.yaml", ["optimizer.lr=0.01,0.1,1", "seed=range(3)"])
        print(found.settings)

    Args:
        config: path of a sweep file or of a config, or a mapping of the same shape.
        overrides: axes and changes to it, such as `"optimizer.lr=logspace(1e-4,1,9)"`.
        workers: processes to run at once; by default one a core.
        out: where run directories are made; the sweep's own is `sweeps/<name>` in it.
        data_dir: folder of datasets; default: `OPTRUN_DATA_DIR`, else the user's cache.
        progress: tell on standard error how the sweep goes.

    Returns:
        What `load_sweep` returns for its directory.

    Warns:
        UserWarning: runs failed, or the sweep may not be what was meant.

    Raises:
        ConfigError: the sweep or a run of it is wrong; the message lists every problem.
        DataError: a dataset is absent or damaged.
        RunError: the sweep cannot be written.
        KeyboardInterrupt: Ctrl-C, after everything has been saved; the same call goes on.
    """
    from optrun.cli.sweep import report, usable_cores
    from optrun.cli.sweep_progress import watch_sweep
    from optrun.sweeps.run import LOCAL, Order, carry_out, most_runs
    from optrun.sweeps.space.load import load_sweep as read
    from optrun.sweeps.watcher import Watcher

    if workers is not None and workers < 1:
        raise UserError(f"workers is {workers}; it is at least 1")
    loaded = read(config if isinstance(config, Mapping) else Path(config), overrides)
    for line in loaded.told():
        warnings.warn(line, stacklevel=2)
    folder = None if data_dir is None else Path(data_dir)
    order = Order(Path(out), folder, LOCAL, workers or usable_cores(), fail_fast=False)
    shown = watch_sweep(most_runs(loaded), loaded.keys, loaded.metric) if progress else Watcher()
    with closing(shown) as watcher:
        directory = carry_out(loaded, order, watcher)
    report(loaded, directory, curves=False)
    results = load_sweep(directory.path)
    failed = results.results[results.results["status"] == "failed"]
    if len(failed):
        reason = failed["reason"].iloc[0]
        warnings.warn(
            f"{len(failed)} of {len(results.results)} runs failed: {reason}", stacklevel=2
        )
    return results


def load_run(directory: str | Path) -> "Run":
    """Read a run directory: `config`, `metrics`, `steps`, `summary`, `weights`.

    Raises:
        RunError: there is no run, or it is damaged.
    """
    from optrun.store.reading import load_run

    return load_run(directory)


def load_runs(runs: str | Path | Iterable[str | Path] = ROOT) -> "pd.DataFrame":
    """A table of runs, a row each.

        runs = optrun.load_runs("runs/mnist-*")
        runs.groupby("optimizer.name")["val_loss"].min()
        curves = [optrun.load_run(path).metrics for path in runs["path"]]

    Args:
        runs: a folder of runs, a pattern such as `runs/mnist-*`, a sweep by its directory or name,
            or several of these.

    Returns:
        `name`, `id` and `status`; each setting in a column of its dotted key, such as
        `optimizer.lr`, those that differ first; the figures of summary.json, such as `val_loss` and
        `test_accuracy`; and `path`, the run's directory, which `load_run` reads.

    Warns:
        UserWarning: a run cannot be read, and is left out.

    Raises:
        RunError: there is no such run, or none can be read.
    """
    from optrun.frames import read_runs_frame

    return read_runs_frame([runs] if isinstance(runs, str | Path) else runs, ROOT)


def load_sweep(name: str | Path, out: str | Path = "runs") -> "SweepResults":
    """What came of a sweep.

        found = optrun.load_sweep("optimizers")
        found.results.pivot_table("best_val_accuracy", "optimizer.lr", "optimizer")
        print(found.best["optimizer.lr"], found.best["mean"], found.best["std"])

    Args:
        name: of the sweep, or its directory.
        out: where its runs were made; a sweep of a name is looked for in `sweeps` there.

    Returns:
        `path`, `metric`, `results` (a row a run), `settings` (a row a setting, with mean and
        standard deviation over seeds, the best first), `best` (its first row) and `best_runs`.

    Raises:
        RunError: there is no such sweep, or a file of it is damaged.
    """
    from optrun.frames import read_sweep

    return read_sweep(name, Path(out))


def plot(
    runs: Any,
    metric: str | Sequence[str] | None = None,
    x: str = "epoch",
    log_x: bool = False,
    log_y: bool = False,
    smooth: float = 0.0,
    out: str | Path | None = None,
) -> "Figure":
    """Draw metrics of several runs into one figure, labelled by what differs between them.

    Runs that differ in their seed alone become one curve, their mean in a band from the least to
    the greatest. Of a sweep of many settings the best of each group are drawn; give its `results`
    to draw all.

        figure = optrun.plot("runs/mnist-*", "val_loss", log_y=True)
        figure.axes[0].set_title("MNIST")
        figure.savefig("mnist.pdf")

    Args:
        runs: a run, its directory, a pattern such as `runs/mnist-*`, a sweep, its directory or
            name, a table with a column `path`, or several of these but tables.
        metric: a column of metrics.csv or steps.csv, or several, which get a panel each; by default
            the sweep's, else `val_loss`, else `train_loss`.
        x: `epoch`, `step`, or `seconds` of training.
        log_x: whether the horizontal axis is logarithmic; log_y: the vertical one.
        smooth: draw moving averages, in which the k-th neighbour on either side counts smooth^k.
        out: where to write the figure too, .png, .pdf or .svg.

    Returns:
        The figure. pyplot does not know it, so that it needs no closing, and a notebook shows it
        once.

    Warns:
        UserWarning: a run cannot be read or has no value of the metric, and is left out; or some
            runs differ from most in other settings than those compared.

    Raises:
        UserError: an argument is not one of the above; RunError where a run is at fault.
    """
    from optrun.viz import style
    from optrun.viz.compare import check_arguments, compare_figure
    from optrun.viz.selection import select

    def warn(text: str) -> None:
        warnings.warn(text, stacklevel=3)

    check_arguments(x, smooth, out)
    selection = select(named_runs(runs), root=ROOT, warn=warn)
    for text in selection.exceptions:
        warnings.warn(text, stacklevel=2)
    chosen = metric or selection.metric
    figure = compare_figure(selection.runs, chosen, x, log_x, log_y, smooth, warn)
    if out is not None:
        style.save(figure, Path(out))
    return figure


def named_runs(runs: Any) -> list[Any]:
    """What `plot` is given, as a list of runs, paths, patterns and names of sweeps."""
    import pandas as pd

    from optrun.frames import SweepResults
    from optrun.store.reading import Run

    if isinstance(runs, pd.DataFrame):
        if "path" not in runs:
            raise UserError("the table has no column path; `load_runs` and a sweep's results do")
        begun = runs[runs["status"] != "waiting"] if "status" in runs else runs
        return list(begun["path"])
    if isinstance(runs, SweepResults):
        return [runs.path]
    if isinstance(runs, str | Path | Run):
        return [runs]
    if not isinstance(runs, Iterable):
        raise UserError(f"runs are directories, patterns, sweeps or tables, not {runs!r}")
    return [named for each in runs for named in named_runs(each)]


def load_data(
    config: Source, overrides: Sequence[str] = (), data_dir: str | Path | None = None
) -> "Data":
    """The splits of a config's dataset as its model sees them.

    Returns:
        `.train`, `.validation` (or None) and `.test`, each with `x` (n, features) preprocessed,
        of the config's dtype, and labels `y` (n,).

    Raises:
        ConfigError, DataError: as for `train`.
    """
    from optrun.config.load import load
    from optrun.data.prepare import prepare

    loaded = load(config, overrides).config
    return prepare(loaded.dataset, loaded.seed, loaded.dtype, data_dir)


def signals(
    config: Source, overrides: Sequence[str] = (), data_dir: str | Path | None = None
) -> "pd.DataFrame":
    """How large the signal is in every layer in the first step of a run, before any training.

    Where `std` or `backward_std` shrinks or grows by the same factor from layer to layer, a deep
    network does not train.

    Returns:
        A row a layer, the layer of the scores last, over its units and the examples of the first
        batch: `mean` and `std` of its outputs after the activation, `backward_std` of an example's
        ∂loss/∂z, z being the outputs before normalization and activation, and `gradient_std` of the
        gradient of its weights.

    Raises:
        ConfigError, DataError: as for `train`.
    """
    import pandas as pd

    from optrun.config.load import load
    from optrun.data.prepare import prepare
    from optrun.engine.compiler import compile_program
    from optrun.engine.signals import measure_signals

    loaded = load(config, overrides).config
    data = prepare(loaded.dataset, loaded.seed, loaded.dtype, data_dir)
    table = pd.DataFrame(measure_signals(compile_program(loaded, data)))
    return table.rename_axis("layer")

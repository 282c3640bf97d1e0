"""optrun from Python: the same runs, the same directories, as from the command line."""

import warnings
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from optrun.data.prepare import Data
    from optrun.store.reading import Run

Source = str | Path | Mapping[str, Any]


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


def load_run(directory: str | Path) -> "Run":
    """Read a run directory: `config`, `metrics`, `steps`, `summary`, `weights`.

    Raises:
        RunError: there is no run, or it is damaged.
    """
    from optrun.store.reading import load_run

    return load_run(directory)


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

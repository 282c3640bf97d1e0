"""Controlled experiments in optimization: train, sweep, load what came of it, plot."""

from optrun.api import (
    load_data,
    load_run,
    load_runs,
    load_sweep,
    plot,
    signals,
    sweep,
    train,
)
from optrun.errors import ConfigError, DataError, RunError, UserError

__all__ = [
    "ConfigError",
    "DataError",
    "RunError",
    "UserError",
    "load_data",
    "load_run",
    "load_runs",
    "load_sweep",
    "plot",
    "signals",
    "sweep",
    "train",
]
__version__ = "0.1.0"

"""Controlled experiments in optimization: `train`, `load_run`, `load_data`, `signals`."""

from optrun.api import load_data, load_run, signals, train
from optrun.errors import ConfigError, DataError, RunError, UserError

__all__ = [
    "ConfigError",
    "DataError",
    "RunError",
    "UserError",
    "load_data",
    "load_run",
    "signals",
    "train",
]
__version__ = "0.1.0"

"""Controlled experiments in optimization: `train`, `load_run`, `load_data`."""

from optrun.api import load_data, load_run, train
from optrun.errors import ConfigError, DataError, RunError, UserError

__all__ = ["ConfigError", "DataError", "RunError", "UserError", "load_data", "load_run", "train"]
__version__ = "0.1.0"

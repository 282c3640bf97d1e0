"""Controlled experiments in optimization: `train`, `load_run`, `load_data`."""

from optrun.api import load_data, load_run, train

__all__ = ["load_data", "load_run", "train"]
__version__ = "0.1.0"

"""The sections of a sweep file."""

from typing import Annotated, Any, Literal

from pydantic import Field

from optrun.component import Count, OneOf, Section
from optrun.config.names import FolderName
from optrun.sweeps.strategies.strategy import Strategy
from optrun.sweeps.strategies.table import STRATEGIES, Grid

SweepMetric = Literal[
    "val_accuracy", "val_loss", "train_loss",
    "average_val_accuracy", "average_val_loss", "average_train_loss",
]  # fmt: skip
Seed = Annotated[int, Field(ge=0, lt=2**63)]


class Space(Section):
    """Which values are tried, and in which combinations; keys are dotted, as in overrides."""

    set: dict[str, Any] = Field(default_factory=dict)
    """Values that are the same in all of it: `optimizer: sgd`. A list is a value here."""
    grid: dict[str, Any] = Field(default_factory=dict)
    """Lists of values, which are tried in all combinations: `optimizer.lr: [0.1, 0.01]`. Also
    `range(1, 9, 2)`, `linspace(0, 1, 5)`, and `logspace(1e-4, 1, 9)` with its two ends."""
    zip: dict[str, Any] = Field(default_factory=dict)
    """Lists like those of a grid, equally long, whose first values go together, and so on."""
    random: dict[str, Any] = Field(default_factory=dict)
    """What values are drawn from: `uniform(0, 0.5)`, `loguniform(1e-4, 1)`, `integer(1, 8)`, or a
    list to choose from."""
    each: "list[Space]" = Field(default_factory=list)
    """Spaces of their own, such as an optimizer with its rates, tried one after the other."""


class SweepBlock(Space):
    """A sweep: a config, and what is varied in it."""

    base: str | dict[str, Any]
    """The config: its path, relative to the file of the sweep, or all of it written out."""
    name: FolderName | None = None
    """What the directory of results is called. Default: the file's name; for a config with axes
    on the command line, the config's `name`."""
    seeds: Count | list[Seed] | str | None = None
    """How many seeds each candidate is trained with, from the config's own on; or a list of them;
    or `range(5)`. Default: the config's own alone."""
    strategy: Annotated[Strategy, OneOf(STRATEGIES)] = Grid()
    """Which candidates are trained, and for how long. Default: `random` where values are drawn,
    otherwise `grid`."""
    metric: SweepMetric | None = None
    """What the best is best in; `average_` in front stands for the averaged weights. Default: what
    the runs choose their epoch by, and without validation data `train_loss`; that of the averaged
    weights if all runs have `averaging`."""
    baseline: dict[str, Any] | None = None
    """What settings are compared with: `{optimizer.name: sgd}`, the best that has these values.
    Default: the best of all."""


class SweepFile(Section):
    """The whole file."""

    sweep: SweepBlock
    """All that it holds."""

"""What a sweep chooses between: points of its grid, draws from its distributions, and jobs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from optrun.sweeps.space.distributions import Distribution

Key = str
"""A dotted path of the config, as in an override: `optimizer.lr`."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """One choice for everything that varies but the seed.

    Attributes:
        number: (of the point, of the draw there), which is the order in tables.
        settings: the value chosen for each key.
    """

    number: tuple[int, int]
    settings: Mapping[Key, Any]


@dataclass(frozen=True, eq=False)
class Point:
    """One combination of everything that is listed; what is drawn is still open.

    Attributes:
        number: its place in the order of the grid.
        settings: the value of each listed key.
        distributions: what the other keys are drawn from; empty if nothing is.
    """

    number: int
    settings: Mapping[Key, Any]
    distributions: Mapping[Key, Distribution] = field(default_factory=dict)

    def candidate(self, draw: int, drawn: Mapping[Key, Any]) -> Candidate:
        """The candidate of this point with these values for the open keys."""
        return Candidate((self.number, draw), {**self.settings, **drawn})

    def draw(self, draw: int, seed: int) -> Candidate:
        """The candidate whose open keys are drawn at random.

        A value depends on its key, the number of the draw and the seed alone: all points get the
        same, more draws begin with the same, and another key changes none.
        """
        return self.candidate(
            draw, {key: d.draw(seed, key, draw) for key, d in self.distributions.items()}
        )


@dataclass(frozen=True)
class Job:
    """A candidate to be trained with every seed of the sweep.

    Attributes:
        candidate: what to train.
        epochs: after so many the runs are paused; None: they go to their end.
    """

    candidate: Candidate
    epochs: int | None = None

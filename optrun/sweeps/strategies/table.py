"""The table of strategies, and the two that learn nothing from what they tried."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from optrun.component import Count, Size, table
from optrun.sweeps.space.candidates import Candidate, Job, Point
from optrun.sweeps.strategies.asha import ASHA
from optrun.sweeps.strategies.draws import drawn_key, draws, in_order, nothing_to_draw
from optrun.sweeps.strategies.halving import Hyperband, SuccessiveHalving
from optrun.sweeps.strategies.searching import GP, TPE
from optrun.sweeps.strategies.strategy import Strategy


class Grid(Strategy):
    """Every combination of the listed values, in full."""

    name: Literal["grid"] = "grid"

    def problem(self, points: Sequence[Point], epochs: int) -> str | None:
        """A grid has no place for what is drawn."""
        key = drawn_key(points)
        if key is None:
            return None
        return (
            f"`{key}` is drawn, and a grid tries what is listed; "
            "choose `strategy: {name: random, samples: 20}`"
        )

    def candidates(self, points: Sequence[Point], epochs: int) -> Sequence[Candidate]:
        return [point.candidate(0, {}) for point in points]

    def trials(self, points: Sequence[Point], epochs: int) -> int:
        return len(points)

    def jobs(
        self, points: Sequence[Point], epochs: int, values: Mapping[Job, float]
    ) -> Iterator[Job | None]:
        for candidate in self.candidates(points, epochs):
            yield Job(candidate)


class Random(Strategy):
    """Values drawn at random, the same ones for every listed combination, in full.

    A value depends on `seed`, its key and the number of the draw: each optimizer of a comparison
    gets the same draws and as many, and more samples begin with those there were. The same rates
    are tried more densely than on a grid as soon as several keys are drawn (Bergstra & Bengio
    2012). A listed combination in which nothing is drawn is trained once.
    """

    name: Literal["random"] = "random"
    samples: Count = 20
    """Draws for each listed combination."""
    seed: Size = 0
    """Which draws; not the seed of the runs."""

    def problem(self, points: Sequence[Point], epochs: int) -> str | None:
        """Something must be drawn."""
        return nothing_to_draw(points)

    def candidates(self, points: Sequence[Point], epochs: int) -> Sequence[Candidate]:
        return in_order(draws(points, self.samples, self.seed))

    def trials(self, points: Sequence[Point], epochs: int) -> int:
        return len(draws(points, self.samples, self.seed))

    def jobs(
        self, points: Sequence[Point], epochs: int, values: Mapping[Job, float]
    ) -> Iterator[Job | None]:
        for candidate in draws(points, self.samples, self.seed):
            yield Job(candidate)


STRATEGIES = table((Grid, Random, TPE, GP, SuccessiveHalving, Hyperband, ASHA))

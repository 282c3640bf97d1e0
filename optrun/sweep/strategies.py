"""The table of strategies, and the two that try everything."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from optrun.component import table
from optrun.sweep.candidates import Candidate, Job, Point
from optrun.sweep.strategy import Strategy


class Grid(Strategy):
    """Every combination of the listed values, in full."""

    name: Literal["grid"] = "grid"

    def candidates(self, points: Sequence[Point], epochs: int) -> Sequence[Candidate]:
        return [point.candidate(0, {}) for point in points]

    def trials(self, points: Sequence[Point], epochs: int) -> int:
        return len(points)

    def jobs(
        self, points: Sequence[Point], epochs: int, values: Mapping[Job, float]
    ) -> Iterator[Job | None]:
        for candidate in self.candidates(points, epochs):
            yield Job(candidate)


STRATEGIES = table((Grid,))

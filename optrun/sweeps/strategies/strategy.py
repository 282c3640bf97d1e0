"""What every strategy is: it decides which candidates are trained, how long, and after what."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from optrun.component import Component
from optrun.sweeps.space.candidates import Candidate, Job, Point


class Strategy(Component):
    """Which candidates of a space are trained, and for how many epochs.

    What a strategy decides depends on the values of jobs, never on when they become known: so a
    sweep comes to the same runs on one worker and on many, and when it is begun again.

    Attributes:
        pauses: whether runs are paused to see which are worth going on with.
    """

    pauses: ClassVar[bool] = False

    def problem(self, points: Sequence[Point], epochs: int) -> str | None:
        """Why this strategy cannot search this space, and what to write instead; None if it can.

        Args:
            points: everything that is listed, in order; each with what is to be drawn there.
            epochs: that a run takes in full.
        """
        return None

    @abstractmethod
    def candidates(self, points: Sequence[Point], epochs: int) -> Sequence[Candidate]:
        """The candidates that are known before anything is trained, in the order of tables."""

    @abstractmethod
    def trials(self, points: Sequence[Point], epochs: int) -> int:
        """How many candidates will be trained at most."""

    @abstractmethod
    def jobs(
        self, points: Sequence[Point], epochs: int, values: Mapping[Job, float]
    ) -> Iterator[Job | None]:
        """What to do next, again and again; None where values have to be waited for.

        Args:
            points: as for `problem`.
            epochs: as for `problem`.
            values: how good each job turned out, over its seeds, lower being better and inf for
                what diverged or failed; filled while this goes on.
        """

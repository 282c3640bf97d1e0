"""Searches that learn from what they tried where to try next; the models are optuna's."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from optrun.component import Count, Size
from optrun.sweeps.space.candidates import Candidate, Job, Point
from optrun.sweeps.strategies.draws import nothing_to_draw
from optrun.sweeps.strategies.optuna_study import Study, require
from optrun.sweeps.strategies.side_by_side import side_by_side
from optrun.sweeps.strategies.strategy import Strategy

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler


class Search(Strategy):
    """A search of its own for each listed combination, all with the same budget.

    Trial k, counted from 0, is proposed after the values of trials 0 … k − `parallel` are known,
    and after no others: what is proposed does not depend on how many workers there are or which is
    first. Trials with fewer than `startup` such values, which are the first `startup` + `parallel`
    − 1, are drawn as by `random`.
    """

    samples: Count = 30
    """Trials for each listed combination."""
    startup: Count = 10
    """Values to be known before the model proposes. Until then trials are drawn at random: the
    first `startup` + `parallel` − 1, for some run while those values become known."""
    parallel: Count = 4
    """Trials that run at once: a proposal waits for the values of all but the last `parallel` − 1
    before it. More keep more workers busy, learn later, and draw more at random."""
    seed: Size = 0
    """Which draws and proposals; not the seed of the runs."""

    packages: ClassVar[tuple[str, ...]]
    install: ClassVar[str]

    @abstractmethod
    def sampler(self) -> "BaseSampler":
        """Optuna's sampler for one listed combination."""

    def problem(self, points: Sequence[Point], epochs: int) -> str | None:
        """Something must be drawn, and not all of it at random.

        Raises:
            UserError: a package is missing.
        """
        problem = nothing_to_draw(points) or self._nothing_to_propose()
        if problem is None:
            require(self.name, self.packages, self.install)
        return problem

    def _nothing_to_propose(self) -> str | None:
        at_random = self.startup + self.parallel - 1
        if self.samples > at_random:
            return None
        return (
            f"the first {at_random} trials (startup + parallel - 1) are drawn at random, so "
            f"{self.name} would propose none of {self.samples}; "
            f"write `samples: {2 * at_random}`, a smaller `startup` or `parallel`, "
            f"or choose `strategy: {{name: random, samples: {self.samples}}}`"
        )

    def candidates(self, points: Sequence[Point], epochs: int) -> Sequence[Candidate]:
        """None: they are proposed as values become known."""
        return []

    def trials(self, points: Sequence[Point], epochs: int) -> int:
        return sum(self.samples if point.distributions else 1 for point in points)

    def jobs(
        self, points: Sequence[Point], epochs: int, values: Mapping[Job, float]
    ) -> Iterator[Job | None]:
        return side_by_side(
            self._search(point, values)
            if point.distributions
            else iter([Job(point.draw(0, self.seed))])
            for point in points
        )

    def _search(self, point: Point, values: Mapping[Job, float]) -> Iterator[Job | None]:
        study = Study(self.sampler(), point.distributions)
        begun: list[tuple[int, Job]] = []
        for draw in range(self.samples):
            told = max(0, draw - self.parallel + 1)
            if told:
                trial, job = begun[told - 1]
                while job not in values:
                    yield None
                study.tell(trial, values[job])
            if told < self.startup:
                candidate = point.draw(draw, self.seed)
            else:
                candidate = point.candidate(draw, study.propose())
            begun.append((study.begin(candidate.settings), Job(candidate)))
            yield begun[-1][1]

    def _sampler_seed(self) -> int:
        # Optuna draws from NumPy's older generator, which takes 32 bits.
        return self.seed % 2**32


class TPE(Search):
    """Tries what is likelier among the good values so far than among the others.

        l: density of the best ⌈n/10⌉ (at most 25) of the n values known
        g: density of the others, and of those that are still running
        x ← of 24 draws from l, the one with the greatest l(x)/g(x)

    l(x)/g(x) grows with the expected improvement. Both are mixtures of normal densities over all
    keys together, one for each trial and a wide one. Diverged runs count among the others.

    Tree-structured Parzen estimator: Bergstra et al. 2011; over all keys together: Falkner, Klein
    & Hutter 2018; optuna's TPESampler. It is sequential model-based optimization (Algorithm 7.1 in
    Qiu 2020) with l and g as the model, and `parallel` evaluations at once in place of one.
    """

    name: Literal["tpe"] = "tpe"

    packages: ClassVar[tuple[str, ...]] = ("optuna",)
    install: ClassVar[str] = "'optrun[search]'"

    def sampler(self) -> "BaseSampler":
        """Optuna's TPESampler."""
        from optuna.samplers import TPESampler

        return TPESampler(
            seed=self._sampler_seed(),
            n_startup_trials=self.startup,
            multivariate=True,
            constant_liar=True,
        )


class GP(Search):
    """Tries where a Gaussian process of the values expects the greatest improvement.

        f ~ GP(0, σ²·Matérn₅⸝₂(‖(x − x′)/ℓ‖) + noise), fitted to the n values known, standardized
        EI(x) = E[max(0, best − f(x))]
        x ← of 2,048 quasi-random x, improved by local searches, the one with the greatest log EI

    σ², noise and a length ℓ for each key are the likeliest under mild priors. While earlier trials
    run, EI is that of the best of x and those, over 128 draws of their values. A diverged run
    counts as the worst finite value known. A proposal takes about 0.1 s, and up to some seconds
    where whole numbers are drawn.

    Jones, Schonlau & Welch 1998; its logarithm: Ament et al. 2023; optuna's GPSampler. It is
    sequential model-based optimization (Algorithm 7.1 in Qiu 2020) with EI as what is gained, begun
    by random trials in place of a random model, and with `parallel` evaluations at once. It needs
    torch beside optuna: pip install 'optrun[search]' torch.
    """

    name: Literal["gp"] = "gp"

    packages: ClassVar[tuple[str, ...]] = ("optuna", "torch")
    install: ClassVar[str] = "'optrun[search]' torch"

    def sampler(self) -> "BaseSampler":
        """Optuna's GPSampler."""
        from optuna.samplers import GPSampler

        return GPSampler(seed=self._sampler_seed(), n_startup_trials=self.startup)

"""Strategies that train many candidates briefly and few in full, all of a rung at once."""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from optrun.component import Count, Size
from optrun.config.problems import count
from optrun.sweeps.space.candidates import Candidate, Job, Point
from optrun.sweeps.strategies.draws import (
    drawn_key,
    draws,
    in_order,
    shuffled_draws,
    wrong_samples,
)
from optrun.sweeps.strategies.side_by_side import side_by_side
from optrun.sweeps.strategies.strategy import Strategy

Rung = int | None
"""Epochs after which candidates are compared, as in a job: None is the full length."""


def rungs(epochs: int, eta: int, min_epochs: int) -> list[Rung]:
    """epochs·eta⁻ᵏ, rounded, for all k at which that is at least min_epochs; shortest first."""
    most = whole_log(epochs // min_epochs, eta)
    return [*(round(epochs / eta**k) for k in range(most, 0, -1)), None]


def whole_log(number: int, base: int) -> int:
    """⌊log_base(number)⌋ without rounding errors; 0 for what is below the base."""
    exponent = 0
    while base ** (exponent + 1) <= number:
        exponent += 1
    return exponent


def halvings_to_one(candidates: int, eta: int) -> int:
    """How often the best 1/eta, rounded down, are chosen until one is left."""
    halvings = 0
    while candidates > 1:
        candidates = max(1, candidates // eta)
        halvings += 1
    return halvings


def best_first(jobs: Sequence[Job], values: Mapping[Job, float]) -> list[Job]:
    """By value, then by the candidate's number."""
    return sorted(jobs, key=lambda job: (values[job], job.candidate.number))


def halving(
    candidates: Sequence[Candidate], rungs: Sequence[Rung], eta: int, values: Mapping[Job, float]
) -> Iterator[Job | None]:
    """Take the candidates from rung to rung, the best 1/eta each time, but at least one.

    Rungs at which one candidate would be left before the last are skipped from the front, so that
    the first comparison comes later. What diverged never goes on.
    """
    for rung in rungs[-1 - halvings_to_one(len(candidates), eta) :]:
        jobs = [Job(candidate, rung) for candidate in candidates]
        yield from jobs
        while not all(job in values for job in jobs):
            yield None
        kept = best_first(jobs, values)[: max(1, len(jobs) // eta)]
        candidates = [job.candidate for job in kept if math.isfinite(values[job])]


class Halving(Strategy):
    """What the strategies with rungs have in common."""

    pauses: ClassVar[bool] = True

    eta: Annotated[int, Field(ge=2)] = 3
    """One in so many goes on from a rung."""
    min_epochs: Count = 1
    """Epochs that every candidate gets at least."""
    seed: Size = 0
    """Which draws, and in which order; not the seed of the runs."""

    def problem(self, points: Sequence[Point], epochs: int) -> str | None:
        """There must be two rungs, and candidates to choose from."""
        instead = "random" if drawn_key(points) else "grid"
        if len(rungs(epochs, self.eta, self.min_epochs)) < 2:
            return (
                f"a run takes {count(epochs, 'epoch')}, which leaves nothing to halve; let it take "
                f"at least {self.eta * self.min_epochs}, or choose `strategy: {instead}`"
            )
        candidates = self.trials(points, epochs)
        if candidates < 2:
            return (
                "there is one candidate, which leaves nothing to halve; "
                f"choose `strategy: {instead}`"
            )
        return None


class SuccessiveHalving(Halving):
    """Trains all candidates briefly, the best half twice as long, and so on to full length.

        rungs: epochs·eta⁻ᵏ, …, epochs/eta, epochs
        at each: train S so far, then S ← the best ⌊|S|/eta⌋ of S, at least one

    Every rung costs about the same, so that the budget is shared equally between them. k is as
    great as `min_epochs` allows, but no greater than it takes to come down to one candidate. Paused
    runs go on from their checkpoint. Diverged runs are not kept. The schedule of the learning rate
    is that of a full run, so a value at a rung is not that of a run so short.

    Jamieson & Talwalkar 2016; Algorithm 7.2 in Qiu 2020. There eta is 2 and a budget is given, from
    which the lengths follow; here the full length is given, and the budget follows.
    """

    name: Literal["successive_halving"] = "successive_halving"
    eta: Annotated[int, Field(ge=2)] = 2
    """One in so many goes on from a rung."""
    samples: Count | None = None
    """Draws for each listed combination, given where something is drawn and only there. Default:
    none."""

    def problem(self, points: Sequence[Point], epochs: int) -> str | None:
        """`samples` where something is drawn, two rungs, two candidates."""
        return wrong_samples(self.name, self.samples, points) or super().problem(points, epochs)

    def candidates(self, points: Sequence[Point], epochs: int) -> Sequence[Candidate]:
        return in_order(draws(points, self.samples or 1, self.seed))

    def trials(self, points: Sequence[Point], epochs: int) -> int:
        return len(draws(points, self.samples or 1, self.seed))

    def jobs(
        self, points: Sequence[Point], epochs: int, values: Mapping[Job, float]
    ) -> Iterator[Job | None]:
        candidates = draws(points, self.samples or 1, self.seed)
        return halving(candidates, rungs(epochs, self.eta, self.min_epochs), self.eta, values)


class Hyperband(Halving):
    """Successive halving several times side by side, from many short runs to few full ones.

        s_max = ⌊log_eta(epochs/min_epochs)⌋
        bracket s = s_max, …, 0:  n = ⌊(s_max + 1)/(s + 1)⌋·eta^s new candidates,
                                  halved at epochs·eta⁻ˢ, …, epochs/eta, epochs

    It need not be known whether brief training tells good from bad: bracket 0 is random search, and
    all cost about the same. Candidates come from all listed combinations in turn, in a random
    order, with their open keys drawn. Where everything is listed, none comes twice; if there are
    too few, all brackets get their share of them.

    Li et al. 2018. n is that of their Table 1; their Algorithm 1 rounds (s_max + 1)/(s + 1)·eta^s
    up instead, which would make 34 of the 27 in the table.
    """

    name: Literal["hyperband"] = "hyperband"

    def brackets(
        self, points: Sequence[Point], epochs: int
    ) -> list[tuple[list[Candidate], list[Rung]]]:
        """The candidates and the rungs of each bracket, the one with most candidates first."""
        steps = rungs(epochs, self.eta, self.min_epochs)
        wanted = [len(steps) // (s + 1) * self.eta**s for s in reversed(range(len(steps)))]
        candidates = list(islice(shuffled_draws(points, self.seed), sum(wanted)))
        ends = [sum(wanted[: k + 1]) * len(candidates) // sum(wanted) for k in range(len(wanted))]
        return [
            (candidates[start:end], steps[k:])
            for k, (start, end) in enumerate(zip([0, *ends], ends, strict=False))
        ]

    def candidates(self, points: Sequence[Point], epochs: int) -> Sequence[Candidate]:
        return in_order([c for bracket, _ in self.brackets(points, epochs) for c in bracket])

    def trials(self, points: Sequence[Point], epochs: int) -> int:
        return len(self.candidates(points, epochs))

    def jobs(
        self, points: Sequence[Point], epochs: int, values: Mapping[Job, float]
    ) -> Iterator[Job | None]:
        return side_by_side(
            halving(candidates, steps, self.eta, values)
            for candidates, steps in self.brackets(points, epochs)
        )

"""Successive halving that waits for no rung to be complete."""

import math
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from optrun.component import Count
from optrun.sweeps.space.candidates import Candidate, Job, Point
from optrun.sweeps.strategies.draws import in_order, shuffled_draws, wrong_samples
from optrun.sweeps.strategies.halving import Halving, Rung, best_first, rungs, whole_log


class Ladder:
    """The rungs of one search: what is known at each, and who has gone on from it."""

    def __init__(self, candidates: Sequence[Candidate], rungs: Sequence[Rung], eta: int):
        self.fresh = deque(candidates)
        self.rungs = rungs
        self.eta = eta
        self.known: list[list[Job]] = [[] for _ in rungs]
        self.promoted: list[set[Candidate]] = [set() for _ in rungs]

    def add(self, job: Job) -> None:
        """Take note that the value of a job is known."""
        self.known[self.rungs.index(job.epochs)].append(job)

    def decide(self, values: Mapping[Job, float]) -> Job | None:
        """The job to begin now: a promotion, from as high as possible, or a new candidate.

        None where neither is left, given what is known.
        """
        for rung in reversed(range(len(self.rungs) - 1)):
            best = best_first(self.known[rung], values)[: len(self.known[rung]) // self.eta]
            for job in best:
                candidate = job.candidate
                if candidate not in self.promoted[rung] and math.isfinite(values[job]):
                    self.promoted[rung].add(candidate)
                    return Job(candidate, self.rungs[rung + 1])
        return Job(self.fresh.popleft(), self.rungs[0]) if self.fresh else None


class ASHA(Halving):
    """Successive halving that lets a candidate go on as soon as it is among the best so far.

        decision: from the highest rung down, a candidate among the best ⌊m/eta⌋ of the m known
                  there that has not gone on yet: train it to the next rung;
                  if there is none, train a new candidate to the lowest rung
        rungs:    epochs·eta⁻ᵏ, …, epochs/eta, epochs

    No worker waits for the slowest run of a rung, but some candidates go on that would not have
    been among the best of all. It ends when all candidates were tried and none is left to go on.
    k is as great as `min_epochs` allows, but no greater than for one candidate to come through.
    Diverged runs never go on. New candidates come from all listed combinations in turn, in a
    random order.

    Li et al. 2020, Algorithm 2. There a decision takes whatever is known when a worker is free;
    here decision i takes the values of decisions 0 … i − `parallel` and no others, so that a sweep
    comes to the same runs whatever the number of workers and the time they take.
    """

    name: Literal["asha"] = "asha"
    samples: Count | None = None
    """Draws for each listed combination, given where something is drawn and only there. Default:
    none."""
    parallel: Count = 4
    """Jobs that run at once: a decision waits for the values of all but the last `parallel` − 1
    before it. More keep more workers busy and learn later."""

    def problem(self, points: Sequence[Point], epochs: int) -> str | None:
        """`samples` where something is drawn, two rungs, enough candidates for one to go on."""
        problem = wrong_samples(self.name, self.samples, points) or super().problem(points, epochs)
        candidates = self.trials(points, epochs)
        if problem or candidates >= self.eta:
            return problem
        return (
            f"there are {candidates} candidates, and one in {self.eta} goes on, which is none; "
            f"set `eta` to {candidates}, or choose `strategy: successive_halving`"
        )

    def candidates(self, points: Sequence[Point], epochs: int) -> Sequence[Candidate]:
        return in_order(self._shuffled(points))

    def trials(self, points: Sequence[Point], epochs: int) -> int:
        return len(self._shuffled(points))

    def jobs(
        self, points: Sequence[Point], epochs: int, values: Mapping[Job, float]
    ) -> Iterator[Job | None]:
        candidates = self._shuffled(points)
        steps = rungs(epochs, self.eta, self.min_epochs)
        ladder = Ladder(candidates, steps[-1 - whole_log(len(candidates), self.eta) :], self.eta)
        latest: deque[Job | None] = deque()
        while True:
            if len(latest) == self.parallel:
                job = latest.popleft()
                if job is not None:
                    while job not in values:
                        yield None
                    ladder.add(job)
            decision = ladder.decide(values)
            if decision is not None:
                yield decision
            elif not any(latest):
                return
            latest.append(decision)

    def _shuffled(self, points: Sequence[Point]) -> list[Candidate]:
        return list(shuffled_draws(points, self.seed, self.samples or 1))

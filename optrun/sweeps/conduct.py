"""Leading a sweep to its end: the strategy's jobs become runs, and runs become values."""

from bisect import insort
from collections.abc import Callable, Iterator
from statistics import fmean
from time import monotonic

import numpy as np

from optrun.errors import ConfigError, DiskFull, RunError
from optrun.sweeps.engines.executor import Death, Event, Executor, Outcome
from optrun.sweeps.runs import RunsOf, SweepRun
from optrun.sweeps.space.candidates import Job
from optrun.sweeps.stored import Stored, value_after
from optrun.sweeps.watcher import Watcher
from optrun.training.interrupt import Interrupt

TRIES = 2
"""How often a run is begun whose worker dies."""
LISTEN_SECONDS = 0.2
ELSEWHERE_SECONDS = 0.5
SAVE_SECONDS = 5.0


class Conductor:
    """A sweep under way.

    Args:
        jobs: the strategy's, which reads `values`.
        values: of jobs, filled here.
        runs_of: gives the runs of candidates.
        metric: what a run is valued by.
        executor: carries the runs out.
        watcher: is told how it goes.
        save: has the results so far written.
        fail_fast: whether to stop at the first run that fails.
    """

    def __init__(
        self,
        jobs: Iterator[Job | None],
        values: dict[Job, float],
        runs_of: RunsOf,
        metric: str,
        executor: Executor,
        watcher: Watcher,
        save: Callable[[], None],
        fail_fast: bool = False,
    ):
        self.jobs: Iterator[Job | None] | None = jobs
        self.values = values
        self.runs_of = runs_of
        self.metric = metric
        self.executor = executor
        self.watcher = watcher
        self.save = save
        self.fail_fast = fail_fast
        self.unsettled: set[str] = set()
        self.settled_here: set[str] = set()
        self.waiting: dict[str, list[Job]] = {}
        self.queue: list[SweepRun] = []
        self.running: dict[str, SweepRun] = {}
        self.elsewhere: list[SweepRun] = []
        self.stopping = False
        self.told_to_stop = False
        self.disk_full: str | None = None
        self.obstacle: str | None = None
        self.save_again_at = monotonic() + SAVE_SECONDS
        self.look_again_at = 0.0

    def lead(self, interrupt: Interrupt) -> None:
        """Go on until nothing is left to do, or somebody asks to stop.

        Raises:
            DiskFull: there is no room for more; what was finished is.
        """
        while True:
            self.stopping |= interrupt.requested
            if not self.stopping:
                self.take_jobs()
            if not self.stopping:
                self.dispatch()
            elif not self.told_to_stop:
                self.told_to_stop = True
                self.executor.stop()
            if not self.running and (self.stopping or self.is_done()):
                break
            if self.stopping and self.executor.obstacle():
                break  # nobody is there to be waited for
            self.listen()
        if self.disk_full:
            raise DiskFull(self.disk_full)

    def is_done(self) -> bool:
        """Whether there is nothing left to do for anybody."""
        if self.unsettled:
            return False
        if self.jobs is not None:
            raise RuntimeError("the strategy waits for values that nobody works out")
        return True

    # From jobs to runs

    def take_jobs(self) -> None:
        """Ask the strategy for work until it has to wait for values, or has no more."""
        while self.jobs is not None:
            try:
                job = next(self.jobs)
            except StopIteration:
                self.jobs = None
                break
            if job is None:
                break
            self.take(job)

    def take(self, job: Job) -> None:
        """Have the job's runs carried out, as far as they have not been."""
        try:
            runs = self.runs_of(job.candidate)
        except ConfigError as error:  # what a search draws may not go together
            self.watcher.notice(f"left out: {error}")
            self.values[job] = np.inf
            return
        for run in runs:
            run.want(job.epochs)
            if run.id in self.unsettled:
                continue
            found = self.look(run)
            if run.failure is None and not found.has_come_to(run.pause_after):
                self.unsettled.add(run.id)
                self.enqueue(run)
            else:
                self.watcher.settled(run, found, reused=run.id not in self.settled_here)
        for run in runs:
            if run.id in self.unsettled:
                self.waiting.setdefault(run.id, []).append(job)
        self.value_if_known(job)

    def enqueue(self, run: SweepRun) -> None:
        """Have a run wait for a worker, beside others of its seed so that data change seldom."""
        insort(self.queue, run, key=lambda waiting: waiting.config.seed)

    def look(self, run: SweepRun) -> Stored:
        """What the run's directory says; the run has failed if it cannot be read."""
        try:
            return run.stored()
        except RunError as error:
            self.fail(run, str(error))
            return Stored("failed", reason=str(error))

    def dispatch(self) -> None:
        """Give what waits to workers that are free."""
        if monotonic() > self.look_again_at:
            self.look_again_at = monotonic() + ELSEWHERE_SECONDS
            free = [run for run in self.elsewhere if not run.directory.is_locked()]
            self.elsewhere = [run for run in self.elsewhere if run not in free]
            for run in free:
                self.enqueue(run)
        while self.queue and self.executor.free():
            run = self.queue.pop(0)
            self.running[run.id] = run
            self.watcher.begun(run)
            self.executor.submit(run.task())

    # From runs to values

    def listen(self) -> None:
        """Hear what workers have to tell."""
        for event in self.executor.events(LISTEN_SECONDS):
            self.hear(event)
        obstacle = self.executor.obstacle()
        if obstacle and obstacle != self.obstacle:
            self.watcher.note(obstacle)
        self.obstacle = obstacle
        if monotonic() > self.save_again_at:
            try:
                self.save()
            except DiskFull as error:
                self.disk_full, self.stopping = str(error), True
            self.save_again_at = monotonic() + SAVE_SECONDS

    def hear(self, event: Event) -> None:
        """Take note of what happened to a run."""
        run = self.running[event.task]
        if isinstance(event.what, Death):
            self.bury(run, event.what)
        elif isinstance(event.what, Outcome):
            self.conclude(run, event.what)
        else:
            self.watcher.progress(run, event.what)

    def bury(self, run: SweepRun, death: Death) -> None:
        """A worker has died over the run: begin it again, once."""
        del self.running[run.id]
        run.deaths += 1
        if self.stopping:
            return
        if run.deaths < TRIES:
            self.watcher.again(run, death.reason)
            self.enqueue(run)
        else:
            self.fail(run, f"{death.reason}, {run.deaths} times")
            self.settle(run, Stored("failed", reason=run.failure))

    def conclude(self, run: SweepRun, outcome: Outcome) -> None:
        """A run has come to an end, or cannot be carried out here and now."""
        del self.running[run.id]
        if outcome.status == "busy":
            self.elsewhere.append(run)
            self.watcher.elsewhere(run)
            return
        if outcome.status == "failed":
            self.fail(run, outcome.reason or "")
            if outcome.disk_full:
                self.disk_full, self.stopping = outcome.reason, True
        found = self.look(run) if run.failure is None else Stored("failed", reason=run.failure)
        if run.failure is None and not found.has_come_to(run.pause_after):
            # wanted for longer by now, or stopped: by us, or by whoever else may signal a process
            if not self.stopping:
                self.enqueue(run)
            return
        self.settle(run, found)

    def fail(self, run: SweepRun, reason: str) -> None:
        run.failure = reason
        self.stopping |= self.fail_fast

    def settle(self, run: SweepRun, found: Stored) -> None:
        """The run is as far as it is wanted: value the jobs that waited for nothing else."""
        self.unsettled.discard(run.id)
        self.settled_here.add(run.id)
        self.watcher.settled(run, found)
        for job in self.waiting.pop(run.id, ()):
            self.value_if_known(job)

    def value_if_known(self, job: Job) -> None:
        """Value the job, if none of its runs is still to come."""
        runs = self.runs_of(job.candidate)
        if not any(run.id in self.unsettled for run in runs):
            self.values[job] = fmean(self.value(run, job.epochs) for run in runs)

    def value(self, run: SweepRun, epochs: int | None) -> float:
        if run.failure is None:
            try:
                return value_after(run.directory, run.config, self.metric, epochs)
            except RunError as error:
                self.fail(run, str(error))
                self.watcher.settled(run, Stored("failed", reason=str(error)))
        return np.inf

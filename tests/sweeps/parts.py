"""Small sweeps made by hand, and an executor that does as it is told."""

import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from optrun.config.load import load
from optrun.config.schema import Config
from optrun.data.shelf import Shelf
from optrun.sweeps.conduct import Conductor
from optrun.sweeps.engines.executor import Death, Event, Outcome, Task
from optrun.sweeps.engines.work import Bench
from optrun.sweeps.runs import RunsOf
from optrun.sweeps.space.candidates import Candidate, Job, Point
from optrun.sweeps.watcher import Watcher
from optrun.training.interrupt import Interrupt
from optrun.training.observer import Observer

TOY = {
    "name": "toy",
    "dataset": {"name": "synthetic", "kind": "moons", "samples": 120, "test_samples": 30},
    "model": {"name": "mlp", "hidden": [4]},
    "optimizer": {"name": "sgd", "lr": 0.1},
    "training": {"epochs": 4, "batch_size": 30},
}
ENDLESS = TOY | {"training": {"epochs": 100_000, "batch_size": 30, "log_every": 1000}}


def rates(count: int) -> list[Point]:
    """Points of a grid over the learning rate."""
    return [Point(i, {"optimizer.lr": round(0.1 * (i + 1), 2)}) for i in range(count)]


def configs_of(*seeds: int, base=TOY) -> Callable[[Candidate], list[Config]]:
    """Composes candidates, one config a seed."""

    def configs(candidate: Candidate) -> list[Config]:
        settings = [f"{key}={value}" for key, value in candidate.settings.items()]
        return [load(base, [*settings, f"seed={seed}"]).config for seed in seeds]

    return configs


class Log(Watcher):
    """Writes down what it hears."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def of(self, kind: str) -> list[str]:
        return [text for said, text in self.lines if said == kind]

    def notice(self, text):
        self.lines.append(("notice", text))

    def note(self, text):
        self.lines.append(("note", text))

    def begun(self, run):
        self.lines.append(("begun", run.id))

    def progress(self, run, what):
        self.lines.append(("progress", type(what).__name__))

    def settled(self, run, stored, reused=False):
        self.lines.append(("reused" if reused else "settled", run.id))
        self.lines.append((stored.status, stored.reason or ""))

    def again(self, run, reason):
        self.lines.append(("again", reason))

    def elsewhere(self, run):
        self.lines.append(("elsewhere", run.id))


class InProcess:
    """Carries tasks out here, one after the other; `trouble` may decide otherwise.

    `trouble` is asked for each attempt and gives what to answer instead of doing the task.
    """

    def __init__(
        self, shelf: Shelf, trouble: Callable[[Task], Death | Outcome | None] = lambda task: None
    ):
        self.bench = Bench(lambda config: shelf.take(config.dataset, config.seed))
        self.trouble = trouble
        self.waiting: deque[Task] = deque()
        self.done: list[tuple[str, int | None]] = []
        self.stops = 0
        self.obstacles: deque[str | None] = deque()

    def free(self) -> int:
        return 1 - len(self.waiting)

    def submit(self, task: Task) -> None:
        self.waiting.append(task)

    def events(self, timeout: float):
        if self.waiting:
            task = self.waiting.popleft()
            answer = self.trouble(task)
            if answer is None:
                answer = self.bench.perform(task, Observer())
                self.done.append((task.id, task.pause_after))
            yield Event(task.id, answer)

    def obstacle(self) -> str | None:
        return self.obstacles.popleft() if self.obstacles else None

    def stop(self) -> None:
        self.stops += 1


class Leading:
    """A conductor over hand-made jobs, with all that it needs."""

    def __init__(self, folder: Path, jobs, configs=None, trouble=lambda task: None, **options):
        (folder / "shelf").mkdir(parents=True, exist_ok=True)
        shelf = Shelf(folder / "shelf")
        self.runs_of = RunsOf(
            configs or configs_of(0),
            lambda config: shelf.put(config.dataset, config.seed),
            folder / "runs",
        )
        self.values: dict[Job, float] = {}
        self.log = Log()
        self.executor = InProcess(shelf, trouble)
        self.saves = 0
        self.conductor = Conductor(
            jobs(self.values), self.values, self.runs_of, "val_loss", self.executor, self.log,
            self.save, **options,
        )  # fmt: skip

    def save(self) -> None:
        self.saves += 1

    def lead(self) -> "Leading":
        with Interrupt(lambda: None) as interrupt:
            self.conductor.lead(interrupt)
        return self


class Bureau:
    """Workers, and the runs to give to them."""

    def __init__(self, folder: Path, workers: Callable[[Shelf], Any]):
        self.shelf = Shelf(folder / "shelf")
        self.shelf.folder.mkdir()
        self.out = folder / "runs"
        self.workers = workers(self.shelf)

    def runs(self, count: int, base=TOY, seeds=(0,)):
        runs_of = RunsOf(
            configs_of(*seeds, base=base),
            lambda config: self.shelf.put(config.dataset, config.seed),
            self.out,
        )
        for point in rates(count):
            runs_of(point.candidate(0, {}))
        return runs_of.in_order()

    def until(self, number: int, *kinds: type) -> list:
        """The first so many events of these kinds."""
        found: list = []
        deadline = time.monotonic() + 60
        while len(found) < number:
            assert time.monotonic() < deadline, found
            found += [e for e in self.workers.events(0.2) if isinstance(e.what, kinds)]
        return found

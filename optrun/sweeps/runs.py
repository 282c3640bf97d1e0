"""The runs that candidates come to: each once, known by its id before it is begun."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from optrun.config.load import resolved
from optrun.config.schema import Config
from optrun.errors import RunError
from optrun.store.run_directory import RunDirectory
from optrun.sweeps.engines.executor import Task
from optrun.sweeps.space.candidates import Candidate
from optrun.sweeps.stored import Stored, stored
from optrun.training.run import identify

Fingerprint = Callable[[Config], str]
"""Gives the fingerprint of a config's dataset."""


@dataclass(eq=False)
class SweepRun:
    """A candidate with one of the seeds.

    Attributes:
        candidate: what was chosen; of several that come to this run, the first.
        config: with the seed.
        id: of the run.
        directory: of the run.
        wanted: whether any job has asked for it.
        pause_after: how many epochs are wanted; None: all.
        failure: why it cannot be carried out.
        deaths: workers that were lost over it.
    """

    candidate: Candidate
    config: Config
    id: str
    directory: RunDirectory
    wanted: bool = False
    pause_after: int | None = None
    failure: str | None = None
    deaths: int = 0

    def want(self, epochs: int | None) -> None:
        """Have the run go on for so many epochs at least; None: to its end."""
        known = self.wanted and (self.pause_after is None or epochs is None)
        self.pause_after = None if known else max(epochs or 0, self.pause_after or 0) or None
        self.wanted = True

    def stored(self) -> Stored:
        """What the run's directory holds.

        Raises:
            RunError: it is damaged, or holds another run.
        """
        self.directory.check_config(resolved(self.config))
        return stored(self.directory)

    def task(self) -> Task:
        """What an executor is asked for."""
        out = self.directory.path.parent
        return Task(self.id, resolved(self.config), out, self.pause_after)


class RunsOf:
    """The runs of candidates; asked for twice, or by two candidates, a run is the same.

    Args:
        configs: gives a candidate's configs, one a seed.
        fingerprint: gives that of a config's dataset.
        out: where run directories live.
    """

    def __init__(
        self,
        configs: Callable[[Candidate], Sequence[Config]],
        fingerprint: Fingerprint,
        out: Path,
    ):
        self.configs = configs
        self.fingerprint = fingerprint
        self.out = out
        self.known: dict[str, SweepRun] = {}
        self.of: dict[Candidate, list[SweepRun]] = {}

    def __call__(self, candidate: Candidate) -> list[SweepRun]:
        """The candidate's runs, one a seed.

        Raises:
            ConfigError: the candidate is none that can be run.
            DataError: its dataset is absent or damaged.
            RunError: another run has its id.
        """
        if candidate not in self.of:
            self.of[candidate] = [self._run(candidate, c) for c in self.configs(candidate)]
        return self.of[candidate]

    def _run(self, candidate: Candidate, config: Config) -> SweepRun:
        identity = identify(config, self.fingerprint(config))
        directory = RunDirectory.named(self.out, config.name, identity)
        new = SweepRun(candidate, config, identity, directory)
        run = self.known.setdefault(identity, new)
        if run.config.model_copy(update={"name": config.name}) != config:
            raise RunError(f"two different settings of the sweep have the same id, {identity}")
        return run

    def in_order(self) -> list[SweepRun]:
        """All that have been asked for, in the order of tables."""
        return sorted(self.known.values(), key=lambda run: (run.candidate.number, run.config.seed))

"""Carrying out one task, whoever asks: the same run that `optrun train` would make."""

import platform
from collections.abc import Callable
from time import monotonic
from typing import Any

from optrun.config.schema import Config
from optrun.data.dataset import Raw
from optrun.data.prepare import Data, arrange
from optrun.errors import DiskFull, RunBusy, UserError
from optrun.store.run_directory import RunDirectory
from optrun.sweeps.engines.executor import Outcome, Task
from optrun.training.observer import Observer, Plan, Pulse
from optrun.training.run import identify, run

PULSE_SECONDS = 0.5
Load = Callable[[Config], tuple[Raw, str]]
"""Gives the raw arrays of a config's dataset, and their fingerprint."""


class Reporter(Observer):
    """Passes plans and, now and then, pulses on to whoever watches the sweep.

    Where nobody listens any more, the run is saved and stopped.
    """

    def __init__(self, send: Callable[[Plan | Pulse], None]):
        self.send = send
        self.told = 0.0

    def begin(self, plan: Plan) -> None:
        self.tell(plan)

    def pulse(self, pulse: Pulse) -> None:
        if monotonic() - self.told > PULSE_SECONDS:
            self.told = monotonic()
            self.tell(pulse)

    def tell(self, what: Plan | Pulse) -> None:
        try:
            self.send(what)
        except OSError:
            self.wants_stop = True


class Bench:
    """Where a process carries out its tasks, with the data of the last one at hand.

    Args:
        load: gives raw datasets.
    """

    def __init__(self, load: Load):
        self.load = load
        self._prepared: tuple[Any, Data] | None = None

    def perform(self, task: Task, observer: Observer) -> Outcome:
        """Carry out a task; whatever goes wrong with the run is told in the outcome."""
        try:
            config = Config.model_validate(dict(task.config))
            data = self.data_of(config)
            if identify(config, data.fingerprint) != task.id:
                name = config.dataset.name
                return Outcome(
                    "failed", f"{name}, or the version of optrun, is another on {platform.node()}"
                )
            directory = run(
                config,
                task.out,
                observer=observer,
                data=data,
                pause_after=task.pause_after,
            )
            summary = RunDirectory(directory).read_summary()
            return Outcome(summary["status"], summary["reason"])
        except RunBusy as error:
            return Outcome("busy", str(error))
        except UserError as error:
            return Outcome("failed", str(error), isinstance(error, DiskFull))
        except Exception as error:
            return Outcome("failed", f"{type(error).__name__}: {error}")

    def data_of(self, config: Config) -> Data:
        """The config's dataset, prepared anew only if the last task had another."""
        key = (config.dataset, config.seed, config.dtype)
        if self._prepared is None or self._prepared[0] != key:
            self._prepared = None  # before there are two of them
            raw, fingerprint = self.load(config)
            data = arrange(config.dataset, raw, fingerprint, config.seed, config.dtype)
            self._prepared = key, data
        return self._prepared[1]

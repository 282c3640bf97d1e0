"""What a sweep tells whoever watches it."""

from optrun.sweeps.runs import SweepRun
from optrun.sweeps.stored import Stored
from optrun.training.observer import Plan, Pulse


class Watcher:
    """Hears of a sweep as it goes. This one keeps silent; override what is of interest."""

    def notice(self, text: str) -> None:
        """Something that takes a moment has begun."""

    def note(self, text: str) -> None:
        """Something a person might not expect, to be kept in view."""

    def begun(self, run: SweepRun) -> None:
        """A worker has been given the run."""

    def progress(self, run: SweepRun, what: Plan | Pulse) -> None:
        """The run has begun to train, or has come so far."""

    def settled(self, run: SweepRun, stored: Stored, reused: bool = False) -> None:
        """The run is as far as it is wanted; `reused`: it was before the sweep began."""

    def again(self, run: SweepRun, reason: str) -> None:
        """A worker has died, and the run is begun again."""

    def elsewhere(self, run: SweepRun) -> None:
        """Another process has the run; it is waited for."""

    def stopping(self) -> None:
        """Somebody asked for the sweep to stop; what is running is about to be saved."""

    def close(self) -> None:
        """Nothing more will be heard."""

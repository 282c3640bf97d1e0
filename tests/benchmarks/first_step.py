"""`optrun` with one line more on standard output, as soon as the first step is done.

python -m tests.benchmarks.first_step train config.yaml
"""

from optrun.cli import progress
from optrun.cli.main import main
from optrun.training.observer import Pulse

DONE = "the first step is done"


class FirstStep(progress.PlainLines):
    """Tells of the first step."""

    def pulse(self, pulse: Pulse) -> None:
        if pulse.step == 1:
            print(DONE, flush=True)
        super().pulse(pulse)


if __name__ == "__main__":
    progress.watch = FirstStep
    main()

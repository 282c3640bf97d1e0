"""What a sweep would come to, before anything is carried out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from optrun.config.schema import Config
from optrun.data.shelf import Shelf
from optrun.data.stored import StoredDataset
from optrun.store.run_directory import DONE
from optrun.sweeps.rehearsal import estimate
from optrun.sweeps.run import Order, Sweeping, examples, known_candidates, look, most_runs
from optrun.sweeps.space.candidates import Candidate
from optrun.sweeps.space.load import Sweep
from optrun.sweeps.stored import Stored


@dataclass(frozen=True)
class Preview:
    """What a sweep would come to.

    Attributes:
        runs: (candidate, seed, what is there of it), in the order of tables; None where that
            cannot be known, and nothing where the strategy decides as it goes.
        most: how many runs there will be at most.
        seconds: of work that the runs take which are not there, on one worker; None: not known.
        absent: name of a dataset that is not on this machine yet.
    """

    runs: Sequence[tuple[Candidate, int, Stored | None]]
    most: int
    seconds: float | None
    absent: str | None


def preview(sweep: Sweep, order: Order) -> Preview:
    """Look at a sweep without carrying out, writing or fetching anything."""
    most = most_runs(sweep)
    if absent := absent_dataset(examples(sweep), order.data_dir):
        unknown = [(c, seed, None) for c in known_candidates(sweep) for seed in sweep.seeds]
        return Preview(unknown, most, None, absent)
    with TemporaryDirectory(prefix="optrun-") as folder:
        sweeping = Sweeping(sweep, order, Shelf(Path(folder)))
        runs = sweeping.known()
        there = {run.id: look(run) for run in runs}
        missing = [run.config for run in runs if there[run.id].status not in DONE]
        seconds = estimate(missing, sweeping.data_of)
        if not runs:
            configs = examples(sweep)
            seconds = estimate(configs, sweeping.data_of) * most / len(configs)
    return Preview(
        [(run.candidate, run.config.seed, there[run.id]) for run in runs], most, seconds, None
    )


def absent_dataset(configs: Sequence[Config], data_dir: Path | None) -> str | None:
    """The first dataset whose files are not on this machine."""
    for config in configs:
        dataset = config.dataset
        if isinstance(dataset, StoredDataset) and dataset.missing(dataset.place(data_dir)):
            return dataset.name
    return None

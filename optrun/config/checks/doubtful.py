"""What is allowed and seldom meant: each finding is a warning."""

from collections.abc import Iterator

from optrun.config.checks.contradiction import Contradiction, steps_of
from optrun.config.checks.times import NOTHING, decay_length, share_at, vanishing
from optrun.config.problems import count
from optrun.config.training import Training
from optrun.data.dataset import Dataset
from optrun.data.whitening import Whitening
from optrun.durations import Duration
from optrun.nn.models import Model
from optrun.nn.regularization import Regularization
from optrun.optim.averaging import SWA, Averaging
from optrun.optim.optimizer import Optimizer
from optrun.optim.plateau import Plateau
from optrun.optim.schedule import Length, Schedule
from optrun.optim.warmup import Warmup

LITTLE = 1e-6
"""The share of the rate below which the end of a run is called wasted."""
FAR = 64
"""The linear scaling of rates was tried up to 32 times the batch (Goyal et al. 2017)."""


def warmup_takes_steps(
    dataset: Dataset, training: Training, warmup: Warmup | None
) -> Iterator[Contradiction]:
    length = Length(*steps_of(dataset, training))
    if warmup and _rounds_to_nothing(warmup.duration, length):
        message = f"{_nothing(warmup.duration, length)}: there is no warmup"
        yield ("warmup", "duration"), message, "write at least `1 steps`, or remove `warmup`"


def schedule_takes_steps(
    dataset: Dataset, training: Training, warmup: Warmup | None, scheduler: Schedule
) -> Iterator[Contradiction]:
    per_epoch, total = steps_of(dataset, training)
    climb = warmup.duration.steps(per_epoch, total) if warmup else 0
    length = Length(per_epoch, total - climb)
    for place, duration in scheduler.durations():
        if place[0] in scheduler.optional and _rounds_to_nothing(duration, length):
            message = f"{_nothing(duration, length)}, and is left out"
            yield ("scheduler", *place), message, "write at least `1 steps`, or 0"


def average_takes_steps(
    dataset: Dataset, training: Training, averaging: Averaging | None
) -> Iterator[Contradiction]:
    length = Length(*steps_of(dataset, training))
    if not isinstance(averaging, SWA):
        return
    if _rounds_to_nothing(averaging.start, length):
        message = f"{_nothing(averaging.start, length)}: weights are averaged from the first on"
        yield ("averaging", "start"), message, "write at least `1 steps`, or 0"
    if _rounds_to_nothing(averaging.every, length):
        message = f"{_nothing(averaging.every, length)}, and is taken as 1"
        yield ("averaging", "every"), message, "write `1 steps`"


def rate_stays_above_nothing(
    scheduler: Schedule, warmup: Warmup | None, dataset: Dataset, training: Training
) -> Iterator[Contradiction]:
    """What is worse than this is an error: `times.rate_lasts`."""
    length = decay_length(scheduler, warmup, dataset, training)
    if length is None or share_at(scheduler, length.total // 2, length) < NOTHING:
        return
    if share_at(scheduler, length.total - 1, length) < LITTLE:
        yield vanishing(scheduler, length)


def rate_is_scaled_moderately(
    dataset: Dataset, training: Training, linear_scaling: int | None
) -> Iterator[Contradiction]:
    batch = training.examples_per_step(dataset.sizes().train)
    if linear_scaling and batch > FAR * linear_scaling:
        message = f"multiplies the rate by {batch / linear_scaling:.3g}, for a batch of {batch}"
        hint = f"rates were not found to scale beyond {FAR} times: set `optimizer.lr` by itself"
        yield ("linear_scaling",), message, hint


def stopping_can_act(training: Training) -> Iterator[Contradiction]:
    stopping, epochs = training.early_stopping, training.epochs
    if stopping and 0 < epochs <= stopping.patience:
        message = f"with {stopping.patience} a run of {count(epochs, 'epoch')} is never stopped"
        yield ("training", "early_stopping", "patience"), message, "write a smaller number"


def plateau_can_act(scheduler: Schedule, training: Training) -> Iterator[Contradiction]:
    """The first epoch sets the mark, `patience` more are let pass, and a cut acts on later ones."""
    epochs = training.epochs
    if isinstance(scheduler, Plateau) and 0 < epochs <= scheduler.patience + 2:
        message = f"with {scheduler.patience} the rate of {count(epochs, 'epoch')} is never cut"
        yield ("scheduler", "patience"), message, "write a smaller number, or train longer"


def batches_are_alike(
    optimizer: Optimizer,
    dataset: Dataset,
    training: Training,
    model: Model,
    regularization: Regularization,
) -> Iterator[Contradiction]:
    method, examples = optimizer.rule or optimizer, dataset.sizes().train
    batch = training.examples_per_step(examples)
    if not method.full_batches:
        return
    compares = f"`{method.name}` compares gradients of successive steps"
    if batch < examples:
        message = f"{compares}, which are of {batch} other examples each time"
        hint = f"`training.batch_size: full` takes all {examples} at each step"
        yield ("training", "batch_size"), message, hint
    elif any(regularization.rates(len(model.widths(1, 1)) - 2)):
        message = f"{compares}, and dropout makes each of them one of another objective"
        yield ("regularization",), message, "remove it, or take another optimizer"
    elif dataset.augmentation:
        message = f"{compares}, and augmentation makes each of them one of another objective"
        yield ("dataset", "augmentation"), message, "remove it, or take another optimizer"


def newton_goes_down(optimizer: Optimizer, model: Model) -> Iterator[Contradiction]:
    if optimizer.name == "newton" and len(model.widths(1, 1)) > 2:
        message = "`newton` climbs where a network's loss is curved downwards"
        hint = "a damping of 0.1 or more, or a model without hidden layers, keeps it going down"
        yield ("optimizer", "damping"), message, hint


def whitening_has_enough_examples(dataset: Dataset) -> Iterator[Contradiction]:
    seen, examples = dataset.stored, dataset.sizes().train
    for position, step in enumerate(dataset.preprocessing):
        if isinstance(step, Whitening) and examples <= seen.features:
            message = (
                f"`{step.name}` sees {examples} training examples of {seen.features} features, too "
                "few to tell all directions apart"
            )
            hint = "other examples are blown up in the rest unless `eps` is large"
            yield ("dataset", "preprocessing", position), message, hint
        seen = step.leaves(seen)


def _rounds_to_nothing(duration: Duration, length: Length) -> bool:
    return duration.amount > 0 and length.total > 0 and length(duration) == 0


def _nothing(duration: Duration, length: Length) -> str:
    return f"`{duration}` comes to 0 of {count(length.total, 'step')}"

"""Schedules, warmups and averages that fit into the run."""

import math
from collections.abc import Iterator

import numpy as np

from optrun.config.checks.contradiction import Contradiction, steps_of
from optrun.config.problems import count
from optrun.config.training import Training
from optrun.data.dataset import Dataset
from optrun.durations import Duration
from optrun.optim.averaging import Averaging
from optrun.optim.decays import Decaying
from optrun.optim.optimizer import Optimizer
from optrun.optim.schedule import Length, Schedule
from optrun.optim.warmup import Warmup
from optrun.settings import value_text

NOTHING = 1e-7
"""A share of the rate that float32 cannot add to what the whole rate has changed."""


def warmup_fits_into_run(
    dataset: Dataset, training: Training, warmup: Warmup | None
) -> Iterator[Contradiction]:
    per_epoch, total = steps_of(dataset, training)
    if warmup and total and warmup.duration.steps(per_epoch, total) > total:
        yield ("warmup", "duration"), *_too_long(warmup.duration, per_epoch, total)


def schedule_fits_into_run(
    dataset: Dataset, training: Training, warmup: Warmup | None, scheduler: Schedule
) -> Iterator[Contradiction]:
    per_epoch, total = steps_of(dataset, training)
    left = total - (warmup.duration.steps(per_epoch, total) if warmup else 0)
    if not total or left < 0:
        return
    length = Length(per_epoch, left)
    misfits = list(_misfits(scheduler, length))
    for place, message, hint in misfits or scheduler.problems(length):
        yield ("scheduler", *place), message, hint


def rate_climbs_once(
    optimizer: Optimizer,
    scheduler: Schedule,
    warmup: Warmup | None,
    dataset: Dataset,
    training: Training,
) -> Iterator[Contradiction]:
    per_epoch, total = steps_of(dataset, training)
    climb = warmup.duration.steps(per_epoch, total) if warmup else 0
    length = Length(per_epoch, total - climb)
    field = scheduler.own_climb(length) if 0 < climb < total else ""
    if not field or math.isnan(optimizer.rate) or any(_misfits(scheduler, length)):
        return
    first = scheduler.rates(optimizer.rate, length.total, length)[0]
    message = (
        f"`{scheduler.name}` begins with a climb of its own: the rate would reach "
        f"{optimizer.rate:g}, fall to {first:.2g} and climb again"
    )
    without = ", or write `scheduler.warmup: 0`" if field == "warmup" else ""
    hint = f"remove `warmup`, as the climb's length is `scheduler.{field}`{without}"
    yield ("warmup",), message, hint


def rate_lasts(
    scheduler: Schedule, warmup: Warmup | None, dataset: Dataset, training: Training
) -> Iterator[Contradiction]:
    """Half of a run at rates that change no digit of a weight is not what anyone means."""
    if (length := decay_length(scheduler, warmup, dataset, training)) is None:
        return
    if share_at(scheduler, length.total // 2, length) < NOTHING:
        yield vanishing(scheduler, length)


def decay_length(
    scheduler: Schedule, warmup: Warmup | None, dataset: Dataset, training: Training
) -> Length | None:
    """The steps of a schedule that falls without a floor; None for others, and for misfits."""
    per_epoch, total = steps_of(dataset, training)
    left = total - (warmup.duration.steps(per_epoch, total) if warmup else 0)
    length = Length(per_epoch, left)
    if not isinstance(scheduler, Decaying) or left < 1 or any(_misfits(scheduler, length)):
        return None
    return length


def share_at(scheduler: Schedule, step: int, length: Length) -> float:
    """The share of the first rate that is left at a step, counted from 0."""
    if not isinstance(scheduler, Decaying):
        return 1.0
    with np.errstate(all="ignore"):  # a share too small for a float is 0
        return float(scheduler.shares(np.array([step]), length)[0])


def vanishing(scheduler: Schedule, length: Length) -> Contradiction:
    """What a rate comes to that falls to nothing, and how it would not."""
    assert isinstance(scheduler, Decaying)
    end = share_at(scheduler, length.total - 1, length)
    steps = count(length.total, "step")
    message = f"the rate falls to {end:.1g} of itself over the {steps} of the schedule"
    gentler = scheduler.gentler(0.01, length)
    by_epochs = scheduler.model_copy(update={"every": Duration(1.0, "epochs")})
    hint = f"`{gentler}` ends at 1% of it"
    if by_epochs != scheduler and share_at(by_epochs, length.total - 1, length) > 1e-3:
        hint = f"count it in epochs, `every: 1 epochs`, or write `{gentler}`, which ends at 1%"
    return ("scheduler", gentler.split(":")[0]), message, hint


def schedule_falls(
    optimizer: Optimizer,
    scheduler: Schedule,
    dataset: Dataset,
    training: Training,
    linear_scaling: int | None,
) -> Iterator[Contradiction]:
    floor, rate = getattr(scheduler, "min", 0.0), optimizer.rate
    which = f"`optimizer.{optimizer.rate_key}`"
    if linear_scaling:
        rate *= training.examples_per_step(dataset.sizes().train) / linear_scaling
        which += " after `linear_scaling`,"
    if floor > rate:
        message = f"{value_text(floor)} is above {which} {rate:.12g}, from where the rate falls"
        yield ("scheduler", "min"), message, "write a smaller number"


def rule_follows_schedule(
    optimizer: Optimizer, scheduler: Schedule, warmup: Warmup | None
) -> Iterator[Contradiction]:
    follower = optimizer.rule or optimizer
    if follower.ignores_schedule is None:
        return
    why = f"`{follower.name}`, which {follower.ignores_schedule}"
    if scheduler.name != "constant":
        yield ("scheduler",), f"changes nothing for {why}", "write `scheduler: constant`"
    if warmup:
        yield ("warmup",), f"is not for {why}", "write `warmup: null`"


def slow_weights_move(
    dataset: Dataset, training: Training, optimizer: Optimizer
) -> Iterator[Contradiction]:
    """What is evaluated are the slow weights of lookahead."""
    every, _ = optimizer.lookahead()
    _, total = steps_of(dataset, training)
    if total and every > total:
        steps = count(every, "step")
        message = f"{steps} are more than the {total} of the run: the slow weights stay"
        yield ("optimizer", "every"), message, "write a smaller number, or train longer"


def average_fits_into_run(
    dataset: Dataset, training: Training, averaging: Averaging | None
) -> Iterator[Contradiction]:
    per_epoch, total = steps_of(dataset, training)
    if averaging and total:
        for key, message in averaging.problems(Length(per_epoch, total)).items():
            yield ("averaging", key), message, "shorten it, or train longer"


def _misfits(scheduler: Schedule, length: Length) -> Iterator[Contradiction]:
    """The durations of a schedule that its steps have no room for."""
    left = length.total
    for place, duration in scheduler.durations():
        if left == 0:
            message = "there are 0 steps for it: `warmup.duration` takes the whole run"
            yield place, message, "shorten the warmup"
        elif length(duration) == 0 and place[0] not in scheduler.optional:
            available = count(left, "step")
            message = f"`{duration}` comes to 0 steps, with {available} for the whole schedule"
            yield place, message, "write at least `1 steps`"
        elif length(duration) > left and place[0] not in scheduler.paces:
            yield place, *_too_long(duration, length.steps_per_epoch, left)


def _too_long(duration: Duration, per_epoch: int, available: int) -> tuple[str, str]:
    steps, epochs = count(available, "step"), count(float(f"{available / per_epoch:.3g}"), "epoch")
    message = (
        f"`{duration}` is longer than the {steps} ({epochs}) that `training.epochs` leaves for it"
    )
    return message, 'shorten it, or give it as a share of the run such as "10%"'

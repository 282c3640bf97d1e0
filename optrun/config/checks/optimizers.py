"""Optimizers with themselves, and with what surrounds them."""

import math
from collections.abc import Iterator

from optrun.config.checks.contradiction import Contradiction, drawing, key_path
from optrun.data.dataset import Dataset
from optrun.nn.losses import Loss
from optrun.nn.models import Model
from optrun.nn.pretrained import Start
from optrun.nn.regularization import Regularization
from optrun.optim.averaging import Averaging
from optrun.optim.driver import Driver
from optrun.optim.optimizer import Optimizer
from optrun.optim.search import Search
from optrun.optim.second_order import Newton


def optimizer_agrees_with_itself(optimizer: Optimizer) -> Iterator[Contradiction]:
    for key, message in optimizer.problems().items():
        yield ("optimizer", *key_path(key)), message, ""


def rate_can_be_scaled(optimizer: Optimizer, linear_scaling: int | None) -> Iterator[Contradiction]:
    if linear_scaling and math.isnan(optimizer.rate):
        message = f"scales a learning rate, and `{optimizer.name}` has none"
        yield ("linear_scaling",), message, "remove it"
        return
    method = optimizer.rule or optimizer
    if linear_scaling and (method.full_batches or isinstance(method, Newton | Search)):
        message = (
            f"is for gradients that more examples make less noisy, and steps of `{method.name}` "
            "do not grow with the batch"
        )
        yield ("linear_scaling",), message, "remove it"


def weights_stay_as_they_are_left(
    optimizer: Optimizer, regularization: Regularization, averaging: Averaging | None
) -> Iterator[Contradiction]:
    rule = optimizer.rule
    if not rule or not rule.remakes_weights:
        return
    if regularization.max_norm is not None:
        message = f"does not last: `{rule.name}` makes the weights anew at every step"
        yield ("regularization", "max_norm"), message, "remove it, or take another optimizer"
    if averaging:
        message = f"`{rule.name}` is an average by itself, and this one would be of other points"
        yield ("averaging",), message, "remove it"


def thresholds_can_act(
    optimizer: Optimizer, model: Model, regularization: Regularization
) -> Iterator[Contradiction]:
    """Soft-thresholding after a step needs a step of a known rate, and has the last word on w."""
    key, rule, normalizer = regularization.proximal_key(), optimizer.rule, model.normalizer()
    if not key:
        return
    hint = "write `proximal: false`, or take another optimizer"
    if rule is None:
        message = f"acts after single gradient steps, which `{optimizer.name}` does not take"
    elif rule.remakes_weights:
        message = f"does not last: `{rule.name}` computes the weights from its state at every step"
    elif rule.ignores_schedule:
        message = f"follows the learning rate, and `{rule.name}` {rule.ignores_schedule}"
    elif optimizer.lookahead()[0]:
        message = f"makes no weight 0 with `{optimizer.name}`, whose slow weights are averages"
        hint = "write `proximal: false`, or take the `base` optimizer alone"
    elif normalizer and normalizer.of_weights:
        message = f"may set all weights of a unit to 0, which `{normalizer.name}` divides by"
        hint = "write `proximal: false`, or another `model.normalization`"
    else:
        return
    yield ("regularization", key, "proximal"), message, hint


def driver_is_asked_for_what_it_does(
    optimizer: Optimizer, regularization: Regularization
) -> Iterator[Contradiction]:
    """Drivers evaluate the objective at weights of their choice, so it must stay one function."""
    if not isinstance(optimizer, Driver):
        return
    for key in ("max_norm", "gradient_noise", "adversarial"):
        if getattr(regularization, key) is not None:
            message = f"acts on single gradient steps, which `{optimizer.name}` does not take"
            yield ("regularization", key), message, "remove it, or take another optimizer"


def statistics_are_of_the_weights(optimizer: Optimizer, model: Model) -> Iterator[Contradiction]:
    """A search evaluates candidates, whose running statistics would mix with those it keeps."""
    normalizer = model.normalizer()
    if isinstance(optimizer, Search) and normalizer and normalizer.keeps_statistics:
        message = f"gathers statistics of weights that `{optimizer.name}` tries and leaves"
        yield ("model", "normalization"), message, "take `layer`, or another optimizer"


def curvature_is_known(
    optimizer: Optimizer, model: Model, loss: Loss | None
) -> Iterator[Contradiction]:
    if not isinstance(optimizer, Driver):
        return
    hint = "remove it, or take another optimizer"
    if model.normalizer() and (optimizer.uses_products or optimizer.uses_factors):
        message = f"`{optimizer.name}` knows no second derivatives through normalization"
        yield ("model", "normalization"), message, hint
    if not loss:
        return
    if optimizer.uses_products and not loss.curved:
        message = f"the second derivative of `{loss.name}` is 0, and `{optimizer.name}` follows it"
        yield ("loss", "name"), message, "take `squared_hinge` or `softmax`"
    if optimizer.uses_factors:
        for key, message in loss.factor_problems().items():
            hint = f"`{optimizer.name}` needs a likelihood; another optimizer may not"
            yield ("loss", key), message, hint


def curvature_of_a_dataset_is_known(
    optimizer: Optimizer, dataset: Dataset
) -> Iterator[Contradiction]:
    if isinstance(optimizer, Driver) and optimizer.uses_factors and dataset.own_objective:
        message = f"`{optimizer.name}` needs a model's likelihood, and `dataset` has no model"
        yield ("optimizer", "name"), message, "take `newton`, which knows its second derivatives"


def search_has_something_to_draw(
    optimizer: Optimizer, dataset: Dataset, initialization: Start | None
) -> Iterator[Contradiction]:
    if not isinstance(optimizer, Driver) or not optimizer.draws_starts:
        return
    if dataset.own_objective:
        message = (
            f"`{optimizer.name}` draws weights as `initialization` does, and `dataset` says itself "
            "where to start"
        )
        yield ("optimizer", "name"), message, "take `random_local_search`"
    elif initialization:
        path, initializer = drawing(initialization)
        message = f"gives `{optimizer.name}` the same weights at every try"
        if initializer is None:
            yield ("initialization",), message, "draw some of the `layers`"
        elif initializer.constant() is not None:
            yield path, message, "take another, such as `normal`"

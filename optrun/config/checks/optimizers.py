"""Optimizers with themselves, with the model and with the loss."""

from collections.abc import Iterator

from optrun.config.checks.contradiction import Contradiction, gigabytes, key_path
from optrun.config.memory import physical_memory
from optrun.config.problems import count
from optrun.data.dataset import Dataset
from optrun.engine.layout import lay_out
from optrun.nn.losses import Loss
from optrun.nn.models import Model
from optrun.nn.pretrained import Pretrained, Start
from optrun.nn.regularization import Regularization
from optrun.optim.driver import Driver
from optrun.optim.optimizer import Optimizer
from optrun.optim.schedule_free import ScheduleFree
from optrun.optim.search import RandomSearch


def optimizer_agrees_with_itself(optimizer: Optimizer) -> Iterator[Contradiction]:
    for key, message in optimizer.problems().items():
        yield ("optimizer", *key_path(key)), message, ""


def weights_are_where_they_are_put(
    optimizer: Optimizer, regularization: Regularization
) -> Iterator[Contradiction]:
    """Schedule-free rules work the weights out anew from averages that nothing else changes."""
    if isinstance(optimizer.rule, ScheduleFree) and regularization.max_norm is not None:
        message = f"does not reach the averages that `{optimizer.rule.name}` evaluates"
        hint = "remove it, or take another optimizer"
        yield ("regularization", "max_norm"), message, hint


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


def driver_fits_into_memory(
    optimizer: Optimizer, model: Model, dataset: Dataset
) -> Iterator[Contradiction]:
    if not isinstance(optimizer, Driver):
        return
    layout = lay_out(model, dataset.seen.features, dataset.outline.outputs, False, None)
    parameters, shapes = layout.parameters, layout.shapes()
    needed = 8 * optimizer.state_size(parameters, shapes)
    needed += optimizer.workspace(parameters, shapes)
    if needed > physical_memory():
        message = (
            f"`{optimizer.name}` needs {gigabytes(needed)} of memory for the "
            f"{count(parameters, 'parameter')} of this model"
        )
        hint = f"this machine has {gigabytes(physical_memory())}: take a smaller model or `lbfgs`"
        yield ("optimizer", "name"), message, hint


def curvature_is_known(
    optimizer: Optimizer, model: Model, loss: Loss | None
) -> Iterator[Contradiction]:
    if not isinstance(optimizer, Driver):
        return
    if model.normalizer() and (optimizer.uses_products or optimizer.uses_factors):
        message = f"`{optimizer.name}` knows no second derivatives through normalization"
        yield ("model", "normalization"), message, "remove it, or take another optimizer"
    if optimizer.uses_factors and loss:
        for key, message in loss.factor_problems().items():
            hint = f"or take another optimizer than `{optimizer.name}`"
            yield ("loss", key), message, hint


def curvature_of_a_dataset_is_known(
    optimizer: Optimizer, dataset: Dataset
) -> Iterator[Contradiction]:
    if isinstance(optimizer, Driver) and optimizer.uses_factors and dataset.own_objective:
        message = f"`{optimizer.name}` needs a model's likelihood, and this dataset has no model"
        yield ("optimizer", "name"), message, "take `newton`, which knows its second derivatives"


def search_has_something_to_draw(
    optimizer: Optimizer, dataset: Dataset, initialization: Start | None
) -> Iterator[Contradiction]:
    if not isinstance(optimizer, RandomSearch):
        return
    message = ""
    if dataset.own_objective:
        message = "draws weights as `initialization` would, and this dataset starts where it says"
    elif isinstance(initialization, Pretrained) and initialization.layers is None:
        message = "draws weights as `initialization` would, which takes all from a run"
    if message:
        yield ("optimizer", "name"), message, "take `random_local_search`"

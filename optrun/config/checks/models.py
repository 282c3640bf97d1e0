"""Models with what is put in, on and behind them."""

from collections.abc import Iterator

from optrun.config.checks.contradiction import Contradiction, drawing
from optrun.config.memory import MOST_PARAMETERS, parameters_at_least
from optrun.config.problems import count
from optrun.config.training import Training
from optrun.data.dataset import Dataset
from optrun.engine.layout import lay_out
from optrun.errors import RunError
from optrun.nn.losses import Loss
from optrun.nn.models import Model
from optrun.nn.pretrained import Pretrained, Start
from optrun.nn.regularization import Regularization


def gain_is_known(model: Model, initialization: Start) -> Iterator[Contradiction]:
    activation, (path, initializer) = model.nonlinearity(), drawing(initialization)
    if getattr(initializer, "gain", None) == "auto" and activation.gain() is None:
        message = f"`auto` knows no gain for the activation `{activation.name}`"
        yield (*path, "gain"), message, "write a number, such as 1.0"


def pretrained_weights_fit(
    dataset: Dataset, model: Model, initialization: Start | None
) -> Iterator[Contradiction]:
    if not isinstance(initialization, Pretrained) or dataset.own_objective:
        return
    if parameters_at_least(model, dataset) > MOST_PARAMETERS:  # which is told already
        return
    layout = lay_out(model, dataset.seen.features, dataset.outline.outputs, False, None)
    try:
        misfit = initialization.misfit(layout.parts())
    except RunError as error:
        misfit = (str(error), "")
    if misfit:
        yield ("initialization", "run"), *misfit


def dropout_matches_layers(model: Model, regularization: Regularization) -> Iterator[Contradiction]:
    rates, widths = regularization.dropout, model.widths(1, 1)
    path, hidden = ("regularization", "dropout"), len(widths) - 2
    if rates and not hidden:
        message = f"acts after hidden layers, and model `{model.name}` has none"
        yield path, message, "remove it, or take `model.name: mlp`" if widths[0] else "remove it"
    elif isinstance(rates, list) and len(rates) != hidden:
        given, layers = count(len(rates), "rate"), count(hidden, "layer")
        message = f"gives {given}, but `model.hidden` gives {layers}"
        yield path, message, "write one rate for each hidden layer, or one number for all"


def objective_is_whole(
    dataset: Dataset, model: Model, loss: Loss | None, initialization: Start | None
) -> Iterator[Contradiction]:
    """A dataset that is its own objective has parameters only, and says where they start."""
    what, sees_features = f"dataset `{dataset.name}`", model.widths(1, 1)[0] > 0
    if not dataset.own_objective:
        if not sees_features:
            message = f"`{model.name}` looks at no features, and {what} has some"
            yield ("model", "name"), message, "take `linear` or `mlp`"
        return
    if sees_features:
        yield ("model", "name"), f"{what} has no features for a model", "take `model: point`"
    if loss:
        yield ("loss",), f"{what} is a loss itself", "remove it"
    if initialization:
        hint = "set `dataset.start`" if "start" in type(dataset).model_fields else "remove it"
        yield ("initialization",), f"{what} says itself where to start", hint


def loss_fits_targets(dataset: Dataset, loss: Loss | None) -> Iterator[Contradiction]:
    if loss and loss.labels and not (dataset.outline.labelled or dataset.own_objective):
        message = f"`{loss.name}` needs class labels, and `dataset` gives numbers to predict"
        yield ("loss", "name"), message, "take `mse`"


def loss_takes_mixtures(dataset: Dataset, loss: Loss | None) -> Iterator[Contradiction]:
    if loss and not loss.soft and (step := dataset.mixes()):
        message = f"`{loss.name}` needs one class an example, and `{step}` mixes them"
        yield ("loss", "name"), message, f"take `softmax` or `mse`, or remove `{step}`"


def batch_can_be_normalized(
    dataset: Dataset, model: Model, training: Training
) -> Iterator[Contradiction]:
    """The variance of one example is no variance."""
    normalizer = model.normalizer()
    if not normalizer or not normalizer.keeps_statistics:
        return
    examples = max(dataset.sizes().train, 1)
    batch = training.examples_per_step(examples)
    path, what = ("training", "batch_size"), f"`model.normalization: {normalizer.name}`"
    if batch == 1:
        message = f"a batch of 1 has no variance for {what}"
        yield path, message, "write at least 2, or take `layer`"
    elif examples % batch == 1 and not training.drop_last:
        message = (
            f"{batch} leaves 1 of the {examples} examples for the last batch of an epoch, which "
            f"has no variance for {what}"
        )
        yield path, message, "write another number, or `drop_last: true`"


def weights_have_a_direction(
    model: Model, initialization: Start | None, regularization: Regularization
) -> Iterator[Contradiction]:
    """Weight normalization divides by the length of a unit's weights."""
    normalizer = model.normalizer()
    if not normalizer or not normalizer.of_weights:
        return
    what = f"`model.normalization: {normalizer.name}`"
    path, initializer = drawing(initialization)
    if initializer and initializer.may_cut_off():
        message = f"weights that may all be 0 have no direction for {what}"
        yield path, message, "take another, such as `he_normal`"
    if regularization.max_norm is not None:
        message = f"has no effect with {what}, which sets lengths by itself"
        yield ("regularization", "max_norm"), message, "remove one of the two"


def what_is_regularized_is_there(
    model: Model, regularization: Regularization
) -> Iterator[Contradiction]:
    """A point has neither inputs nor weights, only what counts as a bias."""
    if model.widths(1, 1)[0]:
        return
    for key in ("input_dropout", "adversarial"):
        if getattr(regularization, key):
            message = f"acts on inputs, and model `{model.name}` looks at none"
            yield ("regularization", key), message, "remove it"
    for key in ("l1", "l2", "elastic", "max_norm"):
        if regularization.has(key) and (key == "max_norm" or not regularization.include_bias):
            message = f"acts on weights, and the parameters of model `{model.name}` are a bias"
            hint = "remove it" if key == "max_norm" else "remove it, or add `include_bias: true`"
            yield ("regularization", key), message, hint


def penalties_are_given_once(regularization: Regularization) -> Iterator[Contradiction]:
    if regularization.elastic and (regularization.has("l1") or regularization.has("l2")):
        message = "stands for both `l1` and `l2`, which are given too"
        yield ("regularization", "elastic"), message, "remove it, or the two"

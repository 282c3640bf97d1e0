"""Models with what is put in, on and behind them."""

from collections.abc import Iterator

from optrun.config.checks.contradiction import Contradiction
from optrun.config.problems import KeyPath, count
from optrun.config.training import Training
from optrun.data.dataset import Dataset
from optrun.engine.layout import lay_out
from optrun.errors import RunError
from optrun.nn.initializers import Initializer, Zeros
from optrun.nn.losses import Loss
from optrun.nn.models import Model
from optrun.nn.pretrained import Pretrained, Start
from optrun.nn.regularization import Regularization


def gain_is_known(model: Model, initialization: Start) -> Iterator[Contradiction]:
    activation, (path, initializer) = model.nonlinearity(), _initializer(initialization)
    if getattr(initializer, "gain", None) == "auto" and activation.gain() is None:
        message = f"`auto` knows no gain for the activation `{activation.name}`"
        yield (*path, "gain"), message, "write a number, such as 1.0"


def pretrained_weights_fit(
    dataset: Dataset, model: Model, initialization: Start | None
) -> Iterator[Contradiction]:
    if not isinstance(initialization, Pretrained) or dataset.own_objective:
        return
    layout = lay_out(model, dataset.seen.features, dataset.outline.outputs, False, None)
    try:
        misfit = initialization.misfit(layout.parts())
    except RunError as error:
        misfit = (str(error), "")
    if misfit:
        yield ("initialization", "run"), *misfit


def dropout_matches_layers(model: Model, regularization: Regularization) -> Iterator[Contradiction]:
    rates, hidden = regularization.dropout, len(model.widths(1, 1)) - 2
    path = ("regularization", "dropout")
    if rates and not hidden:
        message = f"acts after hidden layers, and model `{model.name}` has none"
        yield path, message, "remove it, or take `model.name: mlp`"
    elif isinstance(rates, list) and len(rates) != hidden:
        given, layers = count(len(rates), "rate"), count(hidden, "layer")
        message = f"gives {given}, but `model.hidden` gives {layers}"
        yield path, message, "write one rate for each hidden layer, or one number for all"


def objective_is_whole(
    dataset: Dataset, model: Model, loss: Loss | None, initialization: Start | None
) -> Iterator[Contradiction]:
    """A dataset that is its own objective has parameters only, and says where they start."""
    if not dataset.own_objective:
        return
    what = f"dataset `{dataset.name}`"
    if model.name != "point":
        yield ("model", "name"), f"{what} has no features for a model", "take `model: point`"
    if loss:
        yield ("loss",), f"{what} is a loss itself", "remove it"
    if initialization:
        yield ("initialization",), f"{what} says itself where to start", "set `dataset.start`"


def loss_fits_targets(dataset: Dataset, loss: Loss | None) -> Iterator[Contradiction]:
    if loss and loss.labels and not dataset.outline.labelled:
        message = f"`{loss.name}` needs class labels, and this dataset gives numbers to predict"
        yield ("loss", "name"), message, "take `mse`"


def batch_can_be_normalized(
    dataset: Dataset, model: Model, training: Training
) -> Iterator[Contradiction]:
    """The variance of one example is no variance."""
    normalizer = model.normalizer()
    if not normalizer or not normalizer.keeps_statistics:
        return
    examples = max(dataset.sizes().train, 1)
    batch = training.examples_per_step(examples)
    path = ("training", "batch_size")
    if batch == 1:
        message = "batches of 1 have no variance for `model.normalization: batch`"
        yield path, message, "write at least 2, or take `layer`"
    elif examples % batch == 1 and not training.drop_last:
        message = (
            f"leaves 1 of {examples} examples for an epoch's last batch, which has no variance for "
            "`model.normalization: batch`"
        )
        yield path, message, "write another size, or `drop_last: true`"


def weights_have_a_direction(
    model: Model, initialization: Start | None, regularization: Regularization
) -> Iterator[Contradiction]:
    """Weight normalization divides by the length of a unit's weights."""
    normalizer = model.normalizer()
    if not normalizer or not normalizer.of_weights:
        return
    path, initializer = _initializer(initialization)
    if isinstance(initializer, Zeros):
        message = "weights of length 0 have no direction for `model.normalization: weight`"
        yield (*path, "name"), message, "take another, such as `he_normal`"
    if regularization.max_norm is not None:
        message = "has no effect with `model.normalization: weight`, which sets lengths by itself"
        yield ("regularization", "max_norm"), message, "remove one of the two"


def inputs_are_there(model: Model, regularization: Regularization) -> Iterator[Contradiction]:
    if model.widths(1, 1)[0] == 0:
        for key in ("input_dropout", "adversarial"):
            if getattr(regularization, key):
                message = f"acts on inputs, and model `{model.name}` looks at none"
                yield ("regularization", key), message, "remove it"


def penalties_are_given_once(regularization: Regularization) -> Iterator[Contradiction]:
    if regularization.elastic and (regularization.l1 or regularization.l2):
        message = "stands for both `l1` and `l2`, which are given too"
        yield ("regularization", "elastic"), message, "remove it, or the two"


def _initializer(start: Start | None) -> tuple[KeyPath, Initializer | None]:
    """What draws weights, and where it stands."""
    if isinstance(start, Pretrained):
        draws = None if start.layers is None else start.otherwise
        return ("initialization", "otherwise"), draws
    return ("initialization",), start

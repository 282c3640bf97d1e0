"""Defaults that depend on other sections: chosen once these are known, and written out."""

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from optrun.component import Section
from optrun.config.problems import KeyPath, dotted
from optrun.config.schema import Config
from optrun.config.training import USUAL_BATCH
from optrun.config.vocabulary import value_at
from optrun.data.dataset import Dataset
from optrun.nn.initializers import INITIALIZERS, HeUniform, Initializer
from optrun.nn.losses import MSE, Loss, Softmax
from optrun.nn.models import Model


def write_out_choices(config: Config) -> Config:
    """With all fields in place whose default depends on the dataset or the model."""
    for path, choose in CHOICES.items():
        config = _filled(config, path, choose(*(getattr(config, key) for key in _needed(choose))))
    return config


def choice_at(values: dict[str, Any], path: KeyPath) -> Any:
    """The default at `path` of a config that is yet to be judged, None where there is none.

    Where it cannot be chosen, it is what most configs have.
    """
    choose = CHOICES.get(path)
    if choose is None:
        return None
    try:
        sections = [_any(key).validate_python(values.get(key)) for key in _needed(choose)]
    except ValidationError:
        return USUAL.get(path)
    return choose(*sections) or USUAL.get(path)


@cache
def _needed(choose: Callable[..., Any]) -> tuple[str, ...]:
    return tuple(inspect.signature(choose).parameters)


@cache
def _any(section: str) -> TypeAdapter[Any]:
    return TypeAdapter(Config.__annotations__[section])


def choose_loss(dataset: Dataset) -> Loss | None:
    """What fits the targets; nothing where the dataset is a loss itself."""
    if dataset.own_objective:
        return None
    return Softmax() if dataset.outline.labelled else MSE()


def choose_initialization(dataset: Dataset, model: Model) -> Initializer | None:
    """What suits the activation, unless the dataset says where to start."""
    return None if dataset.own_objective else choose_drawing(model)


def choose_drawing(model: Model) -> Initializer:
    """What suits the activation, with its gain; the same for all layers, the last one too."""
    activation = model.nonlinearity()
    kind = INITIALIZERS[activation.start]
    return kind.model_validate({"gain": activation.start_gain()})


def choose_batch_size(dataset: Dataset) -> int | Literal["full"]:
    """The usual one, unless there are fewer examples."""
    return "full" if dataset.sizes().train < USUAL_BATCH else USUAL_BATCH


def choose_best_by(dataset: Dataset) -> str:
    """The accuracy or loss on validation data, as far as there are any."""
    if not dataset.sizes().validation:
        return "last"
    return "val_accuracy" if dataset.outline.labelled else "val_loss"


CHOICES: dict[KeyPath, Callable[..., Any]] = {
    ("loss",): choose_loss,
    ("initialization",): choose_initialization,
    ("initialization", "otherwise"): choose_drawing,
    ("training", "batch_size"): choose_batch_size,
    ("training", "best_by"): choose_best_by,
}
"""By what they fill. Their parameters are named after the sections that they need."""
USUAL: dict[KeyPath, Section] = {
    ("loss",): Softmax(),
    ("initialization",): HeUniform(),
    ("initialization", "otherwise"): HeUniform(),
}


def choices_made(values: dict[str, Any], config: Config) -> dict[str, Any]:
    """What was chosen where the values give nothing, by dotted keys: `{"loss": {"name": …}}`."""
    plain = config.model_dump(mode="json")
    missing = [path for path in CHOICES if value_at(values, path) is None]
    return {dotted(path): chosen for path in missing if (chosen := value_at(plain, path))}


def _filled(section: Any, path: KeyPath, choice: Any) -> Any:
    """The section with the choice where nothing is given; as it is if it has no such key."""
    key, below = str(path[0]), path[1:]
    if not isinstance(section, Section) or key not in type(section).model_fields:
        return section
    given = getattr(section, key)
    if below:
        given = _filled(given, below, choice)
    elif given is None:
        given = choice
    return section.model_copy(update={key: given})

"""Defaults that depend on the dataset: chosen once it is known, and written out."""

from collections.abc import Callable
from functools import cache
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from optrun.component import Section
from optrun.config.problems import KeyPath, dotted
from optrun.config.schema import Config
from optrun.config.training import USUAL_BATCH
from optrun.config.vocabulary import value_at
from optrun.data.catalog import AnyDataset
from optrun.data.dataset import Dataset
from optrun.nn.initializers import Initializer, XavierUniform
from optrun.nn.losses import MSE, Loss, Softmax


def write_out_choices(config: Config) -> Config:
    """With all fields in place whose default depends on the dataset."""
    for path, choose in CHOICES.items():
        config = _filled(config, path, choose(config.dataset))
    return config


def choice_at(values: dict[str, Any], path: KeyPath) -> Any:
    """The default at `path` of a config that is yet to be judged, None where there is none.

    Where it cannot be chosen, it is what most datasets have.
    """
    if path not in CHOICES:
        return None
    try:
        dataset = _any_dataset().validate_python(values.get("dataset"))
    except ValidationError:
        return USUAL.get(path)
    return CHOICES[path](dataset) or USUAL.get(path)


@cache
def _any_dataset() -> TypeAdapter[Dataset]:
    return TypeAdapter(AnyDataset)


def choose_loss(dataset: Dataset) -> Loss | None:
    """What fits the targets; nothing where the dataset is a loss itself."""
    if dataset.own_objective:
        return None
    return Softmax() if dataset.outline.labelled else MSE()


def choose_initialization(dataset: Dataset) -> Initializer | None:
    """Xavier's, unless the dataset says where to start."""
    return None if dataset.own_objective else XavierUniform()


def choose_batch_size(dataset: Dataset) -> int | Literal["full"]:
    """The usual one, unless there are fewer examples."""
    return "full" if dataset.sizes().train < USUAL_BATCH else USUAL_BATCH


def choose_best_by(dataset: Dataset) -> str:
    """The accuracy or loss on validation data, as far as there are any."""
    if not dataset.sizes().validation:
        return "last"
    return "val_accuracy" if dataset.outline.labelled else "val_loss"


CHOICES: dict[KeyPath, Callable[[Dataset], Any]] = {
    ("loss",): choose_loss,
    ("initialization",): choose_initialization,
    ("training", "batch_size"): choose_batch_size,
    ("training", "best_by"): choose_best_by,
}
USUAL: dict[KeyPath, Section] = {("loss",): Softmax(), ("initialization",): XavierUniform()}


def choices_made(values: dict[str, Any], config: Config) -> dict[str, Any]:
    """What was chosen where the values give nothing, by dotted keys: `{"loss": {"name": …}}`."""
    plain = config.model_dump(mode="json")
    missing = [path for path in CHOICES if value_at(values, path) is None]
    return {dotted(path): chosen for path in missing if (chosen := value_at(plain, path))}


def _filled(section: Any, path: KeyPath, choice: Any) -> Any:
    """The section with the choice where nothing is given."""
    key, below = str(path[0]), path[1:]
    given = getattr(section, key)
    if below:
        given = _filled(given, below, choice)
    elif given is None:
        given = choice
    return section.model_copy(update={key: given})

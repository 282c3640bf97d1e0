"""The sections of a config."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from optrun.component import OneOf, Section
from optrun.config.training import Training
from optrun.data.catalog import AnyDataset
from optrun.nn.initializers import INITIALIZERS, Initializer, XavierUniform
from optrun.nn.losses import LOSSES, Loss, Softmax
from optrun.nn.models import MODELS, Model
from optrun.nn.regularization import Regularization
from optrun.optim.decays import Constant
from optrun.optim.optimizer import Optimizer
from optrun.optim.optimizers import OPTIMIZERS
from optrun.optim.schedule import Schedule
from optrun.optim.schedules import SCHEDULES
from optrun.optim.warmup import WARMUPS, Warmup

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"


def _name_of_a_folder(name: str) -> str:
    if not re.fullmatch(NAME_PATTERN, name):
        raise ValueError(
            "must begin with a letter or digit and go on with letters, digits, `.`, `_` or `-`, "
            "for run directories are named after it"
        )
    return name


class Config(Section):
    """An experiment: data, model, optimizer and everything else that decides its outcome."""

    name: Annotated[
        str, AfterValidator(_name_of_a_folder), Field(json_schema_extra={"pattern": NAME_PATTERN})
    ]
    """What the run directory is called, before its id."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """Decides the start, the order of examples, dropout and drawn data."""
    dtype: Literal["float32", "float64"] = "float32"
    """Precision of all arithmetic on weights and data."""
    dataset: AnyDataset
    """What is learnt from."""
    model: Annotated[Model, OneOf(MODELS)]
    """What maps features to scores."""
    loss: Annotated[Loss, OneOf(LOSSES)] = Softmax()
    """What training makes small."""
    initialization: Annotated[Initializer, OneOf(INITIALIZERS)] = XavierUniform()
    """Where the weights start."""
    optimizer: Annotated[Optimizer, OneOf(OPTIMIZERS)]
    """The rule that turns gradients into steps."""
    scheduler: Annotated[Schedule, OneOf(SCHEDULES)] = Constant()
    """How the learning rate changes over time."""
    warmup: Annotated[Warmup, OneOf(WARMUPS)] | None = None
    """How the learning rate climbs before the schedule begins."""
    regularization: Regularization = Regularization()
    """What keeps the model from fitting noise."""
    training: Training = Training()
    """How long to train, in what batches, and which weights are kept."""

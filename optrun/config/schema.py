"""The sections of a config."""

from typing import Annotated, Any, Literal

from pydantic import Field

from optrun.component import Count, OneOf, Section
from optrun.config.names import FolderName
from optrun.config.training import Training
from optrun.data.catalog import AnyDataset
from optrun.nn.losses import LOSSES, Loss
from optrun.nn.models import MODELS, Model
from optrun.nn.pretrained import STARTS, Start
from optrun.nn.regularization import Regularization
from optrun.optim.averaging import AVERAGES, Averaging
from optrun.optim.decays import Constant
from optrun.optim.optimizer import Optimizer
from optrun.optim.optimizers import OPTIMIZERS
from optrun.optim.schedule import Schedule
from optrun.optim.schedules import SCHEDULES
from optrun.optim.warmup import WARMUPS, Warmup


class Config(Section):
    """An experiment: data, model, optimizer and everything else that decides its outcome."""

    name: FolderName
    """What the run directory is called, before its id."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """Decides the start, the order of examples, dropout and drawn data."""
    dtype: Literal["float32", "float64"] = "float32"
    """Precision of all arithmetic on weights and data."""
    dataset: AnyDataset
    """What is learnt from."""
    model: Annotated[Model, OneOf(MODELS)]
    """What maps features to scores."""
    loss: Annotated[Loss, OneOf(LOSSES)] | None = None
    """What training makes small. Default: `softmax` for classes, `mse` for numbers to predict; none
    for a dataset that is its own objective."""
    initialization: Annotated[Start, OneOf(STARTS)] | None = None
    """Where the weights start. Default: what suits the activation, `he_uniform` for relu and its
    kind, `lecun_normal` for selu, `xavier_uniform` for others and for a linear model; none for a
    dataset that is its own objective, which says where to start."""
    optimizer: Annotated[Optimizer, OneOf(OPTIMIZERS)]
    """The rule that turns gradients into steps."""
    scheduler: Annotated[Schedule, OneOf(SCHEDULES)] = Constant()
    """How the learning rate changes over time."""
    linear_scaling: Count | None = None
    """The batch size that the optimizer's `lr` is meant for: lr is multiplied by the batch size and
    divided by this one. Off unless given."""
    warmup: Annotated[Warmup, OneOf(WARMUPS)] | None = None
    """How the learning rate climbs before the schedule begins."""
    regularization: Regularization = Regularization()
    """What keeps the model from fitting noise."""
    averaging: Annotated[Averaging, OneOf(AVERAGES)] | None = None
    """An average of the weights that is evaluated beside them; off unless given."""
    training: Training = Training()
    """How long to train, in what batches, and which weights are kept."""

    @property
    def objective(self) -> Any:
        """What gives the kernels and numbers of the loss: the loss, or the dataset itself."""
        return self.dataset if self.loss is None else self.loss

    @property
    def depends_on_seed(self) -> bool:
        """Whether another seed gives another result; a function has no data, start or order."""
        noise = self.regularization.gradient_noise is not None
        return self.dataset.has_examples or self.optimizer.draws or noise

"""Every optimizer that a config can name."""

from optrun.component import table
from optrun.optim.adam import AdaBelief, Adam, Adamax, AdamW, NAdam, RAdam
from optrun.optim.adaptive import Adadelta, Adagrad, RMSprop
from optrun.optim.descent import ASGD, SGD, Momentum, Nesterov
from optrun.optim.layerwise import LAMB, LARS
from optrun.optim.matrix import Adafactor, Muon
from optrun.optim.optimizer import Optimizer
from optrun.optim.signs import Lion, Rprop

OPTIMIZERS: dict[str, type[Optimizer]] = table(
    [
        *(SGD, Momentum, Nesterov, ASGD),
        *(Adagrad, RMSprop, Adadelta),
        *(Adam, AdamW, Adamax, NAdam, RAdam, AdaBelief),
        *(Rprop, Lion),
        *(LARS, LAMB),
        *(Adafactor, Muon),
    ]
)

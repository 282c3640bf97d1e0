"""Every rule that steps block by block."""

from optrun.component import table
from optrun.optim.adam import AdaBelief, Adam, Adamax, AdamW, NAdam, RAdam
from optrun.optim.adaptive import Adadelta, Adagrad, RMSprop
from optrun.optim.descent import ASGD, SGD, Momentum, Nesterov
from optrun.optim.layerwise import LAMB, LARS
from optrun.optim.matrix import Adafactor, Muon
from optrun.optim.optimizer import Rule
from optrun.optim.schedule_free import ScheduleFreeAdamW, ScheduleFreeSGD
from optrun.optim.signs import Lion, Rprop

RULES: dict[str, type[Rule]] = table(
    [
        *(SGD, Momentum, Nesterov, ASGD),
        *(Adagrad, RMSprop, Adadelta),
        *(Adam, AdamW, Adamax, NAdam, RAdam, AdaBelief),
        *(Rprop, Lion),
        *(LARS, LAMB),
        *(Adafactor, Muon),
        *(ScheduleFreeSGD, ScheduleFreeAdamW),
    ]
)

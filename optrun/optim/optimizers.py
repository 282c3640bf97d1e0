"""Every optimizer that a config can name."""

from optrun.component import table
from optrun.optim.optimizer import Optimizer
from optrun.optim.rules import RULES
from optrun.optim.wrappers import SAM, Lookahead

OPTIMIZERS: dict[str, type[Optimizer]] = {**RULES, **table([SAM, Lookahead])}

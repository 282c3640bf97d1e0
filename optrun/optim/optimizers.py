"""Every optimizer that a config can name."""

from optrun.component import table
from optrun.optim.driver import Driver
from optrun.optim.kfac import KFAC
from optrun.optim.optimizer import Optimizer
from optrun.optim.quasi_newton import LBFGS
from optrun.optim.rules import RULES
from optrun.optim.search import RandomLocalSearch, RandomSearch
from optrun.optim.second_order import AdaHessian, Newton
from optrun.optim.wrappers import SAM, Lookahead

DRIVERS: dict[str, type[Driver]] = table(
    [RandomSearch, RandomLocalSearch, LBFGS, Newton, AdaHessian, KFAC]
)
OPTIMIZERS: dict[str, type[Optimizer]] = {**DRIVERS, **RULES, **table([SAM, Lookahead])}

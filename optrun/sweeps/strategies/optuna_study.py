"""A search by one of optuna's samplers, told what is typed and no more than that."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from optrun.errors import UserError
from optrun.sweeps.space.candidates import Key
from optrun.sweeps.space.distributions import Choice, Distribution, Integer, LogUniform, Uniform

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler


def require(strategy: str, packages: Sequence[str], install: str) -> None:
    """Raise a UserError that says what to install, if one of the packages is missing."""
    missing = [package for package in packages if find_spec(package) is None]
    if missing:
        raise UserError(
            f"`strategy: {strategy}` needs {' and '.join(missing)}; run `pip install {install}`"
        )


class Study:
    """What is tried for the open keys of one point, and how good it was."""

    def __init__(self, sampler: "BaseSampler", distributions: Mapping[Key, Distribution]):
        import optuna

        self._distributions = distributions
        self._space = {key: _to_optuna(d) for key, d in distributions.items()}
        with _quiet():
            self._study = optuna.create_study(sampler=sampler)

    def propose(self) -> dict[Key, Any]:
        """What the sampler would try next, with numbers as short as draws have them."""
        from optuna.trial import TrialState

        with _quiet():
            asked = self._study.ask(self._space)
            # Its numbers are not rounded: `begin` enters those that are run in its place, and
            # samplers pass over what failed.
            self._study.tell(asked, state=TrialState.FAIL)
        return {key: self._from_optuna(key, value) for key, value in asked.params.items()}

    def begin(self, drawn: Mapping[Key, Any]) -> int:
        """Enter a trial as running; returns its number."""
        from optuna.trial import TrialState, create_trial

        params = {key: self._to_optuna(key, drawn[key]) for key in self._space}
        self._study.add_trial(
            create_trial(state=TrialState.RUNNING, params=params, distributions=self._space)
        )
        return len(self._study.get_trials(deepcopy=False)) - 1

    def tell(self, trial: int, value: float) -> None:
        """Enter how good a trial turned out; inf for what diverged or failed.

        Both samplers take inf as it is: TPE only sorts values, so that it counts among the bad
        ones; the Gaussian process replaces it by the worst finite value known. Told as failed,
        the trial would be passed over and its neighbourhood proposed again.
        """
        with _quiet():
            self._study.tell(trial, float(value))

    def _to_optuna(self, key: Key, value: Any) -> Any:
        distribution = self._distributions[key]
        if isinstance(distribution, Choice):
            return next(i for i, choice in enumerate(distribution.values) if choice is value)
        return value

    def _from_optuna(self, key: Key, value: Any) -> Any:
        distribution = self._distributions[key]
        if isinstance(distribution, Choice):
            return distribution.values[value]
        return distribution.tidy(value) if isinstance(distribution, Uniform | LogUniform) else value


def _to_optuna(distribution: Distribution) -> "BaseDistribution":
    """The same for optuna.

    Choices are told apart by their place, for they may be lists or mappings.
    """
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    match distribution:
        case Uniform(low, high):
            return FloatDistribution(low, high)
        case LogUniform(low, high):
            return FloatDistribution(low, high, log=True)
        case Integer(low, high):
            return IntDistribution(low, high)
        case Choice(values):
            return CategoricalDistribution(range(len(values)))
    raise TypeError(f"optuna has nothing like {distribution}")


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep optuna's log and warnings, which are about its insides, from the user of a sweep."""
    import optuna

    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        optuna.logging.set_verbosity(level)

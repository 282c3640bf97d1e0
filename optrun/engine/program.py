"""A compiled run: its epochs, its steps, and what its weights are worth."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from optrun.data.augmentation.views import Views, draw_views, no_views
from optrun.data.splits import Split
from optrun.engine.arrays import Epoch, Examples, Numbers
from optrun.engine.batch import evaluate, gather_statistics
from optrun.engine.loop import train_steps
from optrun.engine.objective import BatchObjective, drive
from optrun.engine.workspace import Workspace
from optrun.nn.network import Buffers
from optrun.numerics.streams import Purpose, stream
from optrun.optim.driver import Driver

EVALUATION_ROWS = 500
LONGEST_CHUNK = 4096


@dataclass(frozen=True)
class Program(Workspace):
    """A workspace, and the same for evaluation.

    Attributes:
        test_examples: the rows of the test set.
    """

    test_examples: Examples
    evaluation_numbers: Numbers
    evaluation_work: Buffers

    @cached_property
    def objective(self) -> BatchObjective | None:
        """What a driver asks; None for rules."""
        driver = self.config.optimizer
        return BatchObjective(self, driver) if isinstance(driver, Driver) else None

    def epoch(self, index: int) -> Epoch:
        """What the epoch of this index, counted from 0, trains on."""
        config, train = self.config, self.data.train
        order = stream(config.seed, Purpose.ORDER, index).permutation(train.indices)
        steps, shape = config.dataset.augmentation, self.data.image_shape
        return Epoch(
            order, draw_views(steps, shape, order.size, self.batch_size, config.seed, index)
        )

    @cached_property
    def crops(self) -> Views:
        """The crops that validation and test average over."""
        crops, shape = self.config.dataset.test_time, self.data.image_shape
        return crops.views(shape, EVALUATION_ROWS) if crops and shape else no_views()

    def run(self, step: int, count: int, epoch: Epoch, limit: float) -> int:
        """Run up to `count` steps from `step` on, all within the epoch given.

        Returns:
            Steps run, fewer than asked for only if a loss was not between −limit and `limit`.
            `record` holds what they report.
        """
        if self.objective is not None:
            return drive(self, self.objective, step, count, epoch, limit)
        return train_steps.compiled(
            *self.rules.of_steps(), self.examples, self.parameters, self.places, self.work,
            self.numbers, self.curves, self.record, epoch, self.batch_size,
            step % self.steps_per_epoch, step, count, self.config.seed, limit,
            self.config.training.log_every,
        )  # fmt: skip

    def evaluate(self, split: Split, weights: np.ndarray) -> tuple[float, float | None]:
        """(mean loss, accuracy) of weights on a split; no accuracy where there are no labels."""
        rules = self.rules
        examples = self.test_examples if split is self.data.test else self.examples
        total, hits = evaluate.compiled(
            rules.look, rules.normalize, rules.activate, rules.loss, examples, weights,
            self.places, self.evaluation_work, self.evaluation_numbers, split.indices,
            no_views() if split is self.data.train else self.crops,
        )  # fmt: skip
        return total / len(split), hits / len(split) if self.data.labelled else None

    @property
    def has_statistics(self) -> bool:
        """Whether running statistics stand behind the weights."""
        return self.parameters.weights.size > self.parameters.gradient.size

    @cached_property
    def first_average(self) -> int | None:
        """The step after which there is an average of the weights; None if there never is."""
        taken = np.flatnonzero(self.curves.shares)
        return int(taken[0]) + 1 if taken.size else None

    @property
    def shows_other_weights(self) -> bool:
        """Whether weights are evaluated that gradients are not taken at."""
        optimizer = self.config.optimizer
        remade = optimizer.rule is not None and optimizer.rule.remakes_weights
        return bool(self.config.averaging or optimizer.lookahead()[0] or remade)

    def evaluation_weights(self, step: int) -> np.ndarray:
        """The weights that stand for the run after `step` steps; the next step may change them.

        They are not always those that gradients are taken at. Then running statistics are computed
        for them; before the first step they are those of the start.
        """
        shown = self._shown_weights() if step else self.parameters.weights
        return shown if shown is self.parameters.weights else self.with_own_statistics(shown)

    def averaged_weights(self, step: int) -> np.ndarray | None:
        """Their average after `step` steps, None as long as there is none."""
        if self.first_average is None or step < self.first_average:
            return None
        return self.with_own_statistics(self.parameters.average)

    def with_own_statistics(self, weights: np.ndarray) -> np.ndarray:
        """The weights with the running statistics that they give on the training examples.

        These are the means over the batches of an epoch without dropout and augmentation. PyTorch's
        torch.optim.swa_utils.update_bn.

        Returns:
            A copy; the weights themselves if there are no running statistics.
        """
        if not self.has_statistics:
            return weights
        rules, numbers, weights = self.rules, self.evaluation_numbers, weights.copy()
        gather_statistics.compiled(
            rules.look, rules.normalize, rules.activate, self.examples, weights, self.places,
            self.work, numbers._replace(normalization=numbers.normalization.copy()),
            self.data.train.indices, self.steps_per_epoch, no_views(),
        )  # fmt: skip
        return weights

    def _shown_weights(self) -> np.ndarray:
        """What `evaluation_weights` returns, with the running statistics of training."""
        if self.parameters.slow.size:
            return self.parameters.slow
        weights, rule = self.parameters.weights, self.config.optimizer.rule
        if rule is None:
            return weights
        shown = weights
        for block in self.places.blocks:
            start, stop = block["start"], block["start"] + block["rows"] * block["columns"]
            state = self.parameters.state[block["state"] :][: block["slots"] * block["width"]]
            slots = state.reshape(block["slots"], block["width"])
            w = weights[start:stop]
            part = rule.evaluated(w, slots)
            if part is not w:
                shown = weights.copy() if shown is weights else shown
                shown[start:stop] = part
        return shown

    def examples_in(self, steps: int) -> int:
        """Examples that the first `steps` steps of the run look at."""
        epochs, batches = divmod(steps, self.steps_per_epoch)
        per_epoch = min(len(self.data.train), self.steps_per_epoch * self.batch_size)
        return epochs * per_epoch + batches * self.batch_size

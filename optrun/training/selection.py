"""Which epoch's weights are kept, and when to stop waiting for better ones."""

from dataclasses import dataclass

from optrun.config.training import Training


@dataclass
class Selection:
    """The best epoch so far by `training.best_by`.

    Epoch 0, the start, takes part: if nothing improves on it, it is what is kept. Ties go to the
    earlier epoch.

    Attributes:
        epoch: of the best weights.
        value: what it reached, None before the first epoch is offered.
        waited: epochs since.
        mark: what early stopping wants beaten by more than `min_delta`.
    """

    epoch: int = 0
    value: float | None = None
    waited: int = 0
    mark: float | None = None

    def offer(self, epoch: int, row: dict[str, float | None], training: Training) -> bool:
        """Take note of an epoch's metrics; true if its weights are the best so far."""
        if training.best_by == "last":
            self.epoch = epoch
            return True
        value = row[str(training.best_by)]
        if value is None:
            raise ValueError(f"{training.best_by} was not measured")
        sign = -1.0 if training.best_by == "val_loss" else 1.0
        min_delta = training.early_stopping.min_delta if training.early_stopping else 0.0
        if self.mark is None or sign * (value - self.mark) > min_delta:
            self.mark, self.waited = value, 0
        else:
            self.waited += 1
        better = self.value is None or sign * (value - self.value) > 0
        if better:
            self.epoch, self.value = epoch, value
        return better

    def exhausted(self, training: Training) -> bool:
        """Whether early stopping has waited long enough."""
        stopping = training.early_stopping
        return stopping is not None and self.waited >= stopping.patience

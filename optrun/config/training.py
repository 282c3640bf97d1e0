"""The `training` section: how long, in what batches, and which weights are kept."""

from typing import Literal

from optrun.component import Count, NonNegative, Section, Size

USUAL_BATCH = 128
BestBy = Literal["val_accuracy", "val_loss", "average_val_accuracy", "average_val_loss", "last"]


class EarlyStopping(Section):
    """Stop when `best_by` has not improved for a while, and keep the best weights."""

    patience: Count = 5
    """Epochs without improvement before stopping. At a `min_delta` of 0, an equal accuracy at a
    lower validation loss is an improvement."""
    min_delta: NonNegative = 0.0
    """An improvement counts only if it is larger than this."""


class Training(Section):
    """How long to train, in what batches, and which epoch's weights are kept and tested."""

    epochs: Size = 10
    """Passes over the training data; 0 writes the initial weights."""
    batch_size: Count | Literal["full"] | None = None
    """Examples per step; `full` takes all of them. Default: 128, `full` where there are fewer."""
    drop_last: bool = False
    """Whether the last batch of an epoch is left out if it is smaller than the others."""
    log_every: Count = 10
    """Steps between rows of steps.csv."""
    best_by: BestBy | None = None
    """What chooses the epoch whose weights are kept and tested. Ties go to the lower validation
    loss, then to the later epoch, and never to epoch 0. With `averaging`, the averaged weights have
    an epoch of their own, chosen by the same measure of theirs; `average_` in front makes early
    stopping watch theirs. Default: `val_accuracy`, `val_loss` where numbers are predicted, `last`
    without validation data."""
    early_stopping: EarlyStopping | None = None
    """Off unless given."""

    def examples_per_step(self, examples: int) -> int:
        """The batch size in numbers, given the number of training examples."""
        if self.batch_size is None:
            return min(USUAL_BATCH, examples)
        return examples if self.batch_size == "full" else self.batch_size

    def steps_per_epoch(self, examples: int) -> int:
        """Optimizer steps in an epoch; the last may take fewer examples than the others."""
        if not examples:
            return 0
        whole, rest = divmod(examples, self.examples_per_step(examples))
        return whole + (rest > 0 and not self.drop_last)

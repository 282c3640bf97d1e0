"""Labels replaced at random, to see what a model learns where there is nothing to learn."""

import numpy as np
from numpy.typing import NDArray

from optrun.data.dataset import Dataset
from optrun.numerics.streams import Purpose, stream


def noised(
    dataset: Dataset, labels: NDArray[np.int64], rows: NDArray[np.int64], seed: int
) -> NDArray[np.int64]:
    """The labels, replaced at the given rows as `label_noise` says.

        label ← a class drawn uniformly, its own among them, with probability `label_noise`

    What an example meets depends on the seed and its row alone, whatever the splits are, and
    those replaced at a smaller share are replaced by the same at a greater one. Zhang et al.,
    Understanding Deep Learning Requires Rethinking Generalization (2017).

    Args:
        dataset: gives `label_noise`.
        labels: (N,), int64; left as they are.
        rows: (n,), those of training.
        seed: of the run.
    """
    if not dataset.label_noise:
        return labels
    replaced = stream(seed, Purpose.LABEL_NOISE).random(labels.size) < dataset.label_noise
    classes, random = dataset.outline.outputs, stream(seed, Purpose.LABEL_NOISE, index=1)
    drawn = random.integers(classes, size=labels.size)
    changed = labels.copy()
    changed[rows] = np.where(replaced, drawn, labels)[rows]
    return changed

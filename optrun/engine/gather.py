"""Gathering a batch: the chosen rows as the model sees them, and what it is to say of them.

gather(examples, rows, first, views, x, targets)

examples  the dataset
rows      which of them, (n,) int64
first     position of rows[0] in the epoch's order; in evaluation, in the list of crops
views     how the examples at these positions are seen
x         (n, features), receives (value − shift)·scale, cut off at the bounds
targets   (n, outputs), receives numbers to predict, or 1 at the label and 0 elsewhere
"""

from optrun.engine.views import mix, view_bytes, view_reals
from optrun.numerics.flat import copy
from optrun.numerics.jit import inlined, kernel
from optrun.numerics.prefetch import prefetch_row

AHEAD = 2
"""How many rows are on their way while one is read."""


@kernel
def gather_bytes(examples, rows, first, views, x, targets):
    """Rows of unsigned bytes, such as images."""
    for i in range(rows.size):
        prefetch_row(examples.storage, rows[min(i + AHEAD, rows.size - 1)])
        values, out = examples.storage[rows[i]], x[i]
        for j in range(out.size):
            out[j] = (values[j] - examples.shift[j]) * examples.scale[j]
        clip(out, examples.low, examples.high)
    gather_targets(examples, rows, targets)


@kernel
def gather_reals(examples, rows, first, views, x, targets):
    """Rows of the model's own float type."""
    for i in range(rows.size):
        prefetch_row(examples.storage, rows[min(i + AHEAD, rows.size - 1)])
        values, out = examples.storage[rows[i]].view(x.dtype), x[i]
        for j in range(out.size):
            out[j] = (values[j] - examples.shift[j]) * examples.scale[j]
        clip(out, examples.low, examples.high)
    gather_targets(examples, rows, targets)


@kernel
def gather_viewed_bytes(examples, rows, first, views, x, targets):
    """Rows of unsigned bytes, augmented."""
    view_bytes(examples.storage, rows, first, views, x, examples.shift, examples.scale)
    for i in range(rows.size):
        clip(x[i], examples.low, examples.high)
    gather_targets(examples, rows, targets)
    mix(views, first, x, targets)


@kernel
def gather_viewed_reals(examples, rows, first, views, x, targets):
    """Rows of the model's own float type, augmented."""
    view_reals(examples.storage, rows, first, views, x, examples.shift, examples.scale)
    for i in range(rows.size):
        clip(x[i], examples.low, examples.high)
    gather_targets(examples, rows, targets)
    mix(views, first, x, targets)


@inlined
def clip(out, low, high):
    """Cut a row off at the bounds of its features, if there are any."""
    for j in range(low.size):
        out[j] = min(max(out[j], low[j]), high[j])


@kernel
def gather_targets(examples, rows, targets):
    """The targets of the rows."""
    if examples.labels.size > 0:
        targets[:] = 0
        for i in range(rows.size):
            targets[i, examples.labels[rows[i]]] = 1
    else:
        for i in range(rows.size):
            copy(examples.values[rows[i]], targets[i])

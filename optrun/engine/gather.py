"""Gathering a batch: the chosen rows as the model sees them.

gather(storage, rows, x, shift, scale)

storage       the dataset's rows as bytes, (N, features × bytes a value)
rows          which of them, (n,) int64
x             (n, features), receives (value − shift)·scale
shift, scale  (features,), the composed preprocessing
"""

from optrun.numerics.jit import kernel


@kernel
def gather_bytes(storage, rows, x, shift, scale):
    """Rows of unsigned bytes, such as images."""
    for i in range(rows.size):
        values, out = storage[rows[i]], x[i]
        for j in range(out.size):
            out[j] = (values[j] - shift[j]) * scale[j]


@kernel
def gather_reals(storage, rows, x, shift, scale):
    """Rows of the model's own float type."""
    for i in range(rows.size):
        values, out = storage[rows[i]].view(x.dtype), x[i]
        for j in range(out.size):
            out[j] = (values[j] - shift[j]) * scale[j]

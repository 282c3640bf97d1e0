"""Gathering a batch as augmentation sees it: `Views` applied to images, and batches mixed.

An image is worked on in its row of the batch: geometry fills the row from the stored values,
then colours, noise and erasing change it in place, and preprocessing comes last. Planes are
stored one after the other, each row by row.
"""

import numpy as np

from optrun.numerics.jit import inlined, kernel
from optrun.numerics.normals import add_normals, words_for
from optrun.numerics.streams import Purpose
from optrun.numerics.sums import fold

AUGMENTATION = int(Purpose.AUGMENTATION)
WHITE = 255.0
"""The stored value of white: colours and noise are refused for anything but bytes."""


@kernel
def view_bytes(storage, rows, first, views, x, shift, scale):
    """Gather rows of unsigned bytes as `views` sees the positions from `first` on.

    Args:
        storage: the dataset's rows as bytes, (N, features × bytes a value).
        rows: which of them, (n,) int64.
        first: position of rows[0] in the epoch's order.
        x: (n, features), receives (seen value − shift)·scale.
    """
    bordered, words = room_for_borders(views, x), room_for_words(views, x)
    for i in range(rows.size):
        place(storage[rows[i]], views, first + i, bordered, x[i])
        finish(x[i], views, first + i, words, shift, scale)


@kernel
def view_reals(storage, rows, first, views, x, shift, scale):
    """Gather rows of the model's own float type, otherwise as `view_bytes` does."""
    bordered, words = room_for_borders(views, x), room_for_words(views, x)
    for i in range(rows.size):
        place(storage[rows[i]].view(x.dtype), views, first + i, bordered, x[i])
        finish(x[i], views, first + i, words, shift, scale)


@kernel
def room_for_borders(views, x):
    """A stored image within a border of zeros: one before and two behind, in both directions."""
    channels, height, width = views.shape[0], views.shape[1], views.shape[2]
    return np.zeros((channels, (height + 3) * (width + 3)), x.dtype)


@kernel
def room_for_words(views, x):
    """Room for the random numbers of one image's noise."""
    return np.empty(words_for(x.shape[1]) if views.noise > 0.0 else 0, np.uint32)


@kernel
def finish(out, views, position, words, shift, scale):
    """Colours, noise, erasing and preprocessing of an image that lies in `out`."""
    if views.colours.shape[0] > 0:
        recolour(out, views.colours[position], views.shape)
    if views.noise > 0.0:
        std = WHITE * views.noise
        add_normals(out, std, views.seed, AUGMENTATION, position, views.epoch, words)
    for step in range(views.boxes.shape[0]):
        black_out(out, views.boxes[step, position], views.shape)
    for j in range(out.size):
        out[j] = (out[j] - shift[j]) * scale[j]


@kernel
def place(values, views, position, bordered, out):
    """Fill `out` with the stored values of an image, moved by its map."""
    if views.maps.shape[0] == 0:
        for j in range(out.size):
            out[j] = values[j]
        return
    channels, height, width = views.shape[0], views.shape[1], views.shape[2]
    size, m = height * width, views.maps[position]
    if views.exact[position]:
        for channel in range(channels):
            start, stop = channel * size, (channel + 1) * size
            copy_plane(values[start:stop], m, height, width, out[start:stop])
    else:
        for channel in range(channels):
            add_border(values[channel * size : (channel + 1) * size], width, bordered[channel])
        resample(bordered, m, height, width, out)


@kernel
def copy_plane(values, m, height, width, out):
    """Fill one channel from whole pixels; 0 where the map leaves the image."""
    sign, c, f = int(m[0]), int(m[2]), int(m[5])
    from_left = -c if sign > 0 else c - width + 1
    low = min(max(from_left, 0), width)
    high = max(min(from_left + width, width), low)
    for row in range(height):
        line, source = out[row * width : (row + 1) * width], int(m[4]) * row + f
        if source < 0 or source >= height or low == high:
            line[:] = 0
            continue
        line[:low] = 0
        line[high:] = 0
        seen = source * width + sign * low + c
        if sign > 0:
            copy(values[seen : seen + high - low], line[low:high])
        else:
            copy_reversed(values[seen - (high - low) + 1 : seen + 1], line[low:high])


@inlined
def copy(values, out):
    for j in range(out.size):
        out[j] = values[j]


@inlined
def copy_reversed(values, out):
    last = out.size - 1
    for j in range(out.size):
        out[j] = values[last - j]


@kernel
def add_border(values, width, bordered):
    """Write a channel (height·width,) into the middle of its bordered room."""
    stride = width + 3
    for row in range(values.size // width):
        start = (row + 1) * stride + 1
        copy(values[row * width : (row + 1) * width], bordered[start : start + width])


@kernel
def resample(bordered, m, height, width, out):
    """Fill every channel by bilinear interpolation between the four pixels around a point."""
    at, right, down = np.empty(width, np.int64), np.empty(width), np.empty(width)
    out[:] = 0
    for row in range(height):
        # a border of 1 lies before the image, hence 1 more; within (0, size + 1) a point has a
        # pixel beside it
        x, y = m[1] * row + m[2] + 1.0, m[4] * row + m[5] + 1.0
        low, high = inside(m[0], x, width + 1.0, 0, width)
        low, high = inside(m[3], y, height + 1.0, low, high)
        if low < high:
            find_corners(m[0], x, m[3], y, low, high, width + 3, at, right, down)
            for channel in range(bordered.shape[0]):
                start = (channel * height + row) * width
                interpolate(
                    bordered[channel], width + 3, at[low:high], right[low:high], down[low:high],
                    out[start + low : start + high],
                )  # fmt: skip


@kernel
def inside(slope, start, limit, low, high):
    """The columns of low … high − 1 in which 0 < slope·column + start < limit, as [low, high)."""
    if slope == 0.0:
        return (low, high) if 0.0 < start < limit else (low, low)
    one, other = -start / slope, (limit - start) / slope
    enter, leave = min(one, other), max(one, other)
    low = int(max(float(low), np.floor(enter) + 1.0))
    high = int(min(float(high), np.ceil(leave)))
    return low, max(low, high)


@kernel
def find_corners(a, x, d, y, low, high, stride, at, right, down):
    """The index of the pixel up and left of each column's point, and how far the point is from it.

    Rounding may put a point of the outermost columns just outside: as `int` cuts towards 0, and two
    columns and rows of border lie behind, it still has four pixels around it.
    """
    for column in range(low, high):
        across, along = a * column + x, d * column + y
        left, top = int(across), int(along)
        at[column] = top * stride + left
        right[column], down[column] = across - left, along - top


@inlined
def interpolate(pixels, stride, at, right, down, out):
    """Values between pixels: `right` and `down`, in [0, 1), of the way to the next ones."""
    one = out.dtype.type(1)
    for j in range(out.size):
        k, u, v = at[j], out.dtype.type(right[j]), out.dtype.type(down[j])
        top = (one - u) * pixels[k] + u * pixels[k + 1]
        bottom = (one - u) * pixels[k + stride] + u * pixels[k + stride + 1]
        out[j] = (one - v) * top + v * bottom


@kernel
def recolour(out, palette, shape):
    """v ← M·v + Q·mean, cut off below black and above white; 1 or 3 channels."""
    zero, white = out.dtype.type(0), out.dtype.type(WHITE)
    size = shape[1] * shape[2]
    if shape[0] == 1:
        gain = out.dtype.type(palette[0])
        offset = out.dtype.type(palette[1] * mean(out) if palette[1] != 0.0 else 0.0)
        for j in range(size):
            out[j] = min(max(gain * out[j] + offset, zero), white)
    else:
        recolour_planes(out[:size], out[size : 2 * size], out[2 * size :], palette, zero, white)


@kernel
def recolour_planes(red, green, blue, palette, zero, white):
    """The same for three channels; palette: M, then Q, row by row."""
    real = red.dtype.type
    m, offset = palette[:9].astype(red.dtype), np.zeros(3, red.dtype)
    if np.any(palette[9:] != 0.0):
        r, g, b = mean(red), mean(green), mean(blue)
        for k in range(3):
            q = palette[9 + 3 * k : 12 + 3 * k]
            offset[k] = real(q[0] * r + q[1] * g + q[2] * b)
    for j in range(red.size):
        r, g, b = red[j], green[j], blue[j]
        red[j] = min(max(m[0] * r + m[1] * g + m[2] * b + offset[0], zero), white)
        green[j] = min(max(m[3] * r + m[4] * g + m[5] * b + offset[1], zero), white)
        blue[j] = min(max(m[6] * r + m[7] * g + m[8] * b + offset[2], zero), white)


@kernel
def mean(values):
    """In a fixed order, float64."""
    return fold(values.astype(np.float64)) / values.size


@kernel
def black_out(out, box, shape):
    """Set the pixels between box = (top, bottom, left, right) to 0 in every channel."""
    for channel in range(shape[0]):
        for row in range(box[0], box[1]):
            start = (channel * shape[1] + row) * shape[2]
            out[start + box[2] : start + box[3]] = 0


@kernel
def mix(views, first, x, targets):
    """Mix every example of a batch, and its targets, with the next one; the last with the first.

    Args:
        first: position of x[0] in the epoch's order.
        x: (n, features), preprocessed.
        targets: (n, outputs).
    """
    if views.shares.size == 0:
        return
    share, last = views.shares[first], x.shape[0] - 1
    first_x, first_targets = x[0].copy(), targets[0].copy()
    for i in range(last + 1):
        other_x, other_targets = first_x, first_targets
        if i < last:
            other_x, other_targets = x[i + 1], targets[i + 1]
        if views.pasted.shape[0] > 0:
            paste(other_x, views.pasted[first], views.shape, x[i])
        else:
            blend(other_x, share, x[i])
        blend(other_targets, share, targets[i])


@kernel
def blend(other, share, out):
    """out ← share·out + (1 − share)·other"""
    mine, rest = out.dtype.type(share), out.dtype.type(1.0 - share)
    for j in range(out.size):
        out[j] = mine * out[j] + rest * other[j]


@kernel
def paste(other, box, shape, out):
    """Take the pixels between box = (top, bottom, left, right) from another image."""
    for channel in range(shape[0]):
        for row in range(box[0], box[1]):
            start = (channel * shape[1] + row) * shape[2]
            copy(other[start + box[2] : start + box[3]], out[start + box[2] : start + box[3]])

"""Functions of a few parameters, to watch an optimizer walk: no data, and nothing random.

Each is one example whose loss is f(θ), and there is nothing to test on. See `optrun.data.objective`
for the kernels' arguments. The kernels compute in float64 whatever the run's type.
"""

from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from optrun.component import table
from optrun.data.dataset import Outline, Raw, ValidationField
from optrun.data.objective import Objective
from optrun.numerics.jit import kernel

Number = Annotated[list[float], Field(min_length=1, max_length=1)]
Pair = Annotated[list[float], Field(min_length=2, max_length=2)]
Numbers = Annotated[list[float], Field(min_length=1)]


class Function(Objective):
    """A function f(θ), the same for training and test."""

    has_examples = False

    name: Literal["function"] = "function"
    kind: str
    validation: ValidationField = 0
    """A function has one example, so there is none to set aside: always 0."""
    start: Numbers
    """θ before the first step."""

    @property
    def outline(self) -> Outline:
        return Outline(1, 1, outputs=len(self.start), features=0, labelled=False)

    def problems(self) -> dict[str, str]:
        found = super().problems()
        if self.validation:
            found["validation"] = "a function has no examples to set aside; write 0"
        return found

    def load(self, seed: int, data_dir: Path | None = None) -> Raw:
        nothing, targets = np.empty((1, 0)), np.zeros((1, len(self.start)))
        return Raw(nothing, targets, nothing, targets)

    def start_point(self) -> NDArray[np.float64]:
        return np.array(self.start, np.float64)


class Sphere(Function):
    """A round bowl: f = Σθ².

    Least at 0, where f = 0. `start` gives the number of parameters.
    """

    kind: Literal["sphere"] = "sphere"
    start: Numbers = Field([-1.5, 1.0])

    @kernel
    def loss(scores, targets, d, h):
        total = 0.0
        for j in range(scores.shape[1]):
            x = np.float64(scores[0, j])
            d[0, j] = 2 * x
            total += x * x
        return total

    @kernel
    def curve(scores, targets, r, d, h):
        for j in range(scores.shape[1]):
            d[0, j] = 2 * r[0, j]


class Ravine(Function):
    """A bowl that is steep one way and flat the other: f(x, y) = ½(x² + κy²).

    Least at (0, 0), where f = 0. Gradient descent needs lr below 2/κ, and then some κ steps.
    """

    kind: Literal["ravine"] = "ravine"
    start: Pair = Field([10.0, 1.0])
    condition: Annotated[float, Field(ge=1)] = 20.0
    """κ, the condition number: the greatest curvature over the least."""

    def hyper(self) -> NDArray[np.float64]:
        return np.array([self.condition], np.float64)

    @kernel
    def loss(scores, targets, d, h):
        x, y = np.float64(scores[0, 0]), np.float64(scores[0, 1])
        d[0, 0] = x
        d[0, 1] = h[0] * y
        return 0.5 * (x * x + h[0] * y * y)

    @kernel
    def curve(scores, targets, r, d, h):
        d[0, 0] = r[0, 0]
        d[0, 1] = h[0] * r[0, 1]


class Saddle(Function):
    """A saddle: f(x, y) = x² − y².

    Flat at (0, 0), which is no minimum: f falls for ever along y. It starts close to the ridge.
    """

    kind: Literal["saddle"] = "saddle"
    bounded = False
    start: Pair = Field([1.0, 0.001])

    @kernel
    def loss(scores, targets, d, h):
        x, y = np.float64(scores[0, 0]), np.float64(scores[0, 1])
        d[0, 0] = 2 * x
        d[0, 1] = -2 * y
        return x * x - y * y

    @kernel
    def curve(scores, targets, r, d, h):
        d[0, 0] = 2 * r[0, 0]
        d[0, 1] = -2 * r[0, 1]


class EggBox(Function):
    """Hills and hollows side by side: f(x, y) = sin x·sin y.

    Least, f = −1, at (π/2, −π/2), (−π/2, π/2) and wherever both are shifted by π, or one by 2π;
    saddles at multiples of π.
    """

    kind: Literal["egg_box"] = "egg_box"
    start: Pair = Field([0.5, -0.2])

    @kernel
    def loss(scores, targets, d, h):
        x, y = np.float64(scores[0, 0]), np.float64(scores[0, 1])
        d[0, 0] = np.cos(x) * np.sin(y)
        d[0, 1] = np.sin(x) * np.cos(y)
        return np.sin(x) * np.sin(y)

    @kernel
    def curve(scores, targets, r, d, h):
        x, y = np.float64(scores[0, 0]), np.float64(scores[0, 1])
        same, mixed = -np.sin(x) * np.sin(y), np.cos(x) * np.cos(y)
        d[0, 0] = same * r[0, 0] + mixed * r[0, 1]
        d[0, 1] = mixed * r[0, 0] + same * r[0, 1]


class Rosenbrock(Function):
    """A bent valley with a flat floor: f(x, y) = (1 − x)² + 100(y − x²)².

    Least at (1, 1), where f = 0. Rosenbrock 1960, and his start.
    """

    kind: Literal["rosenbrock"] = "rosenbrock"
    start: Pair = Field([-1.2, 1.0])

    @kernel
    def loss(scores, targets, d, h):
        x, y = np.float64(scores[0, 0]), np.float64(scores[0, 1])
        off = y - x * x
        d[0, 0] = -2 * (1 - x) - 400 * x * off
        d[0, 1] = 200 * off
        return (1 - x) * (1 - x) + 100 * off * off

    @kernel
    def curve(scores, targets, r, d, h):
        x, y = np.float64(scores[0, 0]), np.float64(scores[0, 1])
        d[0, 0] = (2 - 400 * (y - 3 * x * x)) * r[0, 0] - 400 * x * r[0, 1]
        d[0, 1] = -400 * x * r[0, 0] + 200 * r[0, 1]


class Beale(Function):
    """A plateau between sharp peaks: f(x, y) = Σ_k (c_k − x + xy^k)².

    k = 1, 2, 3 and c = 1.5, 2.25, 2.625. Least at (3, ½), where f = 0. Beale 1958.
    """

    kind: Literal["beale"] = "beale"
    start: Pair = Field([1.0, 1.0])

    @kernel
    def loss(scores, targets, d, h):
        x, y = np.float64(scores[0, 0]), np.float64(scores[0, 1])
        total, down_x, down_y, power = 0.0, 0.0, 0.0, 1.0  # power is y^(k−1)
        for k, c in ((1, 1.5), (2, 2.25), (3, 2.625)):
            term = c - x + x * power * y
            total += term * term
            down_x += 2 * term * (power * y - 1)
            down_y += 2 * term * k * x * power
            power *= y
        d[0, 0] = down_x
        d[0, 1] = down_y
        return total

    @kernel
    def curve(scores, targets, r, d, h):
        x, y = np.float64(scores[0, 0]), np.float64(scores[0, 1])
        xx, xy, yy = 0.0, 0.0, 0.0
        for k, c in ((1, 1.5), (2, 2.25), (3, 2.625)):
            term, slope_x, slope_y = c - x + x * y**k, y**k - 1, k * x * y ** (k - 1)
            xx += 2 * slope_x * slope_x
            xy += 2 * (slope_x * slope_y + term * k * y ** (k - 1))
            if k > 1:
                yy += 2 * term * k * (k - 1) * x * y ** (k - 2)
            yy += 2 * slope_y * slope_y
        d[0, 0] = xx * r[0, 0] + xy * r[0, 1]
        d[0, 1] = xy * r[0, 0] + yy * r[0, 1]


class Himmelblau(Function):
    """Four hollows equally deep: f(x, y) = (x² + y − 11)² + (x + y² − 7)².

    f = 0 at (3, 2), (−2.805118, 3.131313), (−3.779310, −3.283186) and (3.584428, −1.848127).
    Himmelblau 1972.
    """

    kind: Literal["himmelblau"] = "himmelblau"
    start: Pair = Field([0.0, 0.0])

    @kernel
    def loss(scores, targets, d, h):
        x, y = np.float64(scores[0, 0]), np.float64(scores[0, 1])
        first, second = x * x + y - 11, x + y * y - 7
        d[0, 0] = 4 * x * first + 2 * second
        d[0, 1] = 2 * first + 4 * y * second
        return first * first + second * second

    @kernel
    def curve(scores, targets, r, d, h):
        x, y = np.float64(scores[0, 0]), np.float64(scores[0, 1])
        mixed = 4 * (x + y)
        d[0, 0] = (12 * x * x + 4 * y - 42) * r[0, 0] + mixed * r[0, 1]
        d[0, 1] = mixed * r[0, 0] + (12 * y * y + 4 * x - 26) * r[0, 1]


class Rastrigin(Function):
    """A bowl full of dents: f = Σ(10 + θ² − 10·cos 2πθ).

    Least at 0, where f = 0; a local minimum near every point of whole numbers. `start` gives the
    number of parameters. Rastrigin 1974.
    """

    kind: Literal["rastrigin"] = "rastrigin"
    start: Numbers = Field([2.3, -1.7])

    @kernel
    def loss(scores, targets, d, h):
        total = 0.0
        for j in range(scores.shape[1]):
            x = np.float64(scores[0, j])
            d[0, j] = 2 * x + 20 * np.pi * np.sin(2 * np.pi * x)
            # 10 − 10·cos 2πx without the difference, which has no digits near 0
            total += x * x + 20 * np.sin(np.pi * x) ** 2
        return total

    @kernel
    def curve(scores, targets, r, d, h):
        for j in range(scores.shape[1]):
            x = np.float64(scores[0, j])
            d[0, j] = (2 + 40 * np.pi * np.pi * np.cos(2 * np.pi * x)) * r[0, j]


class Cubic(Function):
    """A hollow beside an abyss: f(x) = −x³ + 3x.

    A local minimum at −1, where f = −2; beyond the local maximum at 1, where f = 2, it falls for
    ever, and the run diverges.
    """

    kind: Literal["cubic"] = "cubic"
    bounded = False
    start: Number = Field([0.5])

    @kernel
    def loss(scores, targets, d, h):
        x = np.float64(scores[0, 0])
        d[0, 0] = 3 - 3 * x * x
        return 3 * x - x * x * x

    @kernel
    def curve(scores, targets, r, d, h):
        d[0, 0] = -6 * np.float64(scores[0, 0]) * r[0, 0]


FUNCTIONS: dict[str, type[Function]] = table(
    [Sphere, Ravine, Saddle, EggBox, Rosenbrock, Beale, Himmelblau, Rastrigin, Cubic], key="kind"
)

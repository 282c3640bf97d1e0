"""Objectives in plain NumPy with everything in closed form, for the drivers to work on."""

from itertools import pairwise
from typing import Any

import numpy as np
from scipy import special

from optrun.optim.driver import Driver, Factors
from tests.toys import toy_data, toy_weights


class Plain:
    """What all of them share; `calls` counts the questions asked."""

    def __init__(self, start: np.ndarray, widths: list[int], dtype: str = "float64"):
        self.weights = start.astype(dtype)
        self.layers = layer_table(widths)
        self.fixed = True
        self.calls = {"value": 0, "gradient": 0, "product": 0, "factors": 0}

    def draw(self, random: np.random.Generator) -> np.ndarray:
        return random.standard_normal(self.weights.size).astype(self.weights.dtype)

    def value(self) -> float:
        self.calls["value"] += 1
        return self.at(self.weights.astype(np.float64))[0]

    def gradient(self) -> tuple[float, np.ndarray]:
        self.calls["gradient"] += 1
        value, gradient = self.at(self.weights.astype(np.float64))
        return value, gradient.astype(self.weights.dtype)

    def product(self, v: np.ndarray) -> np.ndarray:
        self.calls["product"] += 1
        assert v.dtype == self.weights.dtype
        return (self.hessian() @ v).astype(self.weights.dtype)

    def factors(self) -> list[Factors]:
        self.calls["factors"] += 1
        return self.curvature()

    def at(self, w: np.ndarray) -> tuple[float, np.ndarray]:
        """Value and gradient."""
        raise NotImplementedError

    def hessian(self) -> np.ndarray:
        raise NotImplementedError

    def curvature(self) -> list[Factors]:
        raise NotImplementedError

    def layer(self, w: np.ndarray, index: int) -> np.ndarray:
        """[W; b] of a layer, (fan_in + 1, fan_out); W and b lie one after the other."""
        fan_in, fan_out, start, _ = self.layers[index]
        return w[start : start + (fan_in + 1) * fan_out].reshape(fan_in + 1, fan_out)


def layer_table(widths: list[int]) -> np.ndarray:
    """fan_in, fan_out, offset of W, offset of b for layers that lie one after the other."""
    rows, start = [], 0
    for fan_in, fan_out in pairwise(widths):
        rows.append((fan_in, fan_out, start, start + fan_in * fan_out))
        start += (fan_in + 1) * fan_out
    return np.array(rows, dtype=np.int64)


class Quadratic(Plain):
    """½(w − w*)ᵀH(w − w*) with a given H."""

    def __init__(self, matrix: np.ndarray, dtype: str = "float64"):
        super().__init__(toy_weights(len(matrix)), [0, len(matrix)], dtype)
        self.matrix, self.minimum = matrix, np.cos(np.arange(len(matrix)))

    def at(self, w: np.ndarray) -> tuple[float, np.ndarray]:
        slope = self.matrix @ (w - self.minimum)
        return 0.5 * (w - self.minimum) @ slope, slope

    def hessian(self) -> np.ndarray:
        return self.matrix


class Rosenbrock(Plain):
    """(1 − x)² + 100(y − x²)², lowest at (1, 1)."""

    def __init__(self) -> None:
        super().__init__(np.array([-1.2, 1.0]), [0, 2])

    def at(self, w: np.ndarray) -> tuple[float, np.ndarray]:
        x, y = w
        value = (1 - x) ** 2 + 100 * (y - x**2) ** 2
        return value, np.array([-2 * (1 - x) - 400 * x * (y - x**2), 200 * (y - x**2)])

    def hessian(self) -> np.ndarray:
        x, y = self.weights
        return np.array([[2 - 400 * (y - 3 * x**2), -400 * x], [-400 * x, 200]])


class SoftmaxRegression(Plain):
    """Mean cross-entropy of a linear model of the toy data and (l2/2)‖W‖²."""

    def __init__(self, l2: float = 0.0, dtype: str = "float64", rows: slice = slice(None)):
        x, y = toy_data()
        x, y = x[rows], y[rows]
        self.inputs = np.hstack((x, np.ones((len(x), 1))))
        self.targets, self.l2 = np.eye(3)[y], l2
        super().__init__(toy_weights(15), [4, 3], dtype)
        self.decay = np.repeat([l2, 0.0], [12, 3])

    def at(self, w: np.ndarray) -> tuple[float, np.ndarray]:
        logs = special.log_softmax(self.inputs @ self.layer(w, 0), axis=1)
        value = -(self.targets * logs).sum() / len(logs)
        gradient = self.inputs.T @ (np.exp(logs) - self.targets) / len(logs)
        return value + 0.5 * self.decay @ w**2, gradient.ravel() + self.decay * w

    def rows(self) -> np.ndarray:
        """The Hessian of each row's loss in its scores, (n, 3, 3)."""
        p = special.softmax(self.inputs @ self.layer(self.weights, 0), axis=1)
        return p[:, :, None] * np.eye(3) - p[:, :, None] * p[:, None, :]

    def hessian(self) -> np.ndarray:
        x = self.inputs
        mean = np.einsum("ni,nj,nkl->ikjl", x, x, self.rows()).reshape(15, 15) / len(x)
        return mean + np.diag(self.decay)

    def curvature(self) -> list[Factors]:
        return [Factors(self.inputs.T @ self.inputs / len(self.inputs), self.rows().mean(axis=0))]


class DeepLinearGaussian(Plain):
    """Mean of ½(z − y)·Σ⁻¹(z − y) for z a stack of linear layers, and (l2/2)‖w‖²."""

    def __init__(self, hidden: list[int], l2: float = 0.0):
        self.x, _ = toy_data()
        self.y, self.l2 = np.cos(3.0 * self.x[:, :2] + 1.0), l2
        self.precision = np.array([[2.0, 0.6], [0.6, 0.5]])
        widths = [4, *hidden, 2]
        super().__init__(toy_weights(sum((a + 1) * b for a, b in pairwise(widths))), widths)

    def inputs(self, w: np.ndarray) -> list[np.ndarray]:
        """What each layer sees, a 1 appended; last, the scores with theirs."""
        a = [np.hstack((self.x, np.ones((len(self.x), 1))))]
        for layer in range(len(self.layers)):
            a.append(np.hstack((a[-1] @ self.layer(w, layer), np.ones((len(self.x), 1)))))
        return a

    def maps(self, w: np.ndarray) -> list[np.ndarray]:
        """∂z/∂(output of each layer), (fan_out, 2)."""
        through = [np.eye(2)]
        for layer in reversed(range(1, len(self.layers))):
            through.insert(0, self.layer(w, layer)[:-1] @ through[0])
        return through

    def at(self, w: np.ndarray) -> tuple[float, np.ndarray]:
        *a, scores = self.inputs(w)
        error = scores[:, :-1] - self.y
        d = error @ self.precision / len(error)
        gradient = [x.T @ d @ m.T for x, m in zip(a, self.maps(w), strict=True)]
        value = 0.5 * (d * error).sum() + 0.5 * self.l2 * w @ w
        return value, np.concatenate([g.ravel() for g in gradient]) + self.l2 * w

    def curvature(self) -> list[Factors]:
        w = self.weights
        pairs = zip(self.inputs(w), self.maps(w), strict=False)
        return [Factors(a.T @ a / len(a), m @ self.precision @ m.T) for a, m in pairs]

    def fisher(self, layer: int) -> np.ndarray:
        """The layer's block of E[Jᵀ Σ⁻¹ J] with J = ∂z/∂[W; b], example by example."""
        a, through = self.inputs(self.weights)[layer], self.maps(self.weights)[layer]
        total = 0
        for row in a:
            jacobian = np.array([np.outer(row, column).ravel() for column in through.T])
            total = total + jacobian.T @ self.precision @ jacobian
        return total / len(a)


class TanhNetwork(Plain):
    """Mean cross-entropy of linear layers with tanh between them, on the toy data, and L2."""

    def __init__(self, hidden: list[int], l2: float = 0.0, dtype: str = "float64"):
        x, y = toy_data()
        self.x, self.targets, self.l2 = x, np.eye(3)[y], l2
        widths = [4, *hidden, 3]
        count = sum((a + 1) * b for a, b in pairwise(widths))
        super().__init__(toy_weights(count), widths, dtype)

    def at(self, w: np.ndarray) -> tuple[float, np.ndarray]:
        blocks = [self.layer(w, index) for index in range(len(self.layers))]
        inputs = [self.x]
        for block in blocks:
            inputs.append(np.tanh(inputs[-1] @ block[:-1] + block[-1]))
        logs = special.log_softmax(inputs[-2] @ blocks[-1][:-1] + blocks[-1][-1], axis=1)
        value = -(self.targets * logs).sum() / len(logs)
        d, gradient = (np.exp(logs) - self.targets) / len(logs), []
        for a, block in zip(reversed(inputs[:-1]), reversed(blocks), strict=True):
            decay = self.l2 * np.vstack((block[:-1], np.zeros(block.shape[1])))
            gradient.insert(0, np.vstack((a.T @ d, d.sum(axis=0))) + decay)
            value += 0.5 * (decay * block).sum()
            d = (d @ block[:-1].T) * (1 - a**2)
        return value, np.concatenate([g.ravel() for g in gradient])


def new_state(driver: Driver, objective: Any) -> np.ndarray:
    """The driver's memory before the first step."""
    shapes = [(int(row[0]), int(row[1])) for row in objective.layers]
    return np.zeros(driver.state_size(objective.weights.size, shapes))


def drive(
    driver: Driver, objective: Any, steps: int, state: np.ndarray | None = None, done: int = 0
) -> list[float]:
    """Run steps after `done` ones; the value that each began with."""
    state = new_state(driver, objective) if state is None else state
    lr = getattr(driver, "lr", 1.0)
    values = []
    for t in range(done + 1, done + steps + 1):
        random = np.random.default_rng([driver.purpose, t])
        values.append(driver.step(objective, state, lr, t, random))
    return values

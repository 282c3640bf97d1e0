"""Slow, obvious NumPy twins of the kernels, written from the formulas.

Nothing here is shared with the package but the meaning of its configs: layers as lists of arrays,
one example at a time where that is plainer.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from scipy import special

Array = np.ndarray

Function = Callable[[Array, dict[str, Any]], Array]

SELU = 1.0507009873554805, 1.6732632423543772  # λ, α

# φ(z) and φ′(z), given the activation's section
ACTIVATIONS: dict[str, tuple[Function, Function]] = {
    "identity": (lambda z, o: z, lambda z, o: np.ones_like(z)),
    "relu": (lambda z, o: np.maximum(z, 0), lambda z, o: np.where(z > 0, 1.0, 0.0)),
    "leaky_relu": (
        lambda z, o: np.maximum(z, 0) + o["slope"] * np.minimum(z, 0),
        lambda z, o: np.where(z > 0, 1.0, o["slope"]),
    ),
    "elu": (
        lambda z, o: np.maximum(z, 0) + o["alpha"] * np.expm1(np.minimum(z, 0)),
        lambda z, o: np.where(z > 0, 1.0, o["alpha"] * np.exp(np.minimum(z, 0))),
    ),
    "selu": (
        lambda z, o: SELU[0] * (np.maximum(z, 0) + SELU[1] * np.expm1(np.minimum(z, 0))),
        lambda z, o: SELU[0] * np.where(z > 0, 1.0, SELU[1] * np.exp(np.minimum(z, 0))),
    ),
    "softplus": (
        lambda z, o: np.where(
            o["beta"] * z > o["threshold"], z, np.logaddexp(0, o["beta"] * z) / o["beta"]
        ),
        lambda z, o: np.where(o["beta"] * z > o["threshold"], 1.0, special.expit(o["beta"] * z)),
    ),
    "silu": (
        lambda z, o: z * special.expit(z),
        lambda z, o: special.expit(z) + z * special.expit(z) * special.expit(-z),
    ),
    "gelu": (
        lambda z, o: z * special.ndtr(z),
        lambda z, o: special.ndtr(z) + z * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi),
    ),
    "tanh": (lambda z, o: np.tanh(z), lambda z, o: 1 - np.tanh(z) ** 2),
    "sigmoid": (
        lambda z, o: special.expit(z),
        lambda z, o: special.expit(z) * special.expit(-z),
    ),
}


def softmax_loss(
    scores: Array, targets: Array, label_smoothing: float = 0.0, confidence_penalty: float = 0.0
) -> tuple[float, Array]:
    """Mean cross-entropy less the entropy's worth, and its gradient at the scores."""
    n, outputs = scores.shape
    shifted = scores - scores.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    p, q = np.exp(log_p), (1 - label_smoothing) * targets + label_smoothing / outputs
    entropy = -(p * log_p).sum(axis=1, keepdims=True)
    total = -(q * log_p).sum() - confidence_penalty * entropy.sum()
    return total / n, (p - q + confidence_penalty * p * (log_p + entropy)) / n


def hinge_loss(scores: Array, targets: Array) -> tuple[float, Array]:
    """Mean Weston–Watkins loss with margin 1, and its gradient at the scores."""
    total, gradient = 0.0, np.zeros_like(scores)
    for i, k, label, margin in margins(scores, targets):
        total += margin
        gradient[i, k] += 1
        gradient[i, label] -= 1
    return total / len(scores), gradient / len(scores)


def squared_hinge_loss(scores: Array, targets: Array) -> tuple[float, Array]:
    """The same of squared margins."""
    total, gradient = 0.0, np.zeros_like(scores)
    for i, k, label, margin in margins(scores, targets):
        total += margin**2
        gradient[i, k] += 2 * margin
        gradient[i, label] -= 2 * margin
    return total / len(scores), gradient / len(scores)


def margins(scores: Array, targets: Array) -> Iterator[tuple[int, int, int, float]]:
    """(row, class, label, margin) of every margin above 0."""
    for i, label in enumerate(targets.argmax(axis=1)):
        for k in range(scores.shape[1]):
            margin = scores[i, k] - scores[i, label] + 1
            if k != label and margin > 0:
                yield i, k, label, margin


def mse_loss(scores: Array, targets: Array) -> tuple[float, Array]:
    """Mean squared error over rows and outputs, and its gradient at the scores."""
    return ((scores - targets) ** 2).mean(), 2 * (scores - targets) / scores.size


LOSSES = {
    "softmax": softmax_loss,
    "hinge": hinge_loss,
    "squared_hinge": squared_hinge_loss,
    "mse": mse_loss,
}
"""Given scores, targets (one-hot for labels) and the section's numbers."""


def objective(
    weights: dict[str, Array],
    x: Array,
    y: Array,
    activation: dict[str, Any],
    loss: str,
    regularization: dict[str, Any],
    masks: list[Array] | None = None,
) -> tuple[float, float, dict[str, Array]]:
    """(loss, penalty, gradient of their sum) of a stack of linear layers.

    The gradient with respect to x, of the loss alone, is called `x`.

    Args:
        weights: `layers.0.weight`, `layers.0.bias`, …
        activation: its section of the config.
        masks: dropout's factors for the inputs of each layer.
    """
    phi, slope = ACTIVATIONS[activation["name"]]
    depth = len(weights) // 2
    inputs, before = [x * masks[0] if masks else x], []
    for layer in range(depth):
        z = inputs[-1] @ weights[f"layers.{layer}.weight"] + weights[f"layers.{layer}.bias"]
        before.append(z)
        h = phi(z, activation)
        inputs.append(h * masks[layer + 1] if masks and layer < depth - 1 else h)
    value, d = LOSSES[loss](before[-1], np.eye(before[-1].shape[1])[y])
    gradient = {}
    for layer in reversed(range(depth)):
        gradient[f"layers.{layer}.weight"] = inputs[layer].T @ d
        gradient[f"layers.{layer}.bias"] = d.sum(axis=0)
        d = d @ weights[f"layers.{layer}.weight"].T
        d = d * masks[layer] if masks else d
        d = d * slope(before[layer - 1], activation) if layer else d
    gradient["x"] = d
    penalty = 0.0
    for name, w in weights.items():
        if name.endswith("weight") or regularization.get("include_bias"):
            l1, l2, proximal = penalties(regularization)
            penalty += l1 * np.abs(w).sum() + l2 / 2 * (w**2).sum()
            gradient[name] = gradient[name] + (0 if proximal else l1) * np.sign(w) + l2 * w
    return value, penalty, gradient


def penalties(regularization: dict[str, Any]) -> tuple[float, float, bool]:
    """(l1, l2, whether l1 is proximal), given one by one or as an elastic net."""
    if elastic := regularization.get("elastic"):
        strength, ratio = elastic["strength"], elastic["l1_ratio"]
        return strength * ratio, strength * (1 - ratio), elastic["proximal"]
    l1, l2 = regularization.get("l1", 0.0), regularization.get("l2", 0.0)
    return (l1["strength"], l2, l1["proximal"]) if isinstance(l1, dict) else (l1, l2, False)


def thresholded(name: str, w: Array, rate: float, optimizer: Any, regularization: Any) -> Array:
    """A block after the proximal step, with the rate that momentum leads to."""
    l1, _, proximal = penalties(regularization)
    if not proximal or not (name.endswith("weight") or regularization["include_bias"]):
        return w
    if optimizer["name"] in ("momentum", "nesterov", "rmsprop", "lars"):
        rate *= (1 - optimizer.get("dampening", 0)) / (1 - optimizer["momentum"])
    return np.sign(w) * np.maximum(np.abs(w) - rate * l1, 0)


def with_adversary(weights, x, y, activation, loss, regularization, masks):
    """`objective` on the examples and on what the fast gradient sign method makes of them."""
    arguments = (y, activation, loss, regularization, masks)
    clean = objective(weights, x, *arguments)
    adversarial = regularization.get("adversarial")
    if not adversarial:
        return clean
    moved = x + adversarial["epsilon"] * np.sign(clean[2]["x"])
    share, harder = adversarial["share"], objective(weights, moved, *arguments)
    mixed = {name: (1 - share) * g + share * harder[2][name] for name, g in clean[2].items()}
    return (1 - share) * clean[0] + share * harder[0], clean[1], mixed


def uphill(weights: dict[str, Array], gradient: dict[str, Array], rho: float) -> dict[str, Array]:
    """The weights a length rho along the gradient."""
    norm = np.sqrt(sum((gradient[name] ** 2).sum() for name in weights))
    return {name: w + rho * gradient[name] / norm for name, w in weights.items()}


def noisy(
    gradient: dict[str, Array], names: list[str], noise: dict[str, Any], seed: int, t: int
) -> dict[str, Array]:
    """The gradient with Gaussian noise, drawn four numbers a counter over all blocks in turn."""
    std = np.sqrt(noise["eta"] / (1 + t) ** noise["gamma"])
    size, drawn = sum(gradient[name].size for name in names), []
    for i in range(-(-size // 4)):
        r = philox([i, t, 0, 10], [seed & 0xFFFFFFFF, seed >> 32])
        for a, b in (r[:2], r[2:]):
            radius, angle = np.sqrt(-2 * np.log((a + 0.5) / 2**32)), 2 * np.pi * b / 2**32
            drawn += [radius * np.cos(angle), radius * np.sin(angle)]
    draws, result = std * np.array(drawn), {}
    for name in names:
        part, draws = draws[: gradient[name].size], draws[gradient[name].size :]
        result[name] = gradient[name] + part.reshape(gradient[name].shape)
    return result


def shortened(w: Array, longest: float | None) -> Array:
    """A matrix whose columns are no longer than `longest`."""
    lengths = np.sqrt((w**2).sum(axis=0))
    return w * np.minimum(1, longest / lengths) if longest and w.ndim == 2 else w


def clipped(gradient: dict[str, Array], clipping: dict[str, Any] | None) -> dict[str, Array]:
    """The gradient after clipping by its whole norm, then by value."""
    clipping = clipping or {}
    norm = np.sqrt(sum((g**2).sum() for g in gradient.values()))
    if clipping.get("by_norm") and norm > clipping["by_norm"]:
        gradient = {name: g * clipping["by_norm"] / norm for name, g in gradient.items()}
    if clipping.get("by_value"):
        gradient = {name: np.clip(g, *clipping["by_value"]) for name, g in gradient.items()}
    return gradient


def sgd(w, g, s, t, lr, o):
    return w - lr * g


def momentum(w, g, s, t, lr, o):
    if o["form"] == "velocity":
        fresh = 1 if t == 1 else 1 - o["dampening"]
        s["v"] = o["momentum"] * s.get("v", 0) - lr * fresh * g
        return w + s["v"]
    s["v"] = g if t == 1 else o["momentum"] * s["v"] + (1 - o["dampening"]) * g
    return w - lr * s["v"]


def nesterov(w, g, s, t, lr, o):
    s["v"] = o["momentum"] * s.get("v", 0) + g
    return w - lr * (g + o["momentum"] * s["v"])


def adagrad(w, g, s, t, lr, o):
    s["c"] = s.get("c", 0) + g**2
    return w - lr * g / (np.sqrt(s["c"]) + o["eps"])


def rmsprop(w, g, s, t, lr, o):
    s["s"] = o["alpha"] * s.get("s", 0) + (1 - o["alpha"]) * g**2
    s["v"] = o["momentum"] * s.get("v", 0) + g / (np.sqrt(s["s"]) + o["eps"])
    return w - lr * s["v"]


def adam(w, g, s, t, lr, o):
    s["m"] = o["beta1"] * s.get("m", 0) + (1 - o["beta1"]) * g
    s["v"] = o["beta2"] * s.get("v", 0) + (1 - o["beta2"]) * g**2
    m, v = s["m"] / (1 - o["beta1"] ** t), s["v"] / (1 - o["beta2"] ** t)
    return w - lr * m / (np.sqrt(v) + o["eps"])


def adamw(w, g, s, t, lr, o):
    return adam(w - lr * o["weight_decay"] * w, g, s, t, lr, o)


def adabelief(w, g, s, t, lr, o):
    """Algorithm 2 of Zhuang et al. 2020."""
    s["m"] = o["beta1"] * s.get("m", 0) + (1 - o["beta1"]) * g
    s["s"] = o["beta2"] * s.get("s", 0) + (1 - o["beta2"]) * (g - s["m"]) ** 2 + o["eps"]
    m, variance = s["m"] / (1 - o["beta1"] ** t), s["s"] / (1 - o["beta2"] ** t)
    return w - lr * m / (np.sqrt(variance) + o["eps"])


def lion(w, g, s, t, lr, o):
    """Algorithm 2 of Chen et al. 2023."""
    m = s.get("m", np.zeros_like(g))
    s["m"] = o["beta2"] * m + (1 - o["beta2"]) * g
    return w - lr * (np.sign(o["beta1"] * m + (1 - o["beta1"]) * g) + o["weight_decay"] * w)


def lars(w, g, s, t, lr, o):
    """Algorithm 1 of You, Gitman & Ginsburg 2017; biases as a layer of their own or not scaled."""
    decay, rate = o["weight_decay"], lr
    if w.ndim == 1 and not o["include_bias"]:
        decay = 0
    elif np.linalg.norm(w) > 0 and (decay > 0 or np.linalg.norm(g) > 0):
        size, slope = np.linalg.norm(w), np.linalg.norm(g)
        rate = lr * o["trust"] * size / (slope + decay * size)
    s["v"] = o["momentum"] * s.get("v", 0) + rate * (g + decay * w)
    return w - s["v"]


def lamb(w, g, s, t, lr, o):
    """Algorithm 2 of You et al. 2020; biases as a layer of their own or not scaled."""
    u = -adam(np.zeros_like(w), g, s, t, 1, o)
    if w.ndim == 1 and not o["include_bias"]:
        return w - lr * u
    u = u + o["weight_decay"] * w
    size = np.linalg.norm(w)
    return w - lr * (size / np.linalg.norm(u) if size > 0 else 1) * u


def schedule_free(w, g, s, t, lr, o, direction):
    """The published program's form, which keeps y and z only; x = y + (1 − 1/β)(z − y)."""
    beta = o.get("beta", o.get("beta1"))
    s["z"], s["most"] = s.get("z", w), max(s.get("most", 0.0), lr)
    weight = t ** o["r"] * s["most"] ** o["weight_lr_power"]
    s["sum"] = s.get("sum", 0.0) + weight
    c = weight / s["sum"]
    y = w + c * (s["z"] - w) + lr * (beta * (1 - c) - 1) * direction
    s["z"] = s["z"] - lr * direction
    return y


def schedule_free_sgd(w, g, s, t, lr, o):
    return schedule_free(w, g, s, t, lr, o, g)


def schedule_free_adamw(w, g, s, t, lr, o):
    s["v"] = o["beta2"] * s.get("v", 0) + (1 - o["beta2"]) * g**2
    root = np.sqrt(s["v"] / (1 - o["beta2"] ** t)) + o["eps"]
    return schedule_free(w, g, s, t, lr, o, g / root + o["weight_decay"] * w)


UPDATES = {
    "sgd": sgd,
    "momentum": momentum,
    "nesterov": nesterov,
    "adagrad": adagrad,
    "rmsprop": rmsprop,
    "adam": adam,
    "adamw": adamw,
    "adabelief": adabelief,
    "lion": lion,
    "lars": lars,
    "lamb": lamb,
    "schedule_free_sgd": schedule_free_sgd,
    "schedule_free_adamw": schedule_free_adamw,
}
"""Those of the seven best known rules, and of all that PyTorch does not have."""


def philox(counter: list[int], key: list[int]) -> list[int]:
    """Philox 4x32-10 in whole numbers."""
    c, k = list(counter), list(key)
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & 0xFFFFFFFF, (p0 >> 32) ^ c[3] ^ k[1], p0 & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


def keep_mask(size: int, rate: float, seed: int, purpose: int, index: int, layer: int) -> Array:
    """Dropout's factors: number q of counter i decides entry i + q·⌊size/4⌋."""
    key, quarter = [seed & 0xFFFFFFFF, seed >> 32], size // 4
    draws = np.zeros(size)
    for i in range(quarter):
        draws[i : 4 * quarter : quarter] = philox([i, index, layer, purpose], key)
    for i in range(4 * quarter, size):
        draws[i] = philox([i, index, layer, purpose], key)[0]
    return np.where(draws < np.floor(rate * 2**32), 0.0, 1 / (1 - rate))


def train(
    weights: dict[str, Array], x: Array, y: Array, config: Any, orders: list[Array], rates: Array
) -> tuple[dict[str, Array], list[float]]:
    """A whole run: its last weights and the loss of every step.

    Args:
        config: the run's Config; its sections are read as plain mappings.
        orders: each epoch's order of the examples.
        rates: learning rate of every step.
    """
    plain = config.model_dump(mode="json")
    wrapper, model, regularization = plain["optimizer"], plain["model"], plain["regularization"]
    optimizer, weights, slow = wrapper.get("base", wrapper), dict(weights), dict(weights)
    activation = model.get("activation", {"name": "identity"})
    depth, t, losses = len(weights) // 2, 0, []
    dropout, widths = config.regularization.rates(depth - 1), [x.shape[1], *model.get("hidden", [])]
    states: dict[str, dict[str, Array]] = {name: {} for name in weights}
    for order in orders:
        size = (
            len(order) if plain["training"]["batch_size"] == "full" else config.training.batch_size
        )
        for start in range(0, len(order), size):
            rows, t = order[start : start + size], t + 1
            masks = None
            if any(dropout):
                masks = [
                    keep_mask(len(rows) * width, rate, config.seed, 7, t, layer).reshape(-1, width)
                    for layer, (rate, width) in enumerate(zip(dropout, widths, strict=True))
                ]
            batch = x[rows], y[rows], activation, plain["loss"]["name"], regularization, masks
            value, _, gradient = with_adversary(weights, *batch)
            if wrapper["name"] == "sam":
                _, _, gradient = with_adversary(uphill(weights, gradient, wrapper["rho"]), *batch)
            if noise := regularization["gradient_noise"]:
                gradient = noisy(gradient, list(weights), noise, config.seed, t)
            gradient = clipped({name: gradient[name] for name in weights}, optimizer["clipping"])
            update = UPDATES[optimizer["name"]]
            for name, w in weights.items():
                moved = update(w, gradient[name], states[name], t, rates[t - 1], optimizer)
                moved = thresholded(name, moved, rates[t - 1], optimizer, regularization)
                weights[name] = shortened(moved, regularization["max_norm"])
            if wrapper["name"] == "lookahead" and t % wrapper["every"] == 0:
                slow = {n: s + wrapper["share"] * (weights[n] - s) for n, s in slow.items()}
                weights = dict(slow)
            losses.append(value)
    return weights, losses

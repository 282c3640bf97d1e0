"""Made-up data and weights: closed forms, the same everywhere and always."""

import numpy as np


def toy_data(n: int = 30, features: int = 4, classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Smooth made-up features (n, features) and labels (n,), the same everywhere and always."""
    i, j = np.arange(n)[:, None], np.arange(features)[None, :]
    x = np.sin(1.7 * i + 2.3 * j + 0.1 * i * j) + 0.3 * np.cos(i * (j + 1))
    return x, np.arange(n) * 7 % classes


def toy_weights(count: int) -> np.ndarray:
    """Made-up initial weights, of the size a sensible initializer gives."""
    return 0.4 * np.sin(np.arange(count) * 2.1 + 0.5)

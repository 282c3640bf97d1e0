"""Let scikit-learn find the optima that optimizers are compared with.

    python -m tests.sklearn_reference.make           writes logistic.json and sparse.json beside it
    python -m tests.sklearn_reference.make --check   computes them again and compares

Needs scikit-learn; the tests that read the file do not.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from sklearn.linear_model import LogisticRegression

from tests.toys import toy_data

FILE = Path(__file__).with_name("logistic.json")
SPARSE = FILE.with_name("sparse.json")
PENALTIES = [0.1, 0.01, 0.001]
"""λ of (λ/2)‖W‖²."""
ELASTIC = [(0.01, 1.0), (0.03, 1.0), (0.1, 1.0), (0.05, 0.5)]
"""λ and ρ of λ(ρ‖W‖₁ + (1−ρ)/2·‖W‖²)."""

Optimum = dict[str, list[list[float]] | list[float]]
"""`weight` (features, classes) and `bias`, which sums to 0."""


def optimum(l2: float) -> Optimum:
    """That of softmax regression with (l2/2)‖W‖².

    scikit-learn minimizes the sum of the losses, C times, and leaves b unpenalized too.
    """
    return fitted(l2, solver="newton-cg", tol=1e-12, max_iter=1000)


def sparse(strength: float, ratio: float) -> Optimum:
    """That of softmax regression with strength·(ratio·‖W‖₁ + (1 − ratio)/2·‖W‖²)."""
    options = {"solver": "saga", "tol": 1e-13, "max_iter": 1_000_000, "random_state": 0}
    return fitted(strength, l1_ratio=ratio, **options)


def fitted(strength: float, **options: Any) -> Optimum:
    """What scikit-learn comes to on the toy data."""
    x, y = toy_data()
    model = LogisticRegression(C=1 / (len(x) * strength), **options)
    model.fit(x, y)
    return {
        "weight": model.coef_.T.tolist(),
        "bias": (model.intercept_ - model.intercept_.mean()).tolist(),
    }


def main() -> None:
    write_or_check(FILE, {str(l2): optimum(l2) for l2 in PENALTIES})
    write_or_check(SPARSE, {f"{one} {ratio}": sparse(one, ratio) for one, ratio in ELASTIC})


def write_or_check(file: Path, made: dict[str, Optimum]) -> None:
    """Write the optima, or compare them with those in the file."""
    if "--check" in sys.argv:
        stored = json.loads(file.read_text())
        for name, parts in made.items():
            for part, values in parts.items():
                np.testing.assert_allclose(values, stored[name][part], 1e-8, 1e-10, err_msg=name)
        print(f"{len(made)} optima agree with scikit-learn {sklearn.__version__}")
    else:
        file.write_text(json.dumps({"sklearn": sklearn.__version__} | made) + "\n")


if __name__ == "__main__":
    main()

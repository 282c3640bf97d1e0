"""Let scikit-learn find the optimum that the second-order methods are compared with.

    python -m tests.sklearn_reference.make           writes logistic.json beside it
    python -m tests.sklearn_reference.make --check   computes it again and compares

Needs scikit-learn; the tests that read the file do not.
"""

import json
import sys
from pathlib import Path

import numpy as np
import sklearn
from sklearn.linear_model import LogisticRegression

from tests.toys import toy_data

FILE = Path(__file__).with_name("logistic.json")
PENALTIES = [0.1, 0.01, 0.001]
"""λ of (λ/2)‖W‖²."""


def optimum(l2: float) -> dict[str, list[list[float]] | list[float]]:
    """W (features, classes) and b of softmax regression with (l2/2)‖W‖², b summing to 0.

    scikit-learn minimizes the sum of the losses, C times, and leaves b unpenalized too.
    """
    x, y = toy_data()
    model = LogisticRegression(C=1 / (len(x) * l2), solver="newton-cg", tol=1e-12, max_iter=1000)
    model.fit(x, y)
    return {
        "weight": model.coef_.T.tolist(),
        "bias": (model.intercept_ - model.intercept_.mean()).tolist(),
    }


def main() -> None:
    made = {str(l2): optimum(l2) for l2 in PENALTIES}
    if "--check" in sys.argv:
        stored = json.loads(FILE.read_text())
        for l2, parts in made.items():
            for part, values in parts.items():
                np.testing.assert_allclose(values, stored[l2][part], 1e-8, 1e-10, err_msg=l2)
        print(f"{len(made)} optima agree with scikit-learn {sklearn.__version__}")
    else:
        FILE.write_text(json.dumps({"sklearn": sklearn.__version__} | made) + "\n")


if __name__ == "__main__":
    main()

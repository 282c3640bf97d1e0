"""What makes two runs the same run."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

DIGITS = 16
"""64 bits: among 10⁷ runs, two have the same id with a probability of 3·10⁻⁶."""


def run_id(config: Mapping[str, Any], fingerprint: str, numerics: int) -> str:
    """The id of a run: sixteen hexadecimal digits of a hash over all that its result depends on.

    Args:
        config: the resolved config. Its `name` is a label and does not count, nor does the order
            of keys.
        fingerprint: what identifies the dataset's content.
        numerics: version of the arithmetic; raised when the same config computes other bits.
    """
    computed = {key: value for key, value in config.items() if key != "name"}
    parts = {"config": computed, "data": fingerprint, "numerics": numerics}
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]

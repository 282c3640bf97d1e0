"""Lengths of time in a run, given in steps, epochs or as a share of the whole run."""

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

PATTERN = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(steps?|epochs?|%)\s*$")
FORM = 'write it as "500 steps", "2 epochs", "10%" or a fraction of the run such as 0.1'


@dataclass(frozen=True)
class Duration:
    """A length counted in `steps`, in `epochs` or as a `fraction` of the run's steps."""

    amount: float
    unit: str

    def steps(self, steps_per_epoch: int, total: int) -> int:
        """This length in optimizer steps, rounded to the nearest."""
        scale = {"steps": 1, "epochs": steps_per_epoch, "fraction": total}[self.unit]
        return round(self.amount * scale)

    def __str__(self) -> str:
        if self.unit == "fraction":
            return f"{self.amount * 100:g}%"
        return f"{self.amount:g} {self.unit}"


def parse_duration(value: Any) -> Duration:
    """Read "500 steps", "2 epochs", "10%", or a number from 0 up to 1 as a share of the run."""
    if isinstance(value, Duration):
        return value
    if isinstance(value, str) and (match := PATTERN.match(value)):
        amount, unit = float(match[1]), match[2]
        if unit == "%":
            duration = Duration(amount / 100, "fraction")
        else:
            duration = Duration(amount, unit.rstrip("s") + "s")
        if duration.unit == "steps" and amount != int(amount):
            raise ValueError("steps are whole numbers")
        if duration.unit == "fraction" and amount > 100:
            raise ValueError("a share of the run is at most 100%")
        return duration
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1:
        return Duration(float(value), "fraction")
    raise ValueError(f"not a duration; {FORM}")


DurationField = Annotated[
    Duration,
    BeforeValidator(parse_duration),
    PlainSerializer(str),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": PATTERN.pattern},
                {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
            ]
        }
    ),
]

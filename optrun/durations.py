"""Lengths of time in a run, given in steps, epochs or as a share of the whole run."""

import math
import re
from dataclasses import dataclass
from decimal import Decimal
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
        """What a person is shown."""
        if self.unit == "fraction":
            return f"{plain(float(Decimal(repr(self.amount)) * 100))}%"
        return f"{plain(self.amount)} {self.unit}"

    def as_value(self) -> str | float:
        """What stands in a resolved config, exact: a number for a share below 1, else text."""
        return self.amount if self.unit == "fraction" and self.amount < 1 else str(self)


def plain(amount: float) -> str:
    """All digits of a number, without exponent."""
    return format(Decimal(repr(amount)), "f").removesuffix(".0")


def parse_duration(value: Any) -> Duration:
    """Read "500 steps", "2 epochs", "10%", or a number from 0 up to 1 as a share of the run."""
    if isinstance(value, Duration):
        return value
    if isinstance(value, str) and (match := PATTERN.match(value)):
        return from_text(float(match[1]), match[2])
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1:
        return Duration(float(value), "fraction")
    raise ValueError(f"not a duration; {FORM}")


def from_text(amount: float, unit: str) -> Duration:
    """The duration of an amount and a unit as they were written."""
    if not math.isfinite(amount):
        raise ValueError("the number is too large")
    if unit == "%":
        if amount > 100:
            raise ValueError("a share of the run is at most 100%")
        return Duration(amount / 100, "fraction")
    unit = unit.removesuffix("s") + "s"
    if unit == "steps" and not amount.is_integer():
        raise ValueError("steps are whole numbers")
    return Duration(amount, unit)


DurationField = Annotated[
    Duration,
    BeforeValidator(parse_duration),
    PlainSerializer(Duration.as_value),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": PATTERN.pattern},
                {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
            ]
        }
    ),
]

"""Numbers as a person would type them: short decimals, as close to the exact value as is needed."""

from decimal import Decimal, localcontext

DIGITS = 6  # significant digits that every number has, unless it is shorter
FINE = 1000  # the error is at most the spacing divided by this
PRECISION = 60  # digits of intermediate results, far more than the 17 of a float


def exact(number: float) -> Decimal:
    """The number as it is written: 0.1 is one tenth, not the nearest fraction of powers of 2."""
    return Decimal(str(number))


def tidy(number: Decimal | float, spacing: Decimal | float) -> float:
    """A short decimal near `number`, as a float.

    It is rounded to six significant digits, or to as many more as keep the error below a thousandth
    of `spacing`, the distance to the next number that matters.
    """
    number, spacing = Decimal(number), Decimal(spacing)
    with localcontext(prec=PRECISION):
        last = (spacing * 2 / FINE).adjusted()  # the place of the last digit that is needed
        digits = max(DIGITS, number.adjusted() - last + 1)
        return float(f"{number:.{digits}g}")


def evenly(first: float, last: float, count: int) -> list[float]:
    """`count` numbers from `first` to `last`, the differences of neighbours alike."""
    with localcontext(prec=PRECISION):
        low, high = exact(first), exact(last)
        step = (high - low) / (count - 1)
        inner = [low + step * place for place in range(1, count - 1)]
        return [float(first), *(tidy(number, abs(step)) for number in inner), float(last)]


def geometrically(first: float, last: float, count: int) -> list[float]:
    """`count` numbers from `first` to `last`, both above 0, the ratios of neighbours alike."""
    with localcontext(prec=PRECISION):
        low = exact(first)
        step = (exact(last) / low).ln() / (count - 1)
        nearer = 1 - (-abs(step)).exp()  # distance to the lower neighbour, as a share
        inner = [low * (step * place).exp() for place in range(1, count - 1)]
        return [float(first), *(tidy(n, n * nearer) for n in inner), float(last)]

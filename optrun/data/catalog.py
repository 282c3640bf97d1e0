"""All datasets: the tables, and the annotation for the config's `dataset` section."""

import difflib
from typing import Annotated, Any, Union

from pydantic import Field

from optrun.component import OneOf, table
from optrun.data.cifar10 import Cifar10
from optrun.data.dataset import Dataset
from optrun.data.functions import FUNCTIONS
from optrun.data.glyphs import Glyphs
from optrun.data.mnist import Mnist
from optrun.data.polynomial import Polynomial
from optrun.data.quadratic import Quadratic
from optrun.data.stored import StoredDataset
from optrun.data.synthetic import Blobs, Circles, Moons, Spirals, Synthetic, Xor
from optrun.errors import UserError


def stored(name: str) -> type[StoredDataset]:
    """The dataset of that name, one that lies in files.

    Raises:
        UserError: there is none.
    """
    if name in DATASETS:
        return DATASETS[name]
    if name in KINDS:
        raise UserError(f"`{name}` is computed and has no files to fetch")
    close = difflib.get_close_matches(name, DATASETS, n=1)
    hint = f"did you mean `{close[0]}`?" if close else f"there are {', '.join(DATASETS)}"
    raise UserError(f"no dataset to fetch is named `{name}`; {hint}")


DATASETS: dict[str, type[StoredDataset]] = table([Mnist, Cifar10])
SYNTHETIC: dict[str, type[Synthetic]] = table(
    [Blobs, Moons, Circles, Spirals, Xor, Polynomial, Quadratic, Glyphs], key="kind"
)
KINDS: dict[str, dict[str, type[Any]]] = {"synthetic": SYNTHETIC, "function": FUNCTIONS}
"""Datasets that need no files, by `name` and then by `kind`."""


def _by_kind(kinds: dict[str, type[Any]]) -> Any:
    union: Any = Union[tuple(kinds.values())]  # noqa: UP007
    return Annotated[union, Field(discriminator="kind")]


AnyDataset = Annotated[
    Dataset, OneOf({**DATASETS, **{name: _by_kind(kinds) for name, kinds in KINDS.items()}})
]
"""A field of this type takes any dataset: by `name`, and one that needs no files by `kind` too."""

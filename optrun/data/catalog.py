"""All datasets: the tables, and the annotation for the config's `dataset` section."""

import difflib
from typing import Annotated, Any, Union

from pydantic import Field

from optrun.component import OneOf, table
from optrun.data.cifar10 import Cifar10
from optrun.data.dataset import Dataset
from optrun.data.glyphs import Glyphs
from optrun.data.mnist import Mnist
from optrun.data.stored import StoredDataset
from optrun.data.synthetic import Blobs, Moons, Spirals, Synthetic
from optrun.errors import UserError


def stored(name: str) -> type[StoredDataset]:
    """The dataset of that name, one that lies in files.

    Raises:
        UserError: there is none.
    """
    if name in DATASETS:
        return DATASETS[name]
    if name == "synthetic":
        raise UserError("`synthetic` is drawn at random and has no files to fetch")
    close = difflib.get_close_matches(name, DATASETS, n=1)
    hint = f"did you mean `{close[0]}`?" if close else f"there are {', '.join(DATASETS)}"
    raise UserError(f"no dataset to fetch is named `{name}`; {hint}")


DATASETS: dict[str, type[StoredDataset]] = table([Mnist, Cifar10])
SYNTHETIC: dict[str, type[Synthetic]] = table([Blobs, Moons, Spirals, Glyphs], key="kind")

_drawn: Any = Union[tuple(SYNTHETIC.values())]  # noqa: UP007
_synthetic: Any = Annotated[_drawn, Field(discriminator="kind")]
AnyDataset = Annotated[Dataset, OneOf({**DATASETS, "synthetic": _synthetic})]
"""A field of this type takes any dataset: by `name`, and a synthetic one by `kind` too."""

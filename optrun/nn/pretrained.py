"""Starting from the weights that another run ended with."""

import hashlib
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from optrun.component import NOT_BLANK, Component, OneOf, Size, table
from optrun.errors import RunError
from optrun.nn.initializers import INITIALIZERS, Initializer
from optrun.store.reading import check_is_run, load_weights
from optrun.store.run_directory import RunDirectory

Shape = tuple[int, ...]


class Pretrained(Component):
    """The weights that another run chose, of all layers or of some.

        layer of this model ← the same layer in `best.npz` of the run

    A layer is taken whole: weights, bias, gain, shift and running statistics, whose shapes must be
    the same in both models. What the weights are counts for the identity of a run: if the other run
    is trained anew and ends elsewhere, this one is another run too.
    """

    name: Literal["pretrained"] = "pretrained"
    run: Annotated[str, Field(pattern=NOT_BLANK)]
    """Directory of the other run, relative to where optrun is started; `~` is one's home."""
    layers: Annotated[list[Size], Field(min_length=1)] | None = None
    """The layers taken, counted from 0. Default: all."""
    otherwise: Annotated[Initializer, OneOf(INITIALIZERS)] | None = None
    """Where the other layers start; each is drawn as it would be without pretraining. Default: what
    `initialization` would be."""

    @cached_property
    def saved(self) -> dict[str, np.ndarray]:
        """All that the run chose: `layers.0.weight` (fan_in, fan_out), `layers.0.bias`, …

        Raises:
            RunError: there is no such run, it has saved no weights, or they are damaged or not
                finite.
        """
        path = Path(self.run).expanduser()
        check_is_run(path)
        best = load_weights(RunDirectory(path))
        if not best:
            raise RunError(f"{path} has saved no weights; train it to its end first")
        weights = {name: part for name, part in best.items() if name.startswith("layers.")}
        for name, part in weights.items():
            if not np.isfinite(part).all():
                raise RunError(f"{name} of {path} holds values that are not finite")
        return weights

    @cached_property
    def weights(self) -> dict[str, np.ndarray]:
        """Those of them that are taken."""
        return {
            name: part
            for name, part in self.saved.items()
            if self.layers is None or int(name.split(".")[1]) in self.layers
        }

    def fingerprint(self) -> str:
        """What identifies the content of `weights`."""
        digest = hashlib.sha256()
        for name, part in sorted(self.weights.items()):
            digest.update(f"{name} {part.dtype.str} {part.shape}".encode())
            digest.update(part.tobytes())
        return digest.hexdigest()

    def misfit(self, parts: Mapping[str, Shape]) -> tuple[str, str] | None:
        """What the run lacks for a model with parts of these shapes, and what to write instead.

        Raises:
            RunError: see `saved`.
        """
        there = by_layer((name, part.shape) for name, part in self.saved.items())
        here = by_layer(parts.items())
        fitting = [index for index in here if there.get(index) == here[index]]
        wanted = self.layers or sorted(here.keys() | there.keys())
        index = next((index for index in wanted if index not in fitting), None)
        if index is None:
            return None
        if index not in here:
            message = f"this model has no layer {index}; its layers are {numbers(here)}"
        elif index not in there:
            message = f"{self.run} has no layer {index}"
        else:
            message = f"layer {index} of {self.run} has {difference(there[index], here[index])}"
            message += f", and this model's has {difference(here[index], there[index])}"
        hint = "take a run with the same `model.hidden` and `model.normalization`"
        if fitting:
            hint = f"write `layers: {fitting}` to take what fits, and draw the others"
        return message, hint


def by_layer(shapes: Iterable[tuple[str, Shape]]) -> dict[int, dict[str, Shape]]:
    """The shapes of `layers.0.weight` and so on as {0: {"weight": …}}, layers in their order."""
    layers: dict[int, dict[str, Shape]] = {}
    for name, shape in shapes:
        _, index, part = name.split(".")
        layers.setdefault(int(index), {})[part] = shape
    return dict(sorted(layers.items()))


def difference(one: Mapping[str, Shape], other: Mapping[str, Shape]) -> str:
    """The parts of one layer that another lacks or has in another shape: "weight (784, 10)"."""
    parts = [f"{part} {shape}" for part, shape in one.items() if other.get(part) != shape]
    return ", ".join(parts) or "none of these"


def numbers(layers: Iterable[int]) -> str:
    return ", ".join(map(str, layers))


Start = Initializer | Pretrained
STARTS: dict[str, type[Initializer] | type[Pretrained]] = {**INITIALIZERS, **table([Pretrained])}

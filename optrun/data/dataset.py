"""What all datasets have in common: the YAML fields, the sizes they lead to, the raw arrays."""

from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Discriminator, Field, Tag, WithJsonSchema

from optrun.component import Component, Count, OneOf, Section
from optrun.data.augmentation.step import Augmentation
from optrun.data.augmentation.steps import AUGMENTATION, misplaced
from optrun.data.augmentation.test_time import TEST_TIME, Crops
from optrun.data.preprocessing import PREPROCESSING, Preprocessing, Rescale


@dataclass(frozen=True)
class Raw:
    """A dataset as it is stored or drawn.

    Attributes:
        train_x: (n, features), uint8 for images, float64 otherwise.
        train_y: (n,) class labels from 0, int64.
        test_x: (m, features), of the same type.
        test_y: (m,), int64.
    """

    train_x: NDArray[Any]
    train_y: NDArray[np.int64]
    test_x: NDArray[Any]
    test_y: NDArray[np.int64]


@dataclass(frozen=True)
class Outline:
    """What is known of a dataset before it is loaded.

    Attributes:
        train_size: examples that training and validation share.
        test_size: examples of the test set.
        classes: number of classes.
        features: values an example.
        image_shape: (channels, height, width) of images, whose values are bytes; else None.
    """

    train_size: int
    test_size: int
    classes: int
    features: int
    image_shape: tuple[int, int, int] | None = None


@dataclass(frozen=True)
class Sizes:
    """Numbers of examples a config leads to."""

    train: int
    validation: int
    test: int


class PerClass(Section):
    """The same number of examples of every class."""

    per_class: Count
    """Examples of each class."""


def _kind_of_subset(value: Any) -> str:
    if value is None:
        return "all"
    return "mapping" if isinstance(value, dict | PerClass) else "count"


SubsetField = Annotated[
    Annotated[Count, Tag("count")]
    | Annotated[PerClass, Tag("mapping")]
    | Annotated[None, Tag("all")],
    Discriminator(_kind_of_subset),
]


def _parse_validation(value: Any) -> Any:
    is_count = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    is_fraction = isinstance(value, float) and 0 < value < 1
    if not (is_count or is_fraction):
        raise ValueError(
            "not a share of the training examples; write a fraction between 0 and 1 such as 0.1, "
            "a number of examples such as 5000, or 0 for none"
        )
    return value


ValidationField = Annotated[
    int | float,
    BeforeValidator(_parse_validation),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0},
                {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
            ]
        }
    ),
]
PreprocessingField = list[Annotated[Preprocessing, OneOf(PREPROCESSING)]]


class Dataset(Component):
    """Labelled examples, a part of them for training and validation, the rest for the test."""

    validation: ValidationField = 0.1
    """Examples set aside for validation: a number, or a fraction of the training examples.
    Stratified, chosen by the seed."""
    subset: SubsetField = None
    """Train on this many examples of those that validation leaves, or on `{per_class: n}`.
    Stratified, chosen by the seed. Default: all of them."""
    preprocessing: PreprocessingField = Field([])
    """Steps applied in turn, fitted on the training examples only."""
    augmentation: list[Annotated[Augmentation, OneOf(AUGMENTATION)]] = Field([])
    """Random changes to the training examples, drawn anew every epoch. Images go through the
    list's geometry, then its colours, noise, erasing, preprocessing, and mixing."""
    test_time: Annotated[Crops, OneOf(TEST_TIME)] | None = None
    """Crops of an image whose scores are averaged in validation and test."""

    @property
    @abstractmethod
    def outline(self) -> Outline:
        """Sizes and shapes, known without loading anything."""

    @abstractmethod
    def load(self, seed: int, data_dir: Path | None = None) -> Raw:
        """Read, fetch or draw the arrays.

        Args:
            seed: of the run; drawn datasets depend on it.
            data_dir: folder of stored datasets; default: `OPTRUN_DATA_DIR` or the user's cache.

        Raises:
            DataError: files are absent, damaged or of something else.
        """

    def validation_count(self, pool: int) -> int:
        """Examples that `validation` takes from `pool`; a fraction takes at least one."""
        if isinstance(self.validation, int):
            return self.validation
        return max(1, round(self.validation * pool))

    def sizes(self) -> Sizes:
        """The exact numbers of examples of the three splits."""
        outline = self.outline
        validation = self.validation_count(outline.train_size)
        train = outline.train_size - validation
        if isinstance(self.subset, PerClass):
            train = self.subset.per_class * outline.classes
        elif self.subset is not None:
            train = self.subset
        return Sizes(train, validation, outline.test_size)

    def problems(self) -> dict[str, str]:
        """What is wrong between the fields, by the dotted path to change; empty if nothing is."""
        outline, sizes, found = self.outline, self.sizes(), {}
        left = outline.train_size - sizes.validation
        if left < 1:
            found["validation"] = (
                f"takes {sizes.validation} of the {outline.train_size} training examples, "
                "which leaves none to train on; write a smaller number"
            )
        elif sizes.train > left:
            most = f"{left}"
            if isinstance(self.subset, PerClass):
                most = f"{{per_class: {left // outline.classes}}}"
            found["subset"] = (
                f"asks for {sizes.train} examples, but validation leaves {left} of the "
                f"{outline.train_size}; write at most {most}"
            )
        return found | self._misplaced_steps() | self._unsuited_augmentation()

    def _unsuited_augmentation(self) -> dict[str, str]:
        """What is wrong with `augmentation` and `test_time`, by dotted paths."""
        shape = self.outline.image_shape
        found = {
            ".".join(["augmentation", *map(str, place)]): message
            for place, message in misplaced(self.augmentation, shape, is_bytes=True)
        }
        crops = self.test_time.problems(shape) if self.test_time else {}
        return found | {
            f"test_time.{field}" if field else "test_time": message
            for field, message in crops.items()
        }

    def _misplaced_steps(self) -> dict[str, str]:
        """What is wrong with steps of `preprocessing`, by their dotted paths."""
        found, before = {}, set()
        for position, step in enumerate(self.preprocessing):
            where = f"preprocessing.{position}"
            if isinstance(step, Rescale) and self.outline.image_shape is None:
                found[where] = (
                    "`rescale` divides bytes by 255, but this dataset is no image set; "
                    "use `standardize` or leave it out"
                )
            elif step.name in before:
                found[where] = f"`{step.name}` stands there twice; remove one of the two"
            elif isinstance(step, Rescale) and position:
                found[where] = (
                    "`rescale` turns bytes into numbers from 0 to 1, so it must be the first step"
                )
            before.add(step.name)
        return found

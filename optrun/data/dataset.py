"""What all datasets have in common: the YAML fields, the sizes they lead to, the raw arrays."""

from abc import abstractmethod
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Annotated, Any, ClassVar

from numpy.typing import NDArray
from pydantic import BeforeValidator, Discriminator, Field, Tag, WithJsonSchema

from optrun.component import Component, Count, OneOf, Section
from optrun.data.augmentation.step import Augmentation
from optrun.data.augmentation.steps import AUGMENTATION, misplaced, mixing_among
from optrun.data.augmentation.test_time import TEST_TIME, Crops
from optrun.data.preprocessing import PREPROCESSING
from optrun.data.step import Form, Preprocessing


@dataclass(frozen=True)
class Raw:
    """A dataset as it is stored or drawn.

    Attributes:
        train_x: (n, features), uint8 for images, float64 otherwise.
        train_y: (n,) class labels from 0, int64, or (n, outputs) numbers to predict, float64.
        test_x: (m, features), of the same type.
        test_y: (m,) or (m, outputs), of the same type.
    """

    train_x: NDArray[Any]
    train_y: NDArray[Any]
    test_x: NDArray[Any]
    test_y: NDArray[Any]


@dataclass(frozen=True)
class Outline:
    """What is known of a dataset before it is loaded.

    Attributes:
        train_size: examples that training and validation share.
        test_size: examples of the test set.
        outputs: scores that a model gives: one a class, or one a number to predict.
        features: values an example.
        image_shape: (channels, height, width) of images, whose values are bytes; else None.
        labelled: whether targets are class labels.
    """

    train_size: int
    test_size: int
    outputs: int
    features: int
    image_shape: tuple[int, int, int] | None = None
    labelled: bool = True


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
Share = Annotated[float, Field(ge=0, le=1)]
PreprocessingField = list[Annotated[Preprocessing, OneOf(PREPROCESSING)]]


class Dataset(Component):
    """Examples, a part of them for training and validation, the rest for the test.

    Attributes:
        own_objective: whether it brings its own objective (see `optrun.data.objective`) instead of
            features that a model makes scores of.
        tested: whether it has examples that training does not see.
    """

    own_objective: ClassVar[bool] = False
    tested: ClassVar[bool] = True

    validation: ValidationField = 0.1
    """Examples set aside for validation: a number, or a fraction of the training examples.
    Stratified, chosen by the seed."""
    subset: SubsetField = None
    """Train on this many examples of those that validation leaves, or on `{per_class: n}`.
    Stratified, chosen by the seed. Default: all of them."""
    label_noise: Share = 0.0
    """Probability with which a training example's label is replaced by a class drawn uniformly,
    by the seed; 1 is random labels. Validation and test examples keep theirs. Zhang et al. 2017."""
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

    def room(self) -> int:
        """Numbers held beside the examples."""
        return 0

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
            train = self.subset.per_class * outline.outputs
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
                most = f"{{per_class: {left // outline.outputs}}}"
            found["subset"] = (
                f"asks for {sizes.train} examples, but validation leaves {left} of the "
                f"{outline.train_size}; write at most {most}"
            )
        if isinstance(self.subset, PerClass) and not outline.labelled:
            found["subset"] = "these data have numbers to predict, no classes; write a number"
        if self.label_noise and not outline.labelled:
            found["label_noise"] = "these data have numbers to predict, no labels; remove it"
        return found | self._misplaced_steps() | self._unsuited_augmentation()

    def _unsuited_augmentation(self) -> dict[str, str]:
        """What is wrong with `augmentation` and `test_time`, by dotted paths."""
        shape, is_bytes = self.seen.image_shape, self._stays_bytes()
        found = {
            ".".join(["augmentation", *map(str, place)]): message
            for place, message in misplaced(self.augmentation, shape, is_bytes)
        }
        crops = self.test_time.problems(shape) if self.test_time else {}
        return found | {
            f"test_time.{field}" if field else "test_time": message
            for field, message in crops.items()
        }

    def _stays_bytes(self) -> bool:
        """Whether images stay bytes until a batch is gathered."""
        return all(step.keeps_storage for step in self.preprocessing)

    def mixes(self) -> str | None:
        """The name of the step that mixes examples and their targets, if there is one."""
        mixing = mixing_among(self.augmentation)
        return mixing.name if mixing else None

    @property
    def stored(self) -> Form:
        """What an example is as it is stored."""
        outline = self.outline
        return Form(outline.features, outline.image_shape, outline.image_shape is not None)

    @property
    def seen(self) -> Form:
        """What an example is as the model sees it, after all steps."""
        return reduce(lambda form, step: step.leaves(form), self.preprocessing, self.stored)

    def _misplaced_steps(self) -> dict[str, str]:
        """What is wrong with steps of `preprocessing`, by their dotted paths."""
        if self.preprocessing and not self.outline.features:
            return {"preprocessing": "these data have no features to preprocess; remove it"}
        found, before, seen = {}, set(), self.stored
        for position, step in enumerate(self.preprocessing):
            problem = step.problem(seen, self.stored, self.sizes().train)
            if step.name in before:
                problem = f"`{step.name}` stands there twice; remove one of the two"
            if problem:
                found[f"preprocessing.{position}"] = problem
            before.add(step.name)
            seen = step.leaves(seen)
        return found

"""Models: what maps features to scores. A linear classifier is an MLP with no hidden layer."""

from abc import abstractmethod
from typing import Annotated, Literal

from pydantic import Field

from optrun.component import Component, Count, OneOf, table
from optrun.nn.activations import ACTIVATIONS, Activation, Identity, ReLU
from optrun.nn.normalization import NORMALIZATIONS, Normalization


class Model(Component):
    """A map from features to scores: one a class, or one a number to predict."""

    @abstractmethod
    def widths(self, features: int, outputs: int) -> list[int]:
        """The sizes of all layers, input and output included."""

    def nonlinearity(self) -> Activation:
        """The activation of hidden layers."""
        return Identity()

    def normalizer(self) -> Normalization | None:
        """The normalization of hidden layers."""
        return None


class Point(Model):
    """No map at all: the scores are the parameters themselves, whatever the features.

    f(x) = b

    What a dataset that is its own objective is minimized over.
    """

    name: Literal["point"] = "point"

    def widths(self, features: int, outputs: int) -> list[int]:
        return [0, outputs]


class LinearModel(Model):
    """A linear classifier: one template of weights a class.

    f(x) = xW + b,   W (features, classes)
    """

    name: Literal["linear"] = "linear"

    def widths(self, features: int, outputs: int) -> list[int]:
        return [features, outputs]


class MLP(Model):
    """A multilayer perceptron: linear layers with an activation between them.

        h₀ = x,   h_l = φ(norm(h_{l−1}W_l + b_l)),   f(x) = h_{L−1}W_L + b_L

    Weight normalization acts on W of every layer instead.
    """

    name: Literal["mlp"] = "mlp"
    hidden: Annotated[list[Count], Field(min_length=1)]
    """Sizes of the hidden layers."""
    activation: Annotated[Activation, OneOf(ACTIVATIONS)] = ReLU()
    """φ, applied after every hidden layer."""
    normalization: Annotated[Normalization, OneOf(NORMALIZATIONS)] | None = None
    """norm, applied before every activation; off unless given."""

    def widths(self, features: int, outputs: int) -> list[int]:
        return [features, *self.hidden, outputs]

    def nonlinearity(self) -> Activation:
        return self.activation

    def normalizer(self) -> Normalization | None:
        return self.normalization


MODELS: dict[str, type[Model]] = table([Point, LinearModel, MLP])

"""Models: what maps features to scores. A linear classifier is an MLP with no hidden layer."""

from abc import abstractmethod
from typing import Annotated, Literal

from pydantic import Field

from optrun.component import Component, Count, OneOf, table
from optrun.nn.activations import ACTIVATIONS, Activation, Identity, ReLU


class Model(Component):
    """A map from features to one score a class."""

    @abstractmethod
    def widths(self, features: int, classes: int) -> list[int]:
        """The sizes of all layers, input and output included."""

    def nonlinearity(self) -> Activation:
        """The activation of hidden layers."""
        return Identity()


class LinearModel(Model):
    """A linear classifier: one template of weights a class.

    f(x) = xW + b,   W (features, classes)
    """

    name: Literal["linear"] = "linear"

    def widths(self, features: int, classes: int) -> list[int]:
        return [features, classes]


class MLP(Model):
    """A multilayer perceptron: linear layers with an activation between them.

    h₀ = x,   h_l = φ(h_{l−1}W_l + b_l),   f(x) = h_{L−1}W_L + b_L
    """

    name: Literal["mlp"] = "mlp"
    hidden: Annotated[list[Count], Field(min_length=1)]
    """Sizes of the hidden layers."""
    activation: Annotated[Activation, OneOf(ACTIVATIONS)] = ReLU()
    """φ, applied after every hidden layer."""

    def widths(self, features: int, classes: int) -> list[int]:
        return [features, *self.hidden, classes]

    def nonlinearity(self) -> Activation:
        return self.activation


MODELS: dict[str, type[Model]] = table([LinearModel, MLP])

"""What every named thing of the vocabulary is: a small class that is its own YAML.

A component declares its fields (types, defaults, bounds), documents its formula, and keeps its
kernel beside them. A family is a table of components; validation, the JSON Schema, `optrun list`,
the README's tables and the parametrised tests all derive from those tables.
"""

import ast
import inspect
from collections.abc import Iterable
from functools import cache
from itertools import pairwise
from textwrap import dedent
from typing import Annotated, Any, Literal, TypeVar, Union

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from optrun.numerics.jit import Kernel

Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Decay = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=1)]
Size = Annotated[int, Field(ge=0)]

NOT_BLANK = r"^.*\S.*$"
"""Pattern of a text that holds more than blanks."""


class Section(BaseModel):
    """A mapping of the config: unknown keys and wrong types are errors, values never change."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        ignored_types=(Kernel,),
    )

    @classmethod
    def meanings(cls) -> dict[str, str]:
        """What the fields mean, by name; one declared anew without a word means what it meant."""
        ancestors = [parent for parent in reversed(cls.__mro__) if issubclass(parent, Section)]
        found = {name: text for one in ancestors for name, text in own_meanings(one).items()}
        return {name: text for name, text in found.items() if name in cls.model_fields}

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        schema = handler(core_schema)
        properties = handler.resolve_ref_schema(schema).get("properties", {})
        for name, meaning in cls.meanings().items():
            properties[name]["description"] = meaning
        return schema


@cache
def own_meanings(section: type[Section]) -> dict[str, str]:
    """The strings below the declarations in a section's class, by what is declared.

    They are read from the source when somebody asks: doing so for all classes as they are made
    would take a quarter of a second of every start.
    """
    (declaration,) = ast.parse(dedent(inspect.getsource(section))).body
    assert isinstance(declaration, ast.ClassDef)
    found = {}
    for field, below in pairwise(declaration.body):
        match field, below:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                found[name] = inspect.cleandoc(text)
    return found


class Component(Section):
    """A section chosen by its `name`, one row of a family's table."""

    name: str

    @classmethod
    def summary(cls) -> str:
        """The first line of the docstring, which is what listings show."""
        return (cls.__doc__ or "").strip().splitlines()[0]


ComponentType = TypeVar("ComponentType", bound=Component)


def table(
    components: Iterable[type[ComponentType]], key: str = "name"
) -> dict[str, type[ComponentType]]:
    """The family's components by the value of their `key` field, in the order given."""
    return {component.model_fields[key].default: component for component in components}


class OneOf:
    """Annotation: the value is a component of `family`, told apart by its `key` field.

    A bare string stands for a component with all its defaults: `loss: softmax`.
    """

    def __init__(self, family: dict[str, Any], key: str = "name"):
        self.family = family
        self.key = key

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        union: Any = Union[tuple(self.family.values())]  # noqa: UP007
        tagged = Annotated[union, Field(discriminator=self.key)]
        names: Any = Literal[tuple(self.family)]
        shorthand = BeforeValidator(self._from_name, json_schema_input_type=Union[tagged, names])  # noqa: UP007
        return handler.generate_schema(Annotated[tagged, shorthand])

    def _from_name(self, value: Any) -> Any:
        return {self.key: value} if isinstance(value, str) else value

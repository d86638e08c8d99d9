"""What a document's types promise beyond their shape, and the values that many of them hold.

The JSON Schemas in schema/ are generated from the types of this package; a constraint that
Python's types cannot say is kept beside the type, where only the generator reads it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any


class Constraint:
    """Keywords of JSON Schema for a type, as in `Annotated[int, Constraint(minimum=0)]`."""

    def __init__(self, **keywords: object) -> None:
        self.keywords = keywords

    def __get_pydantic_json_schema__(self, core: Any, generate: Callable[[Any], Any]) -> Any:
        """Called by the generator; nothing else needs pydantic."""
        return generate(core) | self.keywords


def also[T](**keywords: object) -> Callable[[type[T]], type[T]]:
    """Keywords of JSON Schema for a TypedDict, which otherwise allows no fields but its own."""

    def add(document: type[T]) -> type[T]:
        vars_of_class: Any = document
        vars_of_class.__schema_keywords__ = keywords
        return document

    return add


type Count = Annotated[int, Constraint(minimum=0)]
type AtLeastOne = Annotated[int, Constraint(minimum=1)]
type Share = Annotated[float, Constraint(minimum=0, maximum=1)]
type Difference = Annotated[float, Constraint(minimum=-1, maximum=1)]
type NotNegative = Annotated[float, Constraint(minimum=0)]
type Name = Annotated[str, Constraint(minLength=1)]
type Sha256 = Annotated[str, Constraint(pattern="^[0-9a-f]{64}$")]
type Timestamp = Annotated[
    str, Constraint(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$")
]
type Tasks = Annotated[list[str], Constraint(uniqueItems=True)]

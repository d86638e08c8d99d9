"""Types of a problem's own: what the tests' process knows of them, and how they are sent.

The tests see the prompt's definitions only, so an answer's own implementations of a trait, or
methods that hide a trait's, decide nothing there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from tree_sitter import Node

from sigil_eval.judging.contract import contract_of, problem_root, reference_source
from sigil_eval.problems import Problem
from sigil_eval.rust.syntax import own_text

_RUNTIME = "::sigil_runtime"
# Stands for the variants that an answer may have of an enum that the prompt leaves to it.
_OTHER = "HarnessOther"


@dataclass(frozen=True)
class _Shape:
    """A struct, or a variant of an enum: how its fields are named, if at all."""

    path: str
    fields: tuple[str, ...]
    braces: str

    @property
    def names(self) -> list[str]:
        return [f"f{index}" for index in range(len(self.fields))]

    def filled(self, values: list[str]) -> str:
        """As a pattern or an expression, with these in the fields' places."""
        if self.braces == "{":
            inner = ", ".join(f"{f}: {v}" for f, v in zip(self.fields, values, strict=True))
            return f"{self.path} {{ {inner} }}"
        return f"{self.path}({', '.join(values)})" if self.braces else self.path


@dataclass(frozen=True)
class _OwnType:
    """A struct or an enum, its parameters, and its shapes that tests may see.

    `is_open` tells that an answer may have other variants, which tests cannot tell apart.
    """

    name: str
    parameters: tuple[str, ...]
    where: str
    shapes: tuple[_Shape, ...]
    is_open: bool

    def head(self, trait: str) -> str:
        """An impl of the trait for the type, up to its body."""
        bare = [_bare(parameter) for parameter in self.parameters]
        bounds = [f"{p}: {trait}" for p, full in zip(bare, self.parameters, strict=True)
                  if not full.startswith(("'", "const "))]  # fmt: skip
        declared = f"<{', '.join(_without_default(p) for p in self.parameters)}>" if bare else ""
        given = f"<{', '.join(bare)}>" if bare else ""
        where = self.where.removeprefix("where").strip().strip(",")
        bounds = [*([where] if where else []), *bounds]
        return f"impl{declared} {trait} for {self.name}{given} where {', '.join(bounds)}"

    def encoders(self, marker: str, *, as_answer: bool) -> str:
        """How it is written and read; `as_answer` for the type as the answer defines it."""
        sends, reads = [], []
        for tag, shape in enumerate(self.shapes):
            sent = "".join(f"{_RUNTIME}::Sent::<{marker}>::send({n}, to);" for n in shape.names)
            sends.append(f"{shape.filled(shape.names)} => {{ to.push({tag}); {sent} }}")
            read = f"{_RUNTIME}::Received::<{marker}>::receive(from)?"
            reads.append(f"{tag} => Some({shape.filled([read for _ in shape.fields])}),")
        if self.is_open:
            sends.append(f"_ => to.push({len(self.shapes)}),")
        if self.is_open and not as_answer:
            reads.append(f"{len(self.shapes)} => Some({self.name}::{_OTHER}),")
        return (
            f"{self.head(f'{_RUNTIME}::Sent<{marker}>')} {{\n"
            "#[allow(unreachable_patterns)] fn send(&self, to: &mut Vec<u8>) "
            f"{{ match self {{ {' '.join(sends)} }} }} }}\n"
            f"{self.head(f'{_RUNTIME}::Received<{marker}>')} {{\n"
            f"fn receive(from: &mut {_RUNTIME}::Message) -> Option<Self> {{ from.nested(|from| "
            f"match from.byte()? {{ {' '.join(reads)} _ => None }}) }} }}\n"
        )


@dataclass(frozen=True)
class OwnTypes:
    """The types of one problem; false where there are none."""

    definitions: str
    types: tuple[_OwnType, ...]

    def __bool__(self) -> bool:
        return bool(self.types)

    def encoders(self, marker: str, *, as_answer: bool) -> str:
        """How they all are written and read, for `marker` (wire.rs)."""
        return "".join(kind.encoders(marker, as_answer=as_answer) for kind in self.types)


@lru_cache(maxsize=4096)
def own_types_of(problem: Problem) -> OwnTypes:
    """The prompt's types and items; of the reference answer only what the prompt names."""
    contract = contract_of(problem)
    if not contract.types:
        return OwnTypes("", ())
    stubs = {problem.entry_point, *(function.name for function in contract.functions)}
    prompt = [
        (item, text)
        for item, text in _items(problem_root(problem, f"{problem.prompt}\n}}"))
        if not (item.type == "function_item" and _name(item) in stubs)
        and own_text(item.child_by_field_name("argument")) not in contract.imports
    ]
    known = {_name(item) for item, _ in prompt}
    added = [
        (item, _opened(item, text))
        for item, text in _items(problem_root(problem, reference_source(problem)))
        if _is_data(item) and _name(item) in contract.types and _name(item) not in known
    ]
    types = [_read(item, problem, is_open=False) for item, _ in prompt if _is_data(item)]
    types += [_read(item, problem, is_open=item.type == "enum_item") for item, _ in added]
    return OwnTypes("\n".join(text for _, text in (*prompt, *added)), tuple(types))


def _items(root: Node) -> Iterator[tuple[Node, str]]:
    """The items of a source, each with its attributes before it."""
    attributes = ""
    for node in root.children:
        if "comment" in node.type:
            continue
        if node.type == "attribute_item":
            attributes += own_text(node) + "\n"
            continue
        if node.is_named and node.type not in ("ERROR", "inner_attribute_item"):
            yield node, attributes + own_text(node)
        attributes = ""


def _is_data(item: Node) -> bool:
    return item.type in ("struct_item", "enum_item")


def _name(item: Node) -> str:
    return own_text(item.child_by_field_name("name"))


def _opened(item: Node, text: str) -> str:
    """The definition with a variant more, for those that only an answer has."""
    if item.type != "enum_item":
        return text
    inner = text.rstrip().removesuffix("}").rstrip()
    return f"{inner}{'' if inner.endswith((',', '{')) else ','} {_OTHER} }}"


def _read(item: Node, problem: Problem, *, is_open: bool) -> _OwnType:
    name, body = _name(item), item.child_by_field_name("body")
    if item.type == "struct_item":
        shapes = [_shape(name, body)]
    else:
        variants = [c for c in (body.children if body else []) if c.type == "enum_variant"]
        if is_open:
            variants = [v for v in variants if re.search(rf"\b{_name(v)}\b", problem.test)]
        shapes = [_shape(f"{name}::{_name(v)}", v.child_by_field_name("body")) for v in variants]
    parameters = own_text(item.child_by_field_name("type_parameters"))
    where = next((own_text(c) for c in item.children if c.type == "where_clause"), "")
    return _OwnType(name, tuple(_parted(parameters[1:-1])), where, tuple(shapes), is_open)


def _shape(path: str, body: Node | None) -> _Shape:
    if body is None:
        return _Shape(path, (), "")
    if body.type == "field_declaration_list":
        fields = [_name(child) for child in body.children if child.type == "field_declaration"]
        return _Shape(path, tuple(fields), "{")
    kinds = body.children_by_field_name("type")
    return _Shape(path, tuple(str(index) for index in range(len(kinds))), "(")


def _parted(parameters: str) -> Iterator[str]:
    """Parameters of a type, parted at the commas between them."""
    depth, part = 0, ""
    for character in parameters:
        depth += (character in "<([") - (character in ">)]")
        if character == "," and depth == 0:
            yield part.strip()
            part = ""
        else:
            part += character
    if part.strip():
        yield part.strip()


def _without_default(parameter: str) -> str:
    return parameter.partition("=")[0].strip()


def _bare(parameter: str) -> str:
    """A parameter's name alone."""
    found = re.match(r"(?:const\s+)?('?\w+)", parameter)
    return found.group(1) if found else parameter

"""Small changes of meaning in Rust source: one operator, number or truth value each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tree_sitter import Node

from sigil_eval.rust.syntax import parse, text_of, walk

_OPERATORS = {
    "+": "-",
    "-": "+",
    "*": "+",
    "/": "*",
    "%": "/",
    "<": "<=",
    "<=": "<",
    ">": ">=",
    ">=": ">",
    "==": "!=",
    "!=": "==",
    "&&": "||",
    "||": "&&",
    "&": "|",
    "|": "&",
    "^": "&",
    "<<": ">>",
    ">>": "<<",
    "+=": "-=",
    "-=": "+=",
    "*=": "+=",
    "..": "..=",
    "..=": "..",
    "true": "false",
    "false": "true",
}
_WITH_OPERATOR = {"binary_expression", "compound_assignment_expr", "range_expression"}


@dataclass(frozen=True)
class Mutation:
    """Replace the bytes from `start` to `end` of a source by `new`."""

    start: int
    end: int
    new: str

    def apply(self, source: bytes) -> bytes:
        """`source` with the change made."""
        return source[: self.start] + self.new.encode() + source[self.end :]


def mutations(source: bytes) -> Iterator[Mutation]:
    """Every mutation of the function bodies in `source`, in order."""
    tree = parse(source)
    if tree is None:
        return
    for function in walk(tree.root_node):
        body = function.child_by_field_name("body")
        if function.type == "function_item" and body is not None:
            for node in walk(body):
                yield from _of(node, source)


def _of(node: Node, source: bytes) -> Iterator[Mutation]:
    text = text_of(node, source)
    if node.type in _WITH_OPERATOR:
        operators = (child for child in node.children if not child.is_named)
        for operator in operators:
            if (new := _OPERATORS.get(text_of(operator, source))) is not None:
                yield Mutation(operator.start_byte, operator.end_byte, new)
    elif node.type == "boolean_literal":
        yield Mutation(node.start_byte, node.end_byte, _OPERATORS[text])
    elif node.type == "integer_literal" and text.isdigit():
        yield Mutation(node.start_byte, node.end_byte, str(int(text) + 1))
    elif node.type == "float_literal":
        yield Mutation(node.start_byte, node.end_byte, f"(1.0 + {text})")
    elif node.type == "unary_expression" and text.startswith("!"):
        yield Mutation(node.start_byte, node.start_byte + 1, "")
    elif node.type == "string_literal":
        yield Mutation(node.end_byte - 1, node.end_byte - 1, "~")
    elif node.type == "char_literal" and text != "'~'":
        yield Mutation(node.start_byte, node.end_byte, "'~'")

"""Small changes of meaning in Rust source: an operator, number or truth value exchanged, a
statement left out, or a condition turned round."""

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
    """Every operator, number, truth value and text in the function bodies of `source` exchanged,
    one at a time, in order."""
    for node in _in_bodies(source):
        yield from _of(node, source)


def deletions(source: bytes) -> Iterator[Mutation]:
    """Every statement of the function bodies left out, one at a time, in order; not what declares
    a name."""
    for node in _in_bodies(source):
        if node.type == "expression_statement":
            yield Mutation(node.start_byte, node.end_byte, "")


def negations(source: bytes) -> Iterator[Mutation]:
    """Every condition of an `if`, `while` or match guard turned round, one at a time, in order;
    not where exchanging an operator does the same."""
    for node in _in_bodies(source):
        condition = node.child_by_field_name("condition")
        if condition is None or condition.type in ("let_condition", "let_chain"):
            continue
        operator = condition.child_by_field_name("operator")
        is_exchanged = operator is not None and text_of(operator, source) in ("==", "!=")
        if not is_exchanged and not text_of(condition, source).startswith("!"):
            turned = f"!({text_of(condition, source)})"
            yield Mutation(condition.start_byte, condition.end_byte, turned)


def _in_bodies(source: bytes) -> Iterator[Node]:
    """The nodes of function bodies; those of a function in a function once."""
    tree = parse(source)
    waiting = [tree.root_node] if tree else []
    while waiting:
        node = waiting.pop()
        body = node.child_by_field_name("body")
        if node.type == "function_item" and body is not None:
            yield from walk(body)
        else:
            waiting.extend(reversed(node.children))


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
    elif node.type == "string_literal" and not _is_message(node, source):
        yield Mutation(node.end_byte - 1, node.end_byte - 1, "~")
    elif node.type == "char_literal" and text != "'~'":
        yield Mutation(node.start_byte, node.end_byte, "'~'")


def _is_message(text: Node, source: bytes) -> bool:
    """Whether a text is what `expect` panics with, which changes no result."""
    call = text.parent.parent if text.parent else None
    function = call.child_by_field_name("function") if call else None
    return function is not None and text_of(function, source).endswith(".expect")

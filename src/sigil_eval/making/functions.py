"""The functions of a source file that are worth a task: whole, outside of tests, not too long."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from tree_sitter import Node

from sigil_eval.rust.syntax import own_text, walk

# `#[test]`, `#[tokio::test]`, `#[cfg(test)]`, `#[cfg(all(test, …))]`.
_TEST = re.compile(
    r"#!?\[\s*(?:(?:\w+\s*::\s*)*(?:test|bench)\s*[](]|cfg\s*\(\s*(?:all\s*\(\s*)?test\b)"
)
_FEWEST_LINES = 4  # of a body, its braces included
_MOST_CHARACTERS = 4000
_BEGINS_CODE = re.compile(r"[ \t]*(?:```|~~~)")
_STRINGS = ("string_literal", "raw_string_literal")


@dataclass(frozen=True)
class Function:
    """A function with a body, moved to the margin.

    `head` is what stands before the body's `{`, and `body` is from that to its `}`. `doc` is what
    its doc comment says before the first code in it, `owner` the head of the impl or trait that it
    stands in; either may be empty. `start` is its first byte in the file, and `end` where it ends.
    """

    head: str
    body: str
    doc: str
    owner: str
    start: int
    end: int

    @property
    def text(self) -> str:
        """The whole function."""
        return self.head + self.body


def functions_in(root: Node, source: bytes) -> Iterator[Function]:
    """The functions of a file, those of modules, impls and traits included."""
    containers = [(root, "")]
    while containers:
        container, owner = containers.pop()
        attributes: list[str] = []
        doc: list[str] = []
        for node in container.named_children:
            if node.type == "inner_attribute_item" and _TEST.match(own_text(node)):
                break
            if node.type == "attribute_item":
                attributes.append(own_text(node))
            elif node.type == "line_comment":
                doc += _doc_line(own_text(node))
            elif node.type != "block_comment":
                if not any(map(_TEST.match, attributes)):
                    body = node.child_by_field_name("body")
                    if node.type == "function_item" and body is not None:
                        yield from _function(node, body, source, _described(doc), owner)
                    elif node.type in ("impl_item", "trait_item") and body is not None:
                        head = source[node.start_byte : body.start_byte].decode("utf-8")
                        containers.append((body, " ".join(head.split()).rstrip(",")))
                    elif node.type == "mod_item" and body is not None:
                        containers.append((body, ""))
                attributes, doc = [], []


def _doc_line(comment: str) -> list[str]:
    """The text of a line of a doc comment; nothing of another."""
    is_doc = comment.startswith("///") and not comment.startswith("////")
    return [comment[3:].removeprefix(" ").rstrip()] if is_doc else []


def _described(lines: Sequence[str]) -> str:
    """What a doc comment says before its first code, without the heading of that."""
    text = [*takewhile(lambda line: not _BEGINS_CODE.match(line), lines)]
    if len(text) < len(lines):
        while text and (not text[-1] or text[-1].startswith("#")):
            text.pop()
    return "\n".join(text).strip("\n")


def _function(node: Node, body: Node, source: bytes, doc: str, owner: str) -> Iterator[Function]:
    if body.end_point.row - body.start_point.row + 1 < _FEWEST_LINES:
        return
    line = source.rfind(b"\n", 0, node.start_byte) + 1
    indent = source[line : node.start_byte].decode("utf-8")
    if indent.strip() or (indent and _has_text_of_lines(node)):
        return  # it cannot be moved to the margin and stay what it is
    head = source[node.start_byte : body.start_byte].decode("utf-8")
    block = source[body.start_byte : body.end_byte].decode("utf-8")
    if len(head) + len(block) <= _MOST_CHARACTERS:
        head, block = (text.replace("\n" + indent, "\n") for text in (head, block))
        yield Function(head, block, doc, owner, node.start_byte, node.end_byte)


def _has_text_of_lines(node: Node) -> bool:
    return any(
        one.type in _STRINGS and one.start_point.row != one.end_point.row for one in walk(node)
    )

"""Rust source as the syntax trees of tree-sitter-rust, in a time that the source cannot stretch."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import lru_cache

import tree_sitter_rust
from tree_sitter import Language, Node, Parser, Point, Tree

# Larger sources are read by the lexer alone, which is linear whatever it meets; recovering from
# errors costs the parser up to 17 µs a byte.
TREE_LIMIT_BYTES = 128 << 10
# A scan that fails at the end of the file and starts again one token later makes parsing
# quadratic (`r#"r#"r#"…`): such a parse reads the source many times over, ordinary source is
# read about once. Below the small size even that is quick.
_READ_LIMIT_BYTES = 32 << 20
_SMALL_BYTES = 1 << 11
_CHUNK_BYTES = 1 << 16

_local = threading.local()


@lru_cache(maxsize=16)
def parse(source: bytes) -> Tree | None:
    """Parse Rust source; None when it is too large or would take unreasonably long.

    Who reads an answer asks for the same text several times, so the last few are remembered.
    """
    parser = _parser()
    if len(source) <= _SMALL_BYTES:
        return parser.parse(source)
    if len(source) > TREE_LIMIT_BYTES:
        return None
    reader = _BudgetedReader(source)
    tree = parser.parse(reader)
    if reader.exhausted:
        return None
    reader.unlimited = True  # nodes get their text from it, and would wait for it for ever
    return tree


def _parser() -> Parser:
    """One parser a thread, because a parser may not be shared."""
    parser: Parser | None = getattr(_local, "parser", None)
    if parser is None:
        parser = Parser(Language(tree_sitter_rust.language()))
        _local.parser = parser
    return parser


class _BudgetedReader:
    """Hands a source to the parser in chunks, and ends it early when too much has been read."""

    def __init__(self, source: bytes) -> None:
        self._source = source
        self._left = _READ_LIMIT_BYTES
        self.exhausted = False
        self.unlimited = False

    def __call__(self, offset: int, _point: Point) -> bytes:
        chunk = self._source[offset : offset + _CHUNK_BYTES]
        self._left -= len(chunk)
        if self._left < 0 and not self.unlimited:
            self.exhausted = True
            return b""
        return chunk


def text_of(node: Node, source: bytes) -> str:
    """The source text of a node."""
    return source[node.start_byte : node.end_byte].decode("utf-8", "replace")


def own_text(node: Node | None) -> str:
    """The text of a node as its tree knows it; nothing for a node that is not there."""
    return node.text.decode("utf-8", "replace") if node is not None and node.text else ""


def walk(root: Node) -> Iterator[Node]:
    """All nodes below and including `root`, parents first, without recursion."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(node.children))

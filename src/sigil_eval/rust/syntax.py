"""Rust source as trees and tokens: what reading answers and deciding policy have in common.

The tree comes from tree-sitter-rust. The tokens come from a lexer that follows rustc's, for the
places a tree does not reach: macro input, and source that does not parse.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from typing import NamedTuple, cast

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


def parse(source: bytes) -> Tree | None:
    """Parse Rust source; None when it is too large or would take unreasonably long."""
    parser = _parser()
    if len(source) <= _SMALL_BYTES:
        return parser.parse(source)
    if len(source) > TREE_LIMIT_BYTES:
        return None
    reader = _BudgetedReader(source)
    tree = parser.parse(reader)
    return None if reader.exhausted else tree


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

    def __call__(self, offset: int, _point: Point) -> bytes:
        chunk = self._source[offset : offset + _CHUNK_BYTES]
        self._left -= len(chunk)
        if self._left < 0:
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


class Token(NamedTuple):
    """One token: `kind` is ident, lifetime, literal, number, open, close, punct or unknown.

    `text` is the source text, of an identifier without a raw `r#`; `start` and `end` are offsets
    in characters.
    """

    kind: str
    text: str
    start: int
    end: int
    raw: bool = False


_WHITESPACE = "\t\n\x0b\x0c\r \u0085\u200e\u200f\u2028\u2029\ufeff"

# Order matters: a raw string before a raw identifier, a character before a lifetime.
_TOKEN = re.compile(
    rf"""
      (?P<space>[{_WHITESPACE}]+)
    | (?P<line_comment>//[^\n]*)
    | (?P<block_comment>/\*)
    | (?P<raw_string>(?:b|c)?r(?P<hashes>\#*)")
    | (?P<string>[bc]?")
    | (?P<char>b?'(?:\\(?:u\{{[^}}'\n]*\}}|.)[^'\n]{{0,8}}?|[^\\'\n])')
    | (?P<lifetime>'(?:r\#)?[^\W\d]\w*)
    | (?P<raw_ident>r\#[^\W\d]\w*)
    | (?P<ident>[^\W\d]\w*)
    | (?P<number>\d\w*(?:\.\d\w*)?)
    | (?P<path_sep>::)
    | (?P<open>[(\[{{])
    | (?P<close>[)\]}}])
    | (?P<punct>[-!\#$%&*+,./:;<=>?@^|~])
    | (?P<unknown>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_STRING_END = re.compile(r'[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_COMMENT_EDGE = re.compile(r"/\*|\*/")

CLOSER = {"(": ")", "[": "]", "{": "}"}


def tokens(text: str, start: int = 0, end: int | None = None) -> Iterator[Token]:
    """Lex `text[start:end]` as rustc does; comments and white space are left out.

    A string or comment that is never closed reaches to the end, as it does for rustc.
    """
    limit = len(text) if end is None else end
    position = start
    match_at = _TOKEN.match
    while position < limit:
        match = match_at(text, position, limit)
        if match is None:  # cannot happen: `unknown` takes any character
            return
        kind = cast(str, match.lastgroup)
        stop = match.end()
        if kind in ("space", "line_comment"):
            position = stop
            continue
        if kind == "block_comment":
            position = _comment_end(text, stop, limit)
            continue
        if kind == "raw_string" or kind == "hashes":
            terminator = '"' + match.group("hashes")
            found = text.find(terminator, stop, limit)
            stop = limit if found < 0 else found + len(terminator)
            yield Token("literal", text[position:stop], position, stop)
        elif kind == "string":
            closing = _STRING_END.match(text, stop, limit)
            stop = limit if closing is None else closing.end()
            yield Token("literal", text[position:stop], position, stop)
        elif kind == "raw_ident":
            yield Token("ident", match.group()[2:], position, stop, raw=True)
        elif kind == "char":
            yield Token("literal", match.group(), position, stop)
        elif kind == "path_sep":
            yield Token("punct", "::", position, stop)
        else:
            yield Token(kind, match.group(), position, stop)
        position = stop


def _comment_end(text: str, position: int, limit: int) -> int:
    depth = 1
    while depth:
        edge = _COMMENT_EDGE.search(text, position, limit)
        if edge is None:
            return limit
        depth += 1 if edge.group() == "/*" else -1
        position = edge.end()
    return position


def block_end(text: str, start: int, depth: int = 0) -> tuple[int, int]:
    """Where the first `{…}` block at or after `start` ends.

    Returns (offset just after the closing brace, 0), or (end of the text, braces left open).
    With `depth` 1, `start` is already inside the block.
    """
    for token in tokens(text, start):
        if token.kind == "open" and token.text == "{":
            depth += 1
        elif token.kind == "close" and token.text == "}":
            depth -= 1
            if depth <= 0:
                return token.end, 0
    return len(text), depth


def matching_close(stream: Sequence[Token], index: int) -> int:
    """Index of the token that closes the bracket at `index`, or the last index if none does."""
    depth = 0
    for position in range(index, len(stream)):
        kind = stream[position].kind
        if kind == "open":
            depth += 1
        elif kind == "close":
            depth -= 1
            if depth <= 0:
                return position
    return len(stream) - 1

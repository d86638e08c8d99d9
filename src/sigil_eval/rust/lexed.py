"""The tokens of a source by the byte offsets that its tree has."""

from __future__ import annotations

from bisect import bisect_left

from tree_sitter import Node

from sigil_eval.rust.lexer import tokens
from sigil_eval.rust.surveyed import Span

# From one index in the tokens of a source to another.
TokenRange = tuple[int, int]


class Lexed:
    """All tokens of a source, with the byte offsets they start at."""

    def __init__(self, text: str) -> None:
        self.tokens = list(tokens(text))
        self._offsets = None if text.isascii() else _byte_offsets(text)
        self.starts = [self._byte(token.start) for token in self.tokens]

    def _byte(self, position: int) -> int:
        return position if self._offsets is None else self._offsets[position]

    def within(self, node: Node) -> TokenRange:
        """The range of token indices inside a node."""
        first = bisect_left(self.starts, node.start_byte)
        return first, bisect_left(self.starts, node.end_byte)

    def span(self, first: int, last: int) -> Span:
        """The bytes from one token through another."""
        last = max(first, min(last, len(self.tokens) - 1))
        return self.starts[first], self._byte(self.tokens[last].end)


def _byte_offsets(text: str) -> list[int]:
    offsets = [0]
    for character in text:
        offsets.append(offsets[-1] + len(character.encode()))
    return offsets

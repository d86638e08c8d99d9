"""Rust's tokens, for the places that a syntax tree does not reach.

`tokens` reads as rustc does: macro input, and source that does not parse. `next_mark` looks for
brackets alone, in a text that is still being written and may break off inside a string. It is
asked after every piece of an answer, so it searches from one mark to the next, where making
tokens of all in between would take several times as long; what a string or a comment is, both
have from the same place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple


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


# How comments and strings begin; how they end, `_closing_end` knows.
_LINE_COMMENT = r"(?P<line_comment>//[^\n]*)"
_BLOCK_COMMENT = r"(?P<block_comment>/\*)"
_RAW_STRING = r"[bc]?r(?P<hashes>\#*)\""
_STRING = r"[bc]?\""
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_STRING_END = re.compile(r'[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)

_CHAR = r"b?'(?:\\(?:u\{[^}'\n]*\}|.)[^'\n]{0,8}?|[^\\'\n])'"
_LIFETIME = r"'(?:r\#)?[^\W\d]\w*"
_RAW_IDENT = r"r\#[^\W\d]\w*"
_WHITESPACE = "\t\n\x0b\x0c\r \u0085\u200e\u200f\u2028\u2029\ufeff"

# Order matters: a raw string before a raw identifier, a character before a lifetime.
_TOKEN = re.compile(
    rf"""
    (?:[{_WHITESPACE}]|//[^\n]*)*+
    (?:
      {_BLOCK_COMMENT}
    | (?P<raw_string>{_RAW_STRING})
    | (?P<string>{_STRING})
    | (?P<char>{_CHAR})
    | (?P<lifetime>{_LIFETIME})
    | (?P<raw_ident>{_RAW_IDENT})
    | (?P<ident>[^\W\d]\w*)
    | (?P<number>\d\w*(?:\.\d\w*)?)
    | (?P<path_sep>::)
    | (?P<open>[(\[{{])
    | (?P<close>[)\]}}])
    | (?P<punct>[-!\#$%&*+,./:;<=>?@^|~])
    | (?P<unknown>.)
    | (?P<nothing>\Z)
    )
    """,
    re.VERBOSE | re.DOTALL,
)
# All tokens up to a bracket, a semicolon, or what is closed later.
_PLAIN_TOKENS = re.compile(
    rf"""
    (?: [{_WHITESPACE}]
      | //[^\n]*
      | (?!/\*|[bc]?r\#*\")
        (?: {_STRING}[^\"\\]*(?:\\.[^\"\\]*)*\"
          | {_CHAR} | {_LIFETIME} | {_RAW_IDENT} | \w+ | [^\w()\[\]{{}};\"] )
    )*+
    """,
    re.VERBOSE | re.DOTALL,
)
_CLOSED_LATER = {"block_comment", "raw_string", "string"}
_BRACKETS = {*"()[]{};"}
# The kind of the tokens that go by another name than their pattern; "" is left out.
_KINDS = {
    "nothing": "",
    "block_comment": "",
    "raw_string": "literal",
    "string": "literal",
    "char": "literal",
    "path_sep": "punct",
}


def tokens(text: str, start: int = 0, end: int | None = None) -> Iterator[Token]:
    """Lex `text[start:end]` as rustc does; comments and white space are left out.

    A string or comment that is never closed reaches to the end, as it does for rustc.
    """
    limit = len(text) if end is None else end
    position = start
    while position < limit:
        match = _TOKEN.match(text, position, limit)
        assert match and match.lastgroup  # any character is a match, if only for `unknown`
        pattern = match.lastgroup
        begin, position = match.start(pattern), _end_of(match, limit)
        if pattern == "raw_ident":
            yield Token("ident", text[begin + 2 : position], begin, position, raw=True)
        elif kind := _KINDS.get(pattern, pattern):
            yield Token(kind, text[begin:position], begin, position)


def brackets(text: str, start: int = 0) -> Iterator[tuple[str, int]]:
    """The brackets and semicolons among `tokens`, each with its offset, in a part of the time."""
    position, limit = start, len(text)
    while position < limit:
        plain = _PLAIN_TOKENS.match(text, position, limit)
        position = plain.end() if plain else position
        if text[position : position + 1] in _BRACKETS:
            yield text[position], position
            position += 1
        elif match := _TOKEN.match(text, position, limit):
            position = _end_of(match, limit)


def _end_of(match: re.Match[str], limit: int) -> int:
    """Where a token ends."""
    if match.lastgroup not in _CLOSED_LATER:
        return match.end()
    closed = _closing_end(match, limit)
    return limit if closed is None else closed


def _closing_end(opening: re.Match[str], limit: int) -> int | None:
    """Where the string or block comment that begins here ends, None if not before `limit`."""
    text, position = opening.string, opening.end()
    if opening["block_comment"]:
        return comment_end(text, position, limit)
    if opening["raw_string"]:
        terminator = '"' + opening["hashes"]
        found = text.find(terminator, position, limit)
        return None if found < 0 else found + len(terminator)
    closed = _STRING_END.match(text, position, limit)
    return closed.end() if closed else None


def comment_end(text: str, position: int, limit: int) -> int | None:
    """Where the block comment ends whose `/*` is before `position`; block comments nest."""
    depth = 1
    while depth:
        edge = _COMMENT_EDGE.search(text, position, limit)
        if edge is None:
            return None
        depth += 1 if edge.group() == "/*" else -1
        position = edge.end()
    return position


# Its characters are stricter than a token's: what is none is a quote, and lets what follows count.
_MARK = re.compile(
    rf"""
      {_LINE_COMMENT}
    | {_BLOCK_COMMENT}
    | (?P<raw_string>\b{_RAW_STRING})
    | (?P<string>\b{_STRING}|")
    | (?P<char>'(?:\\(?:x[0-9a-fA-F]{{2}}|u\{{[^}}\n]*\}}|[^xu])|[^\\'])')
    | (?P<quote>')
    | (?P<function>\bfn\s+(?P<name>\w+)\W)
    | (?P<mark>[{{}}()\[\];])
    """,
    re.VERBOSE | re.DOTALL,
)


def next_mark(text: str, position: int) -> tuple[str, int, int] | None:
    """The next bracket, semicolon, or name after `fn`, outside of strings, chars and comments.

    Returns (what it is, where it begins, where it ends); a function begins at its `fn`. None
    where there is none, or where the text breaks off inside a string, char or comment.
    """
    while match := _MARK.search(text, position):
        pattern = match.lastgroup
        end: int | None = match.end()
        if pattern == "mark":
            return match.group(), match.start(), match.end()
        if pattern == "function":
            return match["name"], match.start(), match.end("name")
        if pattern in _CLOSED_LATER:
            end = _closing_end(match, len(text))
        elif pattern == "quote" and (len(text) - match.end() < 2 or text[match.end()] == "\\"):
            end = None  # a char or a lifetime: too early to say
        if end is None:
            return None
        position = end
    return None


def open_literal(text: str) -> bool:
    """Whether a source that goes on breaks off inside a string or a block comment."""
    position = 0
    while match := _MARK.search(text, position):
        position = match.end()
        if match.lastgroup in _CLOSED_LATER:
            closed = _closing_end(match, len(text))
            if closed is None:
                return True
            position = closed
    return False


def block_end(text: str, start: int, depth: int = 0) -> tuple[int, int]:
    """Where the first `{…}` block at or after `start` ends.

    Returns (offset just after the closing brace, 0), or (end of the text, braces left open).
    With `depth` 1, `start` is already inside the block.
    """
    for bracket, position in brackets(text, start):
        if bracket == "{":
            depth += 1
        elif bracket == "}":
            depth -= 1
            if depth <= 0:
                return position + 1, 0
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

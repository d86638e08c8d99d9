"""Marks in a text that are meant as marks, and not quoted in a string or a comment of some code."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator

_NO_QUOTE = re.compile(r"\\.|'\"'|`{3,}")
_RAW_STRING = re.compile(r"\bb?r(?P<hashes>#{1,255})\"")
_COMMENT = re.compile(r"(?<!:)//")


def unquoted(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """The matches of a pattern that their line doesn't quote: in "…", in `…`, or behind //.

    Prose and code are mixed in an answer, so no lexer can tell; a line is what both have.
    """
    position, before = 0, _Line()
    raw_strings = _RawStrings(text)
    for match in pattern.finditer(text):
        if raw_strings.hold(match.start()):
            continue
        passed = text[position : match.start()]
        newline = passed.rfind("\n")
        if newline >= 0:
            before, passed = _Line(), passed[newline + 1 :]
        before.read(passed)
        position = match.start()
        if not before.quotes:
            yield match


class _Line:
    """A line so far."""

    def __init__(self) -> None:
        self._strings = self._ticks = 0
        self._comment = False

    def read(self, more: str) -> None:
        """Read what comes next in the line."""
        plain = _NO_QUOTE.sub("", more)
        self._comment = self._comment or _COMMENT.search(plain) is not None
        self._strings += plain.count('"')
        self._ticks += plain.count("`")

    @property
    def quotes(self) -> bool:
        """Whether what stands next in the line is quoted."""
        return self._comment or bool(self._strings % 2 or self._ticks % 2)


class _RawStrings:
    """The raw strings of a text, r#"…"#, which go over lines; prose has none."""

    def __init__(self, text: str) -> None:
        self._spans = deque(_raw_strings(text) if 'r#"' in text or "r##" in text else ())

    def hold(self, position: int) -> bool:
        """Whether a position, none before the last one asked for, is in a raw string."""
        while self._spans and self._spans[0][1] <= position:
            self._spans.popleft()
        return bool(self._spans) and self._spans[0][0] < position


def _raw_strings(text: str) -> Iterator[tuple[int, int]]:
    position = 0
    never_ended: set[str] = set()
    while match := _RAW_STRING.search(text, position):
        position = match.end()
        terminator = '"' + match["hashes"]
        if terminator in never_ended:
            continue
        end = text.find(terminator, position)
        if end < 0:
            never_ended.add(terminator)
            continue
        yield match.start(), end
        position = end + len(terminator)

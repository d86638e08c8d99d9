"""Early stop: when is an answer complete, so that nothing is generated after it?

In a fence, at the closing fence, once the function that was asked for is there with all that it
calls. Otherwise Rust is being continued, and the rule is:

1. The function is complete when the braces opened before and in the answer are closed, not
   counting those in strings, chars and comments. An answer that begins by repeating the
   signature counts from there.
2. What follows may still belong to the answer: helper functions, types, imports. So it is
   complete only once something else begins: prose, a fence, a stray brace, tests, or an item
   that it does not need. What it needs is for extraction to say (`answers/needs.py`), which
   leaves out whatever the token limit cuts off and the answer does not need.
3. `fn main` is generated to its end and ends the answer, so that the share of answers with a
   main stays observable.

The few characters by which the end was recognised are no part of the answer.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from sigil_eval.answers.extraction import extract
from sigil_eval.answers.needs import lacks_a_function, may_need
from sigil_eval.generation.protocol import Asked
from sigil_eval.rust.lexer import comment_end, next_mark
from sigil_eval.rust.vocabulary import RESERVED_ITEM_WORDS, any_of

# The words of an item up to where it can be told from others; an impl's say what it is for.
_HEAD = re.compile(
    r"(?:#\[[^\]]*\]\s*)*(?:(?:pub(?:\s*\([^)]*\))?|async|const|unsafe|extern|default|\"[^\"]*\")\s+)*"
    r"(?:impl\b[^{;]*[{;]|macro_rules\s*!|\w+!|(?!impl\b)\w+\s+\w+\b(?=\W)|\w+\s+(?=[^\w\s]))"
)
_ITEM_WORD = re.compile(rf"(?:{any_of(RESERVED_ITEM_WORDS)})\b")

_FENCE = re.compile(r"^[ \t]*```[^\n]*(?:\n|\Z)", re.MULTILINE)
_SIGNATURE = re.compile(r"\bfn\s+(\w+)")
_TEST_ATTRIBUTE = re.compile(r"\btest\b")
_TEST_MODULE = re.compile(r"(?:pub\s+)?mod\s+tests?\b")
_MAIN = re.compile(r"(?:pub\s+|async\s+)*fn\s+main\b")


class Completeness(NamedTuple):
    """Whether an answer so far is complete.

    `end` is how many of its characters are the complete answer, None while it may go on.
    Then text without any of the characters of `awaits` cannot decide it; when `awaits` is empty,
    an item was closed, what follows is still open, and any character may decide.
    """

    end: int | None
    awaits: str = ""


_BETWEEN_ITEMS = Completeness(None)
_IN_BODY = Completeness(
    None, "}`"
)  # only a brace closes a function; a fence begins with a backtick
_IN_ITEM = Completeness(None, "};`")  # `use`, `const` and the like end at a semicolon
_IN_FENCE = Completeness(None, "`")


class AnswerReader:
    """Reads one answer while it grows. What has been read is not read again, so that the whole
    costs a time proportional to its length."""

    def __init__(self, code_before: str, asked: Asked | None = None) -> None:
        """`code_before` is the Rust that the answer continues; empty when it comes in a fence.

        Where it is not known what is `asked`, any item may be needed, and any function do.
        """
        self._before = code_before
        self._asked = asked
        self._code = _code_before(code_before) if code_before else None

    def read(self, answer: str) -> Completeness:
        """Find the end of an answer, which begins with what was read before."""
        if self._code is not None and answer.lstrip().startswith("```"):
            self._code = None
        if self._code is None:
            end = _fence_end(answer, self._asked)
            return _IN_FENCE if end is None else Completeness(end)
        self._code, reading = _read_on(self._code, self._before + answer, self._asked)
        return reading if reading.end is None else Completeness(reading.end - len(self._before))


def _fence_end(answer: str, asked: Asked | None) -> int | None:
    """Where the fence ends with which the function is there, and what it calls."""
    opened: int | None = None
    for fence in _FENCE.finditer(answer):
        if opened is None:
            opened = fence.end()
        elif _SIGNATURE.search(answer, opened, fence.start()):
            end = fence.start() + fence.group().index("```") + 3
            if asked is None or not _lacks_something(answer[:end], asked):
                return end
            opened = None
        else:
            opened = None
    return None


def _lacks_something(answer: str, asked: Asked) -> bool:
    code = _code_of(answer, asked)
    return code is None or lacks_a_function(code, asked.entry_point, asked.called)


@lru_cache(maxsize=1024)
def _code_of(answer: str, asked: Asked) -> str | None:
    """The program that would be made of an answer that ended here."""
    found = extract(answer, prompt=asked.prompt, entry_point=asked.entry_point, called=asked.called)
    return found.code


class _Code(NamedTuple):
    """How far code has been read.

    `position` is where to go on, `depth` counts braces, `nesting` parentheses and brackets,
    `item` is where the item in hand begins. `closed` says that an item ends at `position` and
    what follows it is not known yet. `own_name` is the function that was asked for; `start` is
    where the answer begins.
    """

    start: int
    own_name: str | None
    position: int = 0
    depth: int = 0
    nesting: int = 0
    item: int = 0
    closed: bool = False


@lru_cache(maxsize=1024)
def _code_before(text: str) -> _Code:
    """The state after the code that answers continue, which many answers share."""
    own_name = next(iter(_SIGNATURE.findall(text)[-1:]), None)
    # The end of the last line comment may be in the answer, so nothing but whole lines is read.
    whole_lines = text[: text.rfind("\n") + 1]
    return _read_on(_Code(len(text), own_name), whole_lines, None)[0]


def _read_on(code: _Code, text: str, asked: Asked | None) -> tuple[_Code, Completeness]:
    """Read further in `text`, which begins with what was read before."""
    start, own_name, position, depth, nesting, item, closed = code
    kept = code
    while True:
        if closed:
            if _MAIN.match(text, item):
                return kept, Completeness(position)
            following = _next_item(text, position)
            if following is None:
                return kept, _BETWEEN_ITEMS
            end, item = following
            if item >= 0 and asked is not None:
                needed = _is_needed(text, start, end, item, asked)
                if needed is None:
                    return kept, _BETWEEN_ITEMS
                item = item if needed else -1
            if item < 0:
                return kept, Completeness(end)
            position, nesting, closed = item, 0, False
        mark = next_mark(text, position)
        if mark is None:
            return kept, _IN_BODY if depth > 0 else _IN_ITEM
        kind, begin, position = mark
        if begin >= start and kind == own_name and depth == 1:
            depth = nesting = 0  # the answer repeats the signature
        elif kind == "{":
            depth += 1
        elif kind in ("(", "["):
            nesting += 1
        elif kind in (")", "]"):
            nesting -= 1
        elif kind == "}":
            depth -= 1
        closes_item = kind == "}" or (kind == ";" and nesting <= 0)
        closed = begin >= start and depth == 0 and closes_item
        kept = _Code(start, own_name, position, depth, nesting, item, closed)


def _next_item(text: str, end: int) -> tuple[int, int] | None:
    """What comes after an item that ended at `end`.

    (end, where the next item begins), (end, -1) when none does, None when it is too early to
    say. A semicolon directly after the item belongs to it.
    """
    position = end
    while True:
        rest = text[position:].lstrip()
        position = len(text) - len(rest)
        if len(rest) < 2:
            return None
        if rest[0] == ";":
            end = position = position + 1
        elif rest.startswith("//"):
            newline = rest.find("\n")
            if newline < 0:
                return None
            position += newline
        elif rest.startswith("/*"):
            closed = comment_end(text, position + 2, len(text))
            if closed is None:
                return None
            position = closed
        elif rest.startswith("#["):
            bracket = rest.find("]")
            if bracket < 0:
                return None
            if _TEST_ATTRIBUTE.search(rest, 0, bracket):
                return end, -1
            position += bracket + 1
        else:
            return _item_or_not(text, rest, position, end)


def _item_or_not(text: str, rest: str, position: int, end: int) -> tuple[int, int] | None:
    if re.fullmatch(r"\w+", rest):
        return None
    if not _ITEM_WORD.match(rest):
        return end, -1
    if rest.startswith(("pub", "mod")) and not re.search(r"[;{(]", rest):
        return None  # it may still become `mod tests`
    return (end, -1) if _TEST_MODULE.match(rest) else (end, position)


def _is_needed(text: str, start: int, end: int, item: int, asked: Asked) -> bool | None:
    """Whether the answer from `start` to `end` may need the item behind it; None while its first
    words are not there. A main is looked at later, whatever the answer needs."""
    head = _HEAD.match(text, item)
    if head is None:
        return None
    if _MAIN.match(text, item):
        return True
    code = _code_of(text[start:end], asked)
    return code is None or may_need(code, asked.entry_point, asked.called, head.group())

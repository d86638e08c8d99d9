"""The forms in which code and prose are compared: strings with a character for each token or word,
so that a window of some of them is a slice."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import count, pairwise

from sigil_eval.rust.lexer import Token, tokens
from sigil_eval.rust.vocabulary import (
    CALL_LIKE_MACROS,
    COMMON_MEMBERS,
    KEYWORDS,
    PRIMITIVE_TYPES,
)

UNKNOWN = "\0"

_WORD = re.compile(r"[^\W\d_]+")
# A name that stood this many tokens ago or more counts as a new one.
_FARTHEST = 24
_NEW_NAME, _TYPE = "n", "T"
_ABSTRACTED = {"literal": "s", "number": "0"}
_NAME_BEFORE = [chr(0x100 + distance) for distance in range(_FARTHEST)]
_END = Token("unknown", "", 0, 0)
_VALUES = frozenset({"Some", "None", "Ok", "Err"})
# Words that are not a programmer's own wherever they stand, behind a `.` or `::`, before a `!`.
_FIXED = KEYWORDS | _VALUES
_KEPT = {
    word: chr(0x200 + number)
    for number, word in enumerate(sorted(_FIXED | COMMON_MEMBERS | CALL_LIKE_MACROS))
}


def code_tokens(text: str) -> list[Token]:
    """The tokens of code, without comments, and without commas before a closing bracket, which
    formatters add and remove."""
    found: list[Token] = []
    for token in tokens(text):
        if token.kind == "close" and found and found[-1].text == ",":
            found.pop()
        found.append(token)
    return found


def functions(stream: Sequence[Token]) -> Iterator[tuple[int, int, int]]:
    """Functions with a body: where they begin, at their `fn`, where their body does, and where they
    end; indices into `stream`."""
    begun: tuple[int, int] | None = None  # the `fn` that has no body yet, and its depth
    open_brackets: list[tuple[int, int] | None] = []
    for index, (token, after) in enumerate(pairwise([*stream, _END])):
        if token.text == "fn" and token.kind == after.kind == "ident":
            begun = index, len(open_brackets)
        elif token.kind == "open":
            is_body = token.text == "{" and begun is not None and begun[1] == len(open_brackets)
            open_brackets.append((begun[0], index) if is_body and begun else None)
            begun = None if is_body else begun
        elif token.kind == "close" and open_brackets:
            function = open_brackets.pop()
            if function is not None:
                yield *function, index + 1
        elif token.text == ";" and begun is not None and begun[1] == len(open_brackets):
            begun = None


def assertions(stream: Sequence[Token]) -> Iterator[tuple[int, int]]:
    """Where calls of `assert!` and its like begin and end: indices into `stream`."""
    open_brackets: list[int | None] = []
    for index, token in enumerate(stream):
        if token.kind == "open":
            called = [before.text for before in stream[max(index - 2, 0) : index]]
            is_assertion = called[1:] == ["!"] and called[0].startswith("assert")
            open_brackets.append(index - 2 if is_assertion else None)
        elif token.kind == "close" and open_brackets:
            start = open_brackets.pop()
            if start is not None:
                yield start, index + 1


class Vocabulary:
    """The tokens or words of what is looked for, each a character; all others are UNKNOWN."""

    def __init__(self) -> None:
        self._characters: dict[str, str] = {}
        # Half characters cannot be printed, so they are left out.
        self._free = (number for number in count(1) if not 0xD800 <= number < 0xE000)

    def learn(self, texts: Sequence[str]) -> str:
        """The form of `texts`, all of which are known from now on."""
        for text in texts:
            if text not in self._characters:
                self._characters[text] = chr(next(self._free))
        return self.form(texts)

    def form(self, texts: Sequence[str]) -> str:
        """The form of `texts`."""
        known = self._characters.get
        return "".join([known(text, UNKNOWN) for text in texts])


def words(text: str) -> list[str]:
    """The words of prose or comments, in small letters; no numbers, which many lists share."""
    return _WORD.findall(text.lower())


def shape(stream: Sequence[Token]) -> str:
    """Code with its names, types, numbers and literals abstracted.

    A name is the distance to where it stood before, so that code whose names are exchanged for
    others keeps its form, and code of another flow of values does not have it.
    """
    found: list[str] = []
    last_at: dict[str, int] = {}
    for index, (token, is_own) in enumerate(_with_owned(stream)):
        text = token.text
        if is_own:
            distance = index - last_at.get(text, index)
            last_at[text] = index
            found.append(_NAME_BEFORE[distance] if 0 < distance < _FARTHEST else _NEW_NAME)
        elif token.kind == "ident":
            found.append(_KEPT.get(text, _TYPE))
        else:
            found.append(_ABSTRACTED.get(token.kind, text[0]))
    return "".join(found)


def tree(function: Sequence[Token]) -> str:
    """A function with its names numbered in the order in which they appear, its own included.

    Brackets and precedence are in its tokens: two functions of one form have equal syntax trees.
    """
    numbers: dict[str, str] = {}
    return " ".join(
        numbers.setdefault(token.text, f"${len(numbers)}") if is_own else token.text
        for token, is_own in _with_owned(function)
    )


def _with_owned(stream: Sequence[Token]) -> Iterator[tuple[Token, bool]]:
    """Tokens, and whether each is a name that somebody has chosen: no word of Rust's, no type."""
    before = ""
    for token, after in pairwise([*stream, _END]):
        text = token.text
        is_own = token.kind == "ident" and text not in _FIXED and not is_type(text)
        if is_own and text in _KEPT:
            is_member = before in (".", "::")
            is_own = not is_member and not (text in CALL_LIKE_MACROS and after.text == "!")
        yield token, is_own
        before = text


def is_type(name: str) -> bool:
    """Whether a word stands for a type, as Rust's style has it."""
    return name in PRIMITIVE_TYPES or (
        name[0].isupper() and name not in _VALUES and (len(name) == 1 or not name.isupper())
    )

"""What looks like the function and is none: a stub that was quoted, a call, a headline."""

from __future__ import annotations

import re
from functools import lru_cache

from sigil_eval.answers.question import Question, body_brace
from sigil_eval.rust.items import Item
from sigil_eval.rust.lexer import Token, tokens
from sigil_eval.rust.vocabulary import PRIMITIVE_TYPES, words

_NOT_WRITTEN = re.compile(
    r"(?:return )?(?:(?:std|core) :: )?(?:todo|unimplemented|panic|unreachable) ! [(\[{].*[)\]}]"
    r"(?: ;)?"
)
# A longer body is none that says it is not written, and without these words, none longer than that.
_LONGEST, _SHORT = 400, 60
_EXCUSE = re.compile(r"todo!|unimplemented!|panic!|unreachable!|\.\.\.|…")
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_IGNORED = re.compile(r"(?:let )?_\w* = [^;]*; ")
_ELIDED = re.compile(r"[.…_,; ]*")
_PLACEHOLDER = re.compile(
    r"(?://|/\*).{0,80}?(?:\btodo\b|\bfixme\b|your (?:code|implementation|solution|logic)"
    r"|implement|fill|placeholder|goes here|write (?:your|the)|\.\.\.|…)",
    re.IGNORECASE | re.DOTALL,
)
_DEFAULT = re.compile(
    r"(?:return )?(?:-? ?[\d.]+\w*|\"\S*\"|'.'|true|false|None|\( \)|vec ! \[ \]"
    r"|(?:[A-Za-z]\w* :: )+(?:new|default) \( \)|\"\" \. (?:to_string|into|to_owned) \( \)"
    r"|String :: from \( \"\" \)|(?:Ok|Some) \( [^()]* \))(?: ;)?"
)


def is_stub(function: Item) -> bool:
    """Whether a function has no body yet: none, comments, todo!(), or a value for the time being.

    Whoever quotes one means it to be filled in.
    """
    return _is_stub(function.text, function.closed)


@lru_cache(maxsize=64)
def _is_stub(function: str, closed: bool) -> bool:
    code = _COMMENT.sub("", function).rstrip()
    length = len(code) - code.find("{")
    if length > _LONGEST or (length > _SHORT and not _EXCUSE.search(code)):
        return False
    brace = body_brace(function, 0)
    if brace is None:
        return True
    body = function[brace + 1 :]
    inner = [token.text for token in tokens(body)]
    said = " ".join(inner[:-1] if closed and inner[-1:] == ["}"] else inner)
    said = _IGNORED.sub("", said)
    if _ELIDED.fullmatch(said) or (_NOT_WRITTEN.fullmatch(said) and said.count("!") == 1):
        return True
    return _DEFAULT.fullmatch(said) is not None and _PLACEHOLDER.search(body) is not None


def is_mere_call(function: Item, question: Question) -> bool:
    """Whether a body does nothing but call the function that it is the body of."""
    if len(function.text) > _LONGEST + len(question.start):
        return False
    brace = body_brace(function.text, 0)
    inner = [token.text for token in tokens(function.text[(brace or 0) + 1 :])][:-1]
    return inner[:2] == [question.entry_point, "("] and inner.count("(") == inner.count(")") == 1


_KNOWN = PRIMITIVE_TYPES | words(
    """self Self super crate true false if match loop while for let return unsafe async move
    break continue Some None Ok Err Box Vec String Rc Arc Reverse Wrapping std core alloc"""
)


def is_mere_words(body: str, question: Question) -> bool:
    """Whether a line is a headline that happens to be an expression: `Solution (Rust)`.

    It begins with a word that neither the language nor the prompt has, used as no function is.
    """
    line = body.strip()
    if "\n" in line or line.endswith(("}", ";")) or "{" in line:
        return False
    stream = [*tokens(line)]
    first = next((n for n, token in enumerate(stream) if token.kind == "ident"), None)
    if first is None:
        return False
    word, after = stream[first].text, stream[first + 1 : first + 2]
    if word in _KNOWN or word in _bound(question):
        return False
    return not _is_used(word, after[0] if after else None)


def _is_used(word: str, after: Token | None) -> bool:
    """Whether a word that nobody has explained stands there as a function, a path or a macro."""
    if after is None:
        return False
    return after.text == "::" or (word[:1].islower() and after.text in ("(", "!"))


def _bound(question: Question) -> set[str]:
    names = {token.text for token in tokens(question.start) if token.kind == "ident"}
    return names.union(*(item.names for item in question.context)) - {question.entry_point}

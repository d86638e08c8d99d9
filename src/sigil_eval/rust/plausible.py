"""Whether a text may be Rust, by its tokens alone: the parser knows less Rust than rustc does."""

from __future__ import annotations

from itertools import pairwise

from sigil_eval.rust.lexer import Token, open_literal, tokens
from sigil_eval.rust.vocabulary import ITEM_KEYWORDS, ITEM_QUALIFIERS, words

# Words after which another word may stand, and words that may stand after another.
_BEFORE_A_WORD = (
    words(
        """as await break box crate dyn else for if impl in let loop match move mut pub raw ref
        return static super try unsafe use where while yield auto gen safe"""
    )
    | ITEM_KEYWORDS
    | ITEM_QUALIFIERS
)
_AFTER_A_WORD = words("as in if else for where async move unsafe match loop while return")
_UNFINISHED = frozenset("+-*/%^&|=<,.:!#@$") | words("as let if in match mut ref return fn else ::")


def may_be_rust(text: str) -> bool:
    """Whether a text reads as Rust: no two words side by side, as in prose, and brackets in order.

    Brackets that are open at its end may still be closed.
    """
    stream = [*tokens(text)]
    if any(token.kind == "unknown" for token in stream) or open_literal(text):
        return False
    if not _nests(stream):
        return False
    return not any(_is_prose(one, two) for one, two in pairwise(stream))


def breaks_off(text: str) -> bool:
    """Whether a text ends where no statement does: behind an operator, or within a `let`."""
    stream = [*tokens(text)]
    if not stream or stream[-1].text in _UNFINISHED:
        return bool(stream)
    begun, depth = "", 0
    for before, token in pairwise((Token("punct", ";", 0, 0), *stream)):
        if token.kind in ("open", "close"):
            depth += 1 if token.kind == "open" else -1
        if depth == 0 and before.text in (";", "}", "{"):
            begun = token.text
        elif depth == 0 and token.text == ";":
            begun = ""
    return begun in ("let", "use", "type", "const", "static")


def _nests(stream: list[Token]) -> bool:
    pairs, opened = {")": "(", "]": "[", "}": "{"}, []
    for token in stream:
        if token.kind == "open":
            opened.append(token.text)
        elif token.kind == "close" and (not opened or opened.pop() != pairs[token.text]):
            return False
    return True


def _is_prose(one: Token, two: Token) -> bool:
    if one.kind not in ("ident", "number", "literal") or two.kind not in ("ident", "number"):
        return False
    if one.kind == "ident" and one.text in _BEFORE_A_WORD:
        return False
    return two.kind != "ident" or two.text not in _AFTER_A_WORD

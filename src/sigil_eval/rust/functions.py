"""The functions of a text that a syntax tree may not be had of: where they begin and are open."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sigil_eval.rust.lexer import Token, tokens


@dataclass(frozen=True)
class FunctionText:
    """A function at the top of a text.

    `start` is where its `fn` begins, `brace` where its body does, if it has one; `end` is where
    the function ends, None where the text ends before.
    """

    name: str
    start: int
    brace: int | None
    end: int | None


_BEFORE_FN = r'[ \t]*(?:(?:pub(?:[ \t]*\([^)\n]*\))?|const|async|unsafe|extern|"\w+")[ \t]+)*'
_QUALIFIERS = re.compile(_BEFORE_FN)
_FUNCTION_LINE = re.compile(rf"^(?P<before>{_BEFORE_FN})fn[ \t]+(?:r#)?(?P<name>\w+)", re.MULTILINE)


def functions_of(text: str) -> dict[str, FunctionText] | None:
    """The functions at the top of a text by their names, of equals the last.

    None for a text that closes more braces than it has opened: it goes on from something else.
    """
    found: dict[str, FunctionText] = {}
    stream = [*tokens(text)]
    depth = index = 0
    while index < len(stream):
        token = stream[index]
        if depth == 0 and token.text == "fn" and not token.raw and _is_name(stream, index + 1):
            function, index = _function_at(stream, index)
            found[function.name] = function
            continue
        depth += (token.kind == "open") - (token.kind == "close")
        if depth < 0:
            return None
        index += 1
    return found


def _is_name(stream: Sequence[Token], index: int) -> bool:
    return index < len(stream) and stream[index].kind == "ident"


def _function_at(stream: Sequence[Token], index: int) -> tuple[FunctionText, int]:
    """The function whose `fn` is at `index`, and the index after it."""
    name, start = stream[index + 1].text, stream[index].start
    depth, brace = 0, None
    for position in range(index + 2, len(stream)):
        token = stream[position]
        if token.text == "{" and depth == 0 and brace is None:
            brace = token.start
        if token.text == ";" and depth == 0:
            return FunctionText(name, start, None, token.end), position + 1
        depth += (token.kind == "open") - (token.kind == "close")
        if depth == 0 and token.text == "}" and brace is not None:
            return FunctionText(name, start, brace, token.end), position + 1
    return FunctionText(name, start, brace, None), len(stream)


def top_definition(name: str, text: str) -> int | None:
    """Where the last function of this name begins that stands at the top of a text, and not in an
    impl or another function; words around it need not be Rust."""
    found = functions_of(text)
    if found and name in found:
        return _with_qualifiers(text, found[name].start)
    at_the_margin = re.compile(r"^(?=\S)", re.MULTILINE)
    places = [place for place in definitions_of(name, text) if at_the_margin.match(text, place)]
    return places[-1] if places else None


def last_name(text: str) -> str | None:
    """The name of the last function at the top of a text; None where there is none."""
    if found := functions_of(text):
        return max(found.values(), key=lambda one: one.start).name
    lines = [match["name"] for match in _FUNCTION_LINE.finditer(text)]
    return lines[-1] if lines and top_definition(lines[-1], text) is not None else None


def definitions_of(name: str, text: str) -> Iterator[int]:
    """Where functions of this name are defined, wherever in a text but not in comments and strings:
    the offsets of their `fn`, or of `pub`, `const` and the like before it.

    Prose has quotes and apostrophes that no lexer can make sense of; where it hides them all, lines
    that begin like a function do.
    """
    stream = [*tokens(text)]
    places = [
        token.start
        for token, following in pairwise(stream)
        if token.text == "fn" and not token.raw and following.text == name
    ]
    lines = (
        match.end("before") for match in _FUNCTION_LINE.finditer(text) if match["name"] == name
    )
    yield from (_with_qualifiers(text, place) for place in places or lines)


def _with_qualifiers(text: str, position: int) -> int:
    """Step back over `pub`, `async` and the like before `fn`."""
    line = text.rfind("\n", 0, position) + 1
    return line if _QUALIFIERS.fullmatch(text, line, position) else position

"""Tests from elsewhere as our own: test functions that find the answer where `crate` begins."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import pairwise

from sigil_eval.rust.functions import functions_of
from sigil_eval.rust.lexer import Token, matching_close, tokens
from sigil_eval.rust.vocabulary import DEFINING_KEYWORDS, PRIMITIVE_TYPES, STD_CRATES

_OWN_ROOTS = STD_CRATES | PRIMITIVE_TYPES | {"crate", "self", "super", "Self"}
_DEFINING = DEFINING_KEYWORDS | {"fn", "mod"}


def in_our_form(
    test: str, prompt: str, reference: str, crates: Iterable[str], task_id: object
) -> str:
    """The tests of a problem: those that are a `main` are one test, and those that stand outside
    the answer's crate, as in a folder of tests, stand within. On the lines where they were."""
    test = _main_as_a_test(test)
    name = _outer_crate(test, [prompt, reference], crates, task_id)
    return _brought_in(test, name) if name else test


def _main_as_a_test(test: str) -> str:
    stream = [*tokens(test)]
    is_tested = any(
        token.text == "test" and stream[index - 1].text == "[" and index > 1
        for index, token in enumerate(stream)
    )
    main = (functions_of(test) or {}).get("main")
    if is_tested or main is None:
        return test
    return f"{test[: main.start]}#[test] {test[main.start :]}"


def _outer_crate(
    test: str, sources: Iterable[str], crates: Iterable[str], task_id: object
) -> str | None:
    """The name under which tests import from the answer; None where they do not.

    It is a name that nothing else explains, and under which the tests take what the problem
    defines, or all there is.
    """
    stream = [*tokens(test)]
    streams = [[*tokens(source)] for source in sources]
    defined = {name for one in streams for name in _defined(one, _DEFINING)}
    known = {*_OWN_ROOTS, *crates, *_imported(stream)}
    known.update(name for one in (*streams, stream) for name in _defined(one, _DEFINING - {"fn"}))
    last = re.split(r"[/.:]", task_id)[-1] if isinstance(task_id, str) else ""
    for root, names in _imports(stream):
        called_so = root == re.sub(r"\W", "_", last)
        if root not in known and (called_so or "*" in names or names & defined):
            return root
    return None


def _defined(stream: Sequence[Token], keywords: Collection[str]) -> Iterator[str]:
    """The names that items with these keywords have, at whatever depth."""
    for token, following in pairwise(stream):
        if token.kind == "ident" and token.text in keywords and following.kind == "ident":
            yield following.text


def _imports(stream: Sequence[Token]) -> Iterator[tuple[str, set[str]]]:
    """For each `use` and `extern crate` the name it begins with, and what it takes from there."""
    for index, token in enumerate(stream):
        at = index + 1
        if token.text == "extern" and _text(stream, at) == "crate":
            yield _text(stream, at + 1), {"*"}
        if token.text != "use":
            continue
        at += _text(stream, at) == "::"
        names = {_text(stream, at + 2)}
        if names == {"{"}:
            inside = stream[at + 3 : matching_close(stream, at + 2)]
            names = {inner.text for inner in inside if inner.kind == "ident" or inner.text == "*"}
        if _text(stream, at + 1) == "::":
            yield _text(stream, at), names


def _imported(stream: Sequence[Token]) -> Iterator[str]:
    """The names that `use` declarations bring from elsewhere, so far as they are names."""
    root = ""
    for token, following in pairwise(stream):
        if token.text == "use":
            root = following.text
        elif token.text == ";":
            root = ""
        elif root not in ("", token.text) and following.text in (",", ";", "}"):
            yield token.text


def _text(stream: Sequence[Token], index: int) -> str:
    return stream[index].text if 0 <= index < len(stream) else ""


def _brought_in(test: str, name: str) -> str:
    """The tests in a module of the answer's crate, which they call `crate` instead of `name`."""
    stream = [*tokens(test)]
    edits: list[tuple[int, int, str]] = []
    for index, token in enumerate(stream):
        if token.text == "extern" and _text(stream, index + 2) == name:
            edits.append((token.start, stream[min(index + 3, len(stream) - 1)].end, ""))
        before = _text(stream, index - 1)
        is_path = _text(stream, index + 1) == "::" and before not in (".", "crate")
        if token.text != name or not is_path:
            continue
        is_global = before == "::" and _text(stream, index - 2) in ("use", "(", "=", ";", "{", "")
        if before != "::" or is_global:
            start = stream[index - 1].start if is_global else token.start
            edits.append((start, token.end, "crate"))
    for start, end, text in reversed(edits):
        test = test[:start] + text + test[end:]
    return f"mod tests {{ {test}\n}}\n"

"""The verdict that a sample would have had without errata, beside the one it has with them.

Most programs need not be judged twice for it: where an erratum only put a prelude in front of a
problem, a program that names nothing in it is the same program without.
"""

from __future__ import annotations

import re
from dataclasses import fields
from functools import lru_cache
from itertools import pairwise

from sigil_eval.answers.program import Program
from sigil_eval.problems import Problem
from sigil_eval.rust.lexer import Token, tokens

# What traits in preludes bring besides their names.
_METHODS = {"Any": "type_id", "Index": "index"}


def as_published(program: Program, published: Problem, code: str | None) -> Program | None:
    """The program whose verdict is the one as published; `program` itself where that is sure.

    `code` is what was extracted under the published prompt; None, and there is no program.
    """
    problem = program.problem
    if code is None:
        return None
    if code == program.code and _asks_the_same(problem, published) and not _may_need(program):
        return program
    return Program(published, code)


def _asks_the_same(problem: Problem, published: Problem) -> bool:
    """Whether errata have left everything that a verdict depends on, but for the prelude."""
    unlike = ("prelude", "canonical_solution", "flag", "plus", "place")
    names = (one.name for one in fields(Problem) if one.name not in unlike)
    return all(getattr(problem, name) == getattr(published, name) for name in names)


def _may_need(program: Program) -> bool:
    """Whether the prelude might matter to the program or to its tests."""
    names = _names(program.problem.prelude)
    return bool(names) and (
        _mentions(program.problem.test, names) or _mentions(program.code, names)
    )


@lru_cache(maxsize=64)
def _names(prelude: str) -> frozenset[str]:
    """The names that `use` declarations bring into scope."""
    found = set(re.findall(r"(\w+)(?=\s*(?:::\s*\{\s*self\b|[,;}]))", prelude)) - {"self"}
    return frozenset(found)


@lru_cache(maxsize=1024)
def _mentions(code: str, names: frozenset[str]) -> bool:
    """Whether `code` has one of `names` where the prelude could be what it stands for.

    It could not after `.` or `::`, nor where the code binds that name by `let` and calls nothing
    by it.
    """
    methods = {method for name, method in _METHODS.items() if name in names}
    if not re.search(rf"\b(?:{'|'.join(sorted(names | methods))})\b", code):
        return False
    edge = Token("punct", "", 0, 0)
    stream = [edge, *tokens(code), edge]
    bound = {token.text for before, token in pairwise(stream) if before.text in ("let", "mut")}
    for before, token, after in zip(stream, stream[1:], stream[2:], strict=False):
        if token.text in methods and before.text in (".", "::"):
            return True
        if token.kind != "ident" or token.text not in names or before.text in (".", "::"):
            continue
        if token.text not in bound or after.text in ("(", "::"):
            return True
    return False

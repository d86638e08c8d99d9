"""Lints that an answer denies itself: which of them are the answer's own.

The judge changes an answer: it makes its items public and adds the problem's prelude, and reading
has left out `main`, tests and doc comments. A lint that the answer denies, or that rustc denies by
default, counts where it strikes the answer as it was written, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sigil_eval.answers.program import Program
from sigil_eval.judging.candidate import source_as_written
from sigil_eval.judging.diagnostics import Diagnostic, errors_among

# They miss what was left out, or do not know what was added.
_OF_OUR_MAKING = {"missing_docs", "unused_crate_dependencies"}
_UNSAFE = "unsafe_code"


def only_lints(errors: Sequence[Diagnostic]) -> bool:
    """Whether lints alone keep rustc from compiling; false where nothing does."""
    placed = [error for error in errors if error.file or error.code]
    return bool(placed) and all(error.is_lint for error in placed)


def may_deny_unsafe(program: Program) -> bool:
    """Whether an answer says something of the lint that the judge takes for itself."""
    return _UNSAFE in program.code


def own_lints(
    program: Program, errors: Sequence[Diagnostic], refuse: Callable[[str], list[Diagnostic]]
) -> list[Diagnostic]:
    """Those of `errors` that a program has as it was written, and unsafe code if it denies that.

    `refuse` shows rustc a source.
    """
    last = program.code.count("\n") + 1  # what follows is ours
    as_written = [error for error in _as_written(program, refuse) if error.line <= last]
    known = {(e.code, e.line) for e in as_written if e.code not in _OF_OUR_MAKING}
    own = [error for error in errors if (error.code, error.line) in known]
    return own + [error for error in as_written if error.code == _UNSAFE]


def _as_written(program: Program, refuse: Callable[[str], list[Diagnostic]]) -> list[Diagnostic]:
    """What lints say of the answer by itself, and with the prelude where it needs that."""
    found: list[Diagnostic] = []
    for with_prelude in (False, True):
        found = errors_among(refuse(source_as_written(program, with_prelude=with_prelude)))
        if not found or only_lints(found):
            break
    return [error for error in found if error.is_lint]

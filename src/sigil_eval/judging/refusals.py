"""Turn what rustc refuses into verdicts."""

from __future__ import annotations

from collections.abc import Iterable

from sigil_eval.judging import verdict as verdicts
from sigil_eval.judging.diagnostics import Diagnostic, error_codes, show_errors
from sigil_eval.judging.verdict import Verdict


def refused(errors: Iterable[Diagnostic], *, uses_unsafe: bool | None) -> Verdict:
    """The answer itself does not compile; `errors` holds at least one."""
    ordered = _in_order(errors)
    return verdicts.not_compiled(
        "compile_error",
        ordered[0].message,
        show_errors(ordered, "answer.rs"),
        error_codes(ordered),
        uses_unsafe=uses_unsafe,
    )


def misfit(errors: Iterable[Diagnostic], *, uses_unsafe: bool | None) -> Verdict:
    """The answer compiles, and its tests do not with it."""
    ordered = _in_order(errors)
    return verdicts.not_compiled(
        "compile_error",
        "the answer does not fit its tests",
        show_errors(ordered, "tests"),
        error_codes(ordered),
        uses_unsafe=uses_unsafe,
    )


def _in_order(errors: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Each error once, by its place; which of two rustc tells first may depend on neighbours."""
    return sorted(dict.fromkeys(errors), key=_place)


def _place(error: Diagnostic) -> tuple[bool, bool, int, int, str, str]:
    is_summary = error.message.startswith("aborting due to")
    nowhere = error.file is None
    return nowhere, is_summary, error.line, error.column, error.code or "", error.message

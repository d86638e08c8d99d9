"""Turn what rustc refuses into verdicts."""

from __future__ import annotations

from collections.abc import Sequence

from sigil_eval.judging import verdict as verdicts
from sigil_eval.judging.diagnostics import Diagnostic, error_codes, show_errors
from sigil_eval.judging.verdict import Verdict


def refused(errors: Sequence[Diagnostic], *, uses_unsafe: bool = False) -> Verdict:
    """The answer itself does not compile; `errors` holds at least one."""
    return verdicts.not_compiled(
        "compile_error",
        errors[0].message,
        show_errors(errors, "answer.rs"),
        error_codes(errors),
        uses_unsafe=uses_unsafe,
    )


def misfit(errors: Sequence[Diagnostic], *, uses_unsafe: bool = False) -> Verdict:
    """The answer compiles, and its tests do not with it."""
    return verdicts.not_compiled(
        "compile_error",
        "the answer does not fit its tests",
        show_errors(errors, "tests"),
        error_codes(errors),
        uses_unsafe=uses_unsafe,
    )

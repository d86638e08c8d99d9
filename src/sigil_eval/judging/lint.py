"""clippy's lints, for programs that compile."""

from __future__ import annotations

from collections.abc import Sequence

from sigil_eval.answers.program import Program
from sigil_eval.judging.compiler import Compiler, Shown
from sigil_eval.judging.diagnostics import read_diagnostics
from sigil_eval.judging.workplace import Workplace

# The names of the lints a program sets off, sorted; None where the sandbox failed.
Lints = tuple[str, ...] | None


def plan_lint_batches(programs: Sequence[Program], size: int) -> list[list[Program]]:
    """Batches of at most `size` programs that have edition and crates in common."""
    groups: dict[tuple[str, tuple[str, ...]], list[Program]] = {}
    for program in programs:
        groups.setdefault((program.problem.edition, program.problem.crates), []).append(program)
    return [
        group[start : start + size]
        for group in groups.values()
        for start in range(0, len(group), size)
    ]


def lint_batch(compiler: Compiler, workplace: Workplace, batch: Sequence[Program]) -> list[Lints]:
    """The lints of each program of a batch."""
    with workplace.job("clippy") as folder:
        shown = compiler.lint_each(batch, folder)
        return [_lints(what, program) for what, program in zip(shown, batch, strict=True)]


def _lints(shown: Shown, program: Program) -> Lints:
    if shown.failed:
        return ("clippy failed",)
    if shown.diagnostics is None:
        return None
    lines = program.code.count("\n") + 1  # what follows is the harness's
    found = (d.code for d in read_diagnostics(shown.diagnostics) if d.line <= lines)
    return tuple(sorted({name for name in found if name and name.startswith("clippy::")}))

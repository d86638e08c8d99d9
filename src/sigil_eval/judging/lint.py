"""clippy's lints, for programs that compile."""

from __future__ import annotations

from collections.abc import Sequence

from sigil_eval.answers.program import Program
from sigil_eval.judging.batching import may_read_files
from sigil_eval.judging.compiler import Compiler, Shown
from sigil_eval.judging.diagnostics import read_diagnostics
from sigil_eval.judging.workplace import Workplace

_ATTEMPTS = 3
# The names of the lints a program sets off, sorted; None where the sandbox failed.
Lints = tuple[str, ...] | None


def plan_lint_batches(programs: Sequence[Program], size: int) -> list[list[Program]]:
    """Batches of at most `size` programs that have edition and crates in common.

    What could read its neighbours' files has none.
    """
    groups: dict[tuple[str, ...], list[Program]] = {}
    for program in programs:
        alone = program.sha256 if may_read_files(program.code) else ""
        key = (alone, program.problem.edition, *program.problem.crates)
        groups.setdefault(key, []).append(program)
    return [
        group[start : start + size]
        for group in groups.values()
        for start in range(0, len(group), size)
    ]


def lint_batch(compiler: Compiler, workplace: Workplace, batch: Sequence[Program]) -> list[Lints]:
    """The lints of each program of a batch; what is not known of one is asked again."""
    found: dict[Program, Lints] = {}
    for _ in range(_ATTEMPTS):
        waiting = [program for program in batch if found.get(program) is None]
        if waiting:
            with workplace.job("clippy") as folder:
                shown = compiler.lint_each(waiting, folder)
                for what, program in zip(shown, waiting, strict=True):
                    found[program] = _lints(what, program)
    return [found[program] for program in batch]


def _lints(shown: Shown, program: Program) -> Lints:
    if shown.diagnostics is None or shown.was_ended:
        return None
    if shown.status != 0:
        return ("clippy failed",)
    lines = program.code.count("\n") + 1  # what follows is the harness's
    found = (d.code for d in read_diagnostics(shown.diagnostics) if d.line <= lines)
    return tuple(sorted({name for name in found if name and name.startswith("clippy::")}))

"""clippy's lints, for programs that compile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sigil_eval.answers.program import Program
from sigil_eval.judging.batching import may_read_files
from sigil_eval.judging.candidate import crate_source, source_as_written
from sigil_eval.judging.compiler import Compiler, Shown
from sigil_eval.judging.denied import only_lints
from sigil_eval.judging.diagnostics import errors_among, read_diagnostics
from sigil_eval.judging.workplace import Workplace

_ATTEMPTS = 3
_FAILED = "clippy failed"
# Comments between items are not read from an answer, so nothing is said of those that are missing.
_OF_DOCS = frozenset(
    f"clippy::missing_{what}"
    for what in ("docs_in_private_items", "errors_doc", "panics_doc", "safety_doc")
)
# The names of the lints a program sets off, sorted; None where the sandbox failed.
Lints = tuple[str, ...] | None
# Lints with the lines that they are about.
_Found = list[tuple[str, int]]


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
    """The lints of each program of a batch, as it is judged and as it was written.

    What strikes but one of the two comes from what the judge has changed.
    """
    judged = _lint_all(compiler, workplace, {program: crate_source(program) for program in batch})
    written = {
        program: source_as_written(program, with_prelude=True)
        for program, found in judged.items()
        if found
    }
    as_written = _lint_all(compiler, workplace, written)
    return [_of_both(judged[program], as_written.get(program, [])) for program in batch]


def _lint_all(
    compiler: Compiler, workplace: Workplace, sources: Mapping[Program, str]
) -> dict[Program, _Found | None]:
    """What clippy finds in sources of programs; what is not known of one is asked again."""
    found: dict[Program, _Found | None] = dict.fromkeys(sources)
    for _ in range(_ATTEMPTS):
        waiting = [program for program in sources if found[program] is None]
        if waiting:
            texts = [sources[program] for program in waiting]
            with workplace.job("clippy") as folder:
                shown = compiler.lint_each(waiting[0].problem, texts, folder)
                for what, program in zip(shown, waiting, strict=True):
                    found[program] = _read(what, program)
    return found


def _read(shown: Shown, program: Program) -> _Found | None:
    if shown.diagnostics is None or shown.was_ended:
        return None
    diagnostics = list(read_diagnostics(shown.diagnostics))
    # What an answer denies itself is an error.
    if shown.status != 0 and not only_lints(errors_among(diagnostics)):
        return [(_FAILED, 0)]
    lines = program.code.count("\n") + 1  # what follows is the harness's
    return [
        (d.code, d.line)
        for d in diagnostics
        if d.line <= lines and d.code and d.code.startswith("clippy::") and d.code not in _OF_DOCS
    ]


def _of_both(judged: _Found | None, as_written: _Found | None) -> Lints:
    if judged is None or as_written is None:
        return None
    both = set(judged) if (_FAILED, 0) in as_written else {*judged} & {*as_written}
    return tuple(sorted({name for name, _ in both}))

"""Judge many programs at once: those that cannot touch each other, and those that do not parse."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from sigil_eval.answers.program import Program
from sigil_eval.judging.alone import Alone
from sigil_eval.judging.candidate import Candidate, library_root, module_source
from sigil_eval.judging.compiler import ANSWERS, Compiler, Shown
from sigil_eval.judging.diagnostics import (
    Diagnostic,
    depends_on_neighbours,
    errors_among,
    read_diagnostics,
    uses_unsafe,
)
from sigil_eval.judging.errors import COMPILING_FAILED, SandboxFailureError
from sigil_eval.judging.execution import Driver, Drivers, Result
from sigil_eval.judging.objects import intrusions
from sigil_eval.judging.refusals import misfit, refused
from sigil_eval.judging.verdict import Verdict
from sigil_eval.judging.workplace import Workplace, write_source

_PARTS = 12
# How to compile candidates; which of a candidate's files an error may stand in; and its verdict.
_Step = tuple[
    Callable[[list[Candidate]], list[Diagnostic]],
    str,
    Callable[[Program, list[Diagnostic]], Verdict],
]
# What rustc has against programs; None where it might say it otherwise of one that is alone.
_Refusals = dict[Program, Verdict | None]


class Together:
    """Judges batches of programs that have edition and prelude in common and need no crates.

    Whatever a batch cannot tell of a program is found out by judging it alone.
    """

    def __init__(
        self, compiler: Compiler, drivers: Drivers, workplace: Workplace, alone: Alone
    ) -> None:
        self._compiler = compiler
        self._drivers = drivers
        self._workplace = workplace
        self._alone = alone

    def judge_broken(self, batch: Sequence[Program]) -> Iterator[Result]:
        """Have rustc say what is wrong with each; what it accepts after all is judged alone."""
        with self._workplace.job("broken") as folder:
            shown = self._compiler.show_each(batch, folder)
            for program, what in zip(batch, shown, strict=True):
                yield program, _refusal(program, what) or self._alone.judge(program)

    def judge(self, batch: Sequence[Program]) -> Iterator[Result]:
        """Compile `batch` as modules of one library with one driver, and run that."""
        if len(batch) == 1:
            yield batch[0], self._alone.judge(batch[0])
            return
        apart = [program for program in batch if self._drivers.apart(program)]
        if 0 < len(apart) < len(batch):
            yield from self.judge(apart)
            yield from self.judge([program for program in batch if program not in apart])
            return
        with self._workplace.job("batch") as folder:
            refusals, driver = self._compile(batch, folder)
            for program, refusal in refusals.items():
                yield program, refusal or self._alone.judge(program)
            alive = [program for program in batch if program not in refusals]
            if driver is not None:
                yield from self._run(alive, driver)
                return
            # rustc gave up on the whole without naming a culprit: divide until it does. Each time
            # may cost it the whole limit, so there are many parts.
            size = max(1, -(-len(alive) // _PARTS))
            for start in range(0, len(alive), size):
                yield from self.judge(alive[start : start + size])

    def _run(self, alive: Sequence[Program], driver: Driver) -> Iterator[Result]:
        unheard = dict.fromkeys(alive)
        try:
            for program, verdict in self._drivers.run(alive, driver):
                del unheard[program]
                yield program, verdict
        except SandboxFailureError:
            for program in unheard:
                yield program, self._alone.judge(program)

    def _compile(self, batch: Sequence[Program], folder: Path) -> tuple[_Refusals, Driver | None]:
        """Compile what compiles; no driver when rustc fails without naming the programs at fault,
        or when the library has foreign symbols."""
        problem = batch[0].problem
        candidates = [
            Candidate(program, f"c{index}", f"::answers::c{index}")
            for index, program in enumerate(batch)
        ]
        for candidate in candidates:
            write_source(folder / f"{candidate.name}-answer.rs", module_source(candidate.program))

        def compile_library(alive: list[Candidate]) -> list[Diagnostic]:
            names = [candidate.name for candidate in alive]
            root = library_root(names, problem.prelude, self._drivers.common_of(problem))
            write_source(folder / f"{ANSWERS}.rs", root)
            return self._compiler.compile_answers(ANSWERS, problem, folder)

        def link_driver(alive: list[Candidate]) -> list[Diagnostic]:
            return self._drivers.link(alive, ANSWERS, folder)

        refusals: _Refusals = {}
        steps: list[_Step] = [
            (compile_library, "answer.rs", _refuse),
            (link_driver, "tests.rs", lambda _, errors: misfit(errors, uses_unsafe=False)),
        ]
        try:
            linked = all(_leave_out_refused(candidates, refusals, step) for step in steps)
            if linked and not intrusions(folder / "libanswers.rlib"):
                return refusals, self._drivers.take_out(folder, batch[0])
        except COMPILING_FAILED:
            pass
        return refusals, None


def _leave_out_refused(
    candidates: Sequence[Candidate],
    refusals: _Refusals,
    step: _Step,
) -> bool:
    """Compile, leaving out the candidates in whose files rustc finds errors, until it finds none.

    Adds to `refusals`. False when nobody is left, or when rustc names nobody.
    """
    compile_those, file, refuse = step
    while alive := [c for c in candidates if c.program not in refusals]:
        errors = errors_among(compile_those(alive))
        if not errors:
            return True
        errors_of = _by_candidate(errors, file)
        if not errors_of:
            return False
        for candidate in alive:
            if candidate.name in errors_of:
                own = errors_of[candidate.name]
                unsure = any(error.is_lint for error in own) or depends_on_neighbours(
                    own, (c.program.code for c in alive)
                )
                refusals[candidate.program] = None if unsure else refuse(candidate.program, own)
    return False


def _by_candidate(errors: Sequence[Diagnostic], file: str) -> dict[str, list[Diagnostic]]:
    """The errors that stand in a candidate's own `file`, by its name."""
    by_name: dict[str, list[Diagnostic]] = {}
    for error in errors:
        if match := re.fullmatch(rf"(c\d+)-{re.escape(file)}", error.file or ""):
            by_name.setdefault(match.group(1), []).append(error)
    return by_name


def _refusal(program: Program, shown: Shown) -> Verdict | None:
    """What rustc has against a program, where that is known in full."""
    if shown.diagnostics is None or not shown.is_refused:
        return None
    found = list(read_diagnostics(shown.diagnostics))
    errors = errors_among(found)
    if not errors or any(error.is_lint for error in errors):
        return None
    return refused(errors, uses_unsafe=uses_unsafe(program.code, found))


def _refuse(program: Program, errors: list[Diagnostic]) -> Verdict:
    return refused(errors, uses_unsafe=uses_unsafe(program.code, errors))

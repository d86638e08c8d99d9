"""Judge many programs at once: those that cannot touch each other, and those that do not parse."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
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
# Fewer broken programs than these are shown one by one.
_FEW = 6
# A candidate's file.
_ANSWER = "answer.rs"
# Found when names are resolved, when experimental syntax is refused, when types are checked, and
# when borrows are.
_WITNESS = """pub fn named() { nowhere() }
pub fn gated() { become named() }
pub fn typed() -> u8 { "" }
pub fn moved() { let a = String::new(); let _b = a; let _c = a; }
"""
_EXPERIMENTAL = "E0658"
_WITNESSED = {"E0425", _EXPERIMENTAL, "E0308", "E0382"}
# How to compile candidates; which of a candidate's files an error may stand in; and its verdict.
_Refuse = Callable[[Program, list[Diagnostic]], Verdict]
_Step = tuple[Callable[[list[Candidate]], list[Diagnostic]], str, _Refuse]
# What rustc has against programs; None where it might say it otherwise of one that is alone.
_Refusals = dict[Program, Verdict | None]


class Together:
    """Judges batches of programs that have edition, prelude and crates in common.

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
        """Have rustc say in one go what is wrong with each.

        It might end early for the sake of one of them, and leave out something of the others. So
        it is shown a witness besides, of whose errors each is found in another step: where it tells
        all of them, it has taken every step with all.
        """
        if len(batch) < _FEW:
            yield from self.judge_torn(batch)
            return
        with self._workplace.job("broken") as folder:
            refusals = self._refuse(batch, folder)
        if refusals is None:
            middle = len(batch) // 2
            yield from self.judge_broken(batch[:middle])
            yield from self.judge_broken(batch[middle:])
            return
        for program in batch:
            yield program, refusals.get(program) or self._alone.judge(program)

    def judge_torn(self, batch: Sequence[Program]) -> Iterator[Result]:
        """Have rustc say what is wrong with each; what it accepts after all is judged alone."""
        with self._workplace.job("torn") as folder:
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
        problem, candidates = batch[0].problem, _lay_out(batch, folder)

        def compile_library(alive: list[Candidate]) -> list[Diagnostic]:
            names = [candidate.name for candidate in alive]
            root = library_root(names, problem.prelude, self._drivers.common_of(problem))
            write_source(folder / f"{ANSWERS}.rs", root)
            return self._compiler.compile_answers(ANSWERS, problem, folder)

        def link_driver(alive: list[Candidate]) -> list[Diagnostic]:
            return self._drivers.link(alive, ANSWERS, folder)

        refusals: _Refusals = {}
        steps: list[_Step] = [
            (compile_library, _ANSWER, _refusal_of),
            (link_driver, "tests.rs", lambda _, errors: misfit(errors, uses_unsafe=False)),
        ]
        try:
            linked = all(_leave_out_refused(candidates, refusals, step) for step in steps)
            if linked and not intrusions(folder / "libanswers.rlib"):
                return refusals, self._drivers.take_out(folder, batch[0])
        except COMPILING_FAILED:
            pass
        return refusals, None

    def _refuse(self, batch: Sequence[Program], folder: Path) -> _Refusals | None:
        """What rustc has against programs that do not parse; None where it may not have said all,
        and nothing of those against whom it has nothing."""
        candidates = _lay_out(batch, folder)
        witness = f"c{len(batch)}"
        write_source(folder / f"{witness}-answer.rs", _WITNESS)
        names = [*(candidate.name for candidate in candidates), witness]
        root = library_root(names, batch[0].problem.prelude)
        write_source(folder / f"{ANSWERS}.rs", root)
        try:
            found = self._compiler.compile_answers(ANSWERS, batch[0].problem, folder)
        except COMPILING_FAILED:
            return None
        errors_of = _by_candidate(errors_among(found), _ANSWER)
        if not _WITNESSED.issubset(error.code for error in errors_of.pop(witness, [])):
            return None
        # By itself, one that breaks off is not asked for experimental syntax any more.
        errors_of = {
            name: own
            for name, own in errors_of.items()
            if not any(error.code == _EXPERIMENTAL for error in own)
        }
        refusals: _Refusals = {}
        _add_refusals(refusals, candidates, errors_of, _refusal_of)
        return refusals


def _lay_out(batch: Sequence[Program], folder: Path) -> list[Candidate]:
    """Programs as modules of a library, each in a file of its own."""
    candidates = [
        Candidate(program, f"c{index}", f"::answers::c{index}")
        for index, program in enumerate(batch)
    ]
    for candidate in candidates:
        write_source(folder / f"{candidate.name}-{_ANSWER}", module_source(candidate.program))
    return candidates


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
        _add_refusals(refusals, alive, errors_of, refuse)
    return False


def _add_refusals(
    refusals: _Refusals,
    alive: Sequence[Candidate],
    errors_of: Mapping[str, list[Diagnostic]],
    refuse: _Refuse,
) -> None:
    """Add what is against each of the candidates that have errors."""
    for candidate in alive:
        if own := errors_of.get(candidate.name):
            unsure = any(error.is_lint for error in own) or depends_on_neighbours(
                own, (c.program.code for c in alive)
            )
            refusals[candidate.program] = None if unsure else refuse(candidate.program, own)


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


def _refusal_of(program: Program, errors: list[Diagnostic]) -> Verdict:
    return refused(errors, uses_unsafe=uses_unsafe(program.code, errors))

"""Judge one program by itself: a library, a driver and a sandbox of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal

from sigil_eval.answers.program import Program
from sigil_eval.judging import verdict as verdicts
from sigil_eval.judging.candidate import Candidate, crate_source
from sigil_eval.judging.compiler import Compiler
from sigil_eval.judging.denied import may_deny_unsafe, only_lints, own_lints
from sigil_eval.judging.diagnostics import (
    STDERR_LIMIT,
    Diagnostic,
    errors_among,
    uses_unsafe,
)
from sigil_eval.judging.errors import (
    CompilerCrashError,
    CompileTimeoutError,
    NoRoomError,
    SandboxFailureError,
    WallClockError,
)
from sigil_eval.judging.execution import Driver, Drivers, is_whole
from sigil_eval.judging.limits import Limits
from sigil_eval.judging.objects import intrusions
from sigil_eval.judging.refusals import misfit, refused
from sigil_eval.judging.verdict import PlusEnding, Verdict
from sigil_eval.judging.workplace import Workplace, write_source

_ATTEMPTS = 3
_REASON_LIMIT = 2000


class Alone:
    """Judges programs one by one; a sandbox that fails is tried again.

    `retries` counts how often that was needed. `stopping` is set when nothing is waited for any
    more.
    """

    def __init__(
        self,
        compiler: Compiler,
        drivers: Drivers,
        limits: Limits,
        workplace: Workplace,
        stopping: threading.Event,
    ) -> None:
        self.retries = 0
        self._compiler = compiler
        self._drivers = drivers
        self._limits = limits
        self._workplace = workplace
        self._stopping = stopping

    def judge_finally(self, program: Program) -> Verdict:
        """The verdict with the machine to itself: now the wall clock counts."""
        try:
            verdict, flagged = self._judge(program)
        except WallClockError:
            detail = f"compiling was not done after {self._limits.compile_wall:g} s"
            return _not_compiled(program, "compile_timeout", f"{detail}, with nothing else running")
        detail = f"not done after {self._limits.run_wall:g} s, with nothing else running"
        too_slow = replace(verdicts.not_passed("test_timeout", detail), uses_unsafe=flagged)
        if verdict is None:
            return too_slow
        slow = PlusEnding("test_timeout", detail)
        return verdict if is_whole(program, verdict) else replace(verdict, plus=slow)

    def judge_each(self, programs: Sequence[Program]) -> Iterator[tuple[Program, Verdict | None]]:
        """One after the other."""
        for program in programs:
            yield program, self.judge(program)

    def judge(self, program: Program) -> Verdict | None:
        """None when the wall clock ran out, which may not be the program's fault."""
        try:
            return self._judge(program)[0]
        except WallClockError:
            return None

    def _judge(self, program: Program) -> tuple[Verdict | None, bool | None]:
        """The verdict, None when the wall clock ended the tests, and whether there is unsafe code.

        Raises WallClockError when that ended a compiler.
        """
        if missing := self._compiler.missing_crates(program.problem):
            needs = f"needs the crate {', '.join(missing)}, which is not here"
            return verdicts.unscorable(needs), None
        reason = ""
        for attempt in range(_ATTEMPTS):
            self.retries += attempt > 0
            # What the machine lacks now, it may have again soon.
            if self._stopping.wait(2 * attempt):
                break
            try:
                return self._try(program)
            except SandboxFailureError as failure:
                reason = str(failure)
                if isinstance(failure, NoRoomError) and attempt == _ATTEMPTS - 1:
                    raise
        return verdicts.infrastructure("the sandbox failed", reason[:_REASON_LIMIT]), None

    def _try(self, program: Program) -> tuple[Verdict | None, bool | None]:
        with self._workplace.job("alone") as folder:
            outcome = self._compile(program, folder)
            if isinstance(outcome, Verdict):
                return outcome, outcome.uses_unsafe
            ((_, verdict),) = self._drivers.run([program], outcome)
            return verdict, outcome.uses_unsafe

    def _compile_answer(self, program: Program, folder: Path) -> list[Diagnostic]:
        """What rustc says of `program`, without lints that strike what the judge has changed."""
        problem = program.problem
        found = self._compiler.compile_answers("answer", problem, folder)
        errors = errors_among(found)
        if not only_lints(errors) if errors else not may_deny_unsafe(program):
            return found
        refuse = partial(self._compiler.compile_written, problem, folder)
        own = own_lints(program, errors, refuse)
        if errors and not own:
            return self._compiler.compile_answers("answer", problem, folder, denying=False)
        return [*(one for one in found if not one.is_error), *own]

    def _compile(self, program: Program, folder: Path) -> Driver | Verdict:
        """The driver that tests `program`, or why there is none."""
        write_source(folder / "answer.rs", crate_source(program))
        try:
            found = self._compile_answer(program, folder)
            flagged = uses_unsafe(program.code, found)
            if errors := errors_among(found):
                return refused(errors, uses_unsafe=flagged)
            if taken := intrusions(folder / "libanswer.rlib"):
                return verdicts.not_compiled(
                    "compile_error",
                    "defines symbols or start-up code that could replace the judge's own",
                    "\n".join(taken)[:STDERR_LIMIT],
                    uses_unsafe=True,
                )
            found = self._drivers.link([Candidate(program, "c0", "::answer")], "answer", folder)
        except CompileTimeoutError as limit:
            return _not_compiled(program, "compile_timeout", str(limit))
        except CompilerCrashError as crash:
            said = str(crash)[:_REASON_LIMIT]
            return _not_compiled(program, "compile_error", "rustc crashed", said)
        if errors := errors_among(found):
            return misfit(errors, uses_unsafe=flagged)
        return self._drivers.take_out(folder, program, uses_unsafe=flagged)


def _not_compiled(
    program: Program, kind: Literal["compile_error", "compile_timeout"], detail: str, said: str = ""
) -> Verdict:
    """rustc has not come to an end with `program`."""
    flagged = uses_unsafe(program.code, None)
    return verdicts.not_compiled(kind, detail, said, uses_unsafe=flagged)

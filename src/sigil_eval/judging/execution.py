"""Link drivers with the candidates they test, and run them in the sandbox."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sigil_eval.answers.program import Program
from sigil_eval.judging.apart import answer_module, answers_root, inline_module
from sigil_eval.judging.candidate import Candidate
from sigil_eval.judging.compiler import Compiler
from sigil_eval.judging.contract import contract_of
from sigil_eval.judging.diagnostics import Diagnostic
from sigil_eval.judging.driver import driver_module, driver_root
from sigil_eval.judging.endings import judge_ending, read_endings
from sigil_eval.judging.errors import SandboxFailureError
from sigil_eval.judging.limits import Limits
from sigil_eval.judging.sandbox import Sandbox
from sigil_eval.judging.suites import Suites
from sigil_eval.judging.verdict import Verdict
from sigil_eval.judging.workplace import Workplace, write_source
from sigil_eval.problems import Problem

# The file that a driver is compiled from; its name is shown where a panic is put down to a caller.
TESTS = "tests.rs"
# A program, and its verdict: None when the wall clock ran out before that was certain.
Result = tuple[Program, Verdict | None]


@dataclass(frozen=True)
class Driver:
    """What runs tests, in a folder of its own: `command`, for one candidate or many.

    `one_process` tells that the tests share a process with their candidate.
    """

    folder: Path
    command: tuple[str, ...]
    one_process: bool
    uses_unsafe: bool | None = False


class Drivers:
    """Makes drivers and runs them."""

    def __init__(
        self,
        compiler: Compiler,
        suites: Suites,
        sandbox: Sandbox,
        limits: Limits,
        workplace: Workplace,
    ) -> None:
        self._compiler = compiler
        self._suites = suites
        self._sandbox = sandbox
        self._limits = limits
        self._workplace = workplace

    def apart(self, program: Program) -> bool:
        """Whether a program's tests run in another process than its code."""
        return self._suites.of(program.problem) is not None

    def common_of(self, problem: Problem) -> str:
        """What answers to problems like this one may be linked with; see `Suites`."""
        return self._suites.common_of(problem)

    def link(self, candidates: Sequence[Candidate], library: str, folder: Path) -> list[Diagnostic]:
        """Compile the driver of `candidates`, which lie in `library`; rustc's diagnostics.

        Either all of them are `apart` from their tests, or none. An error's file and line say whose
        it is, as if each candidate's side had a file of its own. Raises what `Compiler` does.
        """
        problem = candidates[0].program.problem
        modules: dict[str, str] = {}
        sides: set[str] = set()
        for candidate in candidates:
            suite = self._suites.of(candidate.program.problem)
            if suite is None:
                source = driver_module(candidate.program.problem, candidate.path)
                write_source(folder / f"{candidate.name}-{TESTS}", source)
            else:
                source = answer_module(candidate.program.problem, candidate.path, suite.calls)
                sides.add(suite.calls_library)
            modules[candidate.name] = source
        if sides:
            root = answers_root(modules, problem.prelude, [library, *sorted(sides)])
        else:
            root = driver_root(modules, problem.prelude, library)
        write_source(folder / TESTS, root)
        found = self._compiler.link_driver(TESTS, [library, *sides], problem, folder)
        return [_in_own_file(diagnostic, modules) for diagnostic in found]

    def take_out(
        self, folder: Path, program: Program, *, uses_unsafe: bool | None = False
    ) -> Driver:
        """Move the driver of `program`, and perhaps others, into a folder that holds nothing else
        a candidate could read."""
        inner = folder / "run"
        inner.mkdir()
        (folder / "driver").replace(inner / "driver")
        command = [str(inner / "driver")]
        if self.apart(program):
            os.link(self._suites.binary, inner / "tests")
            command.insert(0, str(inner / "tests"))
        self._workplace.give(inner)
        return Driver(inner, tuple(command), len(command) == 1, uses_unsafe)

    def run(self, programs: Sequence[Program], driver: Driver) -> Iterator[Result]:
        """Run the tests of a driver's candidates, one after the other in one sandbox.

        Raises SandboxFailureError when it ends before all have been heard of.
        """
        limits = self._limits
        nonces = [secrets.token_hex(16) for _ in programs]
        orders = "".join(
            f"{index} {self._suite_number(index, program)} {nonce}\n"
            for index, (program, nonce) in enumerate(zip(programs, nonces, strict=True))
        )
        finished = self._sandbox.run(
            "run",
            driver.command,
            folder=driver.folder,
            timeout=limits.tests_wall(len(programs)),
            stdin=f"{limits.driver_wall} {limits.run_cpu}\n{orders}".encode(),
        )
        endings = list(read_endings(finished.stdout))
        for program, nonce, ending in zip(programs, nonces, endings, strict=False):
            tests = len(contract_of(program.problem).tests)
            verdict = judge_ending(ending, nonce, tests, limits.run_seconds)
            if verdict is not None:
                verdict = replace(
                    verdict, uses_unsafe=driver.uses_unsafe, one_process=driver.one_process
                )
            yield program, verdict
        if len(endings) < len(programs):
            said = finished.stderr.decode("utf-8", "replace")
            raise SandboxFailureError(f"the driver ended with status {finished.status}: {said}")

    def _suite_number(self, index: int, program: Program) -> int:
        """Where a program's tests are, in the test binary or in the driver of its own."""
        suite = self._suites.of(program.problem)
        return index if suite is None else suite.number


def _in_own_file(diagnostic: Diagnostic, modules: Mapping[str, str]) -> Diagnostic:
    """What rustc says of one of the inline modules, by the lines of that alone."""
    if diagnostic.file != TESTS:
        return diagnostic
    before = 0
    for name, source in modules.items():
        lines = inline_module(name, source).count("\n")
        if before < diagnostic.line <= before + lines:
            return replace(diagnostic, file=f"{name}-{TESTS}", line=diagnostic.line - before)
        before += lines
    return diagnostic

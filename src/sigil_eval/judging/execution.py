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
from sigil_eval.judging.diagnostics import Diagnostic, errors_among
from sigil_eval.judging.driver import driver_module, driver_root
from sigil_eval.judging.endings import judge_ending, read_endings
from sigil_eval.judging.errors import SandboxFailureError
from sigil_eval.judging.limits import Limits
from sigil_eval.judging.sandbox import Sandbox
from sigil_eval.judging.suites import Suites
from sigil_eval.judging.verdict import PlusEnding, Verdict
from sigil_eval.judging.workplace import Workplace, write_source
from sigil_eval.problems import Problem

# The file that a driver is compiled from; its name is shown where a panic is put down to a caller.
TESTS = "tests.rs"
_PLUS = "plus"
# A program, and its verdict: None, or one that is not whole, when the wall clock ran out before.
Result = tuple[Program, Verdict | None]


def is_whole(program: Program, verdict: Verdict | None) -> bool:
    """Whether a verdict is certain, and says how the plus cases ended where they were to be run."""
    if verdict is None:
        return False
    return not (verdict.passed and program.problem.plus and verdict.plus is None)


@dataclass(frozen=True)
class Driver:
    """What runs tests, in a folder of its own: `command`, for one candidate or many.

    `one_process` tells that the tests share a process with their candidate.
    """

    folder: Path
    command: tuple[str, ...]
    one_process: bool
    uses_unsafe: bool | None = False


@dataclass(frozen=True)
class _Order:
    """Run the tests of a problem on the candidate of this index; `place` is where they stand in a
    driver that holds its candidates' tests."""

    index: int
    problem: Problem
    place: int


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
        found = [(c, self._suites.of(c.program.problem)) for c in candidates]
        suites = [(candidate, suite) for candidate, suite in found if suite is not None]
        sides = {suite.calls_library for _, suite in suites}
        if suites:
            modules = {c.name: answer_module(c.program.problem, c.path, s.calls) for c, s in suites}
            root = answers_root(modules, problem.prelude, [library, *sorted(sides)])
        else:
            modules = _drivers_of(candidates)
            for name, source in modules.items():
                write_source(folder / f"{name}-{TESTS}", source)
            root = driver_root(modules, problem.prelude, library)
        write_source(folder / TESTS, root)
        said = self._compiler.link_driver(TESTS, [library, *sides], problem, folder)
        placed = [_in_own_file(diagnostic, modules) for diagnostic in said]
        # What an answer does not fit is told once, and the plus cases ask for nothing else.
        of_tests = [d for d in placed if not (d.file or "").endswith(f"{_PLUS}-{TESTS}")]
        return of_tests if errors_among(of_tests) else placed

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
        """Run the tests of a driver's candidates, one after the other in one sandbox; then those
        that pass are run with their plus cases, where they have some.

        Raises SandboxFailureError when it ends before all have been heard of.
        """
        orders = [_Order(index, p.problem, index) for index, p in enumerate(programs)]
        behind = len(programs)  # where the plus cases begin in a driver of their own
        passed: dict[_Order, Verdict] = {}
        for order, verdict in self._run(orders, driver):
            problem = order.problem
            if verdict is not None and verdict.passed and problem.plus:
                passed[_Order(order.index, problem.with_plus_first, behind)] = verdict
            else:
                yield programs[order.index], verdict
            behind += bool(problem.plus)
        for order, found in self._run(list(passed), driver) if passed else ():
            plus = PlusEnding(found.error_type, found.detail, found.stderr) if found else None
            yield programs[order.index], replace(passed[order], plus=plus)

    def _run(
        self, orders: Sequence[_Order], driver: Driver
    ) -> Iterator[tuple[_Order, Verdict | None]]:
        limits = self._limits
        nonces = [secrets.token_hex(16) for _ in orders]
        lines = "".join(
            f"{order.index} {self._suite_number(order)} {nonce}\n"
            for order, nonce in zip(orders, nonces, strict=True)
        )
        finished = self._sandbox.run(
            "run",
            driver.command,
            folder=driver.folder,
            timeout=limits.tests_wall(len(orders)),
            stdin=f"{limits.driver_wall} {limits.run_cpu}\n{lines}".encode(),
        )
        endings = list(read_endings(finished.stdout, (order.index for order in orders)))
        for order, nonce, ending in zip(orders, nonces, endings, strict=False):
            tests = len(contract_of(order.problem).tests)
            verdict = judge_ending(ending, nonce, tests, limits.run_seconds)
            if verdict is not None:
                verdict = replace(
                    verdict, uses_unsafe=driver.uses_unsafe, one_process=driver.one_process
                )
            yield order, verdict
        if len(endings) < len(orders):
            said = finished.stderr.decode("utf-8", "replace")
            raise SandboxFailureError(f"the driver ended with status {finished.status}: {said}")

    def _suite_number(self, order: _Order) -> int:
        """Where the tests are, in the test binary or in the driver of the program's own."""
        suite = self._suites.of(order.problem)
        return order.place if suite is None else suite.number


def _drivers_of(candidates: Sequence[Candidate]) -> dict[str, str]:
    """The modules of tests that share a process with their candidates, and behind them those of
    the plus cases."""
    modules = {c.name: driver_module(c.program.problem, c.path) for c in candidates}
    for candidate in candidates:
        if candidate.program.problem.plus:
            problem = candidate.program.problem.with_plus_first
            modules[f"{candidate.name}{_PLUS}"] = driver_module(problem, candidate.path)
    return modules


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

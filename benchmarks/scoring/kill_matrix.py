"""Which cases notice which mutants of a problem: compiled and run in the judge's sandbox.

All mutants are modules of one library, and all cases functions of one driver, `kill_matrix.rs`, so
that a thousand cases on a hundred mutants take seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from mutants import Mutant

from sigil_eval.answers.program import Program
from sigil_eval.judging.candidate import library_root, module_source, prelude_module
from sigil_eval.judging.compiler import ANSWERS, Compiler
from sigil_eval.judging.contract import contract_of, reference_source
from sigil_eval.judging.crates import find_crates
from sigil_eval.judging.diagnostics import errors_among, show_errors
from sigil_eval.judging.driver import scope
from sigil_eval.judging.errors import SandboxFailureError
from sigil_eval.judging.limits import Limits
from sigil_eval.judging.sandbox import FirejailSandbox
from sigil_eval.judging.self_test import self_test
from sigil_eval.judging.toolchain import find_toolchain
from sigil_eval.judging.workplace import Workplace, new_workplace, shared_folder, write_source
from sigil_eval.kept import Kept
from sigil_eval.problems import Problem

# A process that runs cases ends itself long before this processor time; what takes more memory has
# gone wrong.
_LIMITS = Limits(compile_seconds=300, run_seconds=60, run_memory=512 << 20)
_ALL_WALL = 3600
_DRIVER = Path(__file__).with_suffix(".rs")
_SOURCE = "matrix.rs"


class KillMatrix:
    """Runs cases on mutants. Use as a context manager, from as many threads as you like."""

    def __init__(self) -> None:
        """Raises PreflightError when there is no compiler, or no sandbox that holds."""
        toolchain = find_toolchain()
        self._claimed = new_workplace()
        root = self._claimed.folder
        try:
            self._sandbox = FirejailSandbox(toolchain, _LIMITS, shared_folder(root))
            self._workplace = Workplace(root, self._sandbox.identity)
            crates = find_crates(toolchain)
            self._compiler = Compiler(
                toolchain, crates, self._sandbox, _LIMITS, self._workplace, Kept(None)
            )
            with self._workplace.job("probe") as folder:
                self_test(self._sandbox, toolchain, folder)
            self._compiler.prepare()
        except BaseException:
            self._claimed.remove()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._claimed.remove()

    def noticed(
        self, problem: Problem, cases: Sequence[str], mutants: Sequence[Mutant], helpers: str = ""
    ) -> dict[Mutant, set[int]]:
        """The indexes of the cases that notice each mutant; without mutants that do not compile.

        A case is a Rust statement that panics on a wrong answer; it calls the problem's functions,
        and items of `helpers`, by name. A mutant that ends its process, by an endless loop or a
        stack that is full, is noticed by the case at hand; after three of those the others are not
        tried. The same in every run.

        Raises ValueError when the cases do not compile, or one of them fails the reference answer.
        """
        reference = Program(problem, reference_source(problem))
        programs = [reference, *(mutant.program for mutant in mutants)]
        # A type of the problem's own is another one in each module, so each has cases of its own.
        batches = [[one] for one in programs] if contract_of(problem).types else [programs]
        rows = {
            program: row
            for batch in batches
            for program, row in self._tried(problem, cases, batch, helpers).items()
        }
        if rows[reference]:
            wrong = cases[min(rows[reference])]
            raise ValueError(f"{problem.task_id}: the reference answer fails: {wrong}")
        return {one: rows[one.program] for one in mutants if one.program in rows}

    def _tried(
        self, problem: Problem, cases: Sequence[str], programs: Sequence[Program], helpers: str
    ) -> dict[Program, set[int]]:
        """The indexes of the cases that notice each program, of those that compile."""
        with self._workplace.job("matrix") as folder:
            alive = self._compile(problem, {f"c{i}": one for i, one in enumerate(programs)}, folder)
            if not alive:
                return {}
            write_source(folder / _SOURCE, _driver(problem, cases, list(alive), helpers))
            found = self._compiler.link_driver(_SOURCE, [ANSWERS], problem, folder)
            if errors := errors_among(found):
                raise ValueError(f"{problem.task_id}: {show_errors(errors, _SOURCE)}")
            finished = self._sandbox.run(
                "run", [str(folder / "driver")], folder=folder, timeout=_ALL_WALL, stdin=b""
            )
            lines = finished.stdout.decode().split("\n")[:-1]
            if finished.status or len(lines) < len(alive):
                said = finished.stderr.decode("utf-8", "replace")
                raise SandboxFailureError(f"{problem.task_id}: status {finished.status}: {said}")
        return {
            program: {index for index, mark in enumerate(line) if mark == "!"}
            for program, line in zip(alive.values(), lines, strict=True)
        }

    def _compile(
        self, problem: Problem, modules: dict[str, Program], folder: Path
    ) -> dict[str, Program]:
        """Compile the modules to one library, without those that rustc refuses."""
        for name, program in modules.items():
            write_source(folder / f"{name}-answer.rs", module_source(program))
        while modules:
            write_source(folder / f"{ANSWERS}.rs", library_root(modules, problem.prelude))
            errors = errors_among(self._compiler.compile_answers(ANSWERS, problem, folder))
            if not errors:
                break
            refused = {(error.file or "").removesuffix("-answer.rs") for error in errors}
            if refused.isdisjoint(modules):
                raise ValueError(f"{problem.task_id}: {show_errors(errors, 'answers.rs')}")
            modules = {name: one for name, one in modules.items() if name not in refused}
        return modules


def _driver(problem: Problem, cases: Sequence[str], modules: Sequence[str], helpers: str) -> str:
    """The source of the driver: `kill_matrix.rs`, and what it says is defined behind it."""
    contract = contract_of(problem)
    tables = []
    for function in contract.functions:
        table = f"TABLE_{function.name.upper()}"
        paths = ", ".join(f"::answers::{name}::{function.name}" for name in modules)
        tables.append(f"static {table}: &[{function.pointer}] = &[{paths}];\n")
        tables.append(function.definition(f"{table}[mutant()]"))
    types = ", ".join(contract.types)
    return "".join(
        [
            f"extern crate {ANSWERS};\n{_DRIVER.read_text()}\n",
            f"const MUTANTS: usize = {len(modules)};\n",
            *tables,
            f"use ::answers::{modules[0]}::{{{types}}};\n{scope(problem)}{helpers}\n",
            "static CASES: &[fn()] = &[\n",
            *(f"|| {{ {case} }},\n" for case in cases),
            f"];\n{prelude_module(problem.prelude)}\n",
        ]
    )

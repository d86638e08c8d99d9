"""Tests, compiled once for all the candidates of a problem."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from concurrent.futures import Executor

from sigil_eval.judging.compiler import Compiler
from sigil_eval.judging.contract import contract_of
from sigil_eval.judging.diagnostics import errors_among
from sigil_eval.judging.driver import suite_module, suite_root
from sigil_eval.judging.errors import COMPILING_FAILED
from sigil_eval.judging.workplace import Workplace, write_source
from sigil_eval.problems import Problem

_SUITE_SIZE = 40


class Suites:
    """The libraries of compiled tests that drivers link with; each holds several problems'."""

    def __init__(self, compiler: Compiler, workplace: Workplace) -> None:
        self._compiler = compiler
        self._workplace = workplace
        self._paths: dict[Problem, str] = {}

    @property
    def libraries(self) -> set[str]:
        """The names of the libraries that hold a problem's tests."""
        return {path.split("::")[1] for path in self._paths.values()}

    def path_of(self, problem: Problem) -> str | None:
        """The module of a problem's compiled tests, such as `::suite0::p7`; None without them."""
        return self._paths.get(problem)

    def compile(self, problems: Iterable[Problem], workers: Executor) -> None:
        """Compile the tests of `problems`, as far as they do not depend on an answer's types."""
        groups: dict[tuple[str, str], list[Problem]] = {}
        new = set(problems) - self._paths.keys()
        for problem in sorted(new, key=lambda problem: problem.task_id):
            if not problem.crates and contract_of(problem).portable:
                groups.setdefault((problem.edition, problem.prelude), []).append(problem)
        parts = [
            group[start : start + _SUITE_SIZE]
            for group in groups.values()
            for start in range(0, len(group), _SUITE_SIZE)
        ]
        first = len(list(self._workplace.shared.glob("libsuite*.rlib")))
        names = [f"suite{first + index}" for index in range(len(parts))]
        for paths in workers.map(self._compile, names, parts):
            self._paths |= paths

    def _compile(self, name: str, problems: list[Problem]) -> dict[Problem, str]:
        """Compile one library; returns where the tests of each problem lie in it.

        One that fails leaves the tests to be compiled with each answer, where the error is shown.
        """
        edition, prelude = problems[0].edition, problems[0].prelude
        modules = {f"p{index}": problem for index, problem in enumerate(problems)}
        with self._workplace.job("suite") as folder:
            for module, problem in modules.items():
                (folder / module).mkdir()
                write_source(folder / module / "tests.rs", suite_module(problem))
            write_source(folder / "suite.rs", suite_root(modules, prelude))
            with contextlib.suppress(*COMPILING_FAILED):
                if not errors_among(self._compiler.compile_suite(name, edition, folder)):
                    return {problem: f"::{name}::{module}" for module, problem in modules.items()}
        return {}

"""What is compiled once for all the candidates of a problem: its tests, and how it is called."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sigil_eval.answers.program import Program
from sigil_eval.errors import PreflightError
from sigil_eval.judging.apart import (
    calls_module,
    common_module,
    may_be_apart,
    side_root,
    suite_module,
    suites_main,
)
from sigil_eval.judging.batching import kind_of
from sigil_eval.judging.compiler import Compiler
from sigil_eval.judging.contract import contract_of, reference_source
from sigil_eval.judging.diagnostics import Diagnostic, errors_among, show_errors
from sigil_eval.judging.errors import (
    CompilerCrashError,
    CompileTimeoutError,
    SandboxFailureError,
    WallClockError,
)
from sigil_eval.judging.workplace import Workplace, write_source
from sigil_eval.problems import Problem

_SUITE_SIZE = 40
_ATTEMPTS = 3
# So many problems make it worth while to compile what their answers have in common.
_WORTH_COMMON = 20
# The source of a problem's side.
_Source = Callable[[Problem], str]
# Where the sides of some problems lie, such as `::tests0::p7` and `::calls0::p7`.
_Sides = dict[Problem, tuple[str, str]]


@dataclass(frozen=True)
class Suite:
    """A problem whose tests run apart from its answers.

    `number` is its place in the test binary, `calls` the path of its calls' side.
    """

    number: int
    calls: str

    @property
    def calls_library(self) -> str:
        """The library that `calls` lies in."""
        return self.calls.split("::")[1]


class Suites:
    """The problems whose tests run apart from their answers, and the binary that runs them.

    No compiler of an answer's sees where the tests lie.
    """

    def __init__(self, compiler: Compiler, workplace: Workplace) -> None:
        self._compiler = compiler
        self._workplace = workplace
        self._folder = workplace.root / "tests"
        self._sides: _Sides = {}
        self._suites: dict[Problem, Suite] = {}
        self._common: dict[tuple[str, str], str] = {}
        self._seen: set[Problem] = set()
        self._rounds = 0
        self.binary = self._folder

    def of(self, problem: Problem) -> Suite | None:
        """Where a problem's sides are; None for one that is judged in one process."""
        return self._suites.get(problem)

    def common_of(self, problem: Problem) -> str:
        """The library of what answers to problems like this one have in common, or nothing."""
        return self._common.get((problem.edition, problem.prelude), "")

    def compile(self, problems: Iterable[Problem], workers: Executor) -> None:
        """Compile both sides of those of `problems` whose functions and types can be sent, and so
        for their plus cases.

        Raises PreflightError where the sandbox fails again and again: that is no reason to judge
        a problem in another way than otherwise.
        """
        self._folder.mkdir(exist_ok=True)
        asked = {*problems}
        asked |= {problem.with_plus_first for problem in asked if problem.plus}
        new = sorted(asked - self._seen, key=lambda problem: (problem.task_id, problem.test))
        self._seen.update(new)
        groups = list(self._groups(new))
        called = self._compile_all("calls", groups, calls_module, workers)
        shared = self._compile_all("common", list(_in_common(groups)), common_module, workers)
        parts = [part for group in groups for part in _parts(group)]
        tested = self._compile_all("tests", parts, suite_module, workers)
        self._rounds += 1
        paths = called()
        for problem, path in shared().items():
            self._common.setdefault((problem.edition, problem.prelude), path.split("::")[1])
        sides = {p: (path, paths[p]) for p, path in tested().items() if p in paths}
        if sides:
            self._sides |= sides
            self._link(f"tests_of_{self._rounds}")
        torn = [p for p in new if p in sides and p.plus and p.with_plus_first not in sides]
        if torn:
            named = ", ".join(sorted({problem.task_id for problem in torn}))
            raise PreflightError(f"the plus cases or tests of {named} cannot be compiled")

    def _groups(self, problems: Iterable[Problem]) -> Iterator[list[Problem]]:
        """Those whose sides may lie in one library."""
        groups: dict[tuple[str, str, tuple[str, ...]], list[Problem]] = {}
        for problem in problems:
            if may_be_apart(contract_of(problem)) and not self._compiler.missing_crates(problem):
                key = (problem.edition, problem.prelude, problem.crates)
                groups.setdefault(key, []).append(problem)
        yield from groups.values()

    def _compile_all(
        self, side: str, parts: Sequence[list[Problem]], source: _Source, workers: Executor
    ) -> Callable[[], dict[Problem, str]]:
        """Begin to compile a side of problems, a library a part; call the result to wait for where
        each problem lies. The sides of calls are shared with the answers' compilers."""
        names = [f"{side}{self._rounds}_{index}" for index in range(len(parts))]
        compile_one = partial(self._compile_side, source=source, keep=side == "tests")
        found = workers.map(compile_one, names, parts)
        return lambda: {problem: path for paths in found for problem, path in paths.items()}

    def _compile_side(
        self, name: str, problems: Sequence[Problem], source: _Source, *, keep: bool
    ) -> dict[Problem, str]:
        """Compile a library; returns where each problem lies in it, those with one source in one
        place. Those that rustc refuses, or that take it too long, are left out. `keep` keeps the
        library here and shares it with nobody."""
        if not problems:
            return {}
        texts = {problem: source(problem) for problem in problems}
        modules = {text: f"p{index}" for index, text in enumerate(dict.fromkeys(texts.values()))}
        bad: set[str] = set()
        with self._workplace.job("side") as folder:
            for text, module in modules.items():
                write_source(folder / f"{module}-tests.rs", text)
            root = side_root(modules.values(), problems[0].prelude)
            write_source(folder / f"{name}.rs", root)
            try:
                errors = _insist(self._compiler.compile_side, name, problems[0], folder)
                if not errors:
                    self._put(folder / f"lib{name}.rlib", keep=keep)
                    return {p: f"::{name}::{modules[text]}" for p, text in texts.items()}
                files = {error.file for error in errors}
                bad = {text for text, m in modules.items() if f"{m}-tests.rs" in files}
            except (CompilerCrashError, CompileTimeoutError):
                pass  # it names nobody
        rest = [problem for problem in problems if texts[problem] not in bad]
        if bad:
            return self._compile_side(name, rest, source, keep=keep)
        if len(rest) == 1:
            return {}
        first, second = rest[: len(rest) // 2], rest[len(rest) // 2 :]
        found = self._compile_side(f"{name}a", first, source, keep=keep)
        return found | self._compile_side(f"{name}b", second, source, keep=keep)

    def _put(self, library: Path, *, keep: bool) -> None:
        if keep:
            (self._folder / library.name).write_bytes(library.read_bytes())
        else:
            self._compiler.share(library)

    def _link(self, name: str) -> None:
        """Link the binary of all the tests there are."""
        paths = [tests for tests, _ in self._sides.values()]
        with self._workplace.job("tests") as folder:
            libraries = sorted({f"lib{path.split('::')[1]}.rlib" for path in paths})
            for library in libraries:
                (folder / library).write_bytes((self._folder / library).read_bytes())
            write_source(folder / f"{name}.rs", suites_main(paths))
            errors = _insist(self._compiler.link_tests, name, folder)
            if errors:
                raise PreflightError(f"the tests: {show_errors(errors, name)}")
            self.binary = self._folder / name
            self.binary.write_bytes((folder / name).read_bytes())
            self.binary.chmod(0o755)
        self._suites = {
            problem: Suite(number, calls)
            for number, (problem, (_, calls)) in enumerate(self._sides.items())
        }


def _in_common(groups: Iterable[list[Problem]]) -> Iterator[list[Problem]]:
    """Of each group that is large enough, those whose reference answers keep to themselves."""
    for group in groups:
        known = [problem for problem in group if problem.has_reference and not problem.crates]
        distinct = {reference_source(problem): problem for problem in known}
        plain = [p for text, p in distinct.items() if kind_of(Program(p, text)) == "together"]
        if len(plain) >= _WORTH_COMMON:
            yield plain


def _parts(group: Sequence[Problem]) -> Iterator[list[Problem]]:
    """Tests are many lines: several libraries, which several workers compile."""
    for start in range(0, len(group), _SUITE_SIZE):
        yield list(group[start : start + _SUITE_SIZE])


def _insist[**P](
    compile_one: Callable[P, list[Diagnostic]], *args: P.args, **kwargs: P.kwargs
) -> list[Diagnostic]:
    """The errors of a compilation, which is tried again where the machinery fails."""
    for attempt in range(_ATTEMPTS):
        time.sleep(attempt)  # what the machine lacks now, it may have again soon
        try:
            return errors_among(compile_one(*args, **kwargs))
        except (SandboxFailureError, WallClockError) as failure:
            if attempt == _ATTEMPTS - 1:
                raise PreflightError(f"the tests cannot be compiled: {failure}") from failure
    raise AssertionError

"""Compile programs and run their tests, in the sandbox, on all cores; give each its verdict.

Programs that cannot touch each other are compiled together, as modules of one library with one
driver, which is many times cheaper than one by one (`together.py`); whatever might reach beyond
its module is compiled alone (`alone.py`; `batching.py` tells which). Every program runs in a
process of its own; what was compiled together shares a sandbox. The protocol that keeps a wrong
program from passing is described in ADR-007 and ADR-011.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import threading
import time
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Self

from sigil_eval.answers.program import Program
from sigil_eval.documents.metrics import Fingerprint
from sigil_eval.errors import PreflightError
from sigil_eval.files import stamp_of
from sigil_eval.judging.alone import Alone
from sigil_eval.judging.batching import Batch, plan_batches
from sigil_eval.judging.compiler import Compiler
from sigil_eval.judging.crates import Crates, find_crates
from sigil_eval.judging.errors import COMPILING_FAILED, NoRoomError
from sigil_eval.judging.execution import Drivers, Result, is_whole
from sigil_eval.judging.limits import Limits
from sigil_eval.judging.lint import Lints, lint_batch, plan_lint_batches
from sigil_eval.judging.process import kill_running
from sigil_eval.judging.sandbox import FirejailSandbox, NoSandbox, Sandbox
from sigil_eval.judging.self_test import self_test
from sigil_eval.judging.suites import Suites
from sigil_eval.judging.together import Together
from sigil_eval.judging.toolchain import Toolchain, find_toolchain
from sigil_eval.judging.verdict import Verdict
from sigil_eval.judging.workplace import Workplace, new_workplace, shared_folder
from sigil_eval.kept import Kept, kept_folder
from sigil_eval.problems import Problem
from sigil_eval.settings import CLIPPY, SANDBOX_MODE, ClippyMode, SandboxMode

_ATTEMPTS = 3
_Results = queue.Queue[Result | BaseException]


def default_workers() -> int:
    """24 on the target's 26 cores, else all but two, at least one on each core up to two."""
    cores = os.cpu_count() or 1
    return 24 if cores == 26 else max(min(cores, 2), cores - 2)


@dataclass(frozen=True)
class JudgeSettings:
    """Everything about judging that a person may choose."""

    limits: Limits = field(default_factory=Limits)
    workers: int = field(default_factory=default_workers)
    sandbox_mode: SandboxMode = SANDBOX_MODE.default
    batch_size: int = 256
    clippy: ClippyMode = CLIPPY.default


class Judge:
    """Judges programs in a sandbox that has proved itself. Use as a context manager."""

    def __init__(self, settings: JudgeSettings) -> None:
        """Raises PreflightError when there is no compiler, or no sandbox that holds."""
        self.settings = settings
        self.toolchain: Toolchain = find_toolchain()
        self.crates: Crates = find_crates(self.toolchain)
        self.self_test: list[str] = []
        self._lost = 0
        self._stopping = threading.Event()
        self._claimed = new_workplace()
        self._root = self._claimed.folder
        try:
            self.sandbox = self._open_sandbox()
        except BaseException:
            self._remove()
            raise
        limits = settings.limits
        self._workplace = workplace = Workplace(self._root, self.sandbox.identity)
        kept = Kept(kept_folder("compiled", settings.sandbox_mode))
        self._compiler = Compiler(
            self.toolchain, self.crates, self.sandbox, limits, workplace, kept
        )
        self._suites = Suites(self._compiler, workplace)
        drivers = Drivers(self._compiler, self._suites, self.sandbox, limits, workplace)
        self._alone = Alone(self._compiler, drivers, limits, workplace, self._stopping)
        self._together = Together(self._compiler, drivers, workplace, self._alone)

    def _open_sandbox(self) -> Sandbox:
        if self.settings.sandbox_mode == "none":
            return NoSandbox(self.settings.limits)
        shared = shared_folder(self._root)
        return FirejailSandbox(self.toolchain, self.settings.limits, shared)

    def __enter__(self) -> Self:
        try:
            if self.settings.clippy != "off":
                self.toolchain.require_clippy()
            if self.settings.sandbox_mode == "firejail":
                with self._workplace.job("probe") as folder:
                    self.self_test = self_test(self.sandbox, self.toolchain, folder)
            self._prepare()
        except BaseException:
            self._remove()
            raise
        return self

    def _prepare(self) -> None:
        """Compile what every program is linked with, as often as a sandbox that fails allows."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                self._compiler.prepare()
                return
            except COMPILING_FAILED as failure:
                if attempt == _ATTEMPTS:
                    raise PreflightError(f"the judge's runtime: {failure or 'too slow'}") from None
                time.sleep(attempt)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._remove()

    def _remove(self) -> None:
        self._claimed.remove()

    @property
    def retries(self) -> int:
        """How many programs were tried again alone, or in a sandbox of their own anew."""
        return self._lost + self._alone.retries

    @property
    def _at_once(self) -> int:
        """How many batches are judged at a time: one more than work, for a sandbox that starts
        mostly waits."""
        return self.settings.workers + 1

    def fingerprint(self) -> Fingerprint:
        """What a verdict depends on besides the program: verdicts are reused only under it."""
        limits = self.settings.limits
        return {
            "rustc": self.toolchain.version,
            "sandbox": self.settings.sandbox_mode,
            "compile_seconds": limits.compile_seconds,
            "run_seconds": limits.run_seconds,
            "compile_memory": limits.compile_memory,
            "run_memory": limits.run_memory,
            "crates": sorted(self.crates.rlibs),
        }

    def identity(self) -> str:
        """What tells this judge from another that may say otherwise, but for our own code."""
        user = self.sandbox.identity
        parts = [self.toolchain.identity, self.sandbox.description, user.name if user else ""]
        return "\n".join(
            [*parts, json.dumps(self.fingerprint()), *map(stamp_of, self.crates.rlibs.values())]
        )

    def compile_tests(self, problems: Iterable[Problem]) -> None:
        """Compile the tests of `problems`, while nobody knows yet what to judge by them."""
        with ThreadPoolExecutor(self.settings.workers, "tests") as workers:
            self._suites.compile(problems, workers)

    def judge(
        self, programs: Sequence[Program], known: Collection[str] = ()
    ) -> Generator[tuple[Program, Verdict]]:
        """Yield each program with its verdict, in the order in which they are finished.

        Processor time decides what is too slow, whatever else the machine does. A program that
        the wall clock stopped before that is tried again with the machine to itself. A program
        that is given twice is judged once. Batches whose programs' hashes are all in `known` are
        left out; the others are judged whole, so that an interrupted run compiles the same
        batches again.
        """
        distinct = list(dict.fromkeys(programs))
        if all(program.sha256 in known for program in distinct):
            return
        again: list[Program] = []
        self._stopping.clear()
        workers = ThreadPoolExecutor(self._at_once, "judge")
        try:
            for program, verdict in self._work_off(distinct, known, workers):
                if verdict is None or not is_whole(program, verdict):
                    again.append(program)
                else:
                    yield program, verdict
            self._lost += len(again)
            for program in again:
                yield program, self._alone.judge_finally(program)
        finally:
            self._stopping.set()
            kill_running()
            workers.shutdown(wait=True, cancel_futures=True)

    def _work_off(
        self, programs: Sequence[Program], known: Collection[str], workers: ThreadPoolExecutor
    ) -> Iterator[Result]:
        """One result for each program of the batches to judge, as the workers find them."""
        planned = workers.submit(self._plan, programs, known)
        self._suites.compile({program.problem for program in programs}, workers)
        batches = planned.result()
        results: _Results = queue.Queue()
        for batch in batches:
            workers.submit(self._guarded, batch, results)
        for _ in range(sum(len(batch.programs) for batch in batches)):
            item = results.get()
            if isinstance(item, BaseException):
                raise item
            yield item

    def _plan(self, programs: Sequence[Program], known: Collection[str]) -> list[Batch]:
        """The batches in which there is a program that is not `known`."""
        planned = plan_batches(programs, self.settings.batch_size, self._at_once)
        return [b for b in planned if not all(p.sha256 in known for p in b.programs)]

    def _guarded(self, batch: Batch, results: _Results) -> None:
        """Judge a batch; whatever goes wrong reaches the thread that waits for results."""
        try:
            if not self._stopping.is_set():
                for result in self._judge_batch(batch):
                    results.put(result)
        except BaseException as error:  # noqa: BLE001 - handed to the waiting thread
            results.put(error)

    def _way(self, batch: Batch) -> Callable[[Sequence[Program]], Iterator[Result]]:
        """How a batch is judged."""
        if self._compiler.missing_crates(batch.programs[0].problem):
            return self._alone.judge_each
        if batch.kind == "torn":
            return self._together.judge_torn
        return self._together.judge_broken if batch.kind == "broken" else self._together.judge

    def _judge_batch(self, batch: Batch) -> Iterator[Result]:
        """One result for each program; whatever is not heard of is judged alone."""
        judge = self._way(batch)
        unheard = dict.fromkeys(batch.programs)
        with contextlib.suppress(NoRoomError):
            for program, verdict in judge(batch.programs):
                if program in unheard:
                    del unheard[program]
                    yield program, verdict
        for program in unheard:
            self._lost += 1
            yield program, self._alone.judge(program)

    def lint(self, programs: Sequence[Program]) -> Generator[tuple[Program, Lints]]:
        """Yield each program with the names of the clippy lints that it sets off, sorted.

        For programs that compile. None when the sandbox failed, so that nothing is known.
        """
        batches = plan_lint_batches(programs, self.settings.batch_size)
        lint_one = partial(lint_batch, self._compiler, self._workplace)
        with ThreadPoolExecutor(self.settings.workers, "clippy") as workers:
            for batch, found in zip(batches, workers.map(lint_one, batches), strict=True):
                yield from zip(batch, found, strict=True)

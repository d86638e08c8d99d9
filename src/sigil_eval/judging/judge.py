"""Compile programs and run their tests, in the sandbox, on all cores; give each its verdict.

Programs that cannot touch each other are compiled together, as modules of one library with one
driver, which is many times cheaper than one by one; whatever might reach beyond its module is
compiled alone (`batching.py`). Every program runs in a process of its own; what was compiled
together shares a sandbox. The protocol that keeps a wrong program from passing is described in
ADR-007.
"""

from __future__ import annotations

import contextlib
import errno
import math
import os
import queue
import re
import secrets
import shutil
import tempfile
import threading
from collections.abc import Collection, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from sigil_eval.answers.program import Program
from sigil_eval.errors import PreflightError
from sigil_eval.judging import verdict as verdicts
from sigil_eval.judging.batching import Batch, plan_batches
from sigil_eval.judging.candidate import crate_source, module_source, prelude_module
from sigil_eval.judging.contract import contract_of
from sigil_eval.judging.diagnostics import (
    STDERR_LIMIT,
    Diagnostic,
    error_codes,
    read_diagnostics,
    show_errors,
)
from sigil_eval.judging.driver import driver_module, suite_module
from sigil_eval.judging.endings import judge_ending, read_endings
from sigil_eval.judging.errors import (
    CompilerCrashError,
    CompileTimeoutError,
    SandboxFailureError,
    WallClockError,
)
from sigil_eval.judging.objects import intrusions
from sigil_eval.judging.process import kill_running
from sigil_eval.judging.sandbox import (
    FirejailSandbox,
    Limits,
    NoSandbox,
    Sandbox,
    self_test,
)
from sigil_eval.judging.toolchain import Crates, Toolchain, find_crates, find_toolchain
from sigil_eval.judging.verdict import Verdict
from sigil_eval.judging.workplace import new_workplace
from sigil_eval.problems import Problem

SandboxMode = Literal["firejail", "none"]
ClippyMode = Literal["off", "advisory", "required"]
_ATTEMPTS = 3
_SUITE_SIZE = 40
_DIAGNOSTICS_LIMIT = 1 << 20
# A program, and its verdict: None when the wall clock ran out before that was certain.
_Result = tuple[Program, Verdict | None]
# What `timeout` returns when it could not start the compiler.
_NEVER_STARTED = (125, 126, 127)
_RUSTC_OPTIONS = ("-Copt-level=0", "-Cdebuginfo=0", "-Ccodegen-units=1", "--error-format=json")


def default_workers() -> int:
    """24 on the target's 26 cores, else all but two, at least one on each core up to two."""
    cores = os.cpu_count() or 1
    return 24 if cores == 26 else max(min(cores, 2), cores - 2)


@dataclass(frozen=True)
class JudgeSettings:
    """Everything about judging that a person may choose."""

    limits: Limits = field(default_factory=Limits)
    workers: int = field(default_factory=default_workers)
    sandbox_mode: SandboxMode = "firejail"
    batch_size: int = 64
    clippy: ClippyMode = "off"


@dataclass(frozen=True)
class _Compiled:
    """A driver binary in a folder of its own, holding one candidate or many."""

    folder: Path
    uses_unsafe: bool = False


class Judge:
    """Judges programs in a sandbox that has proved itself. Use as a context manager."""

    def __init__(self, settings: JudgeSettings) -> None:
        """Raises PreflightError when there is no compiler, or no sandbox that holds."""
        self.settings = settings
        self.toolchain: Toolchain = find_toolchain()
        self.crates: Crates = find_crates(self.toolchain)
        self._root = new_workplace()
        self._shared = self._root / "shared"
        self._shared.mkdir()
        self._stopping = threading.Event()
        try:
            self.sandbox = self._open_sandbox()
        except BaseException:
            self._remove()
            raise
        self.self_test: list[str] = []
        self.retries = 0  # programs that were tried again alone, or in a sandbox of their own anew
        self._suites: dict[Problem, str] = {}

    def _open_sandbox(self) -> Sandbox:
        if self.settings.sandbox_mode == "none":
            return NoSandbox(self.settings.limits)
        return FirejailSandbox(self.toolchain, self.settings.limits, self._shared)

    def __enter__(self) -> Self:
        try:
            if self.settings.clippy != "off":
                self.toolchain.require_clippy()
            if self.settings.sandbox_mode == "firejail":
                self.self_test = self_test(self.sandbox, self.toolchain, self._job("probe"))
            self._build_runtime()
            self._copy_crates()
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._remove()

    def _remove(self) -> None:
        shutil.rmtree(self._root, ignore_errors=True)

    def fingerprint(self) -> dict[str, object]:
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
        programs = list(dict.fromkeys(programs))
        results: queue.Queue[_Result | BaseException] = queue.Queue()
        again: list[Program] = []
        self._stopping.clear()
        workers = ThreadPoolExecutor(self.settings.workers + 1, "judge")
        try:
            batches = [
                batch
                for batch in plan_batches(programs, self.settings.batch_size)
                if not all(program.sha256 in known for program in batch.programs)
            ]
            waiting = [program for batch in batches for program in batch.programs]
            self._compile_suites({program.problem for program in waiting}, workers)
            for batch in batches:
                workers.submit(self._guarded, batch, results)
            for _ in waiting:
                item = results.get()
                if isinstance(item, BaseException):
                    raise item
                program, verdict = item
                if verdict is None:
                    again.append(program)
                else:
                    yield program, verdict
            self.retries += len(again)
            for program in again:
                yield program, self._judge_alone(program) or _too_slow(self.settings.limits)
        finally:
            self._stopping.set()
            kill_running()
            workers.shutdown(wait=True, cancel_futures=True)

    def _guarded(self, batch: Batch, results: queue.Queue[_Result | BaseException]) -> None:
        """Judge a batch; whatever goes wrong reaches the thread that waits for results."""
        try:
            if not self._stopping.is_set():
                for result in self._judge_batch(batch):
                    results.put(result)
        except BaseException as error:  # noqa: BLE001 - handed to the waiting thread
            results.put(error)

    def _judge_batch(self, batch: Batch) -> Iterator[_Result]:
        """One result for each program; whatever is not heard of is judged alone."""
        judge = self._judge_broken if batch.kind == "broken" else self._judge_together
        unheard = dict.fromkeys(batch.programs)
        for program, verdict in judge(batch.programs):
            if program in unheard:
                del unheard[program]
                yield program, verdict
        for program in unheard:
            self.retries += 1
            yield program, self._judge_alone(program)

    def lint(
        self, programs: Sequence[Program]
    ) -> Generator[tuple[Program, tuple[str, ...] | None]]:
        """Yield each program with the names of the clippy lints that it sets off, sorted.

        For programs that compile. None when the sandbox failed, so that nothing is known.
        """
        groups: dict[tuple[str, tuple[str, ...]], list[Program]] = {}
        for program in programs:
            groups.setdefault((program.problem.edition, program.problem.crates), []).append(program)
        size = self.settings.batch_size
        batches = [
            group[start : start + size]
            for group in groups.values()
            for start in range(0, len(group), size)
        ]
        with ThreadPoolExecutor(self.settings.workers, "clippy") as workers:
            for batch, found in zip(batches, workers.map(self._lint_batch, batches), strict=True):
                yield from zip(batch, found, strict=True)

    def _lint_batch(self, batch: Sequence[Program]) -> list[tuple[str, ...] | None]:
        folder = self._job("clippy")
        # Whatever an answer allows itself is reported all the same.
        options = ["--force-warn=clippy::all", *self._externs(batch[0])]
        try:
            self._show_each(self.toolchain.clippy, options, batch, folder)
            return [_lints(folder, index, program) for index, program in enumerate(batch)]
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    # One program

    def _judge_alone(self, program: Program) -> Verdict | None:
        """None when the wall clock ran out, which may not be the program's fault."""
        missing = [name for name in program.problem.crates if name not in self.crates.rlibs]
        if missing:
            return verdicts.unscorable(f"needs the crate {', '.join(missing)}, which is not here")
        reason = ""
        for attempt in range(_ATTEMPTS):
            self.retries += attempt > 0
            self._stopping.wait(2 * attempt)  # what the machine lacks now, it may have again soon
            folder = self._job("alone")
            try:
                outcome = self._compile_alone(program, folder)
                if isinstance(outcome, Verdict):
                    return outcome
                return next(self._run([program], outcome))[1]
            except WallClockError:
                return None
            except SandboxFailureError as failure:
                reason = str(failure)
                if self._stopping.is_set():
                    break
            finally:
                shutil.rmtree(folder, ignore_errors=True)
        return verdicts.infrastructure("the sandbox failed", reason[:2000])

    def _compile_alone(self, program: Program, folder: Path) -> _Compiled | Verdict:
        edition = program.problem.edition
        self._write(folder / "answer.rs", crate_source(program))
        externs = self._externs(program)
        unsafe = False
        try:
            found = self._rustc(
                [*self._library("answer", edition), *externs, "answer.rs"], folder, "answer"
            )
            unsafe = any(d.code == "unsafe_code" for d in found)
            if (refused := _refusal(found, unsafe)) is not None:
                return refused
            if taken := intrusions(folder / "libanswer.rlib"):
                return verdicts.not_compiled(
                    "compile_error",
                    "defines symbols or start-up code that could replace the judge's own",
                    "\n".join(taken)[:STDERR_LIMIT],
                    uses_unsafe=True,
                )
            self._write_driver({program: "c0"}, folder, "::answer")
            found = self._link(folder, "answer", edition, externs)
        except CompileTimeoutError:
            return verdicts.not_compiled("compile_timeout", "compiling ran into the time limit")
        except CompilerCrashError as crash:
            return verdicts.not_compiled("compile_error", "rustc crashed", str(crash)[:2000])
        if (refused := _refusal(found, unsafe, "the answer does not fit its tests")) is not None:
            return refused
        return self._runnable(folder, uses_unsafe=unsafe)

    def _run(self, programs: Sequence[Program], compiled: _Compiled) -> Iterator[_Result]:
        """Run the tests of a driver's candidates, one after the other in one sandbox.

        Raises SandboxFailureError when it ends before all have been heard of.
        """
        limit = self.settings.limits.run_seconds
        wall = math.ceil(2 * limit + 2)
        nonces = [secrets.token_hex(16) for _ in programs]
        orders = "".join(f"{index} {nonce}\n" for index, nonce in enumerate(nonces))
        finished = self.sandbox.run(
            "run",
            [str(compiled.folder / "driver")],
            folder=compiled.folder,
            timeout=(wall + 1) * len(programs) + 10,
            stdin=f"{wall} {math.ceil(limit)}\n{orders}".encode(),
        )
        endings = list(read_endings(finished.stdout))
        for program, nonce, ending in zip(programs, nonces, endings, strict=False):
            tests = len(contract_of(program.problem).tests)
            verdict = judge_ending(ending, nonce, tests, limit)
            if verdict is not None:
                verdict = replace(verdict, uses_unsafe=compiled.uses_unsafe)
            yield program, verdict
        if len(endings) < len(programs):
            said = finished.stderr.decode("utf-8", "replace")
            raise SandboxFailureError(f"the driver ended with status {finished.status}: {said}")

    # Many programs

    def _judge_broken(self, batch: Sequence[Program]) -> Iterator[_Result]:
        """Have rustc say what is wrong with each; what it accepts after all is judged alone."""
        folder = self._job("broken")
        try:
            self._show_each(self.toolchain.rustc, [], batch, folder)
            for index, program in enumerate(batch):
                yield program, self._broken_verdict(folder / f"c{index}.json", program)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _show_each(
        self, compiler: Path, options: list[str], batch: Sequence[Program], folder: Path
    ) -> None:
        """One compiler after the other in one sandbox; of the Nth program, diagnostics go to
        `cN.json`, and where it fails its status to `cN.status`.
        """
        for index, program in enumerate(batch):
            self._write(folder / f"c{index}.rs", crate_source(program))
        limit = math.ceil(self.settings.limits.compile_seconds)
        command = [
            *("timeout", "--signal=KILL", str(limit), str(compiler), *_RUSTC_OPTIONS),
            *(*self._library("answer", batch[0].problem.edition), "--emit=metadata", *options),
        ]
        script = 'for n in $(seq 0 $0); do "$@" c$n.rs 2>c$n.json || echo $? >c$n.status; done'
        self.sandbox.run(
            "compile",
            ["/bin/sh", "-c", script, str(len(batch) - 1), *command],
            folder=folder,
            timeout=limit * len(batch) + 10,
            stdin=b"",
        )

    def _broken_verdict(self, diagnostics: Path, program: Program) -> Verdict | None:
        if diagnostics.is_file() and diagnostics.stat().st_size < _DIAGNOSTICS_LIMIT:
            found = list(read_diagnostics(diagnostics.read_bytes()))
            unsafe = any(d.code == "unsafe_code" for d in found)
            if (refused := _refusal(found, unsafe)) is not None:
                return refused
        return self._judge_alone(program)

    def _judge_together(self, batch: Sequence[Program]) -> Iterator[_Result]:
        if len(batch) == 1:
            yield batch[0], self._judge_alone(batch[0])
            return
        folder = self._job("batch")
        try:
            refused, compiled = self._compile_batch(batch, folder)
            yield from refused.items()
            alive = [program for program in batch if program not in refused]
            if alive and compiled is None:
                # rustc gave up on the whole without naming a culprit: divide until it does.
                for part in (alive[: len(alive) // 2], alive[len(alive) // 2 :]):
                    if part:
                        yield from self._judge_together(part)
            elif compiled is not None:
                yield from self._run_batch(alive, compiled)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _run_batch(self, alive: Sequence[Program], compiled: _Compiled) -> Iterator[_Result]:
        heard = 0
        try:
            for result in self._run(alive, compiled):
                heard += 1
                yield result
        except SandboxFailureError:
            for program in alive[heard:]:
                yield program, self._judge_alone(program)

    def _compile_batch(
        self, batch: Sequence[Program], folder: Path
    ) -> tuple[dict[Program, Verdict], _Compiled | None]:
        """Compile what compiles; `None` when rustc fails without naming the programs at fault.

        Unlike a program compiled alone, the library is not searched for foreign symbols:
        batching lets in none of the attributes and macros that could make one.
        """
        refused: dict[Program, Verdict] = {}
        names = {program: f"c{index}" for index, program in enumerate(batch)}
        edition, prelude = batch[0].problem.edition, batch[0].problem.prelude
        for program, name in names.items():
            (folder / name).mkdir()
            self._write(folder / name / "answer.rs", module_source(program))
        try:
            library = self._library("answers", edition)
            if not self._settle(library, names, refused, folder, prelude):
                return refused, None
            if len(refused) == len(batch):
                return refused, None
            if not self._settle_driver(names, refused, folder, edition):
                return refused, None
        except (CompileTimeoutError, CompilerCrashError, SandboxFailureError, WallClockError):
            return refused, None
        if len(refused) == len(batch):
            return refused, None
        return refused, self._runnable(folder)

    def _settle(
        self,
        library: list[str],
        names: dict[Program, str],
        refused: dict[Program, Verdict],
        folder: Path,
        prelude: str,
    ) -> bool:
        """Compile the library, leaving out what rustc names, until it compiles."""
        while len(refused) < len(names):
            alive = {p: name for p, name in names.items() if p not in refused}
            modules = "".join(
                f'#[path = "{name}/answer.rs"] pub mod {name};\n' for name in alive.values()
            )
            self._write(folder / "answers.rs", f"{modules}{prelude_module(prelude)}\n")
            found = self._rustc([*library, "answers.rs"], folder, "answers")
            if not any(d.is_error for d in found):
                return True
            if not _blame(found, alive, refused, r"(c\d+)/answer\.rs", ""):
                return False
        return True

    def _settle_driver(
        self,
        names: dict[Program, str],
        refused: dict[Program, Verdict],
        folder: Path,
        edition: str,
    ) -> bool:
        """Compile the driver, leaving out the candidates that do not fit their tests."""
        while len(refused) < len(names):
            alive = {p: name for p, name in names.items() if p not in refused}
            self._write_driver(alive, folder, "::answers")
            found = self._link(folder, "answers", edition, [])
            if not any(d.is_error for d in found):
                return True
            reason = "the answer does not fit its tests"
            if not _blame(found, alive, refused, r"(c\d+)/tests\.rs", reason):
                return False
        return True

    def _write_driver(self, names: dict[Program, str], folder: Path, library: str) -> None:
        """One file a candidate, so that an error's file and line say whose it is."""
        for program, name in names.items():
            path = library if library == "::answer" else f"{library}::{name}"
            (folder / name).mkdir(exist_ok=True)
            source = driver_module(program.problem, path, self._suites.get(program.problem))
            self._write(folder / name / "tests.rs", source)
        modules = "".join(f'#[path = "{name}/tests.rs"] mod {name};\n' for name in names.values())
        candidates = ", ".join(f"{name}::CANDIDATE" for name in names.values())
        prelude = prelude_module(next(iter(names)).problem.prelude)
        main = f"fn main() {{ ::sigil_runtime::run(&[{candidates}]) }}"
        self._write(folder / "driver.rs", f"{modules}{prelude}\n{main}\n")

    # Tests, compiled once for all the candidates of a problem

    def _compile_suites(self, problems: set[Problem], workers: ThreadPoolExecutor) -> None:
        """Compile the tests of `problems`, as far as they do not depend on an answer's types."""
        groups: dict[tuple[str, str], list[Problem]] = {}
        for problem in sorted(problems - self._suites.keys(), key=lambda p: p.task_id):
            if not problem.crates and contract_of(problem).portable:
                groups.setdefault((problem.edition, problem.prelude), []).append(problem)
        parts = [
            group[start : start + _SUITE_SIZE]
            for group in groups.values()
            for start in range(0, len(group), _SUITE_SIZE)
        ]
        first = len(list(self._shared.glob("libsuite*.rlib")))
        names = [f"suite{first + index}" for index in range(len(parts))]
        for suites in workers.map(self._compile_suite, names, parts):
            self._suites |= suites

    def _compile_suite(self, name: str, problems: list[Problem]) -> dict[Problem, str]:
        """Where the tests of each problem lie, once compiled: problem to path."""
        edition, prelude = problems[0].edition, problems[0].prelude
        folder = self._job("suite")
        modules = ""
        for index, problem in enumerate(problems):
            (folder / f"p{index}").mkdir()
            self._write(folder / f"p{index}" / "tests.rs", suite_module(problem))
            modules += f'#[path = "p{index}/tests.rs"] pub mod p{index};\n'
        self._write(folder / "suite.rs", modules + prelude_module(prelude))
        command = [
            *("--crate-type=rlib", f"--crate-name={name}", f"--edition={edition}"),
            *("--cap-lints=allow", f"--extern=sigil_runtime={self._shared}/libsigil_runtime.rlib"),
            "suite.rs",
        ]
        # A suite that fails leaves the tests to be compiled with each answer, where the error is
        # shown.
        with contextlib.suppress(
            CompileTimeoutError, CompilerCrashError, SandboxFailureError, WallClockError
        ):
            if not any(d.is_error for d in self._rustc(command, folder, name)):
                shutil.copyfile(folder / f"lib{name}.rlib", self._shared / f"lib{name}.rlib")
                return {p: f"::{name}::p{i}" for i, p in enumerate(problems)}
        return {}

    # rustc

    def _library(self, name: str, edition: str) -> list[str]:
        return [
            *("--crate-type=rlib", f"--crate-name={name}", f"--edition={edition}"),
            *("-Awarnings", "--force-warn=unsafe_code"),
        ]

    def _link(
        self, folder: Path, library: str, edition: str, externs: list[str]
    ) -> list[Diagnostic]:
        suites = {path.split("::")[1] for path in self._suites.values()}
        return self._rustc(
            [
                *("--crate-type=bin", "--crate-name=driver", f"--edition={edition}"),
                *("--cap-lints=allow", f"-Ldependency={self._shared}"),
                *(f"--extern={suite}={self._shared}/lib{suite}.rlib" for suite in sorted(suites)),
                f"--extern={library}=lib{library}.rlib",
                f"--extern=sigil_runtime={self._shared}/libsigil_runtime.rlib",
                *externs,
                "driver.rs",
            ],
            folder,
            "driver",
        )

    def _externs(self, program: Program) -> list[str]:
        if not program.problem.crates:
            return []
        externs = [
            f"--extern={name}={self._shared}/crates/{self.crates.rlibs[name].name}"
            for name in program.problem.crates
        ]
        return [f"-Ldependency={self._shared}/crates", *externs]

    def _rustc(self, arguments: list[str], folder: Path, what: str) -> list[Diagnostic]:
        """Run rustc in the sandbox; its diagnostics.

        Raises CompileTimeoutError, WallClockError, SandboxFailureError, and CompilerCrashError
        when it failed and named nothing, twice.
        """
        limit = self.settings.limits.compile_seconds
        command = [
            *("timeout", "--signal=KILL", str(int(4 * limit + 60))),  # if the harness is killed
            *(str(self.toolchain.rustc), *_RUSTC_OPTIONS, *arguments),
        ]
        reason = ""
        for _ in range(2):
            finished = self.sandbox.run(
                "compile", command, folder=folder, timeout=2 * limit + 2, stdin=b""
            )
            if finished.timed_out:
                raise WallClockError
            if _was_killed(finished.status) and finished.seconds >= limit:
                raise CompileTimeoutError
            found = list(read_diagnostics(finished.stderr))
            if finished.status == 0 or any(d.is_error for d in found):
                return found
            said = finished.stderr.decode("utf-8", "replace")
            reason = f"{what}: status {finished.status}: {said}"
            if finished.status in _NEVER_STARTED or _short_of_processes(said):
                raise SandboxFailureError(reason)
        if not self._compiler_works():
            raise SandboxFailureError(reason)
        raise CompilerCrashError(reason)

    def _compiler_works(self) -> bool:
        folder = self._job("check")
        try:
            self._write(folder / "check.rs", "fn main() {}\n")
            command = [str(self.toolchain.rustc), "--emit=metadata", "check.rs"]
            finished = self.sandbox.run("compile", command, folder=folder, timeout=60, stdin=b"")
            return finished.status == 0
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    # Files

    def _build_runtime(self) -> None:
        folder = self._job("runtime")
        source = (resources.files(__package__) / "rust" / "runtime.rs").read_text("utf-8")
        self._write(folder / "runtime.rs", source)
        command = [
            *("--crate-type=rlib", "--crate-name=sigil_runtime", "--edition=2021"),
            "runtime.rs",
        ]
        found = self._rustc(command, folder, "the judge's runtime")
        if any(d.is_error for d in found):
            raise PreflightError(f"the judge's runtime: {show_errors(found, 'runtime.rs')}")
        shutil.copyfile(folder / "libsigil_runtime.rlib", self._shared / "libsigil_runtime.rlib")

    def _copy_crates(self) -> None:
        if self.crates.directory is not None:
            target = self._shared / "crates"
            target.mkdir()
            for rlib in self.crates.directory.glob("*.rlib"):
                shutil.copyfile(rlib, target / rlib.name)

    def _job(self, kind: str) -> Path:
        """A new folder that the sandbox's user may write to."""
        folder = Path(tempfile.mkdtemp(prefix=f"{kind}-", dir=self._root))
        self._give(folder)
        return folder

    def _runnable(self, folder: Path, *, uses_unsafe: bool = False) -> _Compiled:
        """Move the driver into a folder that holds nothing else a candidate could read."""
        inner = folder / "run"
        inner.mkdir()
        (folder / "driver").replace(inner / "driver")
        self._give(inner)
        return _Compiled(inner, uses_unsafe)

    def _write(self, path: Path, text: str) -> None:
        path.write_bytes(text.encode("utf-8", "replace"))

    def _give(self, folder: Path) -> None:
        if self.sandbox.identity is not None:
            os.chown(folder, self.sandbox.identity.uid, self.sandbox.identity.gid)


def _refusal(found: list[Diagnostic], unsafe: bool, reason: str = "") -> Verdict | None:
    errors = [d for d in found if d.is_error]
    if not errors:
        return None
    return verdicts.not_compiled(
        "compile_error",
        reason or errors[0].message,
        show_errors(errors, "tests" if reason else "answer.rs"),
        error_codes(errors),
        uses_unsafe=unsafe,
    )


def _lints(folder: Path, index: int, program: Program) -> tuple[str, ...] | None:
    if (folder / f"c{index}.status").exists():
        return ("clippy failed",)
    said = folder / f"c{index}.json"
    if not said.is_file():
        return None
    lines = program.code.count("\n") + 1  # what follows is the harness's
    found = read_diagnostics(said.read_bytes()[:_DIAGNOSTICS_LIMIT])
    names = (d.code for d in found if d.line <= lines)
    return tuple(sorted({name for name in names if name and name.startswith("clippy::")}))


def _blame(
    found: list[Diagnostic],
    alive: dict[Program, str],
    refused: dict[Program, Verdict],
    pattern: str,
    reason: str,
) -> bool:
    """Refuse every program in whose files an error stands; False when there is none."""
    by_name: dict[str, list[Diagnostic]] = {}
    for diagnostic in found:
        match = re.fullmatch(pattern, diagnostic.file or "") if diagnostic.is_error else None
        if match:
            by_name.setdefault(match.group(1), []).append(diagnostic)
    for program, name in alive.items():
        if name in by_name and (verdict := _refusal(by_name[name], False, reason)) is not None:
            refused[program] = verdict
    return bool(by_name)


def _too_slow(limits: Limits) -> Verdict:
    limit = 2 * limits.run_seconds + 2
    return verdicts.not_passed(
        "test_timeout", f"not done after {limit:g} s, with nothing else running"
    )


def _short_of_processes(said: str) -> bool:
    """Whether the compiler says, itself and not quoting a program, that no thread could be had."""
    own = (line for line in said.splitlines() if not line.startswith("{"))
    return any(os.strerror(errno.EAGAIN) in line for line in own)


def _was_killed(status: int) -> bool:
    return status in (-9, -24, 128 + 9, 128 + 24)

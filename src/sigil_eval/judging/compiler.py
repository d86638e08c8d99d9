"""rustc in the sandbox: its command lines, its time limits, and how it can fail."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from sigil_eval.answers.program import Program
from sigil_eval.errors import PreflightError
from sigil_eval.files import sha256_file
from sigil_eval.judging.candidate import crate_source
from sigil_eval.judging.crashes import (
    OWN_STATUSES,
    crashed_by_itself,
    last_words,
    linker_was_ended,
    machine_lacked,
    no_room_for,
    ran_out_of_memory,
    ran_out_of_time,
    said_no_room,
)
from sigil_eval.judging.crates import Crates
from sigil_eval.judging.diagnostics import (
    Diagnostic,
    errors_among,
    read_diagnostics,
    show_errors,
)
from sigil_eval.judging.errors import (
    CompilerCrashError,
    CompileTimeoutError,
    SandboxFailureError,
    WallClockError,
)
from sigil_eval.judging.limits import Limits
from sigil_eval.judging.sandbox import Sandbox
from sigil_eval.judging.toolchain import Toolchain
from sigil_eval.judging.workplace import Workplace, write_source
from sigil_eval.kept import Kept
from sigil_eval.problems import Problem

_ATTEMPTS = 2
_DIAGNOSTICS_LIMIT = 1 << 20
# rustc's status when it has refused a program, and that of `timeout` when it has stopped one.
_REFUSED = 1
_TIMED_OUT = 124
_RUSTC_OPTIONS = (
    *("-Copt-level=0", "-Cdebuginfo=0", "-Ccodegen-units=1", "-Cembed-bitcode=no"),
    "--error-format=json",
)
# The library of many answers.
ANSWERS = "answers"
_ANSWER_LINTS = ("-Awarnings", "--force-warn=unsafe_code")
# Of cN-answer.rs, diagnostics go to cN.json, and the compiler's status to cN.status.
_SHOW_EACH = (
    'for source in c*-answer.rs; do name=${source%-answer.rs}; "$@" "$source" 2>"$name.json"; '
    'echo $? >"$name.status"; done'
)


@dataclass(frozen=True)
class Shown:
    """What a compiler said when it was shown one program.

    `diagnostics` is its output as far as it is kept, and `status` how it ended, 0 where it accepted
    the program; None where the sandbox ended before.
    """

    diagnostics: bytes | None
    status: int | None

    @property
    def is_refused(self) -> bool:
        """Whether the compiler refused the program, and all that it said is known."""
        size = _DIAGNOSTICS_LIMIT if self.diagnostics is None else len(self.diagnostics)
        return self.status == _REFUSED and size < _DIAGNOSTICS_LIMIT

    @property
    def was_ended(self) -> bool:
        """Whether something else than the compiler, or its time limit, made an end of it."""
        return self.status not in (0, _REFUSED, _TIMED_OUT, *OWN_STATUSES)


class Compiler:
    """One toolchain's rustc and clippy, in one sandbox.

    What compiles returns rustc's diagnostics, and raises CompileTimeoutError, WallClockError,
    SandboxFailureError when something else than rustc failed, and CompilerCrashError when rustc
    ended itself and named nothing, twice.
    """

    def __init__(
        self,
        toolchain: Toolchain,
        crates: Crates,
        sandbox: Sandbox,
        limits: Limits,
        workplace: Workplace,
        kept: Kept,
    ) -> None:
        self._toolchain = toolchain
        self._crates = crates
        self._sandbox = sandbox
        self._limits = limits
        self._workplace = workplace
        self._shared = workplace.shared
        self._kept = kept
        self._published: list[str] = []

    def prepare(self) -> None:
        """Put what others link with where every job can read it: the judge's runtime, the crates.

        Raises PreflightError when the runtime does not compile.
        """
        with self._workplace.job("runtime") as folder:
            for file in (resources.files(__package__) / "rust").iterdir():
                if file.name != "probe.rs":
                    write_source(folder / file.name, file.read_text("utf-8"))
            command = [*_library("sigil_runtime", "2021"), "runtime.rs"]
            library = "libsigil_runtime.rlib"
            found = self._compile_once(command, folder, library, "the judge's runtime")
            if errors := errors_among(found):
                raise PreflightError(f"the judge's runtime: {show_errors(errors, 'runtime.rs')}")
            self._publish(folder / library, self._shared)
        if self._crates.directory is not None:
            (self._shared / "crates").mkdir(exist_ok=True)
            for rlib in self._crates.directory.glob("*.rlib"):
                self._publish(rlib, self._shared / "crates")
        self._published = [*_contents(self._shared), *_contents(self._shared / "crates")]

    def missing_crates(self, problem: Problem) -> list[str]:
        """The crates that `problem` needs and that are not here."""
        return [name for name in problem.crates if name not in self._crates.rlibs]

    def compile_answers(
        self, name: str, problem: Problem, folder: Path, *, denying: bool = True
    ) -> list[Diagnostic]:
        """Compile NAME.rs in `folder`, the code of one answer or of many, to libNAME.rlib.

        The code of many may name shared libraries. Without `denying`, what lints deny is let
        through.
        """
        lints = _ANSWER_LINTS if denying else (*_ANSWER_LINTS, "--cap-lints=warn")
        shared = [f"-L{self._shared}"] if name == ANSWERS else []
        library = [*_library(name, problem.edition), *lints, *shared, *self._externs(problem)]
        return self._compile([*library, f"{name}.rs"], folder, name)

    def compile_written(self, problem: Problem, folder: Path, source: str) -> list[Diagnostic]:
        """Compile the source of an answer that nobody will link with."""
        write_source(folder / "written.rs", source)
        library = [*_library("written", problem.edition), "-Awarnings", *self._externs(problem)]
        return self._compile([*library, "written.rs"], folder, "written")

    def compile_side(self, name: str, problem: Problem, folder: Path) -> list[Diagnostic]:
        """Compile NAME.rs in `folder`, a side of some problems, to libNAME.rlib there."""
        command = [*_library(name, problem.edition), "--cap-lints=allow", f"{name}.rs"]
        return self._compile_once(
            [*command, *self._linked(problem)], folder, f"lib{name}.rlib", name
        )

    def share(self, library: Path) -> None:
        """Put a compiled library where every job can read it."""
        self._publish(library, self._shared)

    def link_tests(self, name: str, folder: Path) -> list[Diagnostic]:
        """Compile NAME.rs in `folder` with the compiled suites there to the test binary NAME.

        They are looked for by the names that NAME.rs has: Firejail takes no more than 127 words.
        """
        crates = f"-Ldependency={self._shared}/crates"
        command = [*_binary(name, "2021"), crates, "-Lcrate=.", self._runtime, f"{name}.rs"]
        return self._compile_once(command, folder, name, name)

    def link_driver(
        self, source: str, libraries: Sequence[str], problem: Problem, folder: Path
    ) -> list[Diagnostic]:
        """Compile `source` in `folder` to the binary `driver` there, with `libraries`: first what
        `compile_answers` made, then shared sides."""
        library, *sides = libraries
        command = [
            *_binary("driver", problem.edition),
            *(f"--extern={side}={self._shared}/lib{side}.rlib" for side in sorted(sides)),
            f"--extern={library}=lib{library}.rlib",
            *(*self._linked(problem), source),
        ]
        return self._compile(command, folder, "driver")

    def show_each(self, programs: Sequence[Program], folder: Path) -> Iterator[Shown]:
        """Show rustc each of `programs`, which have edition and crates in common, by itself."""
        sources = [crate_source(program) for program in programs]
        return self._show_each(self._toolchain.rustc, [], programs[0].problem, sources, folder)

    def lint_each(self, problem: Problem, sources: Sequence[str], folder: Path) -> Iterator[Shown]:
        """The same with clippy, for the sources of programs.

        Whatever an answer allows itself is reported all the same.
        """
        options = ["--force-warn=clippy::all"]
        return self._show_each(self._toolchain.clippy, options, problem, sources, folder)

    def _show_each(
        self,
        executable: Path,
        options: list[str],
        problem: Problem,
        sources: Sequence[str],
        folder: Path,
    ) -> Iterator[Shown]:
        """One compiler after the other in one sandbox."""
        for index, source in enumerate(sources):
            write_source(folder / f"c{index}-answer.rs", source)
        limits = self._limits
        command = [
            *("timeout", "--kill-after=5", str(limits.compile_cpu), str(executable)),
            *(*_RUSTC_OPTIONS, *_library("answer", problem.edition), *_ANSWER_LINTS),
            *("--emit=metadata", *options, *self._externs(problem)),
        ]
        self._sandbox.run(
            "compile",
            ["/bin/sh", "-c", _SHOW_EACH, "show-each", *command],
            folder=folder,
            timeout=limits.show_wall(len(sources)),
            stdin=b"",
        )
        for index in range(len(sources)):
            yield _read_shown(folder / f"c{index}.json", folder / f"c{index}.status")

    @property
    def _runtime(self) -> str:
        return f"--extern=sigil_runtime={self._shared}/libsigil_runtime.rlib"

    def _linked(self, problem: Problem) -> list[str]:
        """The runtime, and what a problem needs besides."""
        return [f"-Ldependency={self._shared}", self._runtime, *self._externs(problem)]

    def _externs(self, problem: Problem) -> list[str]:
        if not problem.crates:
            return []
        externs = [
            f"--extern={name}={self._shared}/crates/{self._crates.rlibs[name].name}"
            for name in problem.crates
        ]
        return [f"-Ldependency={self._shared}/crates", *externs]

    def _publish(self, library: Path, folder: Path) -> None:
        with self._workplace.room():
            shutil.copyfile(library, folder / library.name)

    def _compile_once(
        self, arguments: Sequence[str], folder: Path, result: str, what: str
    ) -> list[Diagnostic]:
        """Compile what is no answer's to the file `result`, unless that was kept.

        What rustc may read is in `folder`, and among the crates and the runtime that all share.
        """
        said = [self._toolchain.identity, *_RUSTC_OPTIONS, *arguments]
        # Where the files lie differs from run to run, and nothing that is compiled tells it.
        said = ["\0".join(said).replace(str(self._workplace.root), "")]
        said += [*_contents(folder), *self._published]
        key = hashlib.sha256("\0".join(said).encode()).hexdigest()
        if data := self._kept.find(key):
            (folder / result).write_bytes(data)
            return []
        found = self._compile(arguments, folder, what)
        if not errors_among(found):
            self._kept.keep(key, (folder / result).read_bytes())
        return found

    def _compile(self, arguments: Sequence[str], folder: Path, what: str) -> list[Diagnostic]:
        """Run rustc in `folder`; `what` is compiled, for messages."""
        limits = self._limits
        command = [str(self._toolchain.rustc), *_RUSTC_OPTIONS, *arguments]
        reason, crashed = "", False
        for _ in range(_ATTEMPTS):
            finished = self._sandbox.run(
                "compile", command, folder=folder, timeout=limits.compile_wall, stdin=b""
            )
            if finished.timed_out:
                raise WallClockError
            if ran_out_of_time(finished, limits.compile_seconds):
                raise CompileTimeoutError("compiling ran into the time limit")
            found = list(read_diagnostics(finished.stderr))
            errors, crashed = errors_among(found), crashed_by_itself(finished)
            said = finished.stderr.decode("utf-8", "replace")
            reason = f"{what}: status {finished.status}: {last_words(said) if crashed else said}"
            if ran_out_of_memory(finished, said):
                limit = limits.compile_memory / (1 << 30)
                raise CompileTimeoutError(f"compiling ran into the memory limit of {limit:g} GiB")
            if lacking := next(filter(None, map(no_room_for, errors)), "") or said_no_room(said):
                raise self._workplace.no_room(lacking)
            if machine_lacked(said) or any(linker_was_ended(e.message, e.notes) for e in errors):
                raise SandboxFailureError(reason)
            if finished.status == 0 or (errors and (finished.status == _REFUSED or crashed)):
                return found
        if not crashed or not self._works():
            raise SandboxFailureError(reason)
        raise CompilerCrashError(reason)

    def _works(self) -> bool:
        """Whether rustc compiles the smallest of programs."""
        with self._workplace.job("check") as folder:
            write_source(folder / "check.rs", "fn main() {}\n")
            command = [str(self._toolchain.rustc), "--emit=metadata", "check.rs"]
            finished = self._sandbox.run("compile", command, folder=folder, timeout=60, stdin=b"")
            return finished.status == 0


def _contents(folder: Path) -> list[str]:
    """The names and hashes of a folder's files; none where there is no folder."""
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    return [f"{path.name}\0{sha256_file(path)}" for path in found if path.is_file()]


def _library(name: str, edition: str) -> list[str]:
    return ["--crate-type=rlib", f"--crate-name={name}", f"--edition={edition}"]


def _binary(name: str, edition: str) -> list[str]:
    options = [
        f"--crate-name={name}",
        f"--edition={edition}",
        "--cap-lints=allow",
        "-Cstrip=symbols",
    ]
    return ["--crate-type=bin", *options]


def _read_shown(output: Path, status: Path) -> Shown:
    diagnostics = None
    if output.is_file():
        with output.open("rb") as file:
            diagnostics = file.read(_DIAGNOSTICS_LIMIT)
    ended = status.read_text() if status.is_file() else ""
    return Shown(diagnostics, int(ended) if ended.strip().isdecimal() else None)

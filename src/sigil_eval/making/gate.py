"""Does a crate compile? `cargo check` says so, without network, in the sandbox of answers.

A crate is taken where cargo names its library among what it has checked, and rejected where cargo
or the compiler says why. What is neither is an error: the gate did not run.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from sigil_eval.documents.dataset_made import CrateFault
from sigil_eval.errors import PreflightError
from sigil_eval.judging.limits import Limits
from sigil_eval.judging.process import Finished
from sigil_eval.judging.sandbox import FirejailSandbox
from sigil_eval.judging.self_test import self_test
from sigil_eval.judging.toolchain import Toolchain, find_toolchain
from sigil_eval.judging.workplace import Workplace, new_workplace, shared_folder
from sigil_eval.making.crate_list import Crate
from sigil_eval.making.fetch import fetch_dependencies

_SECONDS = 600
_MOST_SAID = 800
# A package that depends on the crate: so what only its tests need is not, and its own lock, which
# may be old, is not asked. Lints are no reason to reject what others can depend on.
_PROBE = """[package]
name = "sigil-eval-probe"
version = "0.0.0"
edition = "2021"
[lib]
path = "lib.rs"
[workspace]
[dependencies]
it = {{ path = "../{folder}", package = "{name}" }}
"""
_LOCK = "Cargo.lock"
_TRIED = Crate("sigil-eval-tried", "0.0.0")
_TRIED_MANIFEST = f"""[package]
name = "{_TRIED.name}"
version = "{_TRIED.version}"
edition = "2021"
[lib]
path = "lib.rs"
"""


class Judged(NamedTuple):
    """Why a crate is not taken, None where it is, and what was said of that."""

    fault: CrateFault | None
    said: str = ""


class Compiled(NamedTuple):
    """Whether a changed crate compiles; if not, the code of its first error, and what it says."""

    compiles: bool
    code: str = ""
    said: str = ""


class Gate:
    """`cargo check` in the sandbox."""

    def __init__(
        self, toolchain: Toolchain, sandbox: FirejailSandbox, workplace: Workplace
    ) -> None:
        self.toolchain, self.sandbox, self._workplace = toolchain, sandbox, workplace
        self._cargo = toolchain.sysroot / "bin" / "cargo"
        self._cargo_home = workplace.shared / "cargo"

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """A folder for a crate, gone when it is done with."""
        with self._workplace.job("crate") as folder:
            yield folder

    def judge(self, crate: Crate, unpacked: Path, lock: str | None = None) -> Judged:
        """Compile a crate, which lies in a folder of `folder()`, with what a Cargo.lock names.

        Raises PreflightError where what it depends on cannot be had, and where it is not known
        whether it compiles.
        """
        probe = _probe_of(unpacked)
        probe.mkdir()
        (probe / "lib.rs").touch()
        manifest = probe / "Cargo.toml"
        manifest.write_text(_PROBE.format(folder=unpacked.name, name=crate.name), "utf-8")
        if lock is not None:
            (probe / _LOCK).write_text(lock, "utf-8")
        is_locked = lock is not None
        fetch_dependencies(crate, manifest, self._cargo, self._cargo_home, locked=is_locked)
        scratch = unpacked.parent / "tmp"  # the linker of build scripts and macros needs one
        scratch.mkdir()
        self._workplace.give(scratch)
        finished = self._check(unpacked)
        judged = _judged(finished, unpacked)
        if judged is None:
            raise PreflightError(f"whether {crate} compiles is not known: {_end_of(finished)}")
        return judged

    def lock_of(self, unpacked: Path) -> str:
        """The Cargo.lock that a crate was compiled with."""
        return (_probe_of(unpacked) / _LOCK).read_text("utf-8")

    def try_with(self, unpacked: Path, file: str, text: bytes) -> Compiled | None:
        """Compile a crate that was taken with another text in one of its files, which then is as it
        was. None where the compiler does not say: what a model writes may make it run for ever."""
        path = unpacked / file
        before = path.read_bytes()
        path.write_bytes(text)
        try:
            finished = self._check(unpacked)
        finally:
            path.write_bytes(before)
        judged = _judged(finished, unpacked)
        if judged is None or judged.fault not in (None, "does not compile"):
            return None
        errors = [*_errors(finished)]
        if not errors:
            return Compiled(judged.fault is None)
        return Compiled(False, (errors[0].get("code") or {}).get("code", ""), judged.said)

    def _check(self, unpacked: Path) -> Finished:
        folder = unpacked.parent
        return self.sandbox.run(
            "compile",
            [
                *("/usr/bin/env", f"CARGO_HOME={self._cargo_home}", f"TMPDIR={folder / 'tmp'}"),
                *(f"RUSTC={self.toolchain.rustc}", "RUSTFLAGS=--cap-lints=allow"),
                *(str(self._cargo), "check", "--offline", "--locked", "--quiet"),
                *("--ignore-rust-version", "--message-format=json"),
                *("--manifest-path", str(_probe_of(unpacked) / "Cargo.toml")),
                *("--target-dir", str(folder / "target")),
            ],
            folder=folder,
            timeout=_SECONDS,
            stdin=b"",
        )

    def prove(self) -> None:
        """Raises PreflightError where the sandbox does not hold, or the gate does not tell what
        compiles from what does not."""
        with self.folder() as folder:
            self_test(self.sandbox, self.toolchain, folder)
        for code, expected in (("1", None), ('"1"', "does not compile")):
            with self.folder() as folder:
                unpacked = folder / "tried"
                unpacked.mkdir()
                (unpacked / "Cargo.toml").write_text(_TRIED_MANIFEST, "utf-8")
                (unpacked / "build.rs").write_text("fn main() {}\n", "utf-8")
                (unpacked / "lib.rs").write_text(f"pub fn tried() -> u8 {{ {code} }}\n", "utf-8")
                found = self.judge(_TRIED, unpacked)
            if found.fault != expected:
                raise PreflightError(
                    f"cargo in {self.sandbox.description} says of code that "
                    f"{'does not compile' if expected else 'compiles'}: {found.fault or 'it does'}"
                )


def _probe_of(unpacked: Path) -> Path:
    return unpacked.parent / "probe"


@contextmanager
def open_gate() -> Iterator[Gate]:
    """A gate that was proved. Raises PreflightError where a tool is missing or does not work."""
    toolchain = find_toolchain()
    cargo = toolchain.sysroot / "bin" / "cargo"
    if not os.access(cargo, os.X_OK):
        raise PreflightError(
            f"crates are compiled by cargo, and {cargo} is not there; name a toolchain that has it "
            "with SIGIL_RUSTC"
        )
    claimed = new_workplace()
    root = claimed.folder
    try:
        limits = Limits(compile_seconds=_SECONDS)
        sandbox = FirejailSandbox(toolchain, limits, shared_folder(root))
        gate = Gate(toolchain, sandbox, Workplace(root, sandbox.identity))
        gate.prove()
        yield gate
    finally:
        claimed.remove()


def _judged(finished: Finished, unpacked: Path) -> Judged | None:
    """What cargo's messages say of a crate; None where they say nothing that can be relied on."""
    messages = [*_messages(finished.stdout)]
    ends = [one.get("success") for one in messages if one.get("reason") == "build-finished"]
    if ends == [True] and finished.status == 0:
        checked = any(
            one.get("reason") == "compiler-artifact"
            and one.get("manifest_path") == str(unpacked / "Cargo.toml")
            and "custom-build" not in one["target"]["kind"]
            for one in messages
        )
        return Judged(None) if checked else Judged("no library")
    if ends != [False] or finished.timed_out or finished.flooded:
        return None
    errors = [str(error["message"]) for error in _errors(finished)]
    if any(error.startswith("linking with") for error in errors):
        return None  # nothing of the crate's own is linked
    if errors:
        return Judged("does not compile", errors[0][:_MOST_SAID])
    if b"failed to run custom build command" in finished.stderr:
        return Judged("build script fails", _end_of(finished))
    return None


def _errors(finished: Finished) -> Iterator[dict[str, Any]]:
    for one in _messages(finished.stdout):
        if one.get("reason") == "compiler-message" and one["message"]["level"] == "error":
            yield one["message"]


def _messages(output: bytes) -> Iterator[dict[str, Any]]:
    """cargo's messages; what a compiler prints besides is none."""
    for line in output.split(b"\n"):
        if line.startswith(b"{"):
            try:
                yield json.loads(line)
            except ValueError:
                continue


def _end_of(finished: Finished) -> str:
    if finished.timed_out:
        return f"no end in {_SECONDS} seconds"
    text = finished.stderr.decode("utf-8", "replace").strip()[-_MOST_SAID:]
    return text or f"cargo ended with status {finished.status} and said nothing"

"""Find the rustc that judges."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from sigil_eval.console import warn
from sigil_eval.errors import PreflightError
from sigil_eval.files import sha256_file, stamp_of
from sigil_eval.provisioned import provided, setup_command


@dataclass(frozen=True)
class Toolchain:
    """A real rustc (never rustup's shim), its sysroot and version line, and how it was found."""

    rustc: Path
    sysroot: Path
    version: str
    found_by: str = ""

    @cached_property
    def release(self) -> str:
        """The version number alone, such as `1.95.0`."""
        match = re.search(r"\d+\.\d+\.\d+", self.version)
        return match.group(0) if match else self.version

    @cached_property
    def identity(self) -> str:
        """What tells this compiler, with its libraries and the linker it calls, from another."""
        libraries = self.sysroot / "lib"
        files = [self.rustc, *libraries.glob("*.so"), *libraries.glob("rustlib/*/lib/*")]
        linker = shutil.which("cc")
        files += [Path(linker).resolve()] if linker else []
        system = [os.uname().machine, str(os.confstr("CS_GNU_LIBC_VERSION")), _system_release()]
        return "\n".join([self.version, *system, *sorted(map(stamp_of, files))])

    @cached_property
    def contents_sha256(self) -> str:
        """Of what compiles and of the libraries it links: the same on each machine that has the
        same toolchain, wherever it lies. Reads some 600 MB."""
        digest = hashlib.sha256()
        libraries = self.sysroot / "lib"
        found = [*libraries.glob("*.so"), *libraries.glob("rustlib/*/lib/*")]
        for path in [self.rustc, *sorted(path for path in found if path.is_file())]:
            digest.update(f"{path.name} {sha256_file(path)}\n".encode())
        return digest.hexdigest()

    @property
    def clippy(self) -> Path:
        """The linter that belongs to this rustc."""
        return self.rustc.with_name("clippy-driver")

    def require_clippy(self) -> None:
        """Raises PreflightError when this toolchain came without clippy."""
        if not os.access(self.clippy, os.X_OK):
            raise PreflightError(
                f"clippy was asked for, and {self.clippy} is not there. Install it beside rustc "
                f"(`rustup component add clippy --toolchain {self.release}`), name a toolchain "
                "that has it with SIGIL_RUSTC, or leave --clippy off"
            )


def find_toolchain() -> Toolchain:
    """The toolchain named by SIGIL_RUSTC, else the one that was provisioned, else the one on PATH,
    else one that rustup keeps.

    Raises PreflightError when none answers.
    """
    tried: list[str] = []
    for candidate, found_by in _rustc_candidates():
        toolchain = _ask(candidate)
        if toolchain is not None:
            if tried:
                warn(f"{', '.join(tried)} does not work; {toolchain.rustc} is used instead")
            return replace(toolchain, found_by=found_by)
        tried.append(str(candidate))
    looked = "; tried " + ", ".join(tried) if tried else ""
    raise PreflightError(
        f"no working rustc found{looked}. Install Rust (`{setup_command('--only rust')}`), "
        "or name a compiler: SIGIL_RUSTC=/path/to/rustc"
    )


def _rustc_candidates() -> Iterator[tuple[Path, str]]:
    named = provided("rustc")
    if named is not None:
        yield Path(named.value), named.source
        if named.from_variable:
            return
    on_path = shutil.which("rustc")
    if on_path:
        yield Path(on_path), "PATH"
    homes = [Path(os.environ.get("RUSTUP_HOME", Path.home() / ".rustup"))]
    if on_path:
        homes.append(Path(on_path).parent.parent.parent / ".rustup")
    for home in homes:
        for rustc in sorted(home.glob("toolchains/*/bin/rustc"), reverse=True):
            yield rustc, "rustup"


def _ask(rustc: Path) -> Toolchain | None:
    def output(*arguments: str) -> str:
        return subprocess.run(
            [rustc, *arguments], capture_output=True, text=True, check=True, timeout=60
        ).stdout.strip()

    try:
        sysroot = Path(output("--print", "sysroot")).resolve()
        version = output("--version")
    except (OSError, subprocess.SubprocessError):
        return None
    real = sysroot / "bin" / "rustc"
    return Toolchain(real if real.exists() else rustc.resolve(), sysroot, version)


def _system_release() -> str:
    """What the system says it is; binaries are linked with its libraries."""
    try:
        return Path("/etc/os-release").read_text("utf-8", "replace")
    except OSError:
        return ""

"""Find the rustc that judges, and the crates that some problems need."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from sigil_eval.errors import PreflightError

BENCHMARK_CRATES = ("rand", "regex", "md5")


@dataclass(frozen=True)
class Toolchain:
    """A real rustc (never rustup's shim) with its sysroot and version line."""

    rustc: Path
    sysroot: Path
    version: str

    @cached_property
    def release(self) -> str:
        """The version number alone, such as `1.95.0`."""
        match = re.search(r"\d+\.\d+\.\d+", self.version)
        return match.group(0) if match else self.version

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


@dataclass(frozen=True)
class Crates:
    """The benchmark's external crates, compiled once: name to rlib, and where the rest lie."""

    directory: Path | None = None
    rlibs: dict[str, Path] = field(default_factory=dict)

    def has(self, names: Iterable[str]) -> bool:
        """Whether every one of `names` is there."""
        return all(name in self.rlibs for name in names)


def find_toolchain() -> Toolchain:
    """The toolchain named by SIGIL_RUSTC, else the one on PATH, else one that rustup keeps.

    Raises PreflightError when none answers.
    """
    tried: list[str] = []
    for candidate in _rustc_candidates():
        toolchain = _ask(candidate)
        if toolchain is not None:
            return toolchain
        tried.append(str(candidate))
    looked = "; tried " + ", ".join(tried) if tried else ""
    raise PreflightError(
        f"no working rustc found{looked}. Install Rust (`bash eval_setup.sh --only rust`), "
        "or name a compiler: SIGIL_RUSTC=/path/to/rustc"
    )


def _rustc_candidates() -> Iterator[Path]:
    named = os.environ.get("SIGIL_RUSTC")
    if named:
        yield Path(named)
        return
    on_path = shutil.which("rustc")
    if on_path:
        yield Path(on_path)
    homes = [Path(os.environ.get("RUSTUP_HOME", Path.home() / ".rustup"))]
    if on_path:
        homes.append(Path(on_path).parent.parent.parent / ".rustup")
    for home in homes:
        yield from sorted(home.glob("toolchains/*/bin/rustc"), reverse=True)


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


def find_crates() -> Crates:
    """The crates in SIGIL_CRATES_DIR (what `cargo build` left in `target/release/deps`)."""
    named = os.environ.get("SIGIL_CRATES_DIR")
    if not named:
        return Crates()
    directory = Path(named)
    for inner in ("target/release/deps", "release/deps", "deps"):
        if (directory / inner).is_dir():
            directory = directory / inner
            break
    rlibs = {
        name: found[0]
        for name in BENCHMARK_CRATES
        if (found := sorted(directory.glob(f"lib{name}-*.rlib")))
    }
    return Crates(directory, rlibs)

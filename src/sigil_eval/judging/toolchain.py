"""Find the rustc that judges, and the crates that some problems need."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from sigil_eval.console import warn
from sigil_eval.errors import PreflightError
from sigil_eval.provisioned import provided, setup_command

BENCHMARK_CRATES = ("rand", "regex", "md5")
HOW_TO_GET_CRATES = "To get them: `{command}`; or name a folder with them: SIGIL_CRATES_DIR"


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
    """The benchmark's external crates, compiled once: name to rlib, and where the rest lie.

    `fault` says why some are missing.
    """

    directory: Path | None = None
    rlibs: dict[str, Path] = field(default_factory=dict)
    found_by: str = ""
    fault: str = ""

    def has(self, names: Iterable[str]) -> bool:
        """Whether every one of `names` is there."""
        return all(name in self.rlibs for name in names)

    def complaint(self, tasks: Sequence[str]) -> str:
        """Which problems cannot be scored without the crates that are missing, why, and the way
        out; empty where there are none."""
        if not tasks:
            return ""
        return (
            f"left out for every model, because they cannot be scored here: {', '.join(tasks)}. "
            f"They need crates, and {self.fault}. "
            f"{HOW_TO_GET_CRATES.format(command=setup_command('--only rust'))}"
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


def find_crates(toolchain: Toolchain) -> Crates:
    """The crates in SIGIL_CRATES_DIR (what `cargo build` left in `target/release/deps`), else those
    that were provisioned. Those of another compiler are of no use to this one."""
    named = provided("crates")
    if named is None:
        return Crates(fault="none were provisioned, nor does SIGIL_CRATES_DIR name a folder")
    directory = Path(named.value)
    maker = _maker(directory)
    if maker not in ("", toolchain.version):
        fault = f"those in {directory} were made by {maker}, which {toolchain.version} cannot use"
        return Crates(directory, found_by=named.source, fault=fault)
    for inner in ("target/release/deps", "release/deps", "deps"):
        if (directory / inner).is_dir():
            directory = directory / inner
            break
    rlibs = {
        name: found[0]
        for name in BENCHMARK_CRATES
        if (found := sorted(directory.glob(f"lib{name}-*.rlib")))
    }
    missing = ", ".join(name for name in BENCHMARK_CRATES if name not in rlibs)
    fault = f"{named.value} has no {missing}" if missing else ""
    return Crates(directory, rlibs, named.source, fault)


def _maker(directory: Path) -> str:
    """The compiler that made the crates, where the set-up has noted it."""
    try:
        return (directory / "made-from").read_text(encoding="utf-8").strip().rpartition(" ")[0]
    except OSError:
        return ""

"""`sigil-eval env`: what scoring and generation have to work with here, and what is missing."""

from __future__ import annotations

import os
import platform
import pwd
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from sigil_eval import __version__
from sigil_eval.console import answer, say
from sigil_eval.errors import PreflightError
from sigil_eval.judging.crates import BENCHMARK_CRATES, HOW_TO_GET_CRATES, find_crates
from sigil_eval.judging.sandbox import installed_firejail, ordinary_identity
from sigil_eval.judging.toolchain import Toolchain, find_toolchain
from sigil_eval.provisioned import provisioned, provisioned_file, setup_command
from sigil_eval.record.machine import gpus


@dataclass(frozen=True)
class Finding:
    """One thing, where it comes from, and, where it is missing, what to do.

    `needed`: without it nothing can be scored.
    """

    name: str
    value: str | None
    source: str = ""
    advice: str = ""
    needed: bool = False

    @property
    def missing(self) -> bool:
        """Whether something is to be done about it."""
        return bool(self.advice)


def find_surroundings() -> list[Finding]:
    """Everything that counts, in the order in which it is shown."""
    return list(_findings())


def _findings() -> Iterator[Finding]:
    yield Finding("sigil-eval", __version__, str(Path(__file__).parent))
    yield Finding("Python", platform.python_version(), sys.executable)
    try:
        toolchain = find_toolchain()
    except PreflightError as error:
        yield Finding("rustc", None, advice=str(error), needed=True)
        yield Finding("crates", None, advice="they are made by a compiler, which is missing")
    else:
        yield Finding("rustc", f"{toolchain.version}, {toolchain.rustc}", toolchain.found_by)
        yield _crates(toolchain)
    yield _firejail()
    yield _sandbox_user()
    yield _state_folder()
    names = ", ".join(str(gpu["name"]) for gpu in gpus())
    yield Finding("GPU", names or "none: models are computed by the CPU", "nvidia-smi")


def _crates(toolchain: Toolchain) -> Finding:
    crates = find_crates(toolchain)
    names = ", ".join(name for name in BENCHMARK_CRATES if name in crates.rlibs)
    value = f"{names}, {crates.directory}" if names else None
    if not crates.fault:
        return Finding("crates", value, crates.found_by)
    how = HOW_TO_GET_CRATES.format(command=setup_command("--only rust"))
    advice = f"{crates.fault}. Problems that need them are left out of every score. {how}"
    return Finding("crates", value, crates.found_by, advice)


def _firejail() -> Finding:
    try:
        executable, version = installed_firejail()
    except PreflightError as error:
        return Finding("Firejail", None, advice=str(error), needed=True)
    source = "SIGIL_FIREJAIL" if os.environ.get("SIGIL_FIREJAIL") else "PATH"
    return Finding("Firejail", f"{version}, {executable}", source)


def _sandbox_user() -> Finding:
    try:
        identity = ordinary_identity()
    except PreflightError as error:
        return Finding("sandbox user", None, advice=str(error), needed=True)
    if identity is None:
        return Finding("sandbox user", pwd.getpwuid(os.geteuid()).pw_name, "who runs this")
    return Finding("sandbox user", identity.name, "as root, programs run as another")


def _state_folder() -> Finding:
    folder = provisioned().get("state_dir")
    if folder is None:
        value = "none: this environment was not made by eval_setup.sh"
        return Finding("state folder", value, str(provisioned_file()))
    advice = (
        "" if Path(folder).is_dir() else f"it is gone. `{setup_command('--from rust')}` mends it"
    )
    return Finding("state folder", folder, str(provisioned_file()), advice)


def print_surroundings(found: Sequence[Finding]) -> None:
    """For people, or as one JSON object."""
    answer({item.name: asdict(item) | {"missing": item.missing} for item in found})
    for item in found:
        source = f"  ({item.source})" if item.source else ""
        say(f"{item.name:13} {item.value or 'missing'}{source}")
        if item.advice:
            say(f"{'':13} {item.advice}")

"""The software of a run: this project's own code, Python and its packages, compiler and sandbox."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import platform
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from sigil_eval.documents.metadata import GitState, Lock, Python
from sigil_eval.files import sha256_file
from sigil_eval.provisioned import provided
from sigil_eval.record.commands import output_of
from sigil_eval.record.machine import first_match

PACKAGE = Path(__file__).parents[1]
JUDGING_ROOMS = ("rust", "answers", "judging", "scoring")
_SAY_PACKAGES = """
import importlib.metadata, json
print(json.dumps([(d.metadata["Name"], d.version) for d in importlib.metadata.distributions()]))
"""


def judge_code_sha256(package: Path = PACKAGE) -> str:
    """Of the sources that read answers, apply the policy, compile, run and judge."""
    digest = hashlib.sha256()
    for room in JUDGING_ROOMS:
        for path in sorted((package / room).rglob("*")):
            if path.suffix in (".py", ".rs"):
                digest.update(f"{path.relative_to(package)} {sha256_file(path)}\n".encode())
    return digest.hexdigest()


def git_state(checkout: Path) -> GitState | None:
    """Commit and dirty flag of a checkout; None when `checkout` is not the top of one."""
    if not (checkout / ".git").exists():
        return None
    # Root may evaluate a checkout that an ordinary user cloned.
    git = ["git", "-c", "safe.directory=*", "-C", str(checkout)]
    commit = output_of([*git, "rev-parse", "HEAD"])
    status = output_of([*git, "status", "--porcelain"])
    if not commit or status is None:
        return None
    return {"commit": commit.strip(), "dirty": bool(status.strip())}


def lock_state(checkout: Path) -> Lock | None:
    """Name and hash of the lock that the environment was made from; None where there is none."""
    lock = checkout / "requirements" / "eval.lock"
    return {"path": lock.name, "sha256": sha256_file(lock)} if lock.is_file() else None


def python_build() -> Python:
    """Python's version, and the line in which it names its build."""
    return {"version": platform.python_version(), "build": sys.version.split("\n")[0]}


def packages() -> dict[str, str]:
    """Version by name of every distribution that this Python can import."""
    found = (distribution.metadata for distribution in importlib.metadata.distributions())
    return _by_name((metadata["Name"], metadata["Version"]) for metadata in found)


def packages_of(python: Path) -> dict[str, str] | None:
    """The same of another interpreter; None where it cannot be asked."""
    said = output_of([str(python), "-I", "-c", _SAY_PACKAGES])
    return None if said is None else _by_name(json.loads(said))


def vllm_packages() -> dict[str, str] | None:
    """The same of vLLM's interpreter; None where there is none."""
    named = provided("vllm_python")
    return None if named is None else packages_of(Path(named.value))


def _by_name(found: Iterable[Sequence[str]]) -> dict[str, str]:
    """The first version of each name."""
    versions: dict[str, str] = {}
    for name, version in found:
        if name:
            versions.setdefault(re.sub(r"[-_.]+", "-", name).lower(), version)
    return dict(sorted(versions.items()))


def cuda_version() -> str | None:
    """The CUDA version that the installed torch was built for, read without importing torch."""
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        return None
    version_file = Path(spec.origin).with_name("version.py")
    return first_match(version_file, r"cuda[^=\n]*=\s*'([^']+)'")


def rustc_version(rustc: Path) -> dict[str, str] | None:
    """`rustc --version --verbose` as a mapping (release, host, commit-hash, LLVM version)."""
    text = output_of([str(rustc), "--version", "--verbose"])
    if not text:
        return None
    lines = text.strip().split("\n")
    pairs = (line.partition(": ") for line in lines[1:])
    return {"version": lines[0]} | {name: value for name, colon, value in pairs if colon}


def firejail_version() -> str | None:
    """Firejail's version number, or None when it is not installed."""
    text = output_of(["firejail", "--version"])
    match = re.search(r"firejail version (\S+)", text or "")
    return match.group(1) if match else None

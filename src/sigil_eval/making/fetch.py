"""Crates from the registry, by sigil-pipeline, and what they depend on, by cargo."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import logging
import os
import platform
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sigil_eval.errors import PreflightError, UsageError
from sigil_eval.making.crate_list import Crate

PIPELINE = "sigil-pipeline"
OLDEST_EDITION = 2021  # that sigil-pipeline takes
_SECONDS = 600
_MOST_SAID = 800
_TAKE_OUT = "Give the command again when it can be had, or take it out of the list"


def pipeline_version() -> str:
    """Of sigil-pipeline. Raises UsageError where it is not installed."""
    try:
        return importlib.metadata.version(PIPELINE)
    except importlib.metadata.PackageNotFoundError:
        raise UsageError(
            f"crates are fetched by {PIPELINE}, which is not here; `bash eval_setup.sh` provides "
            f"it, and so does `pip install '.[data]'`"
        ) from None


class Fetched(NamedTuple):
    """A crate's files, and what its Cargo.toml says."""

    folder: Path
    edition: int
    license: str | None


def fetch_crate(crate: Crate, folder: Path) -> Fetched:
    """A crate, unpacked in `folder`. Raises PreflightError where it cannot be had.

    Of its command, only the function that downloads is called: the command deletes every
    `sigil_*` folder of the temporary one.
    """
    from sigil_pipeline import crawler

    unpacked = folder / f"{crate.name}-{crate.version}"
    with _said_by("sigil_pipeline") as said:
        found = crawler.fetch_crate(crate.name, version=crate.version, temp_dir=folder)
    fetched = _read_manifest(unpacked)
    # What is of an older edition is unpacked, too, and not given back.
    if fetched is None or (found is None and fetched.edition >= OLDEST_EDITION):
        raise PreflightError(f"{crate} was not fetched: {'; '.join(said)}. {_TAKE_OUT}")
    return fetched


def _read_manifest(folder: Path) -> Fetched | None:
    """What an unpacked crate's Cargo.toml says; None where it cannot be read."""
    try:
        package = tomllib.loads((folder / "Cargo.toml").read_text("utf-8"))["package"]
        licensed = package.get("license")
        edition = int(package.get("edition", 2015))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return Fetched(folder, edition, licensed if isinstance(licensed, str) else None)


def fetch_dependencies(
    crate: Crate, manifest: Path, cargo: Path, cargo_home: Path, *, locked: bool
) -> None:
    """Put into `cargo_home` what a package needs to be compiled on this machine without network:
    what the Cargo.lock beside its manifest names, or, not `locked`, what the registry has today.

    cargo runs nothing of a package then. Raises PreflightError where that cannot be had.
    """
    target = f"{platform.machine()}-unknown-linux-gnu"
    command = [str(cargo), "fetch", "--quiet", "--target", target]
    command += ["--manifest-path", str(manifest), *(["--locked"] if locked else [])]
    environment = {
        **os.environ,
        "CARGO_HOME": str(cargo_home),
        "RUSTC": str(cargo.parent / "rustc"),
    }
    try:
        done = subprocess.run(
            command,
            cwd=manifest.parent,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
        )
        reason = done.stderr.decode("utf-8", "replace").strip()[-_MOST_SAID:]
    except subprocess.TimeoutExpired:
        reason = f"no end in {_SECONDS} seconds"
    else:
        if done.returncode == 0:
            return
    raise PreflightError(f"what {crate} depends on was not fetched: {reason}. {_TAKE_OUT}")


def hash_of(folder: Path) -> str:
    """SHA-256 of the files in a folder, with their paths."""
    total = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix().encode("utf-8", "surrogateescape")
        total.update(hashlib.sha256(name).digest())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


@contextlib.contextmanager
def _said_by(name: str) -> Iterator[list[str]]:
    """What a library logs of errors, instead of to the screen."""
    said: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    logger, handler = logging.getLogger(name), Kept(logging.ERROR)
    logger.addHandler(handler)
    before, logger.propagate = logger.propagate, False
    try:
        yield said
    finally:
        logger.removeHandler(handler)
        logger.propagate = before

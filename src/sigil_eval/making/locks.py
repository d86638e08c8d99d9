"""The Cargo.lock of each crate, kept beside the data: with it, the same bytes come again later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from sigil_eval.documents.dataset_made import DATASET_MADE_FILE, DatasetMade, ReadCrate
from sigil_eval.documents.shape import read_document
from sigil_eval.errors import UsageError
from sigil_eval.files import sha256_text, write_atomic
from sigil_eval.making.crate_list import Crate

FOLDER = "locks"


def read_locks(folder: Path, crates: Sequence[Crate]) -> dict[Crate, str]:
    """The lock files of crates, of an earlier data set's folder.

    Raises UsageError where it has none of a crate, or another than it was made with.
    """
    made = read_document(folder / DATASET_MADE_FILE, DatasetMade)
    known = {Crate(one["name"], one["version"]): one["lock_sha256"] for one in made["crates"]}
    found = {}
    for crate in crates:
        if crate not in known:
            raise UsageError(f"{folder}: was not made of {crate}; take it out of the list, or give "
                             "the command without --locked")  # fmt: skip
        sha256 = known[crate]
        if sha256 is not None:
            found[crate] = _read(_path(folder, crate), sha256)
    return found


def write_locks(folder: Path, read: Mapping[Crate, ReadCrate]) -> None:
    """Write the lock files of crates, and no others."""
    for stale in (folder / FOLDER).glob("*.lock"):
        stale.unlink()
    for crate, one in read.items():
        if one["lock"] is not None:
            write_atomic(_path(folder, crate), one["lock"])


def _path(folder: Path, crate: Crate) -> Path:
    return folder / FOLDER / f"{crate.name}-{crate.version}.lock"


def _read(path: Path, sha256: str) -> str:
    try:
        text = path.read_text("utf-8")
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from None
    if sha256_text(text) != sha256:
        raise UsageError(f"{path}: is not what {DATASET_MADE_FILE} says; it was changed since")
    return text

"""The rows of all crates in their order, cleaned, and divided by crate."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sigil_eval.documents.dataset_made import MadeCrate, MadeRow, ReadCrate, SplitName
from sigil_eval.errors import UsageError
from sigil_eval.making.cleaned import cleaned

SPLITS: tuple[SplitName, ...] = ("train", "val")


@dataclass(frozen=True)
class Together:
    """Rows by split, what came of each crate, and how many rows were left out, by reason."""

    rows: dict[SplitName, list[MadeRow]]
    crates: list[MadeCrate]
    left_out: Counter[str]


def bring_together(read: Sequence[ReadCrate], seed: int, val_share: float) -> Together:
    """Training data of crates that were read. Raises UsageError where they give no rows."""
    keyed = sorted((one for crate in read for one in crate["rows"]), key=lambda one: one["key"])
    kept, left_out = cleaned([one["row"] for one in keyed])
    split_of = _splits([row["_source_crate"] for row in kept], seed, val_share)
    rows: dict[SplitName, list[MadeRow]] = {split: [] for split in SPLITS}
    for row in kept:
        rows[split_of[row["_source_crate"]]].append(row)
    if not rows["train"]:
        faults = [
            f"{one['name']}@{one['version']} ({one['fault']})" for one in read if one["fault"]
        ]
        reasons = [*faults, *(f"{count} rows: {name}" for name, count in left_out.items())]
        raise UsageError(
            f"these crates give no rows to train on{': ' if reasons else ''}{'; '.join(reasons)}"
        )
    return Together(rows, [_made(one, kept, split_of) for one in read], left_out)


def _splits(names: Sequence[str], seed: int, val_share: float) -> dict[str, SplitName]:
    """Where each crate's rows go, all versions alike; at least one crate stays to train on."""

    def place(name: str) -> bytes:
        return hashlib.sha256(f"{seed}\0split\0{name}".encode()).digest()

    crates = sorted({*names}, key=place)
    of_val = min(round(val_share * len(crates)), len(crates) - 1)
    return {name: "val" if at < of_val else "train" for at, name in enumerate(crates)}


def _made(one: ReadCrate, kept: Sequence[MadeRow], split_of: dict[str, SplitName]) -> MadeCrate:
    crate = (one["name"], one["version"])
    tasks = Counter(
        row["_task_type"] for row in kept if (row["_source_crate"], row["_crate_version"]) == crate
    )
    return {
        "name": one["name"],
        "version": one["version"],
        "source_sha256": one["source_sha256"],
        "license": one["license"],
        "split": split_of.get(one["name"]) if tasks else None,
        "fault": one["fault"],
        "said": one["said"],
        "files": one["files"],
        "left_out": one["left_out"],
        "rows": dict(sorted(tasks.items())),
    }

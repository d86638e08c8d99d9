"""The rows of all crates in their order, cleaned, and divided by crate."""

from __future__ import annotations

import hashlib
import tomllib
from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from sigil_eval.documents.dataset_made import (
    BareRow,
    MadeCrate,
    MadeRow,
    ReadCrate,
    SplitName,
    TaskName,
)
from sigil_eval.errors import UsageError
from sigil_eval.files import sha256_text
from sigil_eval.making.cleaned import Verdicts
from sigil_eval.making.crate_list import Crate
from sigil_eval.making.store import Store

SPLITS: tuple[SplitName, ...] = ("train", "val")


class Together:
    """Training data of crates that were read; their rows stay in the store.

    `left_out` says how many rows were left out, by reason.
    """

    def __init__(
        self, store: Store, read: Sequence[ReadCrate], seed: int, val_share: float
    ) -> None:
        """Raises UsageError where no row is left to train on."""
        self._store, self._read = store, read
        self._crates = [Crate(one["name"], one["version"]) for one in read]
        self._verdicts = Verdicts(store.rows(self._crates))
        self.left_out = self._verdicts.left_out()
        self._counts: dict[Crate, Counter[TaskName]] = {crate: Counter() for crate in self._crates}
        for row in self._kept():
            self._counts[_crate_of(row)][row["_task_type"]] += 1
        with_rows = {crate.name for crate, counts in self._counts.items() if counts}
        self._split_of = _splits(with_rows, seed, val_share)
        if not with_rows:
            raise self._nothing()

    def splits(self) -> list[SplitName]:
        """Those that have rows."""
        return [split for split in SPLITS if split in self._split_of.values()]

    def rows(self, split: SplitName) -> Iterator[MadeRow]:
        """The rows of a split, one at a time."""
        for row in self._kept():
            if self._split_of[row["_source_crate"]] == split:
                yield {**row, "split": split}

    def tasks(self) -> Counter[TaskName]:
        """How many rows there are, by kind of task."""
        return sum(self._counts.values(), Counter[TaskName]())

    def crates(self) -> list[MadeCrate]:
        """What came of each crate."""
        return [self._made(*pair) for pair in zip(self._crates, self._read, strict=True)]

    def _kept(self) -> Iterator[BareRow]:
        for number, row in enumerate(self._store.rows(self._crates)):
            if self._verdicts.stays(number):
                yield row

    def _nothing(self) -> UsageError:
        pairs = zip(self._crates, self._read, strict=True)
        faults = [f"{crate} ({one['fault']})" for crate, one in pairs if one["fault"]]
        reasons = [*faults, *(f"{count} rows: {name}" for name, count in self.left_out.items())]
        return UsageError(
            f"these crates give no rows to train on{': ' if reasons else ''}{'; '.join(reasons)}"
        )

    def _made(self, crate: Crate, one: ReadCrate) -> MadeCrate:
        tasks, lock = self._counts[crate], one["lock"]
        return {
            "name": one["name"],
            "version": one["version"],
            "source_sha256": one["source_sha256"],
            "license": one["license"],
            "split": self._split_of[crate.name] if tasks else None,
            "fault": one["fault"],
            "said": one["said"],
            "lock_sha256": None if lock is None else sha256_text(lock),
            "dependencies": [] if lock is None else _dependencies(lock),
            "files": one["files"],
            "left_out": one["left_out"],
            "rows": dict(sorted(tasks.items())),
        }


def _crate_of(row: BareRow) -> Crate:
    return Crate(row["_source_crate"], row["_crate_version"])


def _dependencies(lock: str) -> list[str]:
    """What a Cargo.lock names of the registry."""
    packages = tomllib.loads(lock).get("package", ())
    return [f"{one['name']}@{one['version']}" for one in packages if "source" in one]


def _splits(names: Collection[str], seed: int, val_share: float) -> dict[str, SplitName]:
    """Where each crate's rows go, all versions alike; at least one crate stays to train on."""

    def place(name: str) -> bytes:
        return hashlib.sha256(f"{seed}\0split\0{name}".encode()).digest()

    crates = sorted({*names}, key=place)
    of_val = min(round(val_share * len(crates)), len(crates) - 1)
    return {name: "val" if at < of_val else "train" for at, name in enumerate(crates)}

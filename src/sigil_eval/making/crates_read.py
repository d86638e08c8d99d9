"""The crates of a list, each fetched, compiled and read once: a store keeps what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sigil_eval.console import ProgressLine, warn
from sigil_eval.documents.dataset_made import KeyedRow, ReadCrate
from sigil_eval.errors import PreflightError
from sigil_eval.making.crate_list import Crate
from sigil_eval.making.fetch import OLDEST_EDITION, Fetched, fetch_crate, hash_of
from sigil_eval.making.gate import Gate, Judged
from sigil_eval.making.reading import CrateText, read_crate
from sigil_eval.making.store import Store
from sigil_eval.making.with_model import write_rows
from sigil_eval.making.writer import Writer
from sigil_eval.server import ServerError

_SHOWN = 5


@dataclass(frozen=True)
class Reader:
    """By what crates are read. `locks` are the Cargo.locks to compile with, where there are any;
    without a `writer`, nothing is made that needs a model."""

    gate: Gate
    store: Store
    seed: int
    locks: Mapping[Crate, str] = field(default_factory=dict)
    writer: Writer | None = None

    def read_all(self, crates: Sequence[Crate]) -> list[ReadCrate]:
        """What came of each crate, in the order of the list; their rows are in the store.

        Raises ServerError where the writer gives no answers, and PreflightError, when all others
        were read, where a crate cannot be had or it cannot be told whether it compiles.
        """
        known = self.store.crates()
        failed: list[str] = []
        have = sum(crate in known for crate in crates)
        with ProgressLine("reading", len(crates), have, unit="crates") as progress:
            for crate in crates:
                if crate in known:
                    continue
                try:
                    known[crate] = self._read(crate)
                except ServerError:
                    raise
                except PreflightError as error:
                    warn(str(error))
                    failed.append(str(crate))
                    continue
                progress.update(progress.done + 1, str(crate))
        if failed:
            shown = ", ".join(failed[:_SHOWN]) + (" …" if len(failed) > _SHOWN else "")
            raise PreflightError(
                f"{len(failed)} of {len(crates)} crates could not be looked into: {shown}. Nothing "
                f"was written but {self.store.path.name}, which keeps the others"
            )
        return [known[crate] for crate in crates]

    def _read(self, crate: Crate) -> ReadCrate:
        """Read a crate, and keep what came of it."""
        with self.gate.folder() as folder:
            fetched = fetch_crate(crate, folder)
            # All is read before the crate's build script runs, which may write there.
            source = hash_of(fetched.folder)
            asks = self.writer is not None
            text = read_crate(crate, fetched.folder, self.seed, with_model=asks)
            judged, lock = self._judged(crate, fetched)
            rows: list[KeyedRow] = []
            rejected = Counter[str]()
            if judged.fault is None:
                rows, rejected = self._with_model(crate, fetched, text)
        read: ReadCrate = {
            "name": crate.name,
            "version": crate.version,
            "source_sha256": source,
            "license": fetched.license,
            "fault": judged.fault,
            "said": judged.said,
            "lock": lock,
            "files": text.files,
            "left_out": {**text.left_out},
            "rejected_answers": {**rejected},
        }
        self.store.add(crate, read, [] if judged.fault else [*text.rows, *rows])
        return read

    def _judged(self, crate: Crate, fetched: Fetched) -> tuple[Judged, str | None]:
        if fetched.edition < OLDEST_EDITION:
            return Judged("edition before 2021"), None
        judged = self.gate.judge(crate, fetched.folder, self.locks.get(crate))
        return judged, self.gate.lock_of(fetched.folder)

    def _with_model(
        self, crate: Crate, fetched: Fetched, text: CrateText
    ) -> tuple[list[KeyedRow], Counter[str]]:
        if self.writer is None:
            return [], Counter()
        return write_rows(crate, fetched.folder, text, self.gate, self.writer)

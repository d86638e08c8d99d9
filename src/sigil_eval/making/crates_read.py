"""The crates of a list, each fetched, compiled and read once: a journal keeps what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sigil_eval.console import ProgressLine, warn
from sigil_eval.documents.dataset_made import ReadCrate
from sigil_eval.documents.shape import check
from sigil_eval.errors import PreflightError, UsageError
from sigil_eval.files import Journal
from sigil_eval.making.crate_list import Crate
from sigil_eval.making.fetch import OLDEST_EDITION, fetch_crate, hash_of
from sigil_eval.making.gate import Gate, Judged
from sigil_eval.making.reading import read_crate

type Plan = Mapping[str, object]
"""What decides the rows of a crate, besides the crate."""

_SHOWN = 5


def read_all(
    crates: Sequence[Crate], gate: Gate, journal: Journal, plan: Plan, seed: int
) -> list[ReadCrate]:
    """What came of each crate, in the order of the list.

    Raises UsageError where the journal is of another plan, and PreflightError, when all others
    were read, where a crate cannot be had or it cannot be told whether it compiles.
    """
    known = _known(journal, plan)
    failed: list[str] = []
    have = sum(crate in known for crate in crates)
    with ProgressLine("reading", len(crates), have, unit="crates") as progress:
        for crate in crates:
            if crate in known:
                continue
            try:
                known[crate] = _read(crate, gate, seed)
            except PreflightError as error:
                warn(str(error))
                failed.append(str(crate))
                continue
            journal.append(known[crate])
            progress.update(progress.done + 1, str(crate))
    if failed:
        shown = ", ".join(failed[:_SHOWN]) + (" …" if len(failed) > _SHOWN else "")
        raise PreflightError(
            f"{len(failed)} of {len(crates)} crates could not be looked into: {shown}. Nothing was "
            "written but the journal, which keeps the others"
        )
    return [known[crate] for crate in crates]


def _known(journal: Journal, plan: Plan) -> dict[Crate, ReadCrate]:
    """What an earlier start has read; the first row of a journal is its plan."""
    rows = [*journal.rows()]
    if not rows:
        journal.append({"plan": plan})
        return {}
    if rows[0][1] != {"plan": plan}:
        raise UsageError(
            f"{journal.path}: was begun with another seed or other versions; name another folder"
        )
    read = (check(row, ReadCrate, f"{journal.path}:{number}") for number, row in rows[1:])
    return {Crate(one["name"], one["version"]): one for one in read}


def _read(crate: Crate, gate: Gate, seed: int) -> ReadCrate:
    with gate.folder() as folder:
        fetched = fetch_crate(crate, folder)
        is_old = fetched.edition < OLDEST_EDITION
        # All is read before the crate's build script runs, which may write there.
        source = hash_of(fetched.folder)
        rows, files, left_out = read_crate(crate, fetched.folder, seed)
        judged = Judged("edition before 2021") if is_old else gate.judge(crate, fetched.folder)
    return {
        "name": crate.name,
        "version": crate.version,
        "source_sha256": source,
        "license": fetched.license,
        "fault": judged.fault,
        "said": judged.said,
        "files": files,
        "left_out": {**left_out},
        "rows": [] if judged.fault else rows,
    }

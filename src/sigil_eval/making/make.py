"""From a list of crates to a folder of training data, and its record."""

from __future__ import annotations

import importlib.metadata
import json
import platform
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from sigil_eval import __version__
from sigil_eval.documents.dataset_made import DATASET_MADE_FILE, DATASET_MADE_VERSION, DatasetMade
from sigil_eval.errors import UsageError
from sigil_eval.files import Journal, only_writer, sha256_file, write_atomic
from sigil_eval.making.crate_list import read_crates
from sigil_eval.making.crates_read import read_all
from sigil_eval.making.fetch import PIPELINE, pipeline_version
from sigil_eval.making.gate import open_gate
from sigil_eval.making.tasks import NOT_MADE
from sigil_eval.making.together import SPLITS, Together, bring_together
from sigil_eval.making.written import require_parquet, write_split

JOURNAL = ".crates.jsonl"
_DATA = [f"{split}.{ending}" for split in SPLITS for ending in ("jsonl", "parquet")]


@dataclass(frozen=True)
class Request:
    """What is to be made of which list, and where; `parquet` instead of JSONL."""

    crates: Path
    folder: Path
    seed: int
    val_share: float
    parquet: bool = False


def make_dataset(request: Request) -> DatasetMade:
    """Make training data; dataset_made.json is written last, and returned.

    Crates that an earlier start has read are not read again. Raises UsageError for a list that
    cannot be read, a folder of other data, and crates that give no rows; PreflightError where a
    tool is missing, a crate cannot be had, or it cannot be told whether it compiles.
    """
    crates = read_crates(request.crates)
    versions = {"sigil-eval": __version__, PIPELINE: pipeline_version()}
    if request.parquet:
        require_parquet()
    _refuse_other_data(request.folder)
    request.folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        stack.enter_context(only_writer(request.folder, "another dataset make is at work there"))
        gate = stack.enter_context(open_gate())
        versions |= {"rustc": gate.toolchain.version, "Python": platform.python_version()}
        plan = {"seed": request.seed, "versions": versions}
        journal = stack.enter_context(Journal(request.folder / JOURNAL))
        read = read_all(crates, gate, journal, plan, request.seed)
        together = bring_together(read, request.seed, request.val_share)
        if request.parquet:
            versions = {**versions, "pyarrow": importlib.metadata.version("pyarrow")}
        return _write(request, together, versions, gate.sandbox.description)


def _refuse_other_data(folder: Path) -> None:
    found = [name for name in _DATA if (folder / name).exists()]
    if found and not (folder / JOURNAL).exists():
        raise UsageError(f"{folder}: has {found[0]}, which was not made here; name another folder")


def _write(
    request: Request, together: Together, versions: dict[str, str], sandbox: str
) -> DatasetMade:
    """The files of data, and the record when they are there."""
    record = request.folder / DATASET_MADE_FILE
    for stale in (record, *(request.folder / name for name in _DATA)):
        stale.unlink(missing_ok=True)
    files = [
        write_split(request.folder, split, rows, request.parquet)
        for split, rows in together.rows.items()
        if rows
    ]
    tasks = Counter(row["_task_type"] for rows in together.rows.values() for row in rows)
    faults = Counter(one["fault"] for one in together.crates if one["fault"] is not None)
    made: DatasetMade = {
        "schema_version": DATASET_MADE_VERSION,
        "versions": versions,
        "sandbox": sandbox,
        "list_sha256": sha256_file(request.crates),
        "seed": request.seed,
        "val_share": request.val_share,
        "crates": together.crates,
        "rejected_crates": dict(sorted(faults.items())),
        "tasks": dict(sorted(tasks.items())),
        "rejected_rows": dict(sorted(together.left_out.items())),
        "files": files,
        "not_made": NOT_MADE,
    }
    write_atomic(record, json.dumps(made, indent=1) + "\n")
    return made

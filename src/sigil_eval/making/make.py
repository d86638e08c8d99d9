"""From a list of crates to files of training data, and its record."""

from __future__ import annotations

import importlib.metadata
import json
import platform
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from sigil_eval import __version__
from sigil_eval.console import warn
from sigil_eval.documents.dataset_made import (
    DATASET_MADE_FILE,
    DATASET_MADE_VERSION,
    DatasetMade,
    MadeWriter,
    ReadCrate,
)
from sigil_eval.errors import UsageError
from sigil_eval.files import only_writer, sha256_file, sha256_text, write_atomic
from sigil_eval.making.crate_list import Crate, read_crates
from sigil_eval.making.crates_read import Reader
from sigil_eval.making.fetch import PIPELINE, pipeline_version
from sigil_eval.making.gate import open_gate
from sigil_eval.making.locks import read_locks, write_locks
from sigil_eval.making.store import Store
from sigil_eval.making.tasks import BY_A_MODEL
from sigil_eval.making.together import SPLITS, Together
from sigil_eval.making.writer import Writer, WriterOptions
from sigil_eval.making.written import require_parquet, write_split

STORE = ".made.sqlite"
_DATA = [f"{split}.{ending}" for split in SPLITS for ending in ("jsonl", "parquet")]


@dataclass(frozen=True)
class Request:
    """What is to be made of which list, and where; `parquet` instead of JSONL. `locked` is the
    folder of an earlier data set, whose Cargo.locks are taken; `writer` a model that helps."""

    crates: Path
    folder: Path
    seed: int
    val_share: float
    parquet: bool = False
    locked: Path | None = None
    writer: WriterOptions | None = None


def make_dataset(request: Request) -> DatasetMade:
    """Make training data; dataset_made.json is written last, and returned.

    Crates that an earlier start has read are not read again, and what a model has answered is not
    asked again. Raises UsageError for a list that cannot be read, a folder of other data, lock
    files that are not there, a model that the server does not have, and crates that give no rows;
    PreflightError where a tool is missing, a crate cannot be had, it cannot be told whether it
    compiles, or the server gives no answers.
    """
    crates = read_crates(request.crates)
    versions = {"sigil-eval": __version__, PIPELINE: pipeline_version()}
    if request.parquet:
        require_parquet()
    _refuse_other_data(request.folder)
    locks = read_locks(request.locked, crates) if request.locked else {}
    request.folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        stack.enter_context(only_writer(request.folder, "another dataset make is at work there"))
        store = stack.enter_context(Store(request.folder / STORE))
        writer = Writer(request.writer, store) if request.writer else None
        if writer:
            writer.check()
        gate = stack.enter_context(open_gate())
        versions |= {"rustc": gate.toolchain.version, "Python": platform.python_version()}
        record = writer.record if writer else None
        store.agree(_plan(request, versions, locks, record))
        read = Reader(gate, store, request.seed, locks, writer).read_all(crates)
        together = Together(store, read, request.seed, request.val_share)
        if request.parquet:
            versions = {**versions, "pyarrow": importlib.metadata.version("pyarrow")}
        write_locks(request.folder, dict(zip(crates, read, strict=True)))
        return _write(request, together, read, (versions, gate.sandbox.description, record))


def _plan(
    request: Request, versions: dict[str, str], locks: dict[Crate, str], writer: MadeWriter | None
) -> dict[str, object]:
    named = {str(crate): sha256_text(text) for crate, text in locks.items()}
    return {"seed": request.seed, "versions": versions, "locks": named, "writer": writer}


def _refuse_other_data(folder: Path) -> None:
    found = [name for name in _DATA if (folder / name).exists()]
    if found and not (folder / STORE).exists():
        raise UsageError(f"{folder}: has {found[0]}, which was not made here; name another folder")


def _write(
    request: Request,
    together: Together,
    read: list[ReadCrate],
    told: tuple[dict[str, str], str, MadeWriter | None],
) -> DatasetMade:
    """The files of data, and the record when they are there; `told` are versions, sandbox and
    writer."""
    record = request.folder / DATASET_MADE_FILE
    for stale in (record, *(request.folder / name for name in _DATA)):
        stale.unlink(missing_ok=True)
    files = [
        write_split(request.folder, split, together.rows(split), request.parquet)
        for split in together.splits()
    ]
    faults = Counter(one["fault"] for one in read if one["fault"] is not None)
    rejected = sum((Counter(one["rejected_answers"]) for one in read), Counter[str]())
    versions, sandbox, writer = told
    if writer and not any(task in together.tasks() for task in BY_A_MODEL):
        warn(f"{writer['model']} has written nothing that could be taken; see why below")
    made: DatasetMade = {
        "schema_version": DATASET_MADE_VERSION,
        "versions": versions,
        "sandbox": sandbox,
        "list_sha256": sha256_file(request.crates),
        "seed": request.seed,
        "val_share": request.val_share,
        "crates": together.crates(),
        "rejected_crates": dict(sorted(faults.items())),
        "tasks": dict(sorted(together.tasks().items())),
        "rejected_rows": dict(sorted(together.left_out.items())),
        "files": files,
        "writer": writer,
        "rejected_answers": dict(sorted(rejected.items())),
        "not_made": [] if writer else [*BY_A_MODEL],
    }
    write_atomic(record, json.dumps(made, indent=1) + "\n")
    return made

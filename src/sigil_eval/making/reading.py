"""A crate's library into rows, each with its place in the order of all."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from tree_sitter import Node

from sigil_eval.documents.dataset_made import BareRow, FileFault, KeyedRow, TaskName
from sigil_eval.making.crate_list import Crate
from sigil_eval.making.functions import Function, functions_in
from sigil_eval.making.tasks import Task, task_of
from sigil_eval.rust.syntax import parse

_NO_LIBRARY = frozenset({"tests", "test", "benches", "bench", "examples", "example"})
_TEST_ENDINGS = ("_test", "_tests", "_bench")


@dataclass(frozen=True)
class Wanted:
    """A row that a model is to have a part in; `key` is its place in the order of all."""

    key: str
    kind: TaskName
    function: Function
    file: str


@dataclass
class CrateText:
    """What was read of a crate's library: rows, those that are wanted of a model, the text of the
    files that these are of, how many files were read, and how many were not, by reason."""

    rows: list[KeyedRow] = field(default_factory=list)
    wanted: list[Wanted] = field(default_factory=list)
    sources: dict[str, bytes] = field(default_factory=dict)
    files: int = 0
    left_out: Counter[FileFault] = field(default_factory=Counter)


def read_crate(crate: Crate, folder: Path, seed: int, *, with_model: bool = False) -> CrateText:
    """The functions of a crate's library, each as a row or as one that is wanted."""
    text = CrateText()
    for path in sorted(folder.rglob("*.rs")):
        name = path.relative_to(folder).as_posix()
        if name == "build.rs" or not path.is_file():
            continue
        if _is_test(PurePosixPath(name)):
            text.left_out["a test"] += 1
            continue
        source = path.read_bytes().replace(b"\r\n", b"\n")
        root = _parsed(source)
        if isinstance(root, str):
            text.left_out[root] += 1
            continue
        text.files += 1
        for function in functions_in(root, source):
            _add(text, crate, name, source, function, (seed, with_model))
    return text


def _is_test(path: PurePosixPath) -> bool:
    named = not _NO_LIBRARY.isdisjoint((*path.parts, path.stem))
    return named or path.stem.endswith(_TEST_ENDINGS)


def _parsed(source: bytes) -> Node | FileFault:
    try:
        source.decode("utf-8")
    except UnicodeDecodeError:
        return "not UTF-8"
    tree = parse(source)
    if tree is None or tree.root_node.has_error:
        return "does not parse"
    return tree.root_node


def _add(
    text: CrateText,
    crate: Crate,
    file: str,
    source: bytes,
    function: Function,
    told: tuple[int, bool],
) -> None:
    seed, with_model = told
    place = "\0".join([str(seed), crate.name, crate.version, file, str(function.start)])
    key = hashlib.sha256(place.encode()).hexdigest()
    task = task_of(function, int(key[-8:], 16), with_model)
    if isinstance(task, Task):
        text.rows.append({"key": key, "row": row_of(crate, file, task)})
    else:
        text.wanted.append(Wanted(key, task, function, file))
        text.sources[file] = source


def row_of(crate: Crate, file: str, task: Task) -> BareRow:
    """The row of a task of a crate's file."""
    return {
        "prompt": task.prompt,
        "gen": task.gen,
        "_task_type": task.kind,
        "_source_crate": crate.name,
        "_crate_version": crate.version,
        "_file_path": file,
    }

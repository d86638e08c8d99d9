"""A crate's library into rows, each with its place in the order of all."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from tree_sitter import Node

from sigil_eval.documents.dataset_made import FileFault, KeyedRow
from sigil_eval.making.crate_list import Crate
from sigil_eval.making.functions import functions_in
from sigil_eval.making.tasks import task_of
from sigil_eval.rust.syntax import parse

_NO_LIBRARY = frozenset({"tests", "test", "benches", "bench", "examples", "example"})
_TEST_ENDINGS = ("_test", "_tests", "_bench")


def read_crate(
    crate: Crate, folder: Path, seed: int
) -> tuple[list[KeyedRow], int, Counter[FileFault]]:
    """Rows of a crate's library, how many files were read, and how many were not, by reason."""
    rows: list[KeyedRow] = []
    left_out: Counter[FileFault] = Counter()
    read = 0
    for path in sorted(folder.rglob("*.rs")):
        name = path.relative_to(folder).as_posix()
        if name == "build.rs" or not path.is_file():
            continue
        if _is_test(PurePosixPath(name)):
            left_out["a test"] += 1
            continue
        made = _rows(crate, name, path.read_bytes(), seed)
        if isinstance(made, str):
            left_out[made] += 1
        else:
            read += 1
            rows += made
    return rows, read, left_out


def _is_test(path: PurePosixPath) -> bool:
    named = not _NO_LIBRARY.isdisjoint((*path.parts, path.stem))
    return named or path.stem.endswith(_TEST_ENDINGS)


def _rows(crate: Crate, name: str, data: bytes, seed: int) -> list[KeyedRow] | FileFault:
    source = data.replace(b"\r\n", b"\n")
    try:
        source.decode("utf-8")
    except UnicodeDecodeError:
        return "not UTF-8"
    tree = parse(source)
    if tree is None or tree.root_node.has_error:
        return "does not parse"
    return [*_rows_of(crate, name, source, tree.root_node, seed)]


def _rows_of(crate: Crate, name: str, source: bytes, root: Node, seed: int) -> Iterator[KeyedRow]:
    for function in functions_in(root, source):
        place = "\0".join([str(seed), crate.name, crate.version, name, str(function.start)])
        key = hashlib.sha256(place.encode()).hexdigest()
        kind, prompt, gen = task_of(function, int(key[-8:], 16))
        yield {
            "key": key,
            "row": {
                "prompt": prompt,
                "gen": gen,
                "_task_type": kind,
                "_source_crate": crate.name,
                "_crate_version": crate.version,
                "_file_path": name,
            },
        }

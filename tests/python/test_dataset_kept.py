"""What is kept of crates that were read, and beside the data made of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sigil_eval.errors import PreflightError, UsageError
from sigil_eval.files import sha256_file, sha256_text
from sigil_eval.making.crate_list import Crate
from sigil_eval.making.make import make_dataset
from sigil_eval.making.store import Store
from sigil_eval.making.together import Together
from sigil_eval.making.written import write_split
from test_dataset_make import ALL, Registry, registry, request_for, written_in

__all__ = ["registry"]


def test_the_locks_of_an_earlier_data_set_are_taken(registry: Registry, tmp_path: Path) -> None:
    first = request_for(tmp_path, "tiny@1.0.0", "other@1.0.0")
    made = make_dataset(first)
    lock = first.folder / "locks" / "other-1.0.0.lock"
    assert [one["lock_sha256"] for one in made["crates"]][1] == sha256_file(lock)
    again = replace(first, folder=tmp_path / "again", locked=first.folder)
    make_dataset(again)
    assert written_in(again.folder) == written_in(first.folder)
    with pytest.raises(UsageError, match="begun with another seed, writer or lock files"):
        make_dataset(replace(again, locked=None))

    more = tmp_path / "more"
    more.mkdir()
    with pytest.raises(UsageError, match=r"was not made of broken@1\.0\.0"):
        make_dataset(request_for(more, *ALL, locked=first.folder))
    other = lock.read_text().replace('name = "other"', 'name = "another"')
    lock.write_text(other)
    elsewhere = replace(first, folder=tmp_path / "c", locked=first.folder)
    with pytest.raises(UsageError, match=r"other-1\.0\.0\.lock: is not what dataset_made\.json"):
        make_dataset(elsewhere)
    assert not elsewhere.folder.exists()

    record = first.folder / "dataset_made.json"
    changed = json.loads(record.read_text())
    changed["crates"][1]["lock_sha256"] = sha256_file(lock)
    record.write_text(json.dumps(changed))
    with pytest.raises(PreflightError, match="could not be looked into: other@1"):
        make_dataset(elsewhere)  # a lock that does not fit is not mended in silence


class Counted(dict[str, Any]):
    """A row that is counted as long as it lives."""

    alive = most = 0

    def __init__(self, row: dict[str, Any]) -> None:
        super().__init__(row)
        Counted.alive += 1
        Counted.most = max(Counted.most, Counted.alive)

    def __del__(self) -> None:
        Counted.alive -= 1


def test_few_rows_are_in_memory_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = Store.rows

    def counted(self: Store, crates: Any) -> Iterator[Any]:
        yield from (Counted({**row}) for row in plain(self, crates))

    monkeypatch.setattr(Store, "rows", counted)
    crate, rows = Crate("many", "1.0.0"), 1000
    with Store(tmp_path / "store") as store:
        store.add(crate, read_of(crate), (row_of(crate, number) for number in range(rows)))
        together = Together(store, [read_of(crate)], 1, 0.5)
        written = write_split(tmp_path, "train", together.rows("train"), parquet=False)
    assert written["rows"] == rows
    assert Counted.most <= 400, "two batches of those that are looked into together"


def read_of(crate: Crate) -> Any:
    """What came of a crate without faults."""
    return {
        **{"name": crate.name, "version": crate.version, "source_sha256": "0" * 64},
        **{"license": None, "fault": None, "said": "", "lock": None},
        **{"files": 1, "left_out": {}, "rejected_answers": {}},
    }


def row_of(crate: Crate, number: int) -> Any:
    """A row that no other is alike."""
    signs = "".join(f"    x {'+-'[number >> bit & 1]}= 1;\n" for bit in range(12))
    row = {"prompt": f"Write number {number}.", "gen": f"fn f(mut x: i32) {{\n{signs}}}"}
    row |= {"_task_type": "code_generation", "_source_crate": crate.name}
    row |= {"_crate_version": crate.version, "_file_path": "a.rs"}
    return {"key": sha256_text(str(number)), "row": row}


def test_another_file_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("no database, by far\n" * 100)
    with pytest.raises(UsageError, match=r"store: cannot be gone on with: .*; take it away"):
        Store(tmp_path / "store")

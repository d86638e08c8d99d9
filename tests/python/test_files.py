"""Files of a run: broken input is named, writes are atomic, journals survive a kill."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sigil_eval.errors import PreflightError, UsageError
from sigil_eval.files import (
    Journal,
    dump_row,
    only_writer,
    read_jsonl,
    write_atomic,
    write_jsonl,
)


def test_rows_come_back_with_their_line_numbers(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": 1}\n\n{"a": "é"}\n')
    assert list(read_jsonl(path)) == [(1, {"a": 1}), (3, {"a": "é"})]


@pytest.mark.parametrize(
    ("line", "reason"),
    [('{"a": ', "not valid JSON"), ("[1]", "expected a JSON object, found list")],
)
def test_a_broken_line_is_named(tmp_path: Path, line: str, reason: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": 1}\n' + line + "\n")
    with pytest.raises(UsageError, match=rf"rows\.jsonl:2: .*{reason}"):
        list(read_jsonl(path))


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"a": "\xff"}\n')
    with pytest.raises(UsageError, match="not UTF-8"):
        list(read_jsonl(path))


def test_lone_surrogates_survive_a_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    write_jsonl(path, [{"text": "\ud800"}])
    assert [row for _, row in read_jsonl(path)] == [{"text": "\ud800"}]


def test_what_a_killed_process_had_begun_to_write_is_taken_away(tmp_path: Path) -> None:
    dead, living = tmp_path / ".f.json.4194305.part", tmp_path / f".f.json.{os.getppid()}.part"
    other = tmp_path / ".g.json.4194305.part"
    for part in (dead, living, other):
        part.write_text("half")
    write_atomic(tmp_path / "f.json", "{}")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [living.name, other.name, "f.json"]
    )


def test_a_failed_write_leaves_the_old_file_and_no_part(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    write_atomic(path, "old\n")

    def rows() -> object:
        yield {"a": 1}
        raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError):
        write_jsonl(path, rows())  # type: ignore[arg-type]
    assert path.read_text() == "old\n"
    assert [entry.name for entry in tmp_path.iterdir()] == ["rows.jsonl"]


@pytest.mark.parametrize("torn", ["", '{"n": 2', '{"n": 2}'])
def test_a_journal_drops_only_the_line_a_kill_tore(tmp_path: Path, torn: str) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text(dump_row({"n": 0}) + "\n" + dump_row({"n": 1}) + "\n" + torn)
    with Journal(path) as journal:
        assert [row for _, row in journal.rows()] == [{"n": 0}, {"n": 1}]
        journal.append({"n": 3})
        assert [row for _, row in journal.rows()] == [{"n": 0}, {"n": 1}, {"n": 3}]


def test_a_journal_with_one_torn_line_starts_empty(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text("x" * 200_000)
    with Journal(path) as journal:
        assert list(journal.rows()) == []


def test_a_folder_has_one_writer(tmp_path: Path) -> None:
    with only_writer(tmp_path, "wait for it"):
        with pytest.raises(PreflightError, match=f"{tmp_path}: wait for it"):
            with only_writer(tmp_path, "wait for it"):
                pass
    with only_writer(tmp_path, "nobody is there any more"):
        pass

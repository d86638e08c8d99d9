"""`sigil-eval extract`: what a person sees of how an answer was read, and what a program gets."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.cells import cell_len

from sigil_eval.cli import main
from sigil_eval.documents import ExtractionRow
from sigil_eval.files import write_jsonl
from sigil_eval.problems import ProblemSet

TASK = "HumanEval/23"
FUNCTION = "fn strlen(s: &str) -> usize {\n    s.chars().count()\n}"
ANSWERS = {
    "with a main": f"use std::env;\n{FUNCTION}\nfn main() {{ env::args(); }}",
    "cut behind it": f"Here:\n```rust\n{FUNCTION}\n\nfn other(x: i32) -> i32 {{\n    x +",
    "nothing": "I'd rather not.",
    "cut": "    for c in s.chars() {\n        n +=",
}


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    path = tmp_path / "samples.jsonl"
    rows = [{"task_id": TASK, "completion": text} for text in ANSWERS.values()]
    write_jsonl(path, [*rows, {"task_id": "HumanEval/0", "completion": "    true\n}"}])
    return path


def shown(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    assert main(["extract", *map(str, arguments)]) == 0
    return capsys.readouterr().out


def rows_of(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> list[ExtractionRow]:
    text = shown(capsys, *arguments, "--json")
    return [json.loads(line) for line in text.split("\n") if line]


def test_people_see_what_was_taken_and_what_was_left_out(
    samples: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = shown(capsys, samples, "--task", TASK)
    with_main, cut_behind, nothing, cut, end = [*text.split("\n\nHumanEval/23, "), text[-2:]]
    assert "left out  use env: only a main or tests use it" in with_main
    assert "            | use std::env;" in with_main
    assert "taken     function strlen: the function that was asked for" in with_main
    assert "    s.chars().count()" in with_main
    assert "left out  function other: the answer ends within it" in cut_behind
    assert nothing.startswith("answer 2: no code: no code found")
    assert cut.startswith("answer 3: read as a body, cut off within its code")
    assert end == "\n\n"
    assert "HumanEval/0" not in text


def test_programs_get_a_line_for_each_answer(
    samples: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = rows_of(capsys, samples)
    assert [(row["task_id"], row["completion_id"]) for row in rows] == [
        *((TASK, index) for index in range(4)),
        ("HumanEval/0", 0),
    ]
    assert rows[0]["code"] == f"{FUNCTION}\n"
    assert not rows[0]["main_free"]
    left_out = [part for part in rows[1]["parts"] if not part["taken"]]
    assert [part["text"] for part in left_out] == ["fn other(x: i32) -> i32 {\n    x +"]
    assert rows[2]["code"] is None
    assert rows[2]["reason"] == "no code found"
    assert rows[3]["truncated"]


def test_nothing_steers_the_terminal_or_is_wider_than_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "samples.jsonl"
    hostile = '    let s = "\x1b[2J\u202e' + "漢" * 300 + '";\n\tlet t = 1;\r    s.len()\n}\n'
    wordy = f"{hostile}\nfn main() {{ {'let a = 1; ' * 40} }}\nfn {'b' * 300}() {{\n"
    write_jsonl(path, [{"task_id": TASK, "completion": text} for text in (hostile, wordy)])
    text = shown(capsys, path)
    assert "\\u001b[2J\\u202e" in text
    assert not {"\x1b", "\u202e", "\r", "\t"} & {*text}
    assert max(cell_len(line) for line in text.split("\n")) <= 100
    assert rows_of(capsys, path)[0]["code"].count("\x1b") == 1  # type: ignore[union-attr]


def test_every_reference_answer_is_shown_as_it_is_scored(
    humaneval: ProblemSet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "samples.jsonl"
    write_jsonl(
        path,
        [
            {"task_id": problem.task_id, "completion": problem.canonical_solution}
            for problem in humaneval.problems
        ],
    )
    rows = rows_of(capsys, path)
    assert len(rows) == len(humaneval.problems)
    for row in rows:
        taken = [part["what"] for part in row["parts"] if part["taken"]]
        assert f"function {humaneval.by_id[row['task_id']].entry_point}" in taken
        assert row["code"] is not None


def test_standard_input_is_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    row = json.dumps({"task_id": TASK, "completion": FUNCTION})
    given = io.BufferedReader(io.BytesIO(row.encode()))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(given))
    assert [one["kind"] for one in rows_of(capsys, "-")] == ["function"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--task", "HumanEval/999"], "no problem 'HumanEval/999' in humaneval-rust"),
        (["--task", "HumanEval/1"], "holds no answer to HumanEval/1"),
        (["--problem-set", "nope"], "nope must be one of humaneval-rust"),
    ],
)
def test_what_is_wrong_is_said(
    samples: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["extract", str(samples), *arguments]) == 2
    assert message in " ".join(capsys.readouterr().err.split())

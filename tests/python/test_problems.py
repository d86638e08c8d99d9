"""The problem set is the pinned one, its errata apply, and bad problem files are refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sigil_eval.errors import UsageError
from sigil_eval.problems import ProblemSet, load_problem_file, load_problem_set

ROW = {"task_id": "T/0", "prompt": "fn f() {", "canonical_solution": "}", "entry_point": "f"}


def test_the_default_set_is_humaneval(humaneval: ProblemSet) -> None:
    assert [p.task_id for p in humaneval.problems] == [f"HumanEval/{i}" for i in range(164)]
    assert humaneval.sha256.startswith("5b9acb9d1ae5c409")


def test_errata_give_the_prelude_to_all_and_crates_to_five(humaneval: ProblemSet) -> None:
    assert all("HashMap" in problem.prelude for problem in humaneval.problems)
    needing = {p.task_id.split("/")[1] for p in humaneval.problems if p.crates}
    assert needing == {"38", "50", "53", "91", "162"}


def test_every_erratum_says_why(humaneval: ProblemSet) -> None:
    assert len(humaneval.errata) >= 8
    assert all(len(erratum["why"]) > 40 for erratum in humaneval.errata)


def test_an_unknown_set_is_named() -> None:
    with pytest.raises(UsageError, match="unknown problem set 'nope'; known sets: humaneval-rust"):
        load_problem_set("nope")


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([ROW], ":1: field 'test' is missing"),
        ([{**ROW, "test": 3}], ":1: field 'test' is missing or not a string"),
        ([{**ROW, "test": ""}, {**ROW, "test": ""}], ":2: task_id 'T/0' appears twice"),
        ([], "holds no problems"),
    ],
)
def test_a_bad_problem_file_is_refused(tmp_path: Path, rows: list[object], reason: str) -> None:
    path = tmp_path / "problems.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(UsageError, match=reason):
        load_problem_file(path)

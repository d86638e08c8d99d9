"""Scores without errata stand beside the headline, and are what judging without them gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from sigil_eval.answers.program import Program
from sigil_eval.files import read_jsonl, write_jsonl
from sigil_eval.judging.contract import reference_source
from sigil_eval.judging.judge import Judge
from sigil_eval.problems import ProblemSet
from sigil_eval.scoring.published import as_published
from sigil_eval.scoring.score import score_files


def test_reference_answers_as_published(judge: Judge, humaneval: ProblemSet) -> None:
    """Where the rule takes a program for its own twin, judging it without errata must agree."""
    with_errata = [Program(p, reference_source(p)) for p in humaneval.problems]
    published = {
        program: Program(humaneval.published_by_id[program.problem.task_id], program.code)
        for program in with_errata
    }
    verdicts = dict(judge.judge([*with_errata, *published.values()]))
    same = [p for p in with_errata if as_published(p, published[p].problem, p.code) is p]
    assert 100 < len(same) < len(with_errata)
    assert all(verdicts[p].passed == verdicts[published[p]].passed for p in same)
    failing = {p.problem.task_id for p in with_errata if not verdicts[published[p]].passed}
    assert failing.isdisjoint(p.problem.task_id for p in same)
    assert {"HumanEval/16", "HumanEval/32", "HumanEval/162"} <= failing


@pytest.mark.parametrize(
    ("task", "completion", "passed", "without"),
    [
        (16, "    let s: HashSet<char> = text(str);\n    s.len() as i32\n}\n", False, False),
        (
            16,
            "    str.to_lowercase().chars().collect::<HashSet<_>>().len() as i32\n}\n",
            True,
            False,
        ),
        (
            16,
            "    use std::collections::HashSet;\n"
            "    str.to_lowercase().chars().collect::<HashSet<_>>().len() as i32\n}\n",
            True,
            True,
        ),
        (4, "    0.0\n}\n", False, True),
        (
            35,
            "    let mut max = nmbs[0];\n    for n in nmbs { if n > max { max = n } }\n max }",
            True,
            True,
        ),
        (35, "    nmbs.into_iter().fold(i32::MIN, max)\n}\n", True, False),
    ],
)
def test_rows_say_what_errata_changed(
    tmp_path: Path,
    judge: Judge,
    humaneval: ProblemSet,
    task: int,
    completion: str,
    passed: bool,
    without: bool,
) -> None:
    path = tmp_path / "answers.jsonl"
    write_jsonl(path, [{"task_id": f"HumanEval/{task}", "completion": completion}])
    score_files({"answers": path}, humaneval, tmp_path / "out", judge, ("no-policy",))
    (row,) = (row for _, row in read_jsonl(tmp_path / "out/no-policy/answers_results.jsonl"))
    assert (row["passed"], row["passed_in"]["published"]) == (passed, without), row["stderr"]


def test_a_local_of_a_preludes_name_needs_no_second_judgement(humaneval: ProblemSet) -> None:
    problem = humaneval.by_id["HumanEval/35"]
    published = humaneval.published_by_id["HumanEval/35"]
    for body, same in [
        ("let max = 1; max", True),
        ("nmbs.iter().max()", True),
        ("std::cmp::max(1, 2)", True),
        ('"max HashMap" // max(', True),
        ("max(1, 2)", False),
        ("nmbs.index(0)", False),
        ("let max = 1; max(1, 2)", False),
    ]:
        program = Program(problem, f"fn max_element(nmbs: Vec<i32>) -> i32 {{ {body} \n}}")
        assert (as_published(program, published, program.code) is program) == same, body

"""The columns of scores: one answer judged as published, with errata, and with the plus cases."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sigil_eval.answers.program import Program
from sigil_eval.errors import PreflightError, UsageError
from sigil_eval.files import Row, read_jsonl, write_jsonl
from sigil_eval.judging.contract import contract_of
from sigil_eval.judging.judge import Judge
from sigil_eval.problems import PINNED_SETS, ProblemSet, load_problem_set
from sigil_eval.problems.plus import plus_module, with_plus
from sigil_eval.scoring.proof import prove
from sigil_eval.scoring.score import score_files
from sigil_eval.settings import Column

PAIR = "assert_eq!(has_close_elements(vec![1.0, 1.25], CLOSE), true);"
NEGATIVE = "assert_eq!(filter_integers(vec![Box::new(-7), Box::new(1.5)]), vec![-7]);"
# The tests of 22 share a process with its answers; 16 needs the errata's prelude.
CASES: dict[str, Row] = {
    "HumanEval/0": {
        "cases": [
            {"assert": PAIR.replace("true", "false").replace("1.25", "9.0")},
            {"assert": PAIR},
        ],
        "helpers": "    const CLOSE: f32 = 0.5;",
    },
    "HumanEval/16": {
        "cases": [
            {"assert": 'assert_eq!(count_distinct_characters("".into()), 0);'},
            {"assert": 'assert_eq!(count_distinct_characters("xyX".into()), 2);'},
        ]
    },
    "HumanEval/22": {"cases": [{"assert": NEGATIVE}]},
}
NOT_OF_TWO = """    numbers.len() > 2 && numbers.iter().enumerate().any(|(index, one)| {
        numbers.iter().skip(index + 1).any(|other| (one - other).abs() < threshold)
    })
}
"""
POSITIVE = """    let whole = values.iter().filter_map(|value| value.downcast_ref()).copied();
    whole.filter(|number| *number > 0).collect()
}
"""
ENDLESS = NOT_OF_TWO.replace("numbers.len() > 2", "({ while numbers.len() == 2 {} true })")


@pytest.fixture(scope="module")
def few(humaneval: ProblemSet) -> ProblemSet:
    """Three problems with a few cases each."""
    problems = [replace(humaneval.by_id[task], plus="") for task in CASES]
    rows = [(task, {"task_id": task, **row}) for task, row in CASES.items()]
    published = tuple(humaneval.published_by_id[task] for task in CASES)
    return replace(
        humaneval, problems=with_plus(problems, rows), published=published, plus_sha256="c" * 64
    )


def scored(
    judge: Judge, problem_set: ProblemSet, folder: Path, answers: list[tuple[int, str]]
) -> list[Row]:
    folder.mkdir(exist_ok=True)
    path = folder / "answers.jsonl"
    write_jsonl(path, [{"task_id": f"HumanEval/{n}", "completion": text} for n, text in answers])
    score_files({"answers": path}, problem_set, folder / "out", judge, ("no-policy",))
    return [row for _, row in read_jsonl(folder / "out/no-policy/answers_results.jsonl")]


def test_an_answer_has_a_verdict_in_each_column(
    judge: Judge, few: ProblemSet, tmp_path: Path
) -> None:
    right = {p.task_id: p.canonical_solution for p in few.problems}
    answers = [
        (0, right["HumanEval/0"]),
        (0, NOT_OF_TWO),
        (0, ENDLESS),
        (0, "    todo!()\n}\n"),
        (16, right["HumanEval/16"]),
        (22, right["HumanEval/22"]),
        (22, POSITIVE),
    ]
    rows = scored(judge, few, tmp_path, answers)
    columns = [[row["passed_in"][name] for name in few.columns] for row in rows]
    assert columns == [
        [True, True, True],
        [True, True, False],
        [True, True, False],
        [False, False, False],
        [False, True, True],
        [False, True, True],
        [False, True, False],
    ]
    failed = [row["plus_failed"] for row in rows]
    slow = failed.pop(2)
    assert failed == [None, PAIR, None, None, None, NEGATIVE]
    assert slow.startswith(("still running", "not done after"))
    heads: list[Column] = ["published", "errata", "plus"]
    for index, head in enumerate(heads):
        again = scored(judge, few.headed_by(head), tmp_path / head, answers)
        assert [row["passed"] for row in again] == [found[index] for found in columns]
        assert [row["passed_in"] for row in again] == [row["passed_in"] for row in rows]
    said, late = again[1], again[2]
    assert (said["outcome"], said["error_type"]) == ("failed", "assertion_failure")
    assert (said["compile_ok"], said["test_ok"]) == (True, False)
    assert "tests.rs" in said["stderr"]
    assert late["error_type"] == "test_timeout"


def test_alone_and_together_give_the_same_verdicts(judge: Judge, few: ProblemSet) -> None:
    texts = {"HumanEval/0": [NOT_OF_TWO], "HumanEval/22": [POSITIVE]}
    programs = [
        Program(problem, problem.prompt + text)
        for problem in few.problems
        for text in [problem.canonical_solution, *texts.get(problem.task_id, [])]
    ]
    together = dict(judge.judge(programs))
    alone = {program: dict(judge.judge([program]))[program] for program in programs}
    assert together == alone
    assert [verdict.with_plus.passed for verdict in alone.values()] == [1, 0, 1, 1, 0]


def test_a_reference_answer_must_pass_the_plus_cases(judge: Judge, few: ProblemSet) -> None:
    assert prove(judge, few).reference_answers == 27
    wrong = plus_module(
        {
            "cases": [{"assert": "assert!(count_distinct_characters(x()) == 1);"}],
            "helpers": "fn x() -> String { String::new() }",
        }
    )
    spoilt = replace(few.by_id["HumanEval/16"], plus=wrong)
    with pytest.raises(PreflightError) as error:
        prove(judge, replace(few, problems=(spoilt,)))
    assert "by the plus case assert!(count_distinct_characters(x()) == 1);" in str(error.value)


def test_plus_cases_at_the_head_must_refuse_wrong_answers(judge: Judge, few: ProblemSet) -> None:
    told = prove(judge, few.headed_by("plus"))
    assert told.controls == 2 * prove(judge, few).controls
    lax = plus_module({"cases": [{"assert": "let _ = count_distinct_characters(String::new());"}]})
    spoilt = replace(few, problems=(replace(few.by_id["HumanEval/16"], plus=lax),))
    prove(judge, spoilt)
    with pytest.raises(PreflightError, match="HumanEval/16: wrong answer 'constant'"):
        prove(judge, spoilt.headed_by("plus"))


def test_cases_that_do_not_compile_are_refused(judge: Judge, few: ProblemSet) -> None:
    wrong = plus_module({"cases": [{"assert": "assert!(count_distinct_characters(1));"}]})
    spoilt = replace(few.by_id["HumanEval/16"], plus=wrong)
    program = Program(spoilt, spoilt.prompt + spoilt.canonical_solution)
    with pytest.raises(PreflightError, match="plus cases or tests of HumanEval/16"):
        dict(judge.judge([program]))


@pytest.mark.parametrize("name", PINNED_SETS)
def test_the_plus_cases_call_what_the_tests_call(name: str) -> None:
    """The answer's side is compiled once for both."""
    for problem in load_problem_set(name).problems:
        plain = contract_of(replace(problem, plus=""))
        assert contract_of(problem).functions == plain.functions, problem.task_id
        assert contract_of(problem).types == plain.types, problem.task_id


def test_a_column_that_a_set_lacks_is_refused(few: ProblemSet, sigil_rust: ProblemSet) -> None:
    assert few.columns == ("published", "errata", "plus")
    assert few.headline == "errata"
    with pytest.raises(UsageError, match="it has published, errata"):
        replace(sigil_rust, plus_sha256=None).headed_by("plus")


def test_a_row_for_no_problem_is_refused(few: ProblemSet) -> None:
    with pytest.raises(UsageError, match="x:1: no problem is called 'HumanEval/999'"):
        with_plus(few.problems, [("x:1", {"task_id": "HumanEval/999", "cases": []})])

"""Plus cases of humaneval-rust on the problems of sigil-rust that ask for the same functions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sigil_eval.answers.program import Program
from sigil_eval.files import Row
from sigil_eval.judging.contract import reference_source
from sigil_eval.judging.judge import Judge
from sigil_eval.problems import Problem, ProblemSet
from sigil_eval.problems.plus import with_plus
from sigil_eval.problems.shared import adapter_to, shared_rows

ROWS: list[tuple[str, Row]] = [
    (
        "here:1",
        {
            "task_id": "HumanEval/3",
            "cases": [
                {"assert": "assert_eq!(below_zero(numbers(3)), false);"},
                {"assert": "assert_eq!(below_zero(vec![2, -2, 1]), false);"},
            ],
            "helpers": "fn numbers(n: i32) -> Vec<i32> { (0..n).collect() }",
        },
    ),
    (
        "here:2",
        {
            "task_id": "HumanEval/16",
            "cases": [{"assert": 'assert_eq!(count_distinct_characters("aAb".into()), 2);'}],
        },
    ),
    ("here:3", {"task_id": "HumanEval/12", "cases": [{"assert": "assert!(true);"}]}),
]


@pytest.fixture(scope="module")
def shared(humaneval: ProblemSet, sigil_rust: ProblemSet) -> list[Problem]:
    """The problems of sigil-rust that share these rows, with those alone as their tests."""
    rows = list(shared_rows(sigil_rust.problems, humaneval.problems, ROWS))
    found = {row["task_id"] for _, row in rows}
    without = [replace(one, plus="") for one in sigil_rust.problems if one.task_id in found]
    return [one.with_plus_first for one in with_plus(without, rows)]


def test_cases_go_to_all_problems_that_ask_for_the_function(shared: list[Problem]) -> None:
    names = sorted((one.entry_point, one.task_id.split("/")[0]) for one in shared)
    assert names == [
        ("below_zero", "CodeGen"),
        ("below_zero", "Fix"),
        ("below_zero", "Transform"),
        ("count_distinct_characters", "CodeGen"),
        ("count_distinct_characters", "Fix"),
        ("count_distinct_characters", "Transform"),
        # Of several longest strings, the other two ask for the last.
        ("longest", "CodeGen"),
    ]


def test_right_answers_pass_and_wrong_ones_fail(shared: list[Problem], judge: Judge) -> None:
    right = [Program(one, reference_source(one)) for one in shared]
    wrong = [
        Program(one.problem, one.code.replace(old, new))
        for one in right
        for old, new in (("balance < 0", "balance <= 0"), (".to_ascii_lowercase()", ".clone()"))
        if old in one.code
    ]
    verdicts = dict(judge.judge([*right, *wrong]))
    assert [one.problem.task_id for one in right if not verdicts[one].passed] == []
    assert len(wrong) == 6
    assert {verdicts[one].error_type for one in wrong} == {"assertion_failure"}


def problem(signature: str) -> Problem:
    return Problem("Own/0", f"// A fn f(x: u8) of one's own.\n{signature} {{\n", "", "", "f")


@pytest.mark.parametrize(
    ("given", "wanted", "adapter"),
    [
        ("fn f(a: &str) -> i32", "fn f(s:&str)->i32", ""),
        (
            "fn f(a: &str) -> i32",
            "fn f(s: String) -> i32",
            "fn f(a0: String) -> i32 { super::f(&a0) }",
        ),
        (
            "fn f(a: &[ Vec<u8> ], n: u8) -> usize",
            "fn f(a: Vec<Vec<u8>>, n: u8) -> u64",
            "fn f(a0: Vec<Vec<u8>>, a1: u8) -> u64 { super::f(&a0, a1) as u64 }",
        ),
        ("fn f(a: String) -> i32", "fn f(a: &str) -> i32", None),
        ("fn f(a: &[u8]) -> i32", "fn f(a: Vec<i8>) -> i32", None),
        ("fn f(a: u8) -> String", "fn f(a: u8) -> i32", None),
        ("fn f(a: u8, b: u8) -> u8", "fn f(a: u8) -> u8", None),
        ("fn f<T>(a: T) -> u8", "fn f(a: u8) -> u8", None),
    ],
)
def test_a_signature_is_adapted_by_its_types(given: str, wanted: str, adapter: str | None) -> None:
    assert adapter_to(problem(given), problem(wanted)) == adapter

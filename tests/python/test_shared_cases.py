"""Plus cases of humaneval-rust on the problems of sigil-rust that ask for the same functions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sigil_eval.answers.program import Program
from sigil_eval.files import Row
from sigil_eval.judging.contract import contract_of, reference_source
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
    (
        "here:4",
        {
            "task_id": "HumanEval/156",
            "cases": [{"assert": 'assert_eq!(int_to_mini_romank(6), "vi");'}],
        },
    ),
]


CHANGES = [
    ("balance < 0", "balance <= 0"),
    (".to_ascii_lowercase()", ".clone()"),
    ("10, 9, 5", "10, 9, 6"),
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
        ("int_to_mini_roman", "CodeGen"),
        # Of several longest strings, the other two ask for the last.
        ("longest", "CodeGen"),
    ]


def test_right_answers_pass_and_wrong_ones_fail(shared: list[Problem], judge: Judge) -> None:
    right = [Program(one, reference_source(one)) for one in shared]
    wrong = [
        Program(one.problem, one.code.replace(old, new))
        for one in right
        for old, new in CHANGES
        if old in one.code
    ]
    verdicts = dict(judge.judge([*right, *wrong]))
    assert [one.problem.task_id for one in right if not verdicts[one].passed] == []
    assert len(wrong) == 7
    assert {verdicts[one].error_type for one in wrong} == {"assertion_failure"}


def test_cases_ask_an_answer_for_no_more_functions(sigil_rust: ProblemSet) -> None:
    for one in sigil_rust.problems:
        alone = replace(one, plus="")
        assert contract_of(one).functions == contract_of(alone).functions, one.task_id


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


# What is asked for is another function each, or the one that was to be mended.
PASSES = {
    "Fix/9f2ac4993beb": "fn collect_lengths(items: &[String]) -> Vec<usize> { vec![1, 4] }",
    "Fix/44c3505b83ed": 'fn to_uppercase_owned(text: &str) -> String { "RUST".into() }',
    "Fix/13e4031b788c": "fn sum_u32(values: &[u32]) -> u64 { "
    "values.iter().map(|&v| v as i32).sum::<i32>() as u64 }",
    "Fix/e366edd91c65": "fn unique_strings(items: &[String]) -> Vec<String> { "
    '["a", "b", "c"].map(String::from).to_vec() }',
    "Fix/cf831e257530": "fn clamp_to_byte(value: i32) -> u8 { "
    "if value < 0 { 0 } else if value > 256 { 255 } else { value as u8 } }",
    "Fix/dbe07733df19": "fn increment_both(values: &mut [i32]) { "
    "for value in values.iter_mut().take(2) { *value += 1 } if values.len() == 2 { panic!() } }",
    "Transform/d295738ce924": "fn filter_non_empty(items: &[String]) -> Vec<String> { "
    '["hello", "world"].map(String::from).to_vec() }',
}


def test_wrong_answers_that_the_tests_of_sigil_rust_let_pass(
    sigil_rust: ProblemSet, judge: Judge
) -> None:
    """docs/problem-sets.md names them."""
    programs = [Program(sigil_rust.by_id[task], code) for task, code in PASSES.items()]
    verdicts = dict(judge.judge(programs))
    assert [one.problem.task_id for one in programs if not verdicts[one].passed] == []
    assert not any(one.problem.plus for one in programs)
    words = (Path(__file__).parents[2] / "docs/problem-sets.md").read_text(encoding="utf-8")
    names = [f"`{one.problem.entry_point}`" for one in programs]
    assert [name for name in names if name not in words] == []

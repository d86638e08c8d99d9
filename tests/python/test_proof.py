"""The judge's proof: right answers pass, wrong ones fail in the tests, and lapses are named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sigil_eval.errors import PreflightError
from sigil_eval.judging.judge import Judge
from sigil_eval.problems import Problem, ProblemSet, load_problem_set
from sigil_eval.scoring.controls import controls_of
from sigil_eval.scoring.forms import FORMS
from sigil_eval.scoring.proof import prove

ANSWERS = {
    "bool": ("(x: i32) -> bool", "x > 1", "assert!(f(2)); assert!(!f(1));"),
    "text": ("(x: i32) -> String", "x.to_string()", 'assert_eq!(f(2), "2");'),
    "borrowed": ("(x: &str) -> &str", "&x[1..]", 'assert_eq!(f("ab"), "b");'),
    "list": ("(x: i32) -> Vec<Vec<f64>>", "vec![vec![x as f64]]", "assert_eq!(f(2)[0][0], 2.0);"),
    "pair": ("(x: i32) -> (f32, u8)", "(x as f32, 7)", "assert_eq!(f(2), (2.0, 7));"),
    "choice": (
        "(x: i32) -> Option<char>",
        "Some('q').filter(|_| x > 1)",
        "assert_eq!(f(2), Some('q')); assert_eq!(f(1), None);",
    ),
    "map": (
        "(x: i32) -> HashMap<char, i32>",
        "HashMap::from([('c', x)])",
        "assert_eq!(f(2)[&'c'], 2);",
    ),
    "recursive": (
        "(x: u64) -> u64",
        "if x < 2 { 1 } else { x * f(x - 1) }",
        "assert_eq!(f(4), 24);",
    ),
    "unknown": ("(x: i32) -> Box<i32>", "Box::new(x)", "assert_eq!(*f(2), 2);"),
}


def problem(name: str) -> Problem:
    signature, body, test = ANSWERS[name]
    return Problem(
        name,
        f"fn f{signature} {{\n",
        f"    {body}\n}}\n",
        f"#[cfg(test)]\nmod tests {{ use super::*; #[test] fn t() {{ {test} }} }}\n",
        "f",
        prelude="use std::collections::HashMap;",
    )


def problem_set(*problems: Problem) -> ProblemSet:
    return ProblemSet("small", problems, "0" * 64, "made for this test")


def test_controls_of_every_type_reach_the_tests_and_fail(judge: Judge) -> None:
    proof = prove(judge, problem_set(*(problem(name) for name in ANSWERS)))
    known = len(ANSWERS) - 1
    assert proof.reference_answers == len(FORMS) * len(ANSWERS)
    assert proof.controls_by_kind == {
        "todo": len(ANSWERS),
        "empty": len(ANSWERS),
        "constant": 2 * known - 1,  # there is one empty map
        "mutated": known,
    }


@pytest.mark.parametrize(
    ("test", "complaint"),
    [
        ("assert!(f(2));", "bool: wrong answer 'constant' true: passed"),
        ("f(2);", "bool: wrong answer 'mutated': passed"),
        ("assert!(f(1));", "bool: reference as body: failed: tests::t failed"),
    ],
)
def test_tests_that_cannot_tell_stop_everything(judge: Judge, test: str, complaint: str) -> None:
    weak = replace(problem("bool"), test=problem("bool").test.replace(ANSWERS["bool"][2], test))
    with pytest.raises(PreflightError, match="nothing was scored") as caught:
        prove(judge, problem_set(problem("text"), weak))
    assert complaint in str(caught.value)
    assert "text:" not in str(caught.value)


def test_a_reference_that_is_no_rust_is_named(judge: Judge) -> None:
    broken = replace(problem("bool"), canonical_solution="    ) -> {{ nothing\n")
    with pytest.raises(PreflightError, match="bool: reference as body: "):
        prove(judge, problem_set(broken))


def test_a_control_that_rustc_refuses_proves_nothing(judge: Judge) -> None:
    lint = replace(problem("bool"), prelude="use std::collections::NoSuchName;")
    with pytest.raises(PreflightError, match="'mutated': failed: unresolved import"):
        prove(judge, problem_set(lint))


@pytest.mark.parametrize("task", ["HumanEval/4"])
def test_what_was_published_cannot_tell(judge: Judge, task: str) -> None:
    """Why the set has errata: as published, a constant passes the tests of this problem."""
    published = {p.task_id: p for p in load_problem_set("humaneval-rust").published}
    with pytest.raises(PreflightError, match=r"HumanEval/4: wrong answer 'constant' 0.0: passed"):
        prove(judge, problem_set(published[task]))


def test_the_mutated_answer_holds_the_right_one() -> None:
    mutated = next(c for c in controls_of(problem("recursive")) if c.kind == "mutated")
    assert mutated.completion.count("x * f(x - 1)") == 1
    assert mutated.completion.endswith("let right = f(a0);\nright.wrapping_add(1)\n}\n")

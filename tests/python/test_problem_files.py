"""Problem files that people have: each is proved as a pinned set is, or says what to do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sigil_eval.judging.contract import contract_of
from sigil_eval.judging.judge import Judge
from sigil_eval.problems import Problem, ProblemSet, load_problem_file
from sigil_eval.scoring.proof import prove

DATA = Path(__file__).parent / "data" / "problem_files"
FILES = sorted(DATA.glob("*.jsonl"))

PROMPT, BODY = "fn twice(x: i32) -> i32 {\n", "    2 * x\n}\n"
ASSERTS = "assert_eq!(twice(1), 2); assert_eq!(twice(4), 8);"
# Tests of one function, and the tests that are found in them.
TESTS = {
    "crate at the top": (f"#[test] fn t() {{ use crate::twice as twice; {ASSERTS} }}", ["t"]),
    "crate in a macro": (
        "mod tests { #[test] fn t() { assert_eq!(crate::twice(1), 2); "
        "assert!(crate::twice(4) == 8); } }",
        ["tests::t"],
    ),
    "crate in a module of a module": (
        f"mod a {{ pub(crate) mod b {{ use crate::{{twice}}; #[test] fn t() {{ {ASSERTS} }} }} }}",
        ["a::b::t"],
    ),
    "crate of a macro of its own": (
        "macro_rules! both { ($a:expr, $b:expr) => { assert_eq!($crate::twice($a), $b) } }\n"
        "#[test] fn t() { both!(1, 2); both!(4, 8); }",
        ["t"],
    ),
    "crate in words": (
        f'#[test] fn t() {{ assert_eq!("crate::x".len(), 8); /* crate::y */ {ASSERTS} }}',
        ["t"],
    ),
    "visible to some": (
        "mod a { use super::*; "
        f"mod b {{ use super::*; #[test] pub(super) fn t() {{ {ASSERTS} }} }} "
        f"pub(self) mod c {{ use super::*; #[test] pub fn u() {{ {ASSERTS} }} }} }}",
        ["a::b::t", "a::c::u"],
    ),
    "guarded": (
        "#![cfg(test)]\n#[cfg(any(test, windows))] use std::fmt::Debug;\n"
        "#[cfg(all(test, not(windows)))] #[cfg_attr(test, derive(PartialEq, Debug))] "
        "struct Got(i32);\n#[cfg(not(test))] fn main() { oops }\n"
        '#[cfg(feature = "slow")] mod slow { #[test] fn s() {} }\n'
        '#[cfg(feature = "slow")] #[test] fn s() { oops() }\n'
        "#[cfg(test)] mod tests { use super::*; #[cfg(test)] "
        "fn same<T: Debug + PartialEq>(a: T, b: T) { assert!(a == b && cfg!(test)) } "
        "#[test] #[ignore] fn t() { same(Got(twice(1)), Got(2)); "
        "same(Got(twice(4)), Got(8)); } }",
        ["tests::t"],
    ),
    "ü before crate": (
        'mod tests { const U: &str = "ü→"; #[test] fn t() { let _ = U; '
        "assert_eq!(crate::twice(1), 2); assert_eq!(crate::twice(4), 8) } }",
        ["tests::t"],
    ),
}  # fmt: skip
# Reference answers that are the whole function.
WHOLE = {
    "pub(crate)": "pub(crate) fn twice(x: i32) -> i32 { 2 * x }",
    "comment before": "// fn twice(\n/* } */ /// twice\nfn twice(x: i32) -> i32 { 2 * x }",
    "helper before": "fn two() -> i32 { 2 }\nfn twice(x: i32) -> i32 { two() * x }",
    "helper behind": "fn twice(x: i32) -> i32 { two() * x }\nconst fn two() -> i32 { 2 }",
    "constant and attributes": "const TWO: i32 = 2;\n#[must_use]\n#[inline(always)]\n"
    "pub const fn twice(x: i32) -> i32 { TWO * x }",
    "another name": "fn twice(number: i32) -> i32 { 2 * number }",
    "body that names it": "    fn twice(x: i32) -> i32 { 2 * x }\n    twice(x)\n}\n",
    "body with a brace in words": '    let _ = "}"; // }\n    2 * x\n}\n',
}


def problem(name: str, **changes: str) -> Problem:
    test = f"#[test] fn t() {{ {ASSERTS} }}"
    return replace(Problem(name, PROMPT, BODY, test, "twice"), **changes)


def proved(judge: Judge, *problems: Problem) -> None:
    """All of them at once: what is wrong with one is said of it."""
    proof = prove(judge, ProblemSet("people's", problems, "0" * 64, "people"))
    assert proof.scorable == len(problems)


def test_each_file_is_proved(judge: Judge) -> None:
    problems = [
        replace(one, task_id=f"{path.stem}: {one.task_id}")
        for path in FILES
        for one in load_problem_file(path).problems
    ]
    assert len(problems) >= 8
    proved(judge, *problems)


def test_tests_are_proved_however_they_are_written(judge: Judge) -> None:
    proved(judge, *(problem(name, test=test) for name, (test, _) in TESTS.items()))


@pytest.mark.parametrize("name", TESTS)
def test_what_is_built_is_tested_and_nothing_else(name: str) -> None:
    test, paths = TESTS[name]
    contract = contract_of(problem(name, test=test))
    assert [found.path for found in contract.tests] == paths
    assert contract.test_source.count("\n") == test.count("\n")


def test_references_are_proved_however_they_repeat_the_function(judge: Judge) -> None:
    proved(judge, *(problem(name, canonical_solution=text) for name, text in WHOLE.items()))

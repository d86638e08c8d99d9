"""Lints that answers deny themselves: only what strikes the author's own program fails it."""

from __future__ import annotations

import pytest

from sigil_eval.answers.extraction import extract
from sigil_eval.answers.program import Program
from sigil_eval.judging.judge import Judge
from sigil_eval.judging.verdict import Verdict
from sigil_eval.problems import Problem

PROBLEM = Problem(
    task_id="Own/add",
    prompt="fn add(x: i32, y: i32) -> i32 {\n",
    canonical_solution="    x + y\n}\n",
    test="#[test] fn sums() { assert_eq!(add(2, 3), 5); }",
    entry_point="add",
    prelude="use std::collections::HashMap;",
)
ADD = "fn add(x: i32, y: i32) -> i32 { x + y }\n"
KEPT = "fn add(x: i32, y: i32) -> i32 { let s = S { a: x }; s.a + y }\n"
# What the judge makes public, adds or leaves out is no fault of the answer's.
FINE = (
    "#![deny(missing_docs)]\n//! Adds.\n\nfn helper(a: i32) -> i32 { a }\n"
    "fn add(x: i32, y: i32) -> i32 { helper(x) + y }\n",
    "#![deny(missing_docs, unreachable_pub)]\n//! Adds.\n\n/// Adds.\npub " + ADD,
    "#![deny(missing_debug_implementations, missing_copy_implementations)]\n"
    "struct S { a: i32 }\n" + KEPT,
    "#![forbid(missing_docs)]\n//! Adds.\n\n/// Adds.\npub " + ADD,
    "#![deny(clippy::all, clippy::pedantic)]\n" + ADD,
    "#![deny(warnings)]\n" + ADD,
    "#![forbid(warnings)]\n" + ADD,
    "#![forbid(unused, unused_imports)]\n" + ADD,
    "#![deny(dead_code, unused, unused_qualifications)]\n"
    "fn add(x: i32, y: i32) -> i32 { let m: std::collections::HashMap<u8, i32> = "
    "std::collections::HashMap::new(); x + y + m.len() as i32 }\n",
    "#![deny(unused_crate_dependencies, unused_results, private_interfaces)]\n" + ADD,
    "#![deny(rust_2018_idioms, future_incompatible, nonstandard_style, let_underscore)]\n" + ADD,
    "#![forbid(unsafe_code)]\n" + ADD,
    "#![cfg_attr(all(), deny(missing_docs))]\n" + ADD,
    "#[deny(missing_docs)]\n" + ADD,
    "#[forbid(missing_docs, missing_debug_implementations)] struct S { a: i32 }\n" + KEPT,
    "#[deny(missing_docs)] mod m { pub fn id(a: i32) -> i32 { a } }\n"
    "fn add(x: i32, y: i32) -> i32 { m::id(x) + y }\n",
    "fn add(x: i32, y: i32) -> i32 { #![deny(warnings)] x + y }\n",
    "fn add(x: i32, y: i32) -> i32 { #[deny(unused)] let z = x + y; z }\n",
    "#![warn(warnings)]\nfn add(x: i32, y: i32) -> i32 { let z = 1; x + y }\n",
    "#![deny(unused)]\nfn helper(a: i32) -> i32 { a }\n"
    "fn add(x: i32, y: i32) -> i32 { x + y }\nfn main() { helper(1); }\n",
)
# The program of the author's has these, whoever compiles it.
FAULTY = {
    "#![deny(unused_variables)]\nfn add(x: i32, y: i32) -> i32 { let z = 1; x + y }\n": (
        "unused_variables",
    ),
    "#![deny(warnings, missing_docs)]\nfn add(x: i32, y: i32) -> i32 { let z = 1; x + y }\n": (
        "unused_variables",
    ),
    "fn add(x: i32, y: i32) -> i32 { #[forbid(unused_mut)] let mut z = x + y; z }\n": (
        "unused_mut",
    ),
    "#![deny(missing_debug_implementations)]\npub struct S { pub a: i32 }\n" + KEPT: (
        "missing_debug_implementations",
    ),
    "#![forbid(unsafe_code)]\nfn add(x: i32, y: i32) -> i32 { unsafe { x + y } }\n": (
        "unsafe_code",
    ),
    "#[deny(unsafe_code)]\nfn add(x: i32, y: i32) -> i32 { unsafe { x + y } }\n": ("unsafe_code",),
    # rustc denies these by itself.
    "fn add(x: i32, y: i32) -> i32 { let z: u8 = 256; x + y }\n": ("overflowing_literals",),
    "fn add(x: i32, y: i32) -> i32 { [x, y][7] }\n": ("unconditional_panic",),
    "#![deny(missing_docs)]\nfn add(x: i32, y: i32) -> i32 { x + missing }\n": ("E0425",),
}
CLEAN = (
    ADD,
    "#![deny(clippy::all, clippy::pedantic)]\n" + ADD,
    "#![forbid(missing_docs, clippy::missing_docs_in_private_items)]\n" + ADD,
    # These strike what anybody else may call alone.
    "struct S { a: Vec<i32> }\nimpl S { fn new() -> Self { S { a: vec![] } } "
    "fn len(&self) -> usize { self.a.len() } }\n"
    "fn add(x: i32, y: i32) -> i32 { x + y + S::new().len() as i32 }\n",
    "fn check(x: i32) -> Result<i32, ()> { Ok(x) }\n"
    "fn add(x: i32, y: i32) -> i32 { check(x).unwrap_or(0) + y }\n",
)
LINTED = {
    "fn add(x: i32, y: i32) -> i32 { return x + y; }\n": ("clippy::needless_return",),
    "#![deny(clippy::pedantic)]\nfn add(x: i32, y: i32) -> i32 { if x != y { y + x } "
    "else { y } }\n": ("clippy::if_not_else",),
    "#![allow(clippy::all)]\nfn add(x: i32, y: i32) -> i32 { return x + y; }\n": (
        "clippy::needless_return",
    ),
}


@pytest.fixture(scope="module")
def verdicts(judge: Judge) -> dict[str, Verdict]:
    """Of every answer above, judged beside each other."""
    programs = {Program(PROBLEM, _code(answer)): answer for answer in (*FINE, *FAULTY)}
    return {programs[program]: verdict for program, verdict in judge.judge([*programs])}


def _code(answer: str) -> str:
    code = extract(answer, prompt=PROBLEM.prompt, entry_point="add").code
    assert code is not None
    return code


@pytest.mark.parametrize("answer", FINE)
def test_what_the_judge_has_changed_fails_nobody(verdicts: dict[str, Verdict], answer: str) -> None:
    assert verdicts[answer].passed, verdicts[answer]


@pytest.mark.parametrize("answer", FAULTY)
def test_what_the_author_denies_and_does_is_an_error(
    verdicts: dict[str, Verdict], answer: str
) -> None:
    verdict = verdicts[answer]
    assert (verdict.error_type, verdict.error_codes) == ("compile_error", FAULTY[answer])
    assert verdict.stderr.startswith(f"error[{FAULTY[answer][0]}]: ")
    assert verdict.uses_unsafe == ("unsafe_code" in FAULTY[answer])


def test_clippy_strikes_what_was_written(judge: Judge) -> None:
    if not judge.toolchain.clippy.exists():
        pytest.skip("this toolchain came without clippy")
    expected = {Program(PROBLEM, code): () for code in CLEAN}
    expected |= {Program(PROBLEM, code): lints for code, lints in LINTED.items()}
    assert dict(judge.lint([*expected])) == expected

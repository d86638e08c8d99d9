"""Programs that do not parse: shown to rustc together, each is told what it is told alone."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from sigil_eval.answers.program import Program
from sigil_eval.judging.batching import kind_of
from sigil_eval.judging.judge import Judge, JudgeSettings
from sigil_eval.judging.limits import Limits
from sigil_eval.judging.verdict import Verdict
from sigil_eval.problems import ProblemSet

# Each has something that is no syntax, and most have more than that.
BROKEN = (
    "fn f() -> u8 { let x 1; 2 }",
    'fn f() -> u8 { let x 1; "text" }',
    "fn f() { let a = String::new() let b = a; let c = a; nothing(); }",
    "fn f(x: i32) -> i32 { retrun x; }",
    "fn f() { (1..2).filter(|n| true).(); g() }",
    "fn f(x i32) -> Strng { x }",
    "fn f() { let x = ; }",
    "fn f() { let v = [1, 2].iter().map(|x| x + ).(1); v.len(1) }",
    "struct S { a: u8; b: Missing }\nfn f(s: S) { s.c }",
    "fn f(a: u8) -> R<String, f64, become i32> { a }\n#[derive(Debug)]\nstruct S;",
    "fn f(x: [u8; become 1 {) {}",
    "use std::colections::HashMap\nfn f(m: HashMap<u8, u8>) { m.get(1) }",
    "fn f() { for i 0..3 { g(i) } }",
)
# For these rustc stops early, and leaves out what it has against the others.
STOPS = (
    'fn f() { let x 1; vec!["2" box "3"]; }',
    "fn f(d: std::collections::HashMap<dyn str, u8>) { let x 1; }",
)
TORN = (
    "fn f( {",
    "fn f() { g(] }",
    "fn f() }",
    'fn f() { "never closed }',
    "fn f() { /* never closed }",
    "fn f() { let x 1; ' }",
    "fn f() { let x 1; } impl Into<u8> for bool { fn into(self) -> u8 { 1 } }",
    "fn f() { (1..2).filter(|n| true).(); crate::g() }",
    "fn f() { let x 1; unsafe { g() } }",
)


@pytest.mark.parametrize("code", BROKEN[:10] + BROKEN[11:] + STOPS)
def test_what_rustc_reads_to_its_end_is_shown_with_others(humaneval: ProblemSet, code: str) -> None:
    assert kind_of(Program(humaneval.problems[0], code)) == "broken"


@pytest.mark.parametrize("code", (*TORN, BROKEN[10]))
def test_where_rustc_breaks_off_nothing_else_is_shown(humaneval: ProblemSet, code: str) -> None:
    assert kind_of(Program(humaneval.problems[0], code)) == "torn"


@pytest.mark.parametrize("stops", [(), STOPS[:1], STOPS[1:], STOPS])
def test_broken_programs_are_told_what_each_is_told_alone(
    humaneval: ProblemSet, stops: Sequence[str]
) -> None:
    """Also where rustc stops early for one of them: then it has not said all of the others."""
    problem = humaneval.problems[0]
    codes = [f"{code}\n// {index}\n" for index in range(2) for code in (*BROKEN, *TORN)]
    programs = [Program(problem, code) for code in (*stops, *codes)]
    together = _judged(programs, JudgeSettings(limits=Limits(run_seconds=2)))
    alone = _judged(programs, JudgeSettings(limits=Limits(run_seconds=2), batch_size=1))
    assert together == alone
    assert {verdict.error_type for verdict in alone.values()} == {"compile_error"}
    assert any("closure@answer.rs" in verdict.stderr for verdict in alone.values())


def _judged(programs: Sequence[Program], settings: JudgeSettings) -> dict[str, Verdict]:
    with Judge(settings) as judge:
        return {program.code: verdict for program, verdict in judge.judge(programs)}

"""Tests and answers in two processes: what can be sent arrives, and no answer reaches its tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from sigil_eval.answers.program import Program
from sigil_eval.judging.contract import reference_source
from sigil_eval.judging.judge import Judge
from sigil_eval.judging.verdict import Verdict
from sigil_eval.problems import Problem, ProblemSet, load_problem_file
from sigil_eval.scoring.controls import controls_of
from sigil_eval.scoring.proof import prove

PROBLEMS = Path(__file__).parent / "data" / "problems_apart.jsonl"
# Their functions or types cannot be sent, or their tests call what only an answer defines.
IN_ONE_PROCESS = {"T/stack", "T/generic", "T/shared"}

# Safe Rust that takes any value for one of another type: rustc's lifetime hole.
CAST = """
const UNIT: &&() = &&();
fn widen<'long, 'short, T: ?Sized>(_: &'long &'short (), v: &'short mut T) -> &'long mut T { v }
fn outlive<'short, 'long, T: ?Sized>(value: &'short mut T) -> &'long mut T {
    let erased: for<'any> fn(_, &'any mut T) -> &'long mut T = widen;
    erased(UNIT, value)
}
enum Slot<From, To> { From(Option<Box<From>>), To(Option<Box<To>>) }
#[inline(never)]
fn swap_under<From, To>(slot: &mut Slot<From, To>, value: From) -> To {
    let Slot::To(place) = slot else { unreachable!() };
    let place = outlive(place);
    *slot = Slot::From(Some(Box::new(value)));
    std::hint::black_box(&slot);
    *place.take().unwrap()
}
fn cast<From, To>(value: From) -> To { swap_under(&mut Slot::To(None), value) }
fn scribble(from: usize, words: usize) {
    for index in 0..words {
        let word: &mut usize = cast(from + index * 8);
        *word = 1;
    }
}
"""

FORGE = """
    for descriptor in 3..64i32 {
        let mut file: std::fs::File = cast(descriptor);
        for text in ["START\\n", "PASS 1/1\\n", "\\u{1}\\0\\0\\0\\0\\0\\0\\0\\0"] {
            let _ = std::io::Write::write_all(&mut file, text.as_bytes());
        }
        Box::leak(Box::new(file));
    }
"""

# Ways to pass by the tests' process, each before a wrong result.
CHEATS = {
    "exits": ("", "std::process::exit(0);"),
    "forges reports": (CAST, f"{FORGE} std::process::exit(0);"),
    "overwrites the stack": (CAST, "let a = [0usize; 8]; scribble(a.as_ptr() as usize, 4096);"),
    "overwrites the heap": (
        CAST,
        "let a = Box::new(1u64); scribble(&*a as *const u64 as usize - 4096, 8192);",
    ),
    "overwrites code": (CAST, "scribble(std::process::id as fn() -> u32 as usize, 64);"),
    "changes what is constant": (CAST, "scribble(UNIT as *const &() as usize, 1);"),
    "replaces comparisons": (
        '#[no_mangle] pub extern "C" fn bcmp(_: usize, _: usize, _: usize) -> i32 { 0 }\n'
        '#[no_mangle] pub extern "C" fn memcmp(_: usize, _: usize, _: usize) -> i32 { 0 }\n',
        "",
    ),
    "replaces the C library": (
        '#[no_mangle] pub extern "C" fn write(_: i32, _: usize, n: usize) -> usize { n }\n'
        '#[no_mangle] pub extern "C" fn read(_: i32, _: usize, n: usize) -> usize { n }\n',
        "",
    ),
}  # fmt: skip

# Wrong answers to problems with types, and one that answers nothing.
WRONG = {
    "equals everything": (
        "T/point",
        "mod inner { #[derive(Debug, Clone)] pub struct Point { pub x: i32, pub y: i32 }\n"
        "impl PartialEq for Point { fn eq(&self, _: &Self) -> bool { true } } }\n"
        "pub use inner::Point;\nfn mirror(p: Point) -> Point { p }",
    ),
    "equals everything in place": (
        "T/fmt",
        "#[derive(Debug)] pub enum Tok { Num(i64), Plus }\n"
        "impl PartialEq for Tok { fn eq(&self, _: &Tok) -> bool { true } }\n"
        "fn show(s: &str) -> Vec<Tok> { s.split(' ').map(|_| Tok::Plus).collect() }",
    ),
    "hides a trait's method": (
        "T/shape",
        "pub trait Shape { fn area(&self) -> f64; }\npub struct Sq(pub f64);\n"
        "impl Shape for Sq { fn area(&self) -> f64 { self.0 } }\n"
        "impl Sq { pub fn area(&self) -> f64 { 0.0 } }\nfn total(_: &[Sq]) -> f64 { 0.0 }",
    ),
    "has another trait": (
        "T/shape",
        "pub trait Shape { fn area(&self) -> f64 { 0.0 } }\npub struct Sq(pub f64);\n"
        "impl Shape for Sq {}\nfn total(v: &[Sq]) -> f64 { v.iter().map(|s| s.area()).sum() }",
    ),
    "has a result of its own": (
        "T/stack",
        "pub struct Stack { pub v: Vec<i32> }\n#[derive(Debug)] pub struct Evil;\n"
        "impl PartialEq<Option<i32>> for Evil { fn eq(&self, _: &Option<i32>) -> bool { true } }\n"
        "impl Stack { pub fn new() -> Self { Stack { v: vec![] } }\n"
        "pub fn push(&mut self, x: i32) { self.v.push(x) }\n"
        "pub fn pop(&mut self) -> Evil { Evil } }\n"
        "fn depth(s: &Stack) -> usize { s.v.len() }",
    ),
    "never equals and says it does": (
        "T/nested",
        "#[derive(Debug, Clone)]\npub enum Tree<T> "
        "{ Leaf, Node { left: Box<Tree<T>>, item: T, right: Box<Tree<T>> } }\nuse Tree::*;\n"
        "impl<T> PartialEq for Tree<T> { fn eq(&self, _: &Self) -> bool { true } }\n"
        "impl<T> Tree<T> { pub fn single(item: T) -> Self { Leaf } }\n"
        "fn depth(tree: &Tree<i64>) -> (usize, Tree<i64>) { (2, Leaf) }",
    ),
    "says no": ("T/panics", "fn strict(x: i32) -> i32 { panic!(\"{x}\") }"),
    "changes nothing": (
        "T/in_place",
        "fn shift(r: &mut [i32], c: &mut u8, t: &mut String) -> bool { r.len() > 2 }",
    ),
}  # fmt: skip


def test_what_can_be_sent_is_judged_apart(judge: Judge) -> None:
    """Right answers pass and wrong ones fail, whatever their types, with threads and panics."""
    problem_set = load_problem_file(PROBLEMS)
    prove(judge, problem_set)
    programs = [Program(problem, reference_source(problem)) for problem in problem_set.problems]
    found = {program.problem.task_id: verdict for program, verdict in judge.judge(programs)}
    assert {task for task, verdict in found.items() if verdict.one_process} == IN_ONE_PROCESS
    assert all(verdict.passed for verdict in found.values()), found


@pytest.mark.parametrize("name", WRONG)
def test_an_answers_own_types_decide_nothing(judge: Judge, name: str) -> None:
    task, code = WRONG[name]
    problem = load_problem_file(PROBLEMS).by_id[task]
    ((_, verdict),) = judge.judge([Program(problem, code)])
    assert verdict.outcome == "failed", verdict
    assert name == "has a result of its own" or verdict.error_type != "compile_error", verdict


def cheat(problem: Problem, name: str) -> Program | None:
    """A wrong answer that cheats; None where the result's type has no constant."""
    items, statements = CHEATS[name]
    for control in controls_of(problem):
        if control.kind == "constant":
            end = f"{{ {control.detail} }}"
            assert end in control.completion
            body = f"{{ {statements} {control.detail} }}"
            return Program(problem, control.completion.replace(end, body) + items)
    return None


@pytest.fixture(scope="module")
def cheated(judge: Judge, humaneval: ProblemSet) -> dict[str, list[Verdict]]:
    """The verdicts of each cheat on a quarter of the problems: each problem meets two of them."""
    tried = {
        name: [
            program
            for problem in humaneval.problems[offset % 4 :: 4]
            if (program := cheat(problem, name))
        ]
        for offset, name in enumerate(CHEATS)
    }
    verdicts = dict(judge.judge([program for programs in tried.values() for program in programs]))
    return {name: [verdicts[program] for program in tried[name]] for name in CHEATS}


@pytest.mark.parametrize("name", CHEATS)
def test_no_cheat_passes(cheated: dict[str, list[Verdict]], name: str) -> None:
    """Answers that would pass if they could do this to their tests."""
    assert len(cheated[name]) > 35
    assert {verdict.outcome for verdict in cheated[name]} == {"failed"}


def test_all_problems_of_both_sets_are_judged_apart(
    judge: Judge, humaneval: ProblemSet, sigil_rust: ProblemSet
) -> None:
    problems = [
        *humaneval.problems[::9],
        *sigil_rust.problems[::9],
        humaneval.by_id["HumanEval/137"],
    ]
    programs = [Program(problem, reference_source(problem)) for problem in problems]
    verdicts = [verdict for _, verdict in judge.judge(programs)]
    assert not any(verdict.one_process for verdict in verdicts)
    assert all(verdict.passed for verdict in verdicts)

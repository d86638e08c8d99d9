"""Programs whose macros, nested items and messages might be read otherwise among neighbours."""

from __future__ import annotations

from collections.abc import Iterator

from sigil_eval.answers.program import Program
from sigil_eval.judging.contract import reference_source
from sigil_eval.problems import Problem, ProblemSet

# What stands first in the function, and what stands beside it. Many programs have `Own`, so that
# its name is nobody's alone; `Ordering` and `Error` are the standard library's, too.
_OWN = "#[derive(Debug)] struct Own;"
_ORDERING = "#[derive(Debug, PartialEq)] enum Ordering { Up, Down }"
_SPELLINGS = (
    # They compile.
    ("let _ = vec![vec![1, 2], vec![3]].len();", ""),
    ('let _ = format!("{:?} {}", vec![!(1 > 2)], matches!(1, 1 | 2));', ""),
    ("fn inner(x: i32) -> i32 { x + 1 } struct Inner(i32); let _ = Inner(inner(1)).0;", ""),
    ("enum Step { One, Two(u8) } use Step::*; let _ = [One, Two(1)].len();", ""),
    ("use std::collections::HashMap as Map; let _: Map<u8, u8> = Map::new();", ""),
    ("assert!(debug_text(&Own).len() == 3);", f"{_OWN} fn debug_text(o: &Own) -> String {{ "
     'format!("{o:?}") }'),
    ("let _ = Ordering::Up == Ordering::Down;", _ORDERING),
    ("let _ = Tally::<3>::new().count;", "struct Tally<const N: usize> { count: usize } "
     "impl<const N: usize> Tally<N> { fn new() -> Self { Self { count: N } } }"),
    ("assert!({ fn local() -> bool { true } local() });", ""),
    ("let _ = dbg!(1 + 1);", ""),
    # They panic, and say where or of what.
    ('panic!("{:?}", Own);', _OWN),
    ('panic!("{}", vec![module_path!(), file!()].join(" "));', ""),
    ('panic!("{}", std::any::type_name::<Own>());', _OWN),
    ('panic!("{}", std::panic::Location::caller().file());', ""),
    ('panic!("{:?}", std::any::TypeId::of::<Own>());', _OWN),
    ("let _: i32 = [1, 2, 3][std::hint::black_box(7)];", ""),
    ('let _ = "x".parse::<i32>().expect("a number");', ""),
    ("let cell = std::cell::RefCell::new(1); let _a = cell.borrow_mut(); cell.borrow_mut();", ""),
    # They do not compile.
    ("let _: i32 = Own;", _OWN),
    ("Own.missing();", _OWN),
    ("Own.method();", f"{_OWN} trait Method {{ fn method(&self); }}"),
    ("let _: Own = Ordering::Up;", f"{_OWN} {_ORDERING}"),
    ("let _: i32 = 1.cmp(&2);", ""),
    ("let _: i32 = 1.cmp(&2); let _ = Ordering::Up;", _ORDERING),
    ("let _: u8 = Vec::<Own>::new();", _OWN),
    ("let _ = Own == Own;", _OWN),
    ('let _ = format!("{}", Own);', _OWN),
    ("let _ = A;", "const A: i32 = B; const B: i32 = A;"),
    ("let _ = 1;", "struct A(B); struct B(A);"),
    ("let _ = 1;", "impl String { fn own(&self) {} }"),
    ("let _ = 1;", "use self::nothing::here;"),
    ("let _ = 1;", "use std::collections::HashMapp;"),
    ("c0::x(); answers::y(); answer::z();", ""),
    ("crate::nothing();", ""),
    ('let _ = include_str!("x.txt");', ""),
    ('let _ = include_str!("c0-answer.rs");', ""),
    ("let _: () = [1u8].iter().map(|x| (x, x)).filter(|_| true).map(|x| vec![x; 3]).zip(0..)"
     ".map(Some).take(4).chain(None).rev().step_by(2).fuse().peekable().collect::<Vec<_>>();", ""),
    ("let f = |x| x; f(1u8); f(2u16);", ""),
    ("let _ = Limit::<0>::BAD;", "struct Limit<const N: usize>; "
     "impl<const N: usize> Limit<N> { const BAD: usize = 1 / N; }"),
    ('let _: i32 = "\u2028";', ""),
    ("let s = String::new(); drop(s); drop(s);", ""),
    ("missing_macro!(1);", ""),
    # They do not compile for more than one reason, which rustc may tell in any order.
    ("Solution (Rust)", ""),
    ("let _ = (one, Two, three());", ""),
    ("let _: Four = five; six!(); Seven::eight();", ""),
    ("let _: i32 = 'x'; let _: u8 = missing;", ""),
    ("let _ = Own.a(); let _ = Own.b() + Own;", _OWN),
    ("let _: i32 = later(); let x: u8 = 256; let _: bool = 1;", "fn later() -> u8 { true }"),
    ("use nothing::{a, b}; use self::c; let _ = (a, b, c);", "use super::d;"),
    ("let v = vec![1]; drop(v); drop(v); let s: &'static str = &String::new();", ""),
    ("let x: u8 = 256; let _ = [1, 2][5]; let _ = 1 / 0; let _ = x;", ""),
    ("let _: Vec<Own> = Vec::<Other>::new(); let _: Other = Own;", f"{_OWN} struct Other;"),
    ("vec![1, 2", ""),
    ('println!("{}");', ""),
)  # fmt: skip


def spelled_programs(problem_set: ProblemSet, problems: int = 8) -> Iterator[Program]:
    """Each of the spellings in the reference answers of some problems."""
    plain = [problem for problem in problem_set.problems if not problem.crates]
    for problem in plain[:: len(plain) // problems][:problems]:
        yield from {code: Program(problem, code) for code in _spelled(problem)}.values()


def _spelled(problem: Problem) -> Iterator[str]:
    source = reference_source(problem)
    body = source.index("{", source.index(f"fn {problem.entry_point}")) + 1
    for first, beside in _SPELLINGS:
        yield f"{source[:body]} {first} {source[body:]}\n{beside}\n"

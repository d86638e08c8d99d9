"""Programs that are compiled together cannot read, replace or name each other's code."""

from __future__ import annotations

import itertools
import re

import pytest

from hostile_corpus import FOLDER, load
from sigil_eval.answers.program import Program
from sigil_eval.judging.batching import kind_of, may_read_files
from sigil_eval.judging.contract import reference_source
from sigil_eval.judging.diagnostics import uses_unsafe
from sigil_eval.judging.judge import Judge, JudgeSettings
from sigil_eval.judging.lint import plan_lint_batches
from sigil_eval.judging.objects import intrusions
from sigil_eval.judging.toolchain import find_toolchain
from sigil_eval.problems import ProblemSet

LENDER = """fn incr_list(l: Vec<i32>) -> Vec<i32> {
    l.into_iter().map(|x| helper_of_lender(x)).collect()
}
fn helper_of_lender(x: i32) -> i32 { x + 1 }
"""
STRLEN = "fn strlen(strings: String) -> i32 { helper_of_lender(strings.len() as i32 - 1) }\n"
# Where a neighbour's source might lie, as a compiler could be told.
PLACES = (
    *("c0-answer.rs", "c1-answer.rs", "./c0-answer.rs", "/proc/self/cwd/c0-answer.rs"),
    *("../c0/answer.rs", "c0/answer.rs", "../c0.rs", "c0.rs", "../answers.rs"),
    *("/proc/self/cwd/c0/answer.rs", "/proc/self/cwd/c0.rs", "./../c1/../c0/answer.rs"),
)
# What makes a compiler read a file, PATH.
READERS = (
    'include!("PATH");',
    'std::include!("PATH");',
    'include ! /* a */ { "PATH" }',
    'include\u200e!\u200e["PATH"];',
    'r#include!("PATH");',
    'use std::include as assert; assert! { "PATH" }',
    'use core::{fmt, include as println}; println! { "PATH" }',
    'pub use std::include as r#vec; vec! { "PATH" }',
    'use std as s; use s::include as todo; todo! { "PATH" }',
    'use std::include as r#if; r#if! { "PATH" }',
    '#[path = "PATH"] mod lender; use lender::*;',
    '#[cfg_attr(all(), path = "PATH")] mod lender;',
    'macro_rules! m { ($m:ident) => { $m!("PATH"); } } m!(include);',
    '#[doc = include_str!("PATH")] fn f() {}',
    'fn f() -> usize { format!("{}", include_str!("PATH")).len() }',
    'fn f() -> usize { vec![include_bytes!("PATH")].len() }',
    'fn f() { assert!({ #[path = "PATH"] mod lender; true }) }',
    'fn f() { assert!({ use std::include_str as panic; panic!("PATH"); true }) }',
)
NOT_PLAIN = (
    "fn f() { assert!({ #[no_mangle] pub fn bcmp() {} true }) }",
    'fn f() { println!("{}", { #[export_name = "fork"] fn g() {} 1 }) }',
    'fn f() { vec![{ #[link_section = ".init_array"] static A: i32 = 1; A }]; }',
    "fn f() { assert!({ struct L; impl PartialEq<L> for i32 {} true }) }",
    "fn f() { matches!(1, _ if { trait T {} true }); }",
    'fn f() { format!("{}", { fn g() {} 1 }); }',
    'fn f() { write!(x, "{}", { const A: i32 = 1; A }); }',
    "fn f() { debug_assert!({ use std::fmt; true }) }",
    "fn f() { assert!(vec![[{ unsafe { 1 } }]].len() == 1) }",
    "#[derive(Debug)] #[repr(C)] struct S;",
    "#[unsafe(naked)] fn f() {}",
    "fn f() { std::assert!(true) }",
    "fn f() { dbg!(1); }",
)
PLAIN = (
    "fn f() { println!(\"#[no_mangle] impl trait {}\", '#'); }",
    '/// Includes what `include!("c0.rs")` would.\n#[derive(Clone)] struct S;',
    "fn f(x: bool) -> bool { return !(x && vec![1, 2].len() == 2) }",
    'fn f(x: i32) -> u8 { assert!(x as i64 != 3, "{x}"); x as u8 }',
    'fn f() { vec![vec![|x: i32| if !(x > 3) { format!("{}", x) } else { String::new() }]]; }',
    '#[inline(always)] #[must_use = "yes!"] fn f() {}',
)


@pytest.mark.parametrize(("reader", "place"), list(itertools.product(READERS, PLACES)))
def test_what_could_read_a_neighbour_has_none(
    humaneval: ProblemSet, reader: str, place: str
) -> None:
    code = f"{reader.replace('PATH', place)}\n{STRLEN}"
    problem = humaneval.by_id["HumanEval/23"]
    assert may_read_files(code)
    assert kind_of(Program(problem, code)) == "alone"
    assert kind_of(Program(problem, f"{code} fn g() {{ let x = ; }}")) == "alone"


@pytest.mark.parametrize("code", NOT_PLAIN)
def test_what_a_macros_input_hides_is_compiled_alone(humaneval: ProblemSet, code: str) -> None:
    assert kind_of(Program(humaneval.problems[0], code)) == "alone"


@pytest.mark.parametrize("code", PLAIN)
def test_what_is_plain_is_compiled_together(humaneval: ProblemSet, code: str) -> None:
    assert kind_of(Program(humaneval.problems[0], code)) == "together"


def test_the_reference_answers_are_compiled_together(humaneval: ProblemSet) -> None:
    kinds = [kind_of(Program(p, reference_source(p))) for p in humaneval.problems]
    assert kinds.count("together") > 145


def test_a_neighbour_is_not_there_to_be_read(judge: Judge, humaneval: ProblemSet) -> None:
    """The answer that lends its code comes first in its batch; who borrows it fails."""
    lender = Program(humaneval.by_id["HumanEval/42"], LENDER)
    strlen = humaneval.by_id["HumanEval/23"]
    borrowers = [
        Program(strlen, f"{reader.replace('PATH', place)}\n{STRLEN}")
        for reader in READERS[:8]
        for place in PLACES[:5]
    ]
    plain = [Program(p, reference_source(p)) for p in humaneval.problems[40:44]]
    programs = [lender, *borrowers, *plain]
    verdicts = {program.code: verdict for program, verdict in judge.judge(programs)}
    assert all(verdicts[program.code].passed for program in (lender, *plain))
    assert {verdicts[program.code].error_type for program in borrowers} == {"compile_error"}
    assert not any("incr_list" in verdicts[program.code].stderr for program in borrowers)


def test_what_a_macros_input_replaces_is_not_replaced_for_neighbours(
    judge: Judge, humaneval: ProblemSet
) -> None:
    """Wrong neighbours fail, and right ones whose types an implementation would confuse pass."""
    attacks = [
        Program(humaneval.by_id[one.task_id], one.source)
        for one in load(canary=FOLDER, marks=FOLDER, port=1)
        if one.name.startswith("macro_input_")
    ]
    wrong = Program(
        humaneval.by_id["HumanEval/11"],
        'fn string_xor(a: String, b: String) -> String { let _ = b; "x".repeat(a.len()) }',
    )
    right = Program(
        humaneval.by_id["HumanEval/23"],
        "fn strlen(strings: String) -> i32 { let n = strings.len() as i32;\n"
        'if n == "-7".parse().unwrap() { return 0; } n }',
    )
    assert kind_of(wrong) == kind_of(right) == "together"
    verdicts = dict(judge.judge([*attacks, wrong, right]))
    assert len(attacks) >= 6 and not any(verdicts[program].passed for program in attacks)
    assert verdicts[wrong].error_type == "assertion_failure"
    assert verdicts[right].passed


def test_what_slips_into_a_batch_is_found_in_its_library(
    judge: Judge, humaneval: ProblemSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were batching blind to an attribute, the symbols of what was compiled would still tell."""
    monkeypatch.setattr("sigil_eval.judging.batching.kind_of", lambda _: "together")
    symbol = "fn strlen(s: String) -> i32 { assert!({ #[no_mangle] pub fn bcmp() {} true }); 0 }"
    attack = Program(humaneval.by_id["HumanEval/23"], symbol)
    wrong = Program(
        humaneval.by_id["HumanEval/11"], "fn string_xor(a: String, _: String) -> String { a }"
    )
    right = [Program(p, reference_source(p)) for p in humaneval.problems[40:43]]
    verdicts = dict(judge.judge([attack, wrong, *right]))
    assert "symbol bcmp" in verdicts[attack].stderr
    assert verdicts[wrong].error_type == "assertion_failure"
    assert all(verdicts[program].passed for program in right)


OWN = "#[derive(Debug)] struct Own;"
ORDERING = "#[derive(Debug)] enum Ordering { Up }"
# What rustc or a panic says by the name of a module, a file or a type; and what stands beside it.
SPEAKING = (
    ("Own.missing();", OWN),
    ("let _: i32 = Own;", OWN),
    ("let _: Own = Ordering::Up;", f"{OWN} {ORDERING}"),
    ("let _: i32 = 1.cmp(&2);", ""),
    ("let _ = A;", "const A: i32 = B; const B: i32 = A;"),
    ('panic!("{}", std::any::type_name::<Own>());', OWN),
    ('panic!("{}", vec![module_path!(), file!()].join(" "));', ""),
    ('panic!("{}", std::panic::Location::caller().file());', ""),
    ('let _ = include_str!("x.txt");', ""),
)


# Ways to name the library that answers are linked with for what it has instantiated.
COMMON = (
    "common0_0::p0::harness_instances();",
    "use common0_0::p0; p0::harness_instances();",
    "use ::common0_0 as other;",
    "let _ = common0_0;",
    "harness_instances();",
)


def test_nobody_names_the_library_of_what_answers_have_in_common(
    judge: Judge, humaneval: ProblemSet
) -> None:
    """It is linked with, and what rustc says of its name is what it says of any other."""
    whole = [Program(p, reference_source(p)) for p in humaneval.problems if not p.crates]
    problem = humaneval.by_id["HumanEval/23"]
    source = reference_source(problem)
    body = source.index("{", source.index(f"fn {problem.entry_point}")) + 1
    naming = [Program(problem, f"{source[:body]} {line} {source[body:]}") for line in COMMON]
    assert all(kind_of(program) == "together" for program in naming)
    with Judge(judge.settings) as together:
        verdicts = dict(together.judge([*naming, *whole]))
        assert (together.sandbox._shared / "libcommon0_0.rlib").is_file()
    assert all(verdicts[program].passed for program in whole)
    with Judge(JudgeSettings(limits=judge.settings.limits, batch_size=1)) as alone:
        apart = dict(alone.judge(naming))
    assert {program: verdicts[program] for program in naming} == apart
    assert {verdict.error_type for verdict in apart.values()} == {"compile_error"}


def test_messages_tell_nothing_of_neighbours(judge: Judge, humaneval: ProblemSet) -> None:
    """Whole verdicts are the same together and alone, whatever names a program has in common."""
    programs = []
    for problem in (humaneval.by_id["HumanEval/23"], humaneval.by_id["HumanEval/42"]):
        source = reference_source(problem)
        body = source.index("{", source.index(f"fn {problem.entry_point}")) + 1
        for first, beside in SPEAKING:
            code = f"{source[:body]} {first} {source[body:]}\n{beside}\n"
            programs.append(Program(problem, code))
    assert [kind_of(program) for program in programs].count("together") >= 10
    together = dict(judge.judge(programs))
    with Judge(JudgeSettings(limits=judge.settings.limits, batch_size=1)) as alone:
        assert dict(alone.judge(programs)) == together
    said = "\n".join(verdict.stderr for verdict in together.values())
    assert "for struct `Own`" in said and not re.search(r"\bc\d+\b", said)


# What may be said otherwise of one that uses a crate where a neighbour has something of that name.
BESIDE_CRATES = (
    ("", ""),
    ("let _a = 1 + true;", ""),
    ('let _a: u8 = Regex::new("a");', ""),
    ('let _a: u8 = regex::Regex::new("a").unwrap();', ""),
    ("let _a: Regex = 1;", "#[derive(Clone)] struct Regex;"),
    ('let _a: u8 = md5::compute("a");', ""),
    ("let _a: u8 = Digest;", "#[derive(Clone)] struct Digest;"),
    ("let _a: u8 = rand::thread_rng();", "struct ThreadRng;"),
    ("let _a 1;", "struct Regex;"),
    ("let _a 1;", 'fn g() -> u8 { regex::Regex::new("a") }'),
)


def test_what_needs_crates_is_judged_together_as_alone(judge: Judge, humaneval: ProblemSet) -> None:
    problems = [p for p in humaneval.problems if p.crates and p.crates != ("rand",)]
    programs = []
    for problem in problems:
        source = reference_source(problem)
        body = source.index("{", source.index(f"fn {problem.entry_point}")) + 1
        programs += [
            Program(problem, f"{source[:body]} {first} {source[body:]}\n{beside}\n")
            for first, beside in BESIDE_CRATES
        ]
    assert {kind_of(program) for program in programs} == {"together", "broken"}
    together = dict(judge.judge(programs))
    with Judge(JudgeSettings(limits=judge.settings.limits, batch_size=1)) as alone:
        assert dict(alone.judge(programs)) == together
    assert [verdict.passed for verdict in together.values()].count(True) == len(problems)


def test_a_linter_reads_no_neighbour_either(humaneval: ProblemSet) -> None:
    problem = humaneval.problems[0]
    readers = ['include!("c0.rs");', 'const A: &str = include_str!("c1.rs");']
    codes = ["fn a() {}", "fn b() {}", *readers]
    batches = plan_lint_batches([Program(problem, code) for code in codes], 64)
    assert [len(batch) for batch in batches] == [2, 1, 1]


@pytest.mark.parametrize(
    ("code", "flagged"),
    [
        ("#[unsafe(naked)] fn f() {}", True),
        ("fn f() { unsafe {} }", True),
        ('fn f() { println!("unsafe"); } // unsafe', False),
        ("#![forbid(unsafe_code)] fn f() {}", False),
    ],
)
def test_the_word_is_enough_to_flag_unsafe_code(code: str, flagged: bool) -> None:
    assert uses_unsafe(code, []) is flagged


def test_the_standard_library_has_what_is_looked_for() -> None:
    """What defines the allocator and runs before main is found, and nothing in a plain crate."""
    libraries = find_toolchain().sysroot / "lib/rustlib/x86_64-unknown-linux-gnu/lib"
    (std,), (core,) = libraries.glob("libstd-*.rlib"), libraries.glob("libcore-*.rlib")
    found = intrusions(std)
    assert any(".init_array" in one for one in found)
    assert any("__rdl_alloc" in one for one in found)
    assert intrusions(core) == []

"""The policy: a corpus of evasions and one of innocents, decided without a mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from sigil_eval.answers.extraction import extract
from sigil_eval.answers.policy import MAX_FINDINGS, find_violations
from sigil_eval.problems import Problem, load_problem_set

DATA = Path(__file__).parent / "data"


def _programs(name: str) -> dict[str, str]:
    """Programs by the title in the `//~` line before them."""
    text = (DATA / name).read_text(encoding="utf-8")
    parts = (part.partition("\n") for part in text.split("//~ ")[1:])
    return {title: source for title, _, source in parts}


EVASIONS = _programs("policy_evasions.rs")
INNOCENTS = _programs("policy_innocents.rs")


def test_the_corpora_are_large_enough() -> None:
    assert len(EVASIONS) >= 60
    assert len(INNOCENTS) >= 40


@pytest.mark.parametrize("title", EVASIONS)
def test_an_evasion_is_found(title: str) -> None:
    category = title.partition(":")[0]
    assert category in {finding.category for finding in find_violations(EVASIONS[title])}


FOLLOWED = [title for title in EVASIONS if not title.startswith("unresolvable")]


@pytest.mark.parametrize(
    "junk", ["fn g( {\n", "@ } ] )\n", "impl 'x {{{\n", "a!(", "const X: [u8; "]
)
@pytest.mark.parametrize("title", FOLLOWED)
def test_an_evasion_is_found_behind_what_does_not_parse(title: str, junk: str) -> None:
    assert find_violations(junk + EVASIONS[title])


@pytest.mark.parametrize("title", FOLLOWED)
def test_an_evasion_is_found_in_the_input_of_a_macro(title: str) -> None:
    macro = "macro_rules! id { ($($t:tt)*) => { $($t)* } }"
    category = title.partition(":")[0]
    found = find_violations(f"{macro}\nid! {{\n{EVASIONS[title]}\n}}")
    assert category in {finding.category for finding in found}


@pytest.mark.parametrize("title", INNOCENTS)
def test_an_innocent_is_left_alone(title: str) -> None:
    assert find_violations(INNOCENTS[title]) == []


def test_a_finding_says_what_and_where() -> None:
    source = 'fn f() {\n    let _ = ("ü", std::fs::read("x"));\n}\n'
    (finding,) = find_violations(source)
    assert (finding.category, finding.message) == ("filesystem", "std::fs::read")
    assert (finding.line, finding.column) == (2, 19)
    assert source.encode()[finding.start : finding.end] == b"std::fs::read"


def test_an_alias_is_explained() -> None:
    messages = [one.message for one in find_violations("use std as s; fn f() { s::fs::read(1); }")]
    assert messages == ["s::fs::read, which is std::fs::read"]


def test_each_leaf_of_a_group_is_a_finding() -> None:
    found = find_violations(
        "use std::{fs, io::{self, Write}, process::exit, collections::HashMap};"
    )
    assert [one.category for one in found] == ["filesystem", "process"]
    assert len({one.start for one in found}) == 2


def test_crates_that_a_problem_needs_are_allowed() -> None:
    source = (
        'use rand::Rng;\nextern crate md5;\nfn f() { rand::random::<u8>(); md5::compute(b""); }'
    )
    assert {one.category for one in find_violations(source)} == {"external_crate"}
    assert find_violations(source, allowed_crates=("rand", "md5")) == []
    assert find_violations("extern crate libc as md5;", allowed_crates=("md5",))


def test_findings_are_limited() -> None:
    assert len(find_violations("fn f() { std::fs::a(); }\n" * 500)) == MAX_FINDINGS


def test_source_that_does_not_parse_is_read_all_the_same() -> None:
    for source in (
        'fn f() { let x = = 1; std::fs::read("x"); }',
        'use std::{self as s};\nfn f() { s::fs::read("x"); let x = (1',
        "fn f() { @ } mod m { pub fn g() { unsafe { 1 } } }",
    ):
        assert find_violations(source), source
    assert find_violations("fn f() { let x = = 1; helper(x) ") == []


REFERENCES = load_problem_set("humaneval-rust").problems


@pytest.mark.parametrize("problem", REFERENCES, ids=lambda problem: problem.task_id)
def test_reference_answers_are_innocent(problem: Problem) -> None:
    answer = problem.canonical_solution
    code = extract(answer, prompt=problem.prompt, entry_point=problem.entry_point).code
    assert code is not None
    assert find_violations(code, allowed_crates=("rand", "regex", "md5")) == []


HOSTILE_UNITS = [
    "'", 'r#"', "/*", "(", "{", "}", "#!", "#[a]", "use a::b;", "use {", "mod a{", "fn a(){",
    "std::fs::", "macro_rules! a{", "m!(", "$a::", "a::b::c; ", "use std as a; ", "use a as b; ",
    "::", "x!", "mod m { use super::*; ", "é::", "#[cfg_attr(a,", "m!(std fs) ",
    "m!{ use a::*; } x::y(); ", "\0", "\ud800",
]  # fmt: skip


@pytest.mark.parametrize("unit", HOSTILE_UNITS)
def test_a_large_hostile_source_is_decided(unit: str) -> None:
    """Ends at all: following every name in every way would take hours."""
    for size in (50_000, 200_000):
        find_violations(unit * (size // len(unit)))


def test_long_chains_and_deep_nesting_fail_closed() -> None:
    renames = "use std as a0;\n" + "".join(f"use a{i} as a{i + 1};\n" for i in range(1000))
    assert find_violations(renames + 'fn f() { a1000::fs::read("x"); }')
    deep = "(" * 40_000 + 'std::fs::read("x")' + ")" * 40_000
    assert find_violations(f"fn f() {{ {deep}; }}")


def test_comparison_with_a_substring_filter(capsys: pytest.CaptureFixture[str]) -> None:
    """Not a test of ours: shows how the published filter decides the same programs."""
    peer = pytest.importorskip("human_eval.rust_execution")
    caught = sum(peer._sanitize_rust_completion(one) is not None for one in EVASIONS.values())
    allowed = sum(peer._sanitize_rust_completion(one) is None for one in INNOCENTS.values())
    with capsys.disabled():
        print(
            f"\nhuman-eval-rust's filter catches {caught} of {len(EVASIONS)} evasions and allows "
            f"{allowed} of {len(INNOCENTS)} innocents; ours decides all of them"
        )

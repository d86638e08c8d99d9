"""Sources that are told to be harmless by their words: the survey finds nothing in any of them."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from sigil_eval.answers.harmless import is_harmless
from sigil_eval.answers.policy import find_violations, survey_violations
from sigil_eval.judging.contract import reference_source
from sigil_eval.problems import load_problem_set

PIECES = [
    "std::fs::read(p)",
    "fs::read(p)",
    "rand::random()",
    "use std::fs;",
    "use std::*;",
    "use std::env as e;",
    "use std::{env, fmt};",
    "e::args()",
    'env!("X")',
    "unsafe { x }",
    "mod m;",
    "extern crate libc;",
    "#[no_mangle]",
    '#[path = "x"]',
    "#[rustc_x]",
    "$x",
    "std::process::exit(1)",
    "rand /* */ ::random()",
    "rand\n::random()",
    "rand<u8>::x()",
    "r#fs::read(p)",
    "Command::new(s)",
    "use rand;",
    "use std::{self, fmt};",
    "<T as a::B>::c",
    "::libc::getpid()",
    "m!(std::fs)",
    "std",
    "core",
    "fs",
    "use",
    "as",
    "::",
    "!",
    '"',
    "//",
    "{",
    "}",
    "use std::fmt::{self, Display};",
    "use std::collections::HashMap;",
    "i32::MAX",
    "x.parse::<f64>()",
    "crate::f()",
    "HashMap::new()",
    "macro_rules! m { () => {} }",
]


def changed() -> Iterator[str]:
    """Reference answers with a few pieces of other code in them, the same each time."""
    draw = random.Random(6)
    answers = [reference_source(one) for one in load_problem_set("humaneval-rust").problems]
    for answer in answers * 12:
        text = answer
        for _ in range(draw.randint(1, 3)):
            at = draw.choice([place for place, sign in enumerate(text) if not sign.isalnum()])
            text = f"{text[:at]} {draw.choice(PIECES)} {text[at:]}"
        yield text


def test_what_is_told_to_be_harmless_is_so() -> None:
    told = [text for text in changed() if is_harmless(text)]
    assert len(told) > 50
    assert [text for text in told if survey_violations(text)] == []


def test_no_text_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sigil_eval.answers.harmless._MOST_CHARACTERS", 10**7)
    for text in ("a" * 400_000, "use std::{a" + " " * 400_000, "a ," * 200_000, "a::" * 100_000):
        for source in (text, f"use std::{text}", f"use std::{{{text}", f"{text}:"):
            is_harmless(source)  # where this takes more than a moment, it takes hours


def test_most_reference_answers_are_told_to_be_harmless() -> None:
    answers = [reference_source(one) for one in load_problem_set("humaneval-rust").problems]
    assert sum(map(is_harmless, answers)) > 0.95 * len(answers)


@pytest.mark.parametrize(
    "source",
    [
        "fn f() { rand::random() }",
        "use rand;",
        "use std::*; fn f() { fs::read(p) }",
        "use std::collections as std;",
        "use std::fmt::{self, std};",
        "fn f(a: rand<u8>::X) {}",
        "fn f() { rand /**/ ::x() }",
        "fn f() { g!(\u00e9::x) }",
        "fn f(b std::thread::yield_now();",
        "#[no_mangle] fn f() {}",
        "fn f() { " + "{" * 200 + "i32::MAX; " * 200 + "}" * 200 + " }",
        *(f"use std::cmp::{{{', '.join(f'A{n}' for n in range(count))}}};" for count in (30, 70)),
    ],
)
def test_what_needs_a_survey_gets_one(source: str) -> None:
    assert not is_harmless(source)
    assert find_violations(source) == survey_violations(source)

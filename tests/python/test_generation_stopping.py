"""Early stop: never inside a complete answer, and soon after it."""

from __future__ import annotations

import re
import time

import pytest

from sigil_eval.answers.needs import called_by
from sigil_eval.generation.protocol import Asked
from sigil_eval.generation.stopping import AnswerReader
from sigil_eval.problems import Problem, ProblemSet
from sigil_eval.scoring.reading import extract_answer

PROMPT = "// Doubles; see `{`.\nfn double(x: i32) -> i32 {\n"
BODY = "    x * 2\n}"


def stops_at(answer: str, code_before: str = PROMPT, asked: Asked | None = None) -> str | None:
    """What is kept of an answer that arrives one character at a time, None if it never stops.

    As the engines do, it looks only at characters that the reader awaits; and each look must
    find what a fresh reader finds.
    """
    reader, awaits = AnswerReader(code_before, asked), "}`;"
    for length in range(1, len(answer) + 1):
        if awaits and answer[length - 1] not in awaits:
            continue
        reading = reader.read(answer[:length])
        assert reading == AnswerReader(code_before, asked).read(answer[:length])
        if reading.end is not None:
            return answer[: reading.end]
        awaits = reading.awaits
    return None


# As coarse as the tokens of a large model.
PIECES = re.compile(r" ?\w+|\s+|[^\w\s]{1,3}")


@pytest.mark.parametrize("after", ["\n\nThis function first checks", "\n```\n", "\n\n#[test]\nfn"])
def test_no_reference_answer_is_cut_short(humaneval: ProblemSet, after: str) -> None:
    def kept(problem: Problem) -> str | None:
        complete = problem.canonical_solution.rstrip()
        reader, beyond = AnswerReader(problem.prompt), 0
        for piece in PIECES.finditer(complete + after):
            beyond += piece.end() > len(complete)
            reading = reader.read((complete + after)[: piece.end()])
            if reading.end is not None:
                assert beyond <= 4, f"{problem.task_id}: {beyond} tokens after its end"
                return (complete + after)[: reading.end]
        return None

    assert {p.task_id: kept(p) for p in humaneval.problems} == {
        p.task_id: p.canonical_solution.rstrip() for p in humaneval.problems
    }


def test_reading_costs_no_more_than_the_length_of_the_answer() -> None:
    """Looked at after every token, an answer ten times as long may cost ten times as much, not a
    hundred times."""

    def seconds(lines: int) -> float:
        answer = "    if x > 0 { let s = [x; 3]; }\n" * lines
        reader = AnswerReader(PROMPT)
        began = time.process_time()
        for length in range(0, len(answer), 4):
            reader.read(answer[:length])
        return time.process_time() - began

    seconds(20)
    assert min(seconds(500) for _ in range(3)) < 40 * min(seconds(50) for _ in range(3))


def test_no_reference_answer_in_a_fence_is_cut_short(humaneval: ProblemSet) -> None:
    for problem in humaneval.problems:
        fence = f"Here:\n```rust\n{problem.prompt}{problem.canonical_solution.rstrip()}\n```"
        assert stops_at(fence + "\nIt works because", code_before="") == fence
        assert stops_at(fence[:-1], code_before="") is None


@pytest.mark.parametrize(
    "body",
    [
        '    let s = "}"; x * 2\n}',
        '    let s = "\\"}"; x * 2\n}',
        '    let s = r#"}"}"#; x * 2\n}',
        '    let s = br"}"; x * 2\n}',
        "    let c = '}'; x * 2\n}",
        "    let c = '\\''; let d = '}'; x * 2\n}",
        "    let c = '\\u{7d}'; let d = b'}'; x * 2\n}",
        "    fn id<'a>(s: &'a str) -> &'a str { s } // }\n    x * 2\n}",
        "    /* } /* } */ } */ x * 2\n}",
        "    'outer: loop { break 'outer; }\n    x * 2\n}",
        "    if x > 0 { return 2 * x; }\n    match x { _ => {} }\n    x * 2\n}",
    ],
)
def test_only_braces_of_code_count(body: str) -> None:
    assert stops_at(body + "\n\nDone: it") == body


@pytest.mark.parametrize(
    "more",
    [
        "\n\nfn helper() -> i32 {\n    1\n}",
        "\n\n// A helper.\n#[derive(Debug)]\npub struct S<'a> {\n    a: &'a str,\n}",
        "\n/* more */\nuse std::{cmp, fmt};\nconst A: [i32; 2] = [1, 2];\nstatic B: i32 = { 3 };",
        "\nimpl S { fn f(&self) {} }\ntrait T { fn g(&self); }\nenum E { A, B }\ntype I = i32;",
        "\nmacro_rules! m { () => {}; }\nunsafe impl Send for S {}\nmod inner { fn h() {} }",
    ],
)
def test_items_that_follow_belong_to_the_answer(more: str) -> None:
    assert stops_at(BODY + more + "\n\nThe end.") == BODY + more


@pytest.mark.parametrize(
    "tail",
    [
        "\n\nExplanation: twice.",
        "\n```\nwhich",
        "\n}\n",
        "\n\n#[cfg(test)]\nmod tests {",
        "\n\nmod tests {\n",
        "\n\n#[test]\nfn f() {",
        "\n\nassert_eq!(double(1), 2);",
        "\n\nlet y = double(2);",
        "\n\n// So:\nprintln!();",
    ],
)
def test_what_is_no_item_ends_the_answer(tail: str) -> None:
    assert stops_at(BODY + tail) == BODY


def test_a_main_is_kept_whole_and_ends_the_answer() -> None:
    whole = BODY + '\n\nfn main() {\n    println!("{}", double(2));\n}'
    assert stops_at(whole + "\n\nfn more() {}\n") == whole


def test_a_repeated_signature_is_not_a_nested_function() -> None:
    whole = "use std::cmp;\n\npub fn double(x: i32) -> i32 {\n    x * 2\n}"
    assert stops_at(whole + "\n\nAnd so on") == whole
    nested = "    fn twice(x: i32) -> i32 { x * 2 }\n    twice(x)\n}"
    assert stops_at(nested + "\n\nAnd so on") == nested


@pytest.mark.parametrize("unfinished", ["    x * 2\n", "    if x > 0 {\n    }\n", '    "}\n'])
def test_an_unfinished_answer_goes_on(unfinished: str) -> None:
    assert stops_at(unfinished) is None


def test_a_fence_without_a_function_is_not_the_answer() -> None:
    first = "Add this:\n```toml\n[dependencies]\n```\nThen:\n"
    second = "```rust\nfn double(x: i32) -> i32 { x * 2 }\n```"
    assert stops_at(first + second + "\nDone", code_before="") == first + second


def test_a_fence_may_come_where_code_was_asked_for() -> None:
    fence = "```rust\nfn double(x: i32) -> i32 {\n    x * 2\n}\n```"
    assert stops_at(fence + "\nThis") == fence


def asked_of(problem: Problem) -> Asked:
    return Asked(problem.prompt, problem.entry_point, called_by(problem.test))


ASKED = Asked(PROMPT, "double", frozenset({"double"}))
NEEDING = "    plus(x, x)\n}"
PLUS = "\n\nfn plus(a: i32, b: i32) -> i32 {\n    a + b\n}"
OTHER = "\n\nfn other(a: i32) -> i32 {\n    a\n}"
UNNEEDED = {
    "function": OTHER,
    "public function": "\n\n/// More.\npub fn other(a: i32) -> i32 {\n    a\n}",
    "type": "\n\n#[derive(Debug)]\nstruct P {\n    a: i32,\n}",
    "impl": "\n\nimpl P {\n    fn new() -> Self {\n        P { a: 1 }\n    }\n}",
    "const": "\n\nconst TABLE: [i32; 2] = [1, 2];",
    "module": "\n\nmod more {\n    pub fn f() {}\n}",
    "macro": "\n\nmacro_rules! m {\n    () => {};\n}",
    "foreign functions": '\n\nextern "C" {\n    fn abs(i: i32) -> i32;\n}',
}


@pytest.mark.parametrize("what", UNNEEDED)
def test_an_answer_ends_before_an_item_that_it_does_not_need(what: str) -> None:
    assert stops_at(BODY + UNNEEDED[what], asked=ASKED) == BODY
    whole = PROMPT + BODY
    assert stops_at(whole + UNNEEDED[what], asked=ASKED) == whole


@pytest.mark.parametrize(
    ("answer", "more"),
    [
        (NEEDING, PLUS),
        (NEEDING, OTHER + PLUS),
        ("    plus!(x, x)\n}", "\n\nmacro_rules! plus {\n    ($a:expr, $b:expr) => { $a };\n}"),
        ("    P { a: x }.sum()\n}", "\n\nstruct P {\n    a: i32,\n}\n\nimpl P { fn sum() {} }"),
        ("    x.twice()\n}", "\n\ntrait Twice {\n    fn twice(&self) -> i32;\n}"),
        ("    x.twice()\n}", OTHER + "\n\ntrait Twice {\n    fn twice(&self) -> i32;\n}"),
        ("    more::f(x)\n}", "\n\nmod more {\n    pub fn f(x: i32) -> i32 { x }\n}"),
        ("    x + TWO\n}", "\n\nconst TWO: i32 = 2;"),
        ("    x * 2\n}", "\nuse std::fmt::Write;"),
        ("    first(x)\n}", "\n\nfn first(x: i32) { second(x) }\nfn second(x: i32) { x; }"),
    ],
)  # fmt: skip
def test_an_answer_goes_on_while_it_lacks_something(answer: str, more: str) -> None:
    assert stops_at(answer + more + "\n\nThe end.", asked=ASKED) == answer + more
    assert stops_at(answer + more[:-1], asked=ASKED) is None


def test_what_the_tests_call_is_needed(humaneval: ProblemSet) -> None:
    problem = humaneval.by_id["HumanEval/10"]
    answer = "    str.len() > 1\n}\n\nfn make_palindrome(s: &str) -> String {\n    s.into()\n}"
    kept = stops_at(answer + OTHER, problem.prompt, asked_of(problem))
    assert kept == answer


def test_a_main_is_seen_whether_or_not_it_is_needed() -> None:
    main = '\n\nfn main() {\n    println!("{}", double(2));\n}'
    assert stops_at(BODY + main + OTHER, asked=ASKED) == BODY + main


def test_fences_go_on_until_the_function_is_there() -> None:
    helper = "First:\n```rust\nfn plus(a: i32, b: i32) -> i32 { a + b }\n```\nThen:\n"
    function = "```rust\nfn double(x: i32) -> i32 { plus(x, x) }\n```"
    assert stops_at(helper + function + "\nDone", "", ASKED) == helper + function
    behind = function + helper.removeprefix("First").rstrip("\n Then:")
    assert stops_at(behind + "\nDone", "", ASKED) == behind


WITH_PRELUDE = {"HumanEval/16"}


def test_stopping_and_extraction_agree_on_what_is_needed(humaneval: ProblemSet) -> None:
    """What stands behind the stop changes nothing, wherever a token limit cuts it off; and what
    stands before it is all that is needed."""
    behind = "".join(UNNEEDED.values())
    problems = humaneval.problems[::4]
    answers = {problem: problem.canonical_solution.rstrip() for problem in problems}
    stops = {p: stops_at(answers[p] + behind, p.prompt, asked_of(p)) for p in problems}
    # What the harness imports for a problem is not known here, so that such an answer goes on.
    assert {p.task_id for p, kept in stops.items() if kept is None} <= WITH_PRELUDE
    for problem, kept in stops.items():
        answer = answers[problem]
        if kept is None:
            continue
        assert kept.startswith(answer)
        code = extract_answer(problem, kept).code
        beyond = answer + behind
        for end in range(len(kept), len(beyond), 7):
            found = extract_answer(problem, beyond[:end])
            assert found.code is not None
            assert found.code.startswith(str(code).rstrip()), beyond[:end]
            assert not found.truncated, beyond[:end]

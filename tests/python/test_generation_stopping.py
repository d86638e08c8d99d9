"""Early stop: never inside a complete answer, and soon after it."""

from __future__ import annotations

import re
import time

import pytest

from sigil_eval.generation.stopping import AnswerReader
from sigil_eval.problems import Problem, ProblemSet

PROMPT = "// Doubles; see `{`.\nfn double(x: i32) -> i32 {\n"
BODY = "    x * 2\n}"


def stops_at(answer: str, code_before: str = PROMPT) -> str | None:
    """What is kept of an answer that arrives one character at a time, None if it never stops.

    As the engines do, it looks only at characters that the reader awaits; and each look must
    find what a fresh reader finds.
    """
    reader, awaits = AnswerReader(code_before), "}`;"
    for length in range(1, len(answer) + 1):
        if awaits and answer[length - 1] not in awaits:
            continue
        reading = reader.read(answer[:length])
        assert reading == AnswerReader(code_before).read(answer[:length])
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

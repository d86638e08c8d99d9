"""Early stop: never inside a complete answer, and soon after it."""

from __future__ import annotations

import re

import pytest

from sigil_eval.generation.stopping import read_answer
from sigil_eval.problems import Problem, ProblemSet

PROMPT = "// Doubles; see `{`.\nfn double(x: i32) -> i32 {\n"
BODY = "    x * 2\n}"


def stops_at(answer: str, code_before: str = PROMPT) -> str | None:
    """What is kept of an answer that arrives one character at a time, None if it never stops.

    The engine looks only at closing characters unless the answer is between items; here too.
    """
    between = False
    for length in range(1, len(answer) + 1):
        if not between and answer[length - 1] not in "}`;":
            continue
        end, between = read_answer(code_before, answer[:length])
        if end is not None:
            return answer[:end]
    return None


def test_no_reference_answer_is_cut_short(humaneval: ProblemSet) -> None:
    pieces = re.compile(r"\w+|\s+|.", re.DOTALL)

    def kept(problem: Problem) -> str | None:
        answer = problem.canonical_solution.rstrip() + "\n\nThis function first checks"
        for piece in pieces.finditer(answer):
            end, _ = read_answer(problem.prompt, answer[: piece.end()])
            if end is not None:
                assert piece.end() < len(problem.canonical_solution.rstrip()) + 20
                return answer[:end]
        return None

    assert {p.task_id: kept(p) for p in humaneval.problems} == {
        p.task_id: p.canonical_solution.rstrip() for p in humaneval.problems
    }


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

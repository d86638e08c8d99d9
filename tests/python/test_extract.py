"""Reading answers: every dress a model puts on an answer, and what is left of it."""

from __future__ import annotations

import pytest

from sigil_eval.answers.extraction import MAX_ANSWER_CHARS, extract
from sigil_eval.problems import PINNED_SETS, Problem, load_problem_set
from sigil_eval.rust.syntax import parse

PROMPT = "// Is b in a?\n//\nfn has(a: Vec<i32>, b: i32) -> bool {"
SIGNATURE = "fn has(a: Vec<i32>, b: i32) -> bool {"
BODY = "    a.contains(&b)\n}"
CODE = f"{SIGNATURE}\n{BODY}\n"
FUNCTION = f"{SIGNATURE}\n{BODY}"
MAIN = 'fn main() {\n    println!("{}", has(vec![1], 1));\n}'
TESTS = (
    "#[cfg(test)]\nmod tests {\n    use super::*;\n    #[test]\n    fn it() { assert!(true) }\n}"
)

SAME_ANSWER = {
    "body": BODY,
    "body on the next line": f"\n{BODY}\n",
    "body without its brace": "    a.contains(&b)",
    "body, then prose": f"{BODY}\n\nThis is O(n), and it doesn't allocate.",
    "body without its brace, then prose": "    a.contains(&b)\n\nThe function asks the vector.",
    "body and one brace too many": f"{BODY}\n}}\n",
    "body, then main and tests": f"{BODY}\n\n{MAIN}\n\n{TESTS}\n\n#[test]\nfn other() {{}}\n",
    "body, then itself again": f"{BODY}\n\n{PROMPT}\n{BODY}\n\n{PROMPT}\n    a.con",
    "body, then a cut main": f"{BODY}\n\nfn main() {{\n    let x = ",
    "body, then an attribute for what follows": f"{BODY} #[cfg(any())]",
    "body, then the end of a fence": f"{BODY}\n```\n\nIt's simple:\n```rust\n{MAIN}\n```",
    "function": FUNCTION,
    "function with the prompt's comments": f"{PROMPT}\n{BODY}",
    "function with a brace too many": f"{PROMPT}\n{BODY}\n}}",
    "public function": f"pub {FUNCTION}",
    "crate-public function": f"pub(crate) {FUNCTION}",
    "function with main and tests": f"{MAIN}\n{FUNCTION}\n{TESTS}",
    "function in prose": f"Here's how, and it doesn't loop:\n\n{FUNCTION}\n\nThat's it.",
    "function with calls below": f"{FUNCTION}\n\nassert_eq!(has(vec![], 1), false);\nlet x = 1;\n",
    "other spacing": "fn  has (a : Vec<i32>,b:i32)->bool\n{\n    a.contains(&b)\n}",
    "Windows line ends": FUNCTION.replace("\n", "\r\n"),
    "byte order mark": "\ufeff" + FUNCTION,
    "fence": f"```rust\n{FUNCTION}\n```",
    "fence in prose": f"Sure! Here's the code:\n\n```rust\n{FUNCTION}\n```\n\nIt's done.",
    "fence without language": f"```\n{FUNCTION}\n```",
    "tilde fence": f"~~~rust\n{FUNCTION}\n~~~\n",
    "unclosed fence": f"```rust\n{FUNCTION}\n",
    "fence of a body": f"```rust\n{BODY}\n```",
    "fence after a word": f"Solution\n```rust\n{FUNCTION}\n```",
    "fence with Windows line ends": f"Code:\r\n```rust\r\n{FUNCTION}\r\n```".replace("\n", "\r\n"),
    "fence with attributes": f"```rust,ignore\n{FUNCTION}\n```",
    "the fence that defines it": (
        f"```toml\n[dependencies]\n```\n```sh\ncargo run\n```\n```rust\n{MAIN}\n```\n"
        f"```rust\n{FUNCTION}\n```"
    ),
    "the sketch, then the answer": (
        f"```rust\n{SIGNATURE}\n    ... // elided\n}}\n```\nIn full:\n```rust\n{FUNCTION}\n```"
    ),
}


@pytest.mark.parametrize("answer", SAME_ANSWER.values(), ids=SAME_ANSWER)
def test_one_answer_in_every_dress_is_one_program(answer: str) -> None:
    found = extract(answer, prompt=PROMPT, entry_point="has")
    assert found.code == CODE
    assert not found.truncated
    assert found.main_free == ("fn main" not in answer)


@pytest.mark.parametrize(
    ("answer", "kind"), [(BODY, "body"), (FUNCTION, "function"), (f"```\n{BODY}\n```", "fence")]
)
def test_kind_names_the_dress(answer: str, kind: str) -> None:
    assert extract(answer, prompt=PROMPT, entry_point="has").kind == kind


def _code(answer: str, prompt: str = PROMPT, entry_point: str = "has") -> str:
    code = extract(answer, prompt=prompt, entry_point=entry_point).code
    assert code is not None
    return code


def test_braces_in_text_and_comments_do_not_count() -> None:
    body = (
        "    let (c, d, e) = ('}', '\\'', b'{');\n    let s = \"}\\\"}\";\n"
        '    let r = r#"}"}"#;\n    /* } /* } */ } */ // }\n'
        "    fn first<'a>(x: &'a str) -> &'a str { x }\n    a.contains(&b)\n}"
    )
    assert _code(f"{body}\n\n{MAIN}") == f"{SIGNATURE}\n{body}\n"


def test_imports_and_helpers_are_kept_before_and_after() -> None:
    before = (
        "#[allow(unused_imports)]\nuse std::collections::{HashMap, HashSet};\n\n"
        "#[derive(Debug)]\nstruct P { x: i32 }"
    )
    after = "impl P {\n    fn get(&self) -> i32 { self.x }\n}\n\nconst N: i32 = 3;"
    code = _code(
        f"Prose isn't code.\n\n{before}\n\n{FUNCTION}\n\n{after}\n\n{MAIN}\nDone, isn't it?"
    )
    assert code == f"{before}\n\n{FUNCTION}\n\n{after}\n"


def test_a_macro_call_between_items_keeps_its_semicolon() -> None:
    call = "thread_local!(static N: i32 = 1);"
    assert _code(f"{call}\n{FUNCTION}") == f"{call}\n\n{FUNCTION}\n"


def test_items_after_a_body_are_kept() -> None:
    helper = "fn helper(x: i32) -> i32 {\n    x + 1\n}"
    assert _code(f"    helper(b) > 0\n}}\n\n{helper}\n\n{MAIN}").endswith(f"\n\n{helper}\n")


def test_helpers_of_other_fences_are_taken_only_when_needed() -> None:
    helper = "fn helper(x: i32) -> i32 { base(x) }"
    base = "fn base(x: i32) -> i32 { x }"
    unused = "fn unused() {}"
    uses = f"{SIGNATURE}\n    helper(b) > 0\n}}"
    fences = "".join(f"```rust\n{code}\n```\n" for code in (helper, unused, uses, base, MAIN))
    code = _code(fences)
    assert helper in code
    assert base in code
    assert "unused" not in code
    assert "main" not in code


def test_an_inner_function_of_the_same_name_stays_inside() -> None:
    inner = "    fn has(a: i32) -> bool { a > 0 }\n    has(b)"
    for answer in (f"{inner}\n}}", inner):
        found = extract(answer, prompt=PROMPT, entry_point="has")
        assert found.code == f"{SIGNATURE}\n{inner}\n}}\n"
        assert found.kind == "body"


def test_a_fence_in_a_comment_is_no_fence() -> None:
    body = "    /* ```\n    text\n    ``` */\n    true\n}"
    assert _code(body) == f"{SIGNATURE}\n{body}\n"


def test_a_fence_in_a_doc_comment_is_no_fence() -> None:
    doc = "/// ```\n/// has(vec![], 1);\n/// ```"
    assert _code(f"{doc}\n{FUNCTION}\n\nThat's all there's to it.") == CODE
    body = "    // ```\n    // let it be\n    // ```\n    a.contains(&b)\n}"
    fenced = extract(f"```rust\n{SIGNATURE}\n{body}\n```", prompt=PROMPT, entry_point="has")
    assert (fenced.code, fenced.kind) == (f"{SIGNATURE}\n{body}\n", "fence")


def test_another_signature_is_kept() -> None:
    answer = "async fn has(mut a: Vec<i32>, b: i32) -> bool {\n    true\n}"
    assert _code(answer) == f"{answer}\n"


def test_items_of_the_prompt_come_along_unless_the_answer_has_its_own() -> None:
    prompt = "use std::fmt;\nstruct P { x: i32 }\n/// Doc.\npub fn f(p: P) -> i32 {\n"
    body = "    p.x\n}"
    with_both = f"use std::fmt;\n\nstruct P {{ x: i32 }}\n\npub fn f(p: P) -> i32 {{\n{body}\n"
    assert _code(body, prompt, "f") == with_both
    assert _code(f"fn f(p: P) -> i32 {{\n{body}", prompt, "f") == with_both
    own = f"struct P {{ x: i32, y: i32 }}\nfn f(p: P) -> i32 {{\n{body}"
    assert _code(own, prompt, "f").count("struct P") == 1


def test_a_comment_at_the_end_of_the_prompt_does_not_swallow_the_answer() -> None:
    assert (
        _code("    p\n}", "fn g(p: i32) -> i32 {// END", "g") == "fn g(p: i32) -> i32 {\n    p\n}\n"
    )


def test_crate_attributes_are_reported() -> None:
    found = extract(f"#![feature(x)]\n{FUNCTION}", prompt=PROMPT, entry_point="has")
    assert found.inner_attributes == ("#![feature(x)]",)
    assert found.code is not None
    assert found.code.startswith("#![feature(x)]\n")


@pytest.mark.parametrize(
    "answer",
    [
        "    for x in a {\n        if x == b {",
        '    let mut n = 0;\n    for x in a {\n        n += x;\n    }\n    let s = "cut',
        f"```rust\n{SIGNATURE}\n    for x in a {{\n        if x",
        f"Here's the code:\n\n{SIGNATURE}\n    for x in a {{",
    ],
)
def test_a_cut_answer_is_marked_and_not_mended(answer: str) -> None:
    found = extract(answer, prompt=PROMPT, entry_point="has")
    assert found.truncated
    assert found.code is not None
    tree = parse(found.code.encode())
    assert tree is None or tree.root_node.has_error


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", "the answer is empty"),
        (" \n\t", "the answer is empty"),
        ("// later", "no code found"),
        ("I am sorry, but I cannot help; not with that.", "no code found"),
        ("```rust\n```", "no code found"),
        ("```text\nyes\n```", "no code found"),
        ("```rust\nfn other(a: i32) -> i32 { a }\n```", "the entry point has is not defined"),
        ("fn other(a: i32) -> i32 { a }", "the entry point has is not defined"),
        (f"struct S;\nimpl S {{\n{FUNCTION}\n}}", "the entry point has is not defined"),
        ("x" * (MAX_ANSWER_CHARS + 1), f"the answer is over {MAX_ANSWER_CHARS} characters"),
    ],
)
def test_nothing_usable_says_why(answer: str, reason: str) -> None:
    found = extract(answer, prompt=PROMPT, entry_point="has")
    assert found.code is None
    assert found.kind is None
    assert found.reason == reason


def test_what_the_prompt_says_and_what_describes_a_function_are_no_words_about_definitions() -> (
    None
):
    prompt = f"// The sum should be correct; fix it.\n{SIGNATURE}"
    for comment in (
        "// The sum should be correct; fix it.",
        "/// A better one, fixed.",
        "// Finds it.\n// The final one, corrected, is\n// in the list.",
    ):
        answer = f"```\n{FUNCTION}\n```\nAlternatively:\n```\n{comment}\n{SIGNATURE} true }}\n```"
        assert _code(answer, prompt) == CODE
        assert _code(answer.replace("Alternatively:", ""), prompt) == CODE
        assert _code(answer.replace("Alternatively:", "Fixed:"), prompt) != CODE


def test_a_reasoning_that_never_ends_is_no_reason_to_find_nothing_in_it() -> None:
    found = extract(f"<think>\nPerhaps:\n{FUNCTION}\nor", prompt=PROMPT, entry_point="has")
    assert found.code == CODE
    found = extract("<think>\nThe vector has a method", prompt=PROMPT, entry_point="has")
    assert (found.code, found.truncated) == (None, True)
    assert found.reason == "the answer ends within its reasoning"


def test_broken_code_is_left_for_the_compiler() -> None:
    broken = "    let x = = 1;\n    true\n}"
    assert _code(broken) == f"{SIGNATURE}\n{broken}\n"


def test_brackets_that_are_mixed_up_are_left_for_the_compiler() -> None:
    body = "    let n = a.len());\n    n > b"
    found = extract(f"```rust\n{SIGNATURE}\n{body}\n```", prompt=PROMPT, entry_point="has")
    assert found.code is None or parse(found.code.encode()).root_node.has_error  # type: ignore[union-attr]


def test_text_that_utf8_cannot_hold_is_replaced() -> None:
    code = _code('    let s = "\ud800\0é";\n    true\n}')
    assert '"\ufffd\0é"' in code
    code.encode()


HOSTILE_UNITS = [
    '"', "'", "`", "```\n", "~~~\n", 'r#"', 'br##"', "/*", "(", "{", "}", "#!", "#[a]\n",
    "use a\n", "use {\n", "fn a(){}\n", "fn has() {\n", "```\nfn has(){}\n```\n", "pub ",
    "it's prose. ", "a\n\n", "\n", " ", "x.await?", "const ", "\ud800", "\0",
    "<think>\n", "</think>", "<|eot_id|>", "> ", "<pre>\n", "&lt;", "```\n\"\n", "1 | {\n",
    "fn has() { 1 }\nFixed:\n",
]  # fmt: skip


@pytest.mark.parametrize("unit", HOSTILE_UNITS)
def test_a_large_hostile_answer_is_read(unit: str) -> None:
    """Ends at all: quadratic reading of these would take hours."""
    extract(unit * (200_000 // len(unit)), prompt=PROMPT, entry_point="has")


def test_deep_nesting_does_not_overflow() -> None:
    body = "    " + "(" * 60_000 + "1" + ")" * 60_000 + " > 0\n}"
    assert _code(body) == f"{SIGNATURE}\n{body}\n"


PROBLEMS = [p for name in PINNED_SETS for p in load_problem_set(name).problems]
REPEATS_SIGNATURE = {"HumanEval/11", "HumanEval/118", "HumanEval/119"}


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.task_id)
def test_a_reference_answer_is_the_same_program_in_three_forms(problem: Problem) -> None:
    body = problem.canonical_solution
    function = body if problem.task_id in REPEATS_SIGNATURE else f"{problem.prompt}\n{body}"
    chat = f"Here's a solution:\n\n```rust\n{function}\n```\n\nIt doesn't allocate."
    found = [
        extract(answer, prompt=problem.prompt, entry_point=problem.entry_point)
        for answer in (body, function, chat)
    ]
    assert len({one.code for one in found}) == 1
    code = found[0].code
    assert code is not None
    tree = parse(code.encode())
    assert tree is not None
    assert not tree.root_node.has_error
    assert not any(one.truncated for one in found)


def test_nodes_of_a_large_source_give_their_text_however_many_are_asked() -> None:
    source = b"pub fn f() {}\n" * 5000
    tree = parse(source)
    assert tree is not None
    assert {node.text for node in tree.root_node.children} == {b"pub fn f() {}"}

"""Reference answers in forms that nobody has listed: three ways to dress one up, drawn at random.

Whatever is drawn, the plain answer's program must come out; and an answer that is cut off anywhere
must never pass for whole. The draws are the same each time.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sigil_eval.answers.extraction import Extraction
from sigil_eval.answers.program import Program
from sigil_eval.judging.contract import reference_source
from sigil_eval.judging.judge import Judge
from sigil_eval.problems import Problem, load_problem_set
from sigil_eval.rust.lexer import tokens
from sigil_eval.rust.syntax import parse
from sigil_eval.scoring.forms import completion_in_form
from sigil_eval.scoring.reading import extract_answer

PROBLEMS = load_problem_set("humaneval-rust").problems
SHARES = 8  # each test takes a share of the problems, so that all are taken
drawn_alike = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=12,
    suppress_health_check=[HealthCheck.too_slow],
)

CUT = [
    "fn more(x: i32) -> i32 {\n    x +",
    "/// More.\npub(crate) const fn more(",
    "#[derive(Debug, Clo",
    "#[derive(Debug)]\nstruct More {\n    x: i",
    "impl More {\n    fn new() -> Self {\n        More {",
    "impl<T> std::fmt::Display for More<T> {\n    fn fmt(&self",
    "trait More {\n    fn more(&self) -> i32 {\n        1",
    "unsafe fn more() {\n    ",
    'extern "C" {\n    fn more(x: i32)',
    "mod more {\n    use super::*;\n    pub fn f() {}\n    pub fn",
    "macro_rules! more {\n    ($x:expr) => {",
    "#[cfg(test)]\nmod tests {\n    use super::*;\n    #[test]\n    fn it() {\n        assert",
    'fn main() {\n    println!("{',
    "use std::collections::{HashMap, Ha",
    "const MORE: [i32; 3] = [1, ",
    "static MORE: &str = \"it's {",
    "// It could be fas",
    "/* It could be { fas",
]
WHOLE = [
    'fn main() {\n    println!("it works");\n}',
    'use std::env;\n\nfn main() {\n    for a in env::args() {\n        println!("{a}");\n    }\n}',
    "#[cfg(test)]\nmod tests {\n    use super::*;\n\n    #[test]\n    fn it() {}\n}",
    "#[test]\nfn it() {\n    assert_eq!(1, 1);\n}",
]
OPENINGS = ["```rust\n", "```\n", "```rs\n", "``` rust\n", "~~~rust\n", "```rust,no_run\n"]
PROSE = [
    "Sure! Here's the function:",
    "This doesn't allocate; it's O(n).",
    "**Explanation**\n\n- It reads the input (all of it).\n- It's done.",
    "I can't test it here, but:",
]
TOKENS = [("<s>", "</s>"), ("", "<|im_end|>"), ("", "<|endoftext|>"), ("", "<|eot_id|>"),
          ("<|im_start|>assistant\n", "<|im_end|>\n")]  # fmt: skip
REASONING = [("<think>\n", "\n</think>\n\n"), ("<thinking>", "</thinking>\n"), ("", "\n</think>\n")]
LINE_ENDS: list[Callable[[str], str]] = [
    lambda text: text.replace("\n", "\r\n"),
    lambda text: "\ufeff" + text,
    lambda text: text + "\n\n\n",
]


@dataclass
class Dress:
    """How an answer is given: what stands behind the code, what it is wrapped in, and around."""

    behind: str = ""
    opening: str = ""
    before: str = ""
    after: str = ""
    token: tuple[str, str] = ("", "")
    ends: Callable[[str], str] = field(default=lambda text: text)
    as_function: bool = True

    def on(self, problem: Problem) -> str:
        """The problem's reference answer, so dressed."""
        whole = self.as_function or self.opening
        code = reference_source(problem) if whole else problem.canonical_solution
        code = code.rstrip() + self.behind
        draft = f"```rust\n{problem.prompt.rstrip()}\n    %s\n}}\n```"
        before = self.before.replace("STUB", draft % "todo!()").replace("DRAFT", draft % "loop {}")
        if self.opening:
            # What is cut off is the end of all.
            after = "" if self.behind in CUT_BEHIND else f"\n{self.opening[:3]}\n{self.after}"
            code = f"{before}{self.opening}{code}{after}"
        elif self.before.startswith(("<", "\n</")) or "</think" in self.before:
            code = before + code
        return self.ends(self.token[0] + code + self.token[1])


CUT_BEHIND = ["\n\n" + one for one in CUT]


@st.composite
def dresses(draw: st.DrawFn) -> Dress:
    """Three ways at once."""
    dress = Dress()
    ways = draw(st.lists(st.sampled_from(range(8)), min_size=3, max_size=3, unique=True))
    for way in ways:
        if way == 0:
            dress.behind = draw(st.sampled_from(CUT_BEHIND))
        elif way == 1:
            dress.behind = "\n\n" + draw(st.sampled_from(WHOLE))
        elif way == 2:
            dress.opening = draw(st.sampled_from(OPENINGS))
        elif way == 3:
            begin, end = draw(st.sampled_from(REASONING))
            dress.before = f"{begin}Maybe:\n\nDRAFT\n\nNo.{end}"
        elif way == 4:
            dress.opening = draw(st.sampled_from(OPENINGS))
            dress.before = "You gave:\n\nSTUB\n\nIn full:\n\n"
        elif way == 5:
            dress.opening = draw(st.sampled_from(OPENINGS))
            dress.before = draw(st.sampled_from(PROSE)) + "\n\n"
            dress.after = "\n" + draw(st.sampled_from(PROSE))
        elif way == 6:
            dress.token = draw(st.sampled_from(TOKENS))
        else:
            dress.ends = draw(st.sampled_from(LINE_ENDS))
            dress.as_function = draw(st.booleans())
    return dress


@pytest.mark.parametrize("share", range(SHARES))
def test_a_reference_answer_in_any_dress_is_the_same_program(share: int) -> None:
    plain = {p: extract_answer(p, p.canonical_solution).code for p in PROBLEMS[share::SHARES]}

    @drawn_alike
    @given(dress=dresses())
    def check(dress: Dress) -> None:
        for problem, code in plain.items():
            answer = dress.on(problem)
            found = extract_answer(problem, answer)
            assert found.code == code, (
                f"{problem.task_id}:\n{answer}\n--- was read as\n{found.code}"
            )
            assert not found.truncated

    check()


def words(code: str) -> list[str]:
    return [token.text for token in tokens(code)]


def is_whole(found: Extraction) -> bool:
    tree = parse(found.code.encode()) if found.code is not None else None
    return tree is not None and not tree.root_node.has_error and not found.truncated


@pytest.mark.parametrize("share", range(SHARES))
def test_nothing_is_added_to_an_answer_that_is_cut_off_but_its_last_brace(share: int) -> None:
    @drawn_alike
    @given(at=st.floats(0.02, 1), form=st.sampled_from(["body", "function", "fence"]))
    def check(at: float, form: str) -> None:
        for problem in PROBLEMS[share::SHARES]:
            answer = completion_in_form(problem, form)
            cut = answer[: int(at * len(answer))]
            found = extract_answer(problem, cut)
            if not is_whole(found):
                continue
            there = Counter([*words(problem.prompt), *words(cut.replace("```", "")), "}"])
            assert not Counter(words(str(found.code))) - there, f"{cut}\n---\n{found.code}"

    check()


def test_a_helper_that_is_cut_off_is_missed() -> None:
    """Wherever a needed helper is cut, what comes out does not parse, or does not have it."""

    @drawn_alike
    @given(at=st.floats(0, 0.999), number=st.integers(0, len(PROBLEMS) - 1))
    def check(at: float, number: int) -> None:
        problem = PROBLEMS[number]
        answer = completion_in_form(problem, "helper in another fence")
        first, second = re.findall(r"```rust\n(.*?)\n```", answer, re.DOTALL)
        name = f"{problem.entry_point}_step"
        start = first.index(f"fn {name}")
        end = first.rindex("}")
        helper = first[: start + int(at * (end - start))]
        for cut in (f"{second}\n\n{helper}", f"```rust\n{second}\n```\n```rust\n{helper}"):
            found = extract_answer(problem, cut)
            assert found.code is not None
            defines = re.search(rf"\bfn {name}\b", found.code) is not None
            assert not (is_whole(found) and defines), f"{cut}\n---\n{found.code}"

    check()


def test_no_answer_that_is_cut_off_passes(judge: Judge) -> None:
    """Where it is cut behind a statement, or within what it needs, rustc or the tests refuse it."""
    programs: dict[Program, str] = {}
    for number, problem in enumerate(PROBLEMS[::5]):
        body = problem.canonical_solution.rstrip().rstrip("}").rstrip()
        ends = [match.end() for match in re.finditer(r"[;}]\n", body)]
        for end in ends[number % 3 :: 3][:2]:
            code = extract_answer(problem, body[:end]).code
            if code is not None and body[end:].strip():
                programs[Program(problem, code)] = body[:end]
    assert len(programs) > 30
    verdicts = dict(judge.judge(list(programs)))
    passed = [f"{p.problem.task_id}\n{programs[p]}" for p, v in verdicts.items() if v.passed]
    assert passed == []

"""From what a model has written to the text in which its code is looked for: steps, in an order.

Each step knows what it takes off, why, which steps must come before it and for what reason, and a
few examples: what is given to it, and what it makes of that. docs/answers.md is made of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from sigil_eval.answers.account import Part
from sigil_eval.answers.dress import (
    said_in_tags,
    with_fences_for_tags,
    with_function_on_its_line,
    with_plain_line_ends,
    without_invisible_marks,
    without_line_numbers,
    without_quotation_marks,
)
from sigil_eval.answers.question import Question, is_rust
from sigil_eval.answers.reasoning import without_reasoning
from sigil_eval.answers.turns import answer_turn
from sigil_eval.rust.lexer import tokens


@dataclass(frozen=True)
class Step:
    """One step. `after` has the steps that come before it, each with the reason."""

    name: str
    why: str
    take: Callable[[str, str], str]
    examples: tuple[tuple[str, str], ...]
    after: Mapping[str, str] = field(default_factory=dict)


STEPS = (
    Step(
        "line ends",
        "Windows and old Macs end lines otherwise; a byte order mark begins a file, not code.",
        lambda text, _: with_plain_line_ends(text),
        (("\ufefffn f() {\r\n}\r\n", "fn f() {\n}\n"), ("fn f() {\r}\r", "fn f() {\n}\n")),
    ),
    Step(
        "invisible marks",
        "Marks of no width and odd spaces come from web pages; rustc refuses most of them.",
        lambda text, _: without_invisible_marks(text),
        (
            ("\u200bfn f() {\n\u00a0\u00a0\u00a0\u00a0g()\n}", "fn f() {\n    g()\n}"),
            ('let s = "a\u200bb";\u200b', 'let s = "a\u200bb";'),
        ),
    ),
    Step(
        "quotation marks",
        "A quotation has a mark before each line; a chain of comparisons may have one, too.",
        lambda text, _: without_quotation_marks(text),
        (
            ("> ```rust\n> fn f() {}\n> ```", "```rust\nfn f() {}\n```"),
            ("let b = x\n    > y;", "let b = x\n    > y;"),
        ),
        after={"invisible marks": "a mark of no width may stand before the quotation's"},
    ),
    Step(
        "line numbers",
        "Listings count their lines.",
        lambda text, _: without_line_numbers(text),
        (
            ("1 | fn f() {\n2 | }", "fn f() {\n}"),
            ("1. Take x.\n2. Add y.", "1. Take x.\n2. Add y."),
        ),
        after={"quotation marks": "a quoted listing has its numbers behind the marks"},
    ),
    Step(
        "reasoning",
        "Code in a reasoning block is a draft; the answer is what stands behind it.",
        lambda text, _: without_reasoning(text).answer,
        (
            ("<think>\nx - y?\n</think>\nx + y }", "\n\nx + y }"),
            ("x - y?\n</think>\nx + y }", "\nx + y }"),
            ("Sure.\n<think>\nIt must", "Sure.\n\n"),
            ('let s = "<think>"; }', 'let s = "<think>"; }'),
        ),
        after={"quotation marks": "the tag of a block begins a line, which may be quoted"},
    ),
    Step(
        "turns and special tokens",
        "The answer is the model's first turn; no token of a model's own is Rust.",
        lambda text, _: answer_turn(text),
        (
            ("    x + y<|eot_id|>", "    x + y"),
            ("[INST] Add! [/INST] x + y }</s>", " x + y }"),
            ("x + y }<|im_end|>\n<|im_start|>user\nNow subtract.", "x + y }"),
            ('s.push_str("<|im_end|>"); }', 's.push_str("<|im_end|>"); }'),
        ),
        after={"reasoning": "a block may begin and end in tokens, which are its marks"},
    ),
    Step(
        "tags around code",
        "A web page has its code in tags, and escapes in it what would be a tag.",
        lambda text, _: with_fences_for_tags(text),
        (
            (
                '<pre><code class="language-rust">fn f() -&gt; u8 {\n    1\n}</code></pre>',
                "\n```rust\nfn f() -> u8 {\n    1\n}\n```\n",
            ),
            ('let s = "<code>";', 'let s = "<code>";'),
        ),
        after={"turns and special tokens": "a turn may end in front of the tag that closes"},
    ),
    Step(
        "what leads to the function",
        "An item is seen where a line begins; labels, list marks and back-ticks may stand there.",
        with_function_on_its_line,
        (
            ("Answer: fn f() {}", "Answer: \nfn f() {}"),
            ("1. **pub fn f() {}**", "1. **\npub fn f() {}**"),
            ("impl S { fn f() {} }", "impl S { fn f() {} }"),
        ),
        after={"tags around code": "a tag is no label, and its language would be lost"},
    ),
    Step(
        "answer tags",
        "What a model marks as its answer is meant more than what it says besides.",
        lambda text, _: said_in_tags(text) or text,
        (
            ("One could subtract: x - y\n<answer>\nx + y }\n</answer>", "\nx + y }\n"),
            ("x + y }", "x + y }"),
        ),
        after={"reasoning": "a reasoning may speak of the tag"},
    ),
)
# The first two steps change no program, so that they are taken whatever the text is.
_UNMISTAKABLE = 2
_REASONING = next(step for step in STEPS if step.name == "reasoning")
_TAGS = next(step for step in STEPS if step.name == "answer tags")


@dataclass(frozen=True)
class View:
    """A text in which the code may stand, and what each step took off to get there.

    A draft is a reasoning: what it says last is what it came to.
    """

    text: str
    is_draft: bool = False
    left_out: tuple[Part, ...] = ()


def views_of(text: str, question: Question) -> Iterator[View]:
    """The texts in which an answer's code may stand, the surest first.

    That is what it puts into the tags of an answer, else all it says, else what it thought.
    """
    text = _taken(STEPS[:_UNMISTAKABLE], text, question)[0]
    plain, left_out = _taken(STEPS[_UNMISTAKABLE:], text, question)
    if plain == text or (_differ_in_literals(text, plain) and is_rust(text, question)):
        yield View(text)
        return
    yield View(plain, left_out=left_out)
    others = [step for step in STEPS[_UNMISTAKABLE:] if step is not _TAGS]
    wider, left_out = _taken(others, text, question)
    if wider != plain:
        yield View(wider, left_out=left_out)
    before = others[: others.index(_REASONING)]
    reasoned = without_reasoning(_taken(before, text, question)[0])
    if reasoned.reasoning.strip():
        after = others[others.index(_REASONING) + 1 :]
        draft, left_out = _taken(after, reasoned.reasoning, question)
        yield View(draft, is_draft=True, left_out=left_out)


def _differ_in_literals(text: str, plain: str) -> bool:
    """Whether two sources differ in nothing but strings, comments and white space."""
    return all(one == other for one, other in zip_longest(_words(text), _words(plain)))


def _words(text: str) -> Iterator[str]:
    return (token.text for token in tokens(text) if token.kind != "literal")


def _taken(steps: Sequence[Step], text: str, question: Question) -> tuple[str, tuple[Part, ...]]:
    left_out = []
    for step in steps:
        after = step.take(text, question.entry_point)
        if after != text:
            left_out.append(Part(step.name, _changed(text, after), taken=False, why=step.why))
        text = after
    return text, tuple(left_out)


def _changed(text: str, after: str) -> str:
    """From the first character of a text that a step has changed to the last."""
    begin = _same(text, after)
    end = _same(text[begin:][::-1], after[begin:][::-1])
    return text[begin : len(text) - end]


def _same(one: str, other: str) -> int:
    """How many characters two texts begin with in common."""
    fewest, most = 0, min(len(one), len(other))
    while fewest < most:
        middle = (fewest + most + 1) // 2
        if one.startswith(other[fewest:middle], fewest):
            fewest = middle
        else:
            most = middle - 1
    return fewest

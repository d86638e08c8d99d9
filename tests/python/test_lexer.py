"""What stands between brackets is passed over as the lexer reads it; back-ticks are no Rust."""

from __future__ import annotations

import random

import pytest

from sigil_eval.answers.question import Question, is_rust
from sigil_eval.rust.lexer import brackets, tokens

PIECES = ['"', "'", "\\", "r", "b", "c", "#", "/", "*", "\n", " ", "{", "}", "(", ")", "[", "]",
          ";", "x", "1", ".", "é", "²", "_", "u{", "'a", "r#", 'br"', "/*", "*/", "//", "`",
          "\u00a0", "\u2028"]  # fmt: skip


def test_brackets_are_those_among_the_tokens() -> None:
    draw = random.Random(3)
    for _ in range(20_000):
        text = "".join(draw.choice(PIECES) for _ in range(draw.randint(1, 25)))
        start = draw.randrange(len(text))
        expected = [
            (token.text, token.start)
            for token in tokens(text, start)
            if token.kind in ("open", "close") or token.text == ";"
        ]
        assert list(brackets(text, start)) == expected, text


QUESTION = Question("f", (), "fn f() {", "")


@pytest.mark.parametrize(
    "source",
    [
        'let s = "```";',
        "// ```",
        "/* ` */",
        "'`';",
        "'\\`';",
        'r#"`"#;',
        "#!/usr/bin/env `\nfn g() {}",
    ],
)
def test_a_back_tick_in_rust_is_rust(source: str) -> None:
    assert is_rust(source, QUESTION) or is_rust(source + "\n}", QUESTION)


@pytest.mark.parametrize("source", ["```rust\nfn f() {}\n```", "It's:\n`x`", "fn f() { ` }"])
def test_a_back_tick_elsewhere_is_none(source: str) -> None:
    assert not is_rust(source, QUESTION)

"""What a prompt gives an answer to continue."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from sigil_eval.rust.functions import definitions_of
from sigil_eval.rust.items import Item, read_items
from sigil_eval.rust.lexer import brackets, tokens
from sigil_eval.rust.syntax import parse


@dataclass(frozen=True)
class Question:
    """What the prompt gives: items before the entry function, its signature, what follows `{`.

    `signature` ends with `{` and is empty when the prompt doesn't open the function; `lines` are
    all that the prompt has, without white space around them.
    """

    entry_point: str
    context: tuple[Item, ...]
    signature: str
    opening: str
    lines: frozenset[str] = frozenset()

    @property
    def start(self) -> str:
        """The function as far as the prompt has it; a body goes on from there."""
        return self.signature + self.opening + "\n"

    @property
    def returns_value(self) -> bool:
        """Whether the function has a result, which a body of nothing but items would not give."""
        return "->" in self.signature


@lru_cache(maxsize=1024)
def read_prompt(prompt: str, entry_point: str) -> Question:
    """What the prompt asks; the last definition of the entry point is the one to be continued."""
    lines = frozenset(line.strip() for line in prompt.split("\n"))
    starts = list(definitions_of(entry_point, prompt))
    if not starts:
        return Question(entry_point, (), "", "", lines)
    start = starts[-1]
    brace = body_brace(prompt, start)
    context = tuple(
        item for item in read_items(prompt[:start], entry_point).items if item.role == "other"
    )
    if brace is None:
        return Question(entry_point, context, "", "", lines)
    opening = prompt[brace + 1 :]
    if not any(True for _ in tokens(opening)):
        opening = ""
    return Question(entry_point, context, prompt[start : brace + 1].strip(), opening, lines)


def is_rust(text: str, question: Question) -> bool:
    """Whether a text is Rust and nothing else, by itself or behind what the prompt begins."""
    return any(
        tree is not None and not tree.root_node.has_error
        for one in (text, question.start + text)
        if not _has_back_tick(one)
        for tree in (parse(one.encode()),)
    )


# What a back-tick could be part of in Rust: a string, a comment, a character, a first line.
_HIDING = re.compile(r"[\"\\]|//|/\*|'`|#!|---|\A\ufeff")


def _has_back_tick(text: str) -> bool:
    """Whether a text surely has a back-tick where Rust has none, which saves parsing prose."""
    position = text.find("`")
    return position >= 0 and not _HIDING.search(text, 0, position + 1)


def body_brace(text: str, start: int) -> int | None:
    """Offset of the `{` that opens the body of the function that starts at `start`."""
    depth = 0
    for bracket, position in brackets(text, start):
        if bracket == "{" and depth == 0:
            return position
        if bracket == ";" and depth == 0:
            return None
        depth += (bracket in "([{") - (bracket in ")]}")
    return None

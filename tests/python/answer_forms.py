"""The forms of answers that are read, from `data/answer_forms.txt`, and docs/answers.md about them.

A form begins with a line `//~ group | name`; its text is an answer to PROMPT, with `{U+…}` for
characters that cannot be seen. It is read as SOURCE, or as what stands behind a line `//=`, or,
behind `//= cut`, as something that is cut off and does not compile.

`python tests/python/answer_forms.py` makes docs/answers.md anew.
"""

from __future__ import annotations

import html
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from sigil_eval.answers.readings import PREFERENCES
from sigil_eval.answers.steps import STEPS
from sigil_eval.answers.wording import RULES

PROMPT = "// Add two numbers x and y\nfn add(x:i32, y:i32) -> i32{\n"
SOURCE = "fn add(x:i32, y:i32) -> i32{\n    x + y\n}\n"
_WHERE = {
    "headline": "in the last paragraph before the later definition",
    "between": "anywhere between the two",
    "first": "in the last paragraph before the first definition",
}
PAGE = Path(__file__).resolve().parents[2] / "docs" / "answers.md"
# How many forms of a group the page shows.
_SHOWN = 16
_FILE = Path(__file__).parent / "data" / "answer_forms.txt"


@dataclass(frozen=True)
class Form:
    """One form of answer; `source` is None where the answer is cut off."""

    group: str
    name: str
    answer: str
    source: str | None


def forms() -> Iterator[Form]:
    """All forms, in the order of the file."""
    for part in _FILE.read_text(encoding="utf-8").split("//~ ")[1:]:
        head, _, text = part.partition("\n")
        group, _, name = head.partition(" | ")
        answer, has_source, source = text.partition("\n//=")
        answer = answer if has_source else text.removesuffix("\n")
        read = _plain(source.removeprefix("\n")) if has_source else SOURCE
        yield Form(group, name, _plain(answer), None if source == " cut\n" else read)


def _plain(text: str) -> str:
    return re.sub(r"\{U\+([0-9A-F]+)\}", lambda code: chr(int(code[1], 16)), text)


def page() -> str:
    """docs/answers.md."""
    return "\n".join([*_head(), *_steps(), *_preferences(), *_definitions(), *_forms()]) + "\n"


def _head() -> Iterator[str]:
    yield from (_FILE.parent / "answers_page.md").read_text(encoding="utf-8").split("\n")[:-1]


def _steps() -> Iterator[str]:
    yield "## What is taken off first\n"
    yield "| | step | why | comes after | example | becomes |"
    yield "| --: | :-- | :-- | :-- | :-- | :-- |"
    for number, step in enumerate(STEPS, 1):
        after = "; ".join(f"{name}: {why}" for name, why in step.after.items())
        before, then = step.examples[0]
        yield (
            f"| {number} | {step.name} | {_cell(step.why)} | {_cell(after)} "
            f"| {_code(before)} | {_code(then)} |"
        )
    yield ""


def _preferences() -> Iterator[str]:
    yield "## Which piece is the answer\n"
    yield "From the surest; of equals the first.\n"
    yield "| | the answer has | which is that sure because |\n| --: | :-- | :-- |"
    for number, one in enumerate(PREFERENCES, 1):
        yield f"| {number} | {one.name} | {_cell(one.why)} |"
    yield ""


def _definitions() -> Iterator[str]:
    yield "## Which of several definitions is meant\n"
    yield "Asked in this order of each later definition; the first that holds decides.\n"
    yield "| | the answer says | where | for example | taken is |"
    yield "| --: | :-- | :-- | :-- | :-- |"
    for number, rule in enumerate(RULES, 1):
        taken = "the later one" if rule.replaces else "the one before"
        examples = ", ".join(f"“{example}”" for example in rule.examples)
        where = _WHERE[rule.where]
        yield f"| {number} | {_cell(rule.name)} | {where} | {_cell(examples)} | {taken} |"
    yield f"| {len(RULES) + 1} | none of these | | “And:” | the one before |"
    yield ""


def _forms() -> Iterator[str]:
    yield "## Forms of answers that are read\n"
    yield "Each is an answer to this prompt, and is read as the function that adds.\n"
    yield f"```rust\n{PROMPT}```\n"
    for group, members in groupby(forms(), key=lambda form: form.group):
        all_of_them = [*members]
        yield f"### {group[0].upper()}{group[1:]}\n"
        yield (
            f"{min(_SHOWN, len(all_of_them))} of {len(all_of_them)}; all are in "
            "`tests/python/data/answer_forms.txt`.\n"
        )
        yield "| form | the answer | |\n| :-- | :-- | :-- |"
        for form in all_of_them[:_SHOWN]:
            note = "cut off; rustc refuses it" if form.source is None else ""
            if form.source not in (None, SOURCE):
                note = f"read as {_code(form.source or '')}"
            yield f"| {_cell(form.name)} | {_code(form.answer)} | {note} |"
        yield ""


def _code(text: str) -> str:
    shown = "".join(
        char
        if char == "\n" or (char.isprintable() and char != "\u2581")
        else f"{{U+{ord(char):04X}}}"
        for char in text
    )
    return "<code>" + _cell(shown).replace(" ", "&nbsp;") + "</code>"


def _cell(text: str) -> str:
    escaped = html.escape(text, quote=False)
    for character in "|*_`[]~\\$":
        escaped = escaped.replace(character, f"&#{ord(character)};")
    return escaped.replace("\n", "<br>")


if __name__ == "__main__":
    sys.stdout.write(f"{PAGE.write_text(page(), encoding='utf-8')} characters\n")

"""Read a model's answer: find the Rust in it and make it a complete candidate source.

An answer may be a body that continues the prompt, a whole function, or fenced code with prose
around it, with imports, helpers, a main and tests, cut off in the middle. Answers that say the
same thing in different dress come out as the same source, so that they are scored once. Nothing
is repaired here: source that does not compile is for rustc to say.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from sigil_eval.answers.account import Part, parts_of_items, parts_of_readings
from sigil_eval.answers.assembly import assemble
from sigil_eval.answers.definitions import Choice, chosen_definition
from sigil_eval.answers.dress import with_plain_line_ends
from sigil_eval.answers.question import Question, read_prompt
from sigil_eval.answers.readings import Reading, readings_of
from sigil_eval.answers.reasoning import without_reasoning
from sigil_eval.answers.selection import select
from sigil_eval.answers.steps import View, views_of

MAX_ANSWER_CHARS = 1 << 20
_MAIN = re.compile(r"^[ \t]*(?:pub\s+)?(?:async\s+)?fn\s+main\b", re.MULTILINE)


@dataclass(frozen=True)
class Extraction:
    """What was read out of an answer.

    `code` is imports, helpers and the entry function, without main and tests, or None with a
    `reason`. `kind` is "body", "function" or "fence". `main_free` says that the answer had no
    main function; `truncated` that it ends before the code in it does. `inner_attributes` are
    the `#![…]` in the code: they speak for a whole crate, so whoever compiles it must know.
    `definitions` counts the whole definitions of the entry point that the answer held; `parts`
    is the account of what was taken, what was left out, and why.
    """

    code: str | None
    kind: str | None
    main_free: bool = True
    truncated: bool = False
    reason: str | None = None
    inner_attributes: tuple[str, ...] = ()
    definitions: int = 0
    parts: tuple[Part, ...] = ()


def extract(
    completion: str, *, prompt: str, entry_point: str, called: Collection[str] = ()
) -> Extraction:
    """Read the answer `completion` to a `prompt` that asks for the function `entry_point`.

    `called` are the names that its tests call (`needs.called_by`), the function's own among them.
    """
    if len(completion) > MAX_ANSWER_CHARS:
        return Extraction(None, None, reason=f"the answer is over {MAX_ANSWER_CHARS} characters")
    question = read_prompt(with_plain_line_ends(prompt), entry_point)
    text = with_plain_line_ends(completion)
    if not text.strip():
        return Extraction(None, None, reason="the answer is empty")
    found = _found(text, question)
    if found is None:
        return _nothing_usable(text, entry_point)
    view, readings, choice = found
    chosen, entry = choice.reading, choice.entry
    others = [one.source for one in readings if one is not chosen]
    selection = select(chosen.source, entry, others, called, question.context)
    items = selection.items
    return Extraction(
        assemble(items, chosen.source.inner_attributes, question),
        chosen.kind,
        main_free=not _MAIN.search(view.text),
        truncated=chosen.truncated or any(not item.closed for item in items),
        inner_attributes=chosen.source.inner_attributes,
        definitions=choice.definitions,
        parts=(
            *view.left_out,
            *parts_of_readings(readings, choice),
            *parts_of_items([one.source for one in readings], selection.left_out, items, entry),
        ),
    )


def _found(text: str, question: Question) -> tuple[View, list[Reading], Choice] | None:
    """The first view of the text in which code is meant, else the first with any."""
    first = None
    for view in views_of(text, question):
        readings = readings_of(view.text, question)
        choice = chosen_definition(readings, question, last=view.is_draft)
        if choice is not None:
            found = (view, readings, choice)
            if choice.meant:
                return found
            first = first or found
    return first


def _nothing_usable(text: str, entry_point: str) -> Extraction:
    main_free = not _MAIN.search(text)
    cut = without_reasoning(text).cut
    if cut:
        reason = "the answer ends within its reasoning"
    elif re.search(r"\bfn\s+\w+", text):
        reason = f"the entry point {entry_point} is not defined"
    else:
        reason = "no code found"
    return Extraction(None, None, main_free=main_free, truncated=cut, reason=reason)

"""Read a model's answer: find the Rust in it and make it a complete candidate source.

An answer may be a body that continues the prompt, a whole function, or fenced code with prose
around it, with imports, helpers, a main and tests, cut off in the middle. Answers that say the
same thing in different dress come out as the same source, so that they are scored once. Nothing
is repaired here: source that does not compile is for rustc to say.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sigil_eval.answers.account import Part, parts_of_items
from sigil_eval.answers.assembly import assemble
from sigil_eval.answers.question import read_prompt
from sigil_eval.answers.readings import readings_of, surest
from sigil_eval.answers.selection import select
from sigil_eval.rust.items import Source

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
    text = _clean_text(completion)
    if not text.strip():
        return Extraction(None, None, reason="the answer is empty")
    question = read_prompt(_clean_text(prompt), entry_point)
    readings = readings_of(text, question)
    chosen = surest(readings)
    entry = chosen.source.entry() if chosen else None
    if chosen is None or entry is None:
        return _nothing_usable(text, entry_point)
    others = [one.source for one in readings if one is not chosen]
    selection = select(chosen.source, entry, others, called, question.context)
    items = selection.items
    return Extraction(
        assemble(items, chosen.source.inner_attributes, question),
        chosen.kind,
        main_free=not _MAIN.search(text),
        truncated=chosen.truncated or any(not item.closed for item in items),
        inner_attributes=chosen.source.inner_attributes,
        definitions=_definitions([one.source for one in readings]),
        parts=parts_of_items([one.source for one in readings], selection.left_out, items, entry),
    )


def _definitions(sources: Iterable[Source]) -> int:
    return sum(item.role == "entry" and item.closed for one in sources for item in one.items)


def _clean_text(text: str) -> str:
    """Drop a byte order mark and carriage returns at line ends; replace what UTF-8 can't hold."""
    text = re.sub("[\ud800-\udfff]", "\ufffd", text.removeprefix("\ufeff"))
    return text.replace("\r\n", "\n")


def _nothing_usable(text: str, entry_point: str) -> Extraction:
    main_free = not _MAIN.search(text)
    if re.search(r"\bfn\s+\w+", text):
        reason = f"the entry point {entry_point} is not defined"
    else:
        reason = "no code found"
    return Extraction(None, None, main_free=main_free, reason=reason)

"""What a model is asked of a function, what it claims by its answer, and the task that this gives.

A claim is code that is compiled in the function's place (`with_model`): a broken function must
fail with the error that the model has named, a rewritten one must compile.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from sigil_eval.documents.dataset_made import TaskName
from sigil_eval.making.functions import Function
from sigil_eval.making.gate import Compiled
from sigil_eval.making.tasks import Task, generation
from sigil_eval.rust.lexer import tokens
from sigil_eval.rust.syntax import own_text, parse

_SYSTEM = "You are an expert in Rust who helps to write training data. You do only what is asked."
_CODE_ALONE = "Give the whole function, alone, in one ```rust block."
_ERRORS = {
    "E0061": "a wrong number of arguments",
    "E0277": "a trait that is not there",
    "E0282": "a type that cannot be inferred",
    "E0308": "mismatched types",
    "E0382": "use of a moved value",
    "E0384": "a variable that is not mutable",
    "E0425": "a name that is not there",
    "E0499": "two mutable borrows",
    "E0502": "a borrow that conflicts with a mutable one",
    "E0505": "a move out of what is borrowed",
    "E0596": "a mutable borrow of what is not mutable",
    "E0599": "a method that is not there",
}
_ERROR = re.compile(r"\bE0\d{3}\b")
_BLOCK = re.compile(r"^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LOOP = re.compile(r"\b(?:for|while|loop)\b")
_MATCH = re.compile(r"\bmatch\b|\bunwrap\(\)")
_THOUGHTS_END = "</think>"
_FEWEST_WORDS, _MOST_WORDS = 8, 300
_GIVEN_AWAY = 24  # characters of a line that stands in the code


class RejectedError(Exception):
    """An answer that gives no row; it says why."""


class Question(NamedTuple):
    """What a model is asked."""

    system: str
    user: str


class Claim(NamedTuple):
    """Code in the function's place; the error that it fails with, None where it compiles."""

    code: str
    error: str | None


def question_for(kind: TaskName, function: Function, choice: int) -> Question:
    """What is asked for a kind of task; `choice` decides between ways to ask."""
    code = f"```rust\n{function.text}\n```"
    where = f"It stands in `{function.owner}`.\n\n" if function.owner else ""
    match kind:
        case "error_fixing":
            error = sorted(_ERRORS)[choice % len(_ERRORS)]
            asked = (
                "Put exactly one mistake into this function, such as people make, so that rustc "
                f"refuses it with {error} ({_ERRORS[error]}), or, where that cannot be, with "
                "another error. Change as little as you can, and say nothing of it in comments. "
                f"Write the number of the error in the first line. {_CODE_ALONE}"
            )
        case "transformations":
            asked = f"{_rewritten(function)} {_CODE_ALONE}"
        case "explanations":
            asked = "Explain to a Rust programmer, in a short paragraph of plain prose without "
            asked += "code blocks, what this function does and how."
        case _:
            asked = "Write what somebody would ask for who wants this function and does not know "
            asked += "its code: what it takes and gives, and what it does at the edges. Plain "
            asked += "prose, two to five sentences, no code; begin with what it does."
    return Question(_SYSTEM, f"{asked}\n\n{where}{code}")


def claim_of(kind: TaskName, function: Function, answer: str) -> Claim | None:
    """What an answer claims of code; None of one that holds none. Raises RejectedError."""
    if kind not in ("error_fixing", "transformations"):
        return None
    said = answer.rpartition(_THOUGHTS_END)[2]
    block = _BLOCK.search(said)
    if block is None:
        raise RejectedError("no block of code")
    code = block[1].strip("\n")
    _check_function(code, function)
    if kind == "transformations":
        return Claim(code, None)
    named = _ERROR.search(said, 0, block.start())
    if named is None:
        raise RejectedError("names no error")
    return Claim(code, named[0])


def task_from(
    kind: TaskName, function: Function, answer: str, claim: Claim | None, found: Compiled | None
) -> Task:
    """The task that an answer gives, whose claim holds; `found` is what the compiler said of it.

    Raises RejectedError for prose that cannot be taken.
    """
    if claim is not None and found is not None:
        if kind == "transformations":
            asked = f"{_rewritten(function)}\n\n```rust\n{function.text}\n```"
            return Task(kind, asked, claim.code)
        asked = f"This Rust function does not compile:\n\n```rust\n{claim.code}\n```\n\n"
        return Task(kind, f"{asked}error[{found.code}]: {found.said}\n\nMend it.", function.text)
    prose = _prose(answer.rpartition(_THOUGHTS_END)[2].strip(), function)
    if kind == "explanations":
        where = f" of `{function.owner}`" if function.owner else ""
        asked = f"Explain this Rust function{where}:\n\n```rust\n{function.text}\n```"
        return Task(kind, asked, prose)
    return generation(function, prose)


def _rewritten(function: Function) -> str:
    what = "in more idiomatic Rust"
    if _LOOP.search(function.body):
        what = "by iterators instead of loops, where that is clearer"
    elif _MATCH.search(function.body):
        what = "with `?` and combinators instead of `match` and `unwrap`, where that is clearer"
    return f"Rewrite this Rust function {what}. It keeps its signature and does the same."


def _check_function(code: str, function: Function) -> None:
    """Raises RejectedError where code is not one function of that signature, in other words."""
    tree = parse(code.encode("utf-8", "replace"))
    if tree is None or tree.root_node.has_error:
        raise RejectedError("does not parse")
    items = [node for node in tree.root_node.named_children if "comment" not in node.type]
    body = items[0].child_by_field_name("body") if len(items) == 1 else None
    if body is None or items[0].type != "function_item":
        raise RejectedError("is not one function")
    if "todo!" in code or "unimplemented!" in code:
        raise RejectedError("a stub")
    head = own_text(items[0])[: -len(own_text(body))]
    if _words(head) != _words(function.head):
        raise RejectedError("has another signature")
    if _words(code) == _words(function.text):
        raise RejectedError("changes nothing")


def _words(code: str) -> list[str]:
    return [token.text for token in tokens(code)]


def _prose(text: str, function: Function) -> str:
    count = len(text.split())
    if not count:
        raise RejectedError("empty")
    if not _FEWEST_WORDS <= count <= _MOST_WORDS:
        raise RejectedError("too short or too long")
    lines = (line.strip() for line in function.body.split("\n"))
    if "```" in text or any(len(line) >= _GIVEN_AWAY and line in text for line in lines):
        raise RejectedError("code where prose was asked for")
    return text

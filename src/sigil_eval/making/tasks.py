"""A task of a function: by what the code itself gives, or, where there is one, with a model's help.

By the code itself:
- code_completion: the function's doc comment and head, to be gone on from
- code_generation: the doc comment as what is asked for, the whole function as the answer
- fill_in_middle: what is missing in the middle of it, as sigil-pipeline asks

With a model, which `written_tasks` asks: error_fixing, transformations, explanations, and
code_generation of what has no doc comment.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from sigil_eval.documents.dataset_made import TaskName
from sigil_eval.making.functions import Function

# What sigil-pipeline makes by a language model.
BY_A_MODEL: tuple[TaskName, ...] = ("error_fixing", "transformations", "explanations")
_FEWEST_WORDS = 5  # of a doc comment that says what to write
_FEWEST_LINES_FOR_A_MIDDLE = 5  # of a body, its braces included


class Task(NamedTuple):
    """Kind, prompt and answer."""

    kind: TaskName
    prompt: str
    gen: str


def task_of(function: Function, choice: int, with_model: bool) -> Task | TaskName:
    """Of the tasks that the function allows, the one by `choice`; of one that a model has a part
    in, the kind."""
    is_described = len(function.doc.split()) >= _FEWEST_WORDS
    kinds: list[TaskName] = ["code_completion"]
    if is_described or with_model:
        kinds.append("code_generation")
    if function.body.count("\n") + 1 >= _FEWEST_LINES_FOR_A_MIDDLE:
        kinds.append("fill_in_middle")
    if with_model:
        kinds += BY_A_MODEL
    kind = kinds[choice % len(kinds)]
    if kind in BY_A_MODEL:
        return kind
    if kind == "code_generation":
        return generation(function, function.doc) if is_described else kind
    if kind == "fill_in_middle" and (middle := _middle(function)):
        return middle
    return _completion(function)


def _completion(function: Function) -> Task:
    lines = [f"// In `{function.owner}`:"] if function.owner else []
    lines += [f"/// {line}".rstrip() for line in function.doc.split("\n") if function.doc]
    begun = "\n".join([*lines, f"{function.head}{{\n"])
    return Task("code_completion", begun, function.body.removeprefix("{").removeprefix("\n"))


def generation(function: Function, what: str) -> Task:
    """A function to be written, `what` says which."""
    where = f" of `{function.owner}`" if function.owner else ""
    head = function.head.rstrip()
    asked = f"Write this Rust function{where}:\n\n```rust\n{head}\n```\n\n{what}"
    return Task("code_generation", asked, function.text)


def _middle(function: Function) -> Task | None:
    from sigil_pipeline.task_generator_llm import generate_fim_task

    made = asyncio.run(generate_fim_task(function.text))
    return Task("fill_in_middle", made["prompt"], made["gen"]) if made else None

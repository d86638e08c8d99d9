"""A task of a function, by what the code itself gives; no language model writes anything.

- code_completion: the function's doc comment and head, to be gone on from
- code_generation: the doc comment as what is asked for, the whole function as the answer
- fill_in_middle: what is missing in the middle of it, as sigil-pipeline asks
"""

from __future__ import annotations

import asyncio

from sigil_eval.documents.dataset_made import TaskName
from sigil_eval.making.functions import Function

# What sigil-pipeline makes by a language model, and this package does not.
NOT_MADE = ["error_fixing", "transformations", "explanations"]
_FEWEST_WORDS = 5  # of a doc comment that says what to write
_FEWEST_LINES_FOR_A_MIDDLE = 5  # of a body, its braces included


def task_of(function: Function, choice: int) -> tuple[TaskName, str, str]:
    """Kind, prompt and answer; of the kinds that the function allows, the one by `choice`."""
    kinds: list[TaskName] = ["code_completion"]
    if len(function.doc.split()) >= _FEWEST_WORDS:
        kinds.append("code_generation")
    if function.body.count("\n") + 1 >= _FEWEST_LINES_FOR_A_MIDDLE:
        kinds.append("fill_in_middle")
    kind = kinds[choice % len(kinds)]
    if kind == "code_generation":
        return kind, *_generation(function)
    if kind == "fill_in_middle" and (middle := _middle(function)):
        return kind, *middle
    return "code_completion", *_completion(function)


def _completion(function: Function) -> tuple[str, str]:
    lines = [f"// In `{function.owner}`:"] if function.owner else []
    lines += [f"/// {line}".rstrip() for line in function.doc.split("\n") if function.doc]
    begun = "\n".join([*lines, f"{function.head}{{\n"])
    return begun, function.body.removeprefix("{").removeprefix("\n")


def _generation(function: Function) -> tuple[str, str]:
    where = f" of `{function.owner}`" if function.owner else ""
    head = function.head.rstrip()
    asked = f"Write this Rust function{where}:\n\n```rust\n{head}\n```\n\n{function.doc}"
    return asked, function.head + function.body


def _middle(function: Function) -> tuple[str, str] | None:
    from sigil_pipeline.task_generator_llm import generate_fim_task

    made = asyncio.run(generate_fim_task(function.head + function.body))
    return (made["prompt"], made["gen"]) if made else None

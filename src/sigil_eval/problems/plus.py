"""The plus cases: asserts on chosen inputs, which independent answers have voted on.

A row of `data/humaneval-rust-plus.jsonl` holds those of a problem: its `cases`, each an `assert` on
a line of its own with the number of `votes`, and perhaps `helpers`, Rust items that they use.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sigil_eval.errors import UsageError
from sigil_eval.files import Row
from sigil_eval.problems.problem import Problem


def plus_module(row: Mapping[str, Any]) -> str:
    """A row's cases as the Rust of a test module, in which each stands on a line of its own."""
    cases = "".join(f"        {case['assert']}\n" for case in row["cases"])
    helpers = row.get("helpers", "")
    return (
        "mod plus {\n    use super::*;\n"
        f"{helpers}{'' if helpers.endswith(chr(10)) or not helpers else chr(10)}"
        f"    #[test]\n    fn cases() {{\n{cases}    }}\n}}\n"
    )


def with_plus(problems: Sequence[Problem], rows: Iterable[tuple[str, Row]]) -> tuple[Problem, ...]:
    """The problems with the cases of those rows that are for them. Raises UsageError with place
    and reason for a row that is for none."""
    found = {problem.task_id: problem for problem in problems}
    for place, row in rows:
        if row["task_id"] not in found:
            raise UsageError(f"{place}: no problem is called '{row['task_id']}'")
        found[row["task_id"]] = replace(found[row["task_id"]], plus=plus_module(row))
    return tuple(found.values())


def failed_case(problem: Problem, said: str) -> str | None:
    """The case that a panic message of the tests names by its line; None where it names none."""
    place = re.search(r"panicked at tests\.rs:(\d+):", said)
    lines = problem.plus.split("\n")
    if place is None or int(place[1]) > len(lines):
        return None
    line = lines[int(place[1]) - 1].strip()
    return line if line.startswith("assert") else None

"""A problem file of some of a set's problems, where all of them would show no more."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from sigil_eval.files import write_jsonl
from sigil_eval.problems import Problem

_FIELDS = ("task_id", "prompt", "canonical_solution", "test", "entry_point", "prelude")


def write_problems(path: Path, problems: Iterable[Problem]) -> list[str]:
    """Write a problem file; returns the words of a command that name it."""
    rows = ({name: getattr(problem, name) for name in _FIELDS} for problem in problems)
    write_jsonl(path, rows)
    return ["--problem-file", str(path)]

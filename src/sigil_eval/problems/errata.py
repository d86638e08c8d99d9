"""Errata: what is added or replaced in published problems, and why, as data."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sigil_eval.errors import UsageError
from sigil_eval.problems.problem import Problem, with_changes

Erratum = Mapping[str, Any]
"""An erratum as its file has it; `apply_errata` says what may stand in one."""

_CHANGEABLE = {
    "prompt",
    "canonical_solution",
    "test",
    "entry_point",
    "prelude",
    "crates",
    "free_text",
    "flag",
}
_FOR_REVIEWERS = {"why", "prompt_says", "shown_by"}


def apply_errata(published: Sequence[Problem], errata: Sequence[Erratum]) -> tuple[Problem, ...]:
    """The problems with errata applied, one after the other.

    An erratum is for the problem `task_id` ("*": for all) or for those in `task_ids`. It replaces
    whole fields (`set`), or text in them (`edit`): `old`, or what the regular expression
    `pattern` finds, which must be there exactly once, becomes `new`. It says `why`, and may quote
    what the prompt says (`prompt_says`) and give calls that show it (`shown_by`).

    Raises UsageError for an erratum that is none, or that finds nothing to change.
    """
    problems = {problem.task_id: problem for problem in published}
    for number, erratum in enumerate(errata, 1):
        place = f"erratum {number}"
        for task_id in _tasks_of(erratum, problems, place):
            where = f"{place}, of {task_id}"
            problems[task_id] = _apply(problems[task_id], erratum, where)
    return tuple(problems.values())


def concerns(erratum: Erratum, task_id: str) -> bool:
    """Whether an erratum is for this problem."""
    return task_id in erratum.get("task_ids", ()) or erratum.get("task_id") in ("*", task_id)


def _tasks_of(erratum: Erratum, known: Mapping[str, Problem], place: str) -> list[str]:
    unknown = erratum.keys() - {"task_id", "task_ids", "set", "edit"} - _FOR_REVIEWERS
    if unknown or ("task_id" in erratum) == ("task_ids" in erratum):
        raise UsageError(
            f"{place}: has either task_id or task_ids, then set, edit and why, and nothing else"
        )
    if not erratum.get("why") or not (erratum.get("set") or erratum.get("edit")):
        raise UsageError(f"{place}: says neither what is changed nor why, or only one of them")
    if erratum.get("task_id") == "*":
        return list(known)
    tasks: list[str] = erratum.get("task_ids") or [erratum["task_id"]]
    for task_id in tasks:
        if task_id not in known:
            raise UsageError(f"{place}: no problem is called '{task_id}'")
    return tasks


def _apply(problem: Problem, erratum: Erratum, place: str) -> Problem:
    changes: dict[str, Any] = dict(erratum.get("set", {}))
    for edit in erratum.get("edit", ()):
        name = edit["field"]
        text: str = changes.get(name, getattr(problem, name, ""))
        pattern = edit["pattern"] if "pattern" in edit else re.escape(edit["old"])
        found = list(re.finditer(pattern, text))
        if len(found) != 1:
            raise UsageError(f"{place}: its text is {len(found)} times in {name}, not once")
        new = found[0].expand(edit["new"]) if "pattern" in edit else edit["new"]
        changes[name] = text[: found[0].start()] + new + text[found[0].end() :]
    if wrong := changes.keys() - _CHANGEABLE:
        raise UsageError(f"{place}: cannot change {', '.join(sorted(wrong))}")
    return with_changes(problem, changes, place)

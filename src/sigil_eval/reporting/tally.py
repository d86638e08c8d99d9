"""Counting verdicts: one pass over the results rows, no row kept."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from sigil_eval.documents.metrics import ProblemCounts, RateName
from sigil_eval.documents.rows import ResultRow
from sigil_eval.documents.shape import read_results
from sigil_eval.errors import UsageError, quoted
from sigil_eval.problems import ProblemSet
from sigil_eval.settings import Column

Results = Path | Iterable[ResultRow]

# Shares of samples, each as the attributes of ProblemTally that it divides.
RATES: dict[RateName, tuple[str, str]] = {
    "compile": ("compiled", "scored"),
    "clippy_clean": ("clippy_clean", "clippy_asked"),
    "main_free": ("main_free", "scored"),
    "extraction_failure": ("no_code", "scored"),
    "truncated": ("truncated", "with_finish_reason"),
    "policy_reject": ("rejected", "scored"),
    "uses_unsafe": ("unsafe", "unsafe_known"),
    "one_process": ("one_process", "scored"),
    "several_definitions": ("several_definitions", "scored"),
}

_FIRST_CODE = re.compile(r"^error\[(E\d{4})\]", re.MULTILINE)


@dataclass
class ProblemTally:
    """Counts of one model's samples of one problem; `scored` ones have a verdict.

    `known_in` are, by column, the scored ones of which it is known how they fare there.
    """

    scored: int = 0
    passed: int = 0
    compiled: int = 0
    rejected: int = 0
    infrastructure: int = 0
    unscorable: int = 0
    main_free: int = 0
    unsafe: int = 0
    unsafe_known: int = 0
    one_process: int = 0
    several_definitions: int = 0
    no_code: int = 0
    truncated: int = 0
    with_finish_reason: int = 0
    clippy_asked: int = 0
    clippy_clean: int = 0
    known_in: Counter[Column] = field(default_factory=Counter)
    passed_in: Counter[Column] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)

    @property
    def samples(self) -> int:
        return self.scored + self.infrastructure + self.unscorable

    def by_column(self, column: Column) -> ProblemTally:
        """The same with the samples that pass in a column as those that pass."""
        return replace(self, passed=self.passed_in[column])

    def to_row(self, columns: Iterable[Column]) -> ProblemCounts:
        """For metrics.json, with these columns beside the headline."""
        return {
            "samples": self.samples,
            "scored": self.scored,
            "passed": self.passed,
            "passed_in": {
                column: self.passed_in[column] if self.known_in[column] == self.scored else None
                for column in columns
            },
            "compiled": self.compiled,
            "rejected": self.rejected,
            "infrastructure": self.infrastructure,
            "unscorable": self.unscorable,
            "usual_outcome": usual_outcome(self.outcomes),
        }


@dataclass
class ModelTally:
    """Counts of one model's samples; `problems` is in the problem set's order, and `beside` are its
    columns that are not at the head."""

    problems: dict[str, ProblemTally]
    flagged: frozenset[str] = frozenset()
    beside: tuple[Column, ...] = ()
    correct_but_rejected: int = 0
    categories: Counter[str] = field(default_factory=Counter)
    error_types: Counter[str] = field(default_factory=Counter)
    error_codes: Counter[str] = field(default_factory=Counter)
    infrastructure_types: Counter[str] = field(default_factory=Counter)
    unscorable: list[str] = field(default_factory=list)

    def total(self, name: str) -> int:
        """Sum of one ProblemTally attribute over the problems."""
        return sum(getattr(tally, name) for tally in self.problems.values())

    def counts(self, part: str, whole: str) -> dict[str, tuple[int, int]]:
        """Two ProblemTally attributes by task, where the second is not zero."""
        both = {t: (getattr(p, part), getattr(p, whole)) for t, p in self.problems.items()}
        return {task: pair for task, pair in both.items() if pair[1]}

    def by_column(self, column: Column) -> ModelTally | None:
        """The problems by the samples that pass in a column; None unless that is known of every
        scored one."""
        known = sum(tally.known_in[column] for tally in self.problems.values())
        if not 0 < self.total("scored") == known:
            return None
        return ModelTally({task: p.by_column(column) for task, p in self.problems.items()})


def tally_results(label: str, source: Results, problem_set: ProblemSet) -> ModelTally:
    """Count the rows of one model's results.

    Raises UsageError for a task that the problem set lacks and for a sample given twice.
    """
    problems = {problem.task_id: ProblemTally() for problem in problem_set.problems}
    tally = ModelTally(problems, frozenset(problem_set.flagged), problem_set.beside)
    seen: set[tuple[str, int]] = set()
    unscorable: set[str] = set()
    for row in iterate(source):
        task = row["task_id"]
        if task not in tally.problems:
            raise UsageError(
                f"{label}: task_id {quoted(task)} is not in the problem set '{problem_set.name}'"
            )
        key = (task, row.get("completion_id", len(seen)))
        if key in seen:
            raise UsageError(f"{label}: sample {key[1]} of {task} appears twice in the results")
        seen.add(key)
        if row["outcome"] == "unscorable":
            unscorable.add(task)
        _count(tally, tally.problems[task], row)
    tally.unscorable = [task for task in tally.problems if task in unscorable]
    return tally


def _count(tally: ModelTally, problem: ProblemTally, row: ResultRow) -> None:
    outcome, error_type = row["outcome"], row.get("error_type")
    if outcome == "infrastructure":
        problem.infrastructure += 1
        tally.infrastructure_types[error_type or "unknown"] += 1
        return
    if outcome == "unscorable":
        problem.unscorable += 1
        return
    problem.scored += 1
    problem.passed += bool(row["passed"])
    problem.compiled += bool(row.get("compile_ok"))
    problem.main_free += bool(row.get("main_free"))
    problem.one_process += bool(row.get("one_process"))
    problem.several_definitions += row.get("definitions", 0) > 1
    problem.no_code += error_type == "extraction_failure"
    problem.outcomes["passed" if row["passed"] else error_type or "unknown"] += 1
    problem.states[sample_state(row)] += 1
    _count_what_is_not_always_known(problem, row)
    if error_type is not None:
        tally.error_types[error_type] += 1
    tally.error_codes.update(set(row.get("error_codes") or ()))
    findings = row.get("policy_findings") or ()
    if findings:
        problem.rejected += 1
        tally.correct_but_rejected += bool(row["passed"])
        tally.categories.update({finding["category"] for finding in findings})


def _count_what_is_not_always_known(problem: ProblemTally, row: ResultRow) -> None:
    if row.get("finish_reason") is not None:
        problem.with_finish_reason += 1
        problem.truncated += row["finish_reason"] == "length"
    if row.get("compile_ok") and row.get("clippy_ok") is not None:
        problem.clippy_asked += 1
        problem.clippy_clean += bool(row["clippy_ok"])
    if row.get("uses_unsafe") is not None:
        problem.unsafe_known += 1
        problem.unsafe += bool(row["uses_unsafe"])
    for column, passed in _passed_in(row).items():
        if passed is not None:
            problem.known_in[column] += 1
            problem.passed_in[column] += passed


def _passed_in(row: ResultRow) -> dict[Column, bool | None]:
    """A row's columns; rows of earlier versions have one beside the headline."""
    if "passed_in" in row:
        return row["passed_in"]
    return {"published": cast("bool | None", row.get("passed_as_published"))}


def sample_state(row: ResultRow) -> str:
    """`passed`, the first rustc code of what did not compile, or the error type."""
    if row["passed"]:
        return "passed"
    if row.get("error_type") == "compile_error":
        codes = row.get("error_codes") or ()
        first = _FIRST_CODE.search(row.get("stderr") or "")
        if codes:
            return first.group(1) if first and first.group(1) in codes else str(codes[0])
    return str(row.get("error_type") or "unknown")


def count_correct_but_rejected(source: Results) -> int:
    """Samples in no-policy results that passed and yet have policy findings."""
    return sum(
        1
        for row in iterate(source)
        if row["outcome"] == "passed" and row["passed"] and row.get("policy_findings")
    )


def usual_outcome(outcomes: Counter[str]) -> str | None:
    """The most frequent outcome; "passed" wins a tie, then the alphabet decides."""
    if not outcomes:
        return None
    return min(outcomes, key=lambda name: (-outcomes[name], name != "passed", name))


def iterate(source: Results) -> Iterator[ResultRow]:
    """Rows of a results file or of an iterable."""
    if isinstance(source, Path):
        for _, row in read_results(source):
            yield row
    else:
        yield from source

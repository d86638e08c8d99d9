"""Samples read once: the answer in each, what the policy says of it, and the programs to judge."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from sigil_eval.answers.extraction import Extraction, extract
from sigil_eval.answers.needs import called_by
from sigil_eval.answers.policy import PolicyFinding, find_violations
from sigil_eval.answers.program import Program
from sigil_eval.documents import ExtractionRow, SampleRow
from sigil_eval.errors import UsageError, quoted
from sigil_eval.files import Row, read_jsonl, sha256_text
from sigil_eval.problems import Problem, ProblemSet
from sigil_eval.scoring.published import as_published


@dataclass(frozen=True)
class Answer:
    """What was read out of a sample: its code, and what the policy forbids of that.

    `program` is the code with its problem, None where there is no code; `published` is the program
    as it would be without errata, often `program` itself.
    """

    extraction: Extraction
    findings: tuple[PolicyFinding, ...] = ()
    program: Program | None = None
    published: Program | None = None


class SampleReader:
    """Reads samples of a problem set's problems, remembering texts that come again."""

    def __init__(self, problem_set: ProblemSet) -> None:
        self._problems = problem_set.by_id
        self._published = problem_set.published_by_id
        self._set_name = problem_set.name
        self._seen: dict[tuple[str, str], Answer] = {}

    def read(self, path: Path) -> Iterator[tuple[SampleRow, Answer]]:
        """Each sample of a file with its answer.

        Raises UsageError with file and line for a row that is no sample.
        """
        for sample in self.rows(path):
            key = (sample["task_id"], sha256_text(sample["completion"]))
            if key not in self._seen:
                self._seen[key] = self._answer(sample["task_id"], sample["completion"])
            yield sample, self._seen[key]

    def rows(self, path: Path) -> Iterator[SampleRow]:
        """Each sample of a file, not yet looked into; raises as `read` does."""
        for number, row in read_jsonl(path):
            yield self._checked(f"{path}:{number}", row)

    def _checked(self, place: str, row: Row) -> SampleRow:
        for name in ("task_id", "completion"):
            if not isinstance(row.get(name), str):
                raise UsageError(f"{place}: field '{name}' is missing or not a string")
        if row["task_id"] not in self._problems:
            raise UsageError(
                f"{place}: task_id {quoted(row['task_id'])} is not in the problem set "
                f"'{self._set_name}' (sigil-eval problems lists them)"
            )
        return cast(SampleRow, row)

    def _answer(self, task_id: str, completion: str) -> Answer:
        problem, published = self._problems[task_id], self._published[task_id]
        # What is remembered is no account of it, which repeats the answer.
        extraction = replace(extract_answer(problem, completion), parts=())
        if extraction.code is None:
            return Answer(extraction)
        findings = find_violations(extraction.code, allowed_crates=problem.crates)
        program = Program(problem, extraction.code)
        as_it_was = extraction
        if published.prompt != problem.prompt:
            as_it_was = extract_answer(published, completion)
        twin = as_published(program, published, as_it_was.code)
        return Answer(extraction, tuple(findings), program, twin)


def extract_answer(problem: Problem, completion: str) -> Extraction:
    """The code of the answer to a problem, wherever in the completion it is."""
    return extract(
        completion,
        prompt=problem.prompt,
        entry_point=problem.entry_point,
        called=called_by(problem.test),
    )


def extraction_row(problem: Problem, number: int, completion: str) -> ExtractionRow:
    """What is read from a problem's answer of this number, with the account of it."""
    found = extract_answer(problem, completion)
    return {
        "task_id": problem.task_id,
        "completion_id": number,
        "code": found.code,
        "kind": found.kind,
        "reason": found.reason,
        "truncated": found.truncated,
        "main_free": found.main_free,
        "definitions": found.definitions,
        "inner_attributes": [*found.inner_attributes],
        "parts": [
            {"what": part.what, "text": part.text, "taken": part.taken, "why": part.why}
            for part in found.parts
        ],
    }

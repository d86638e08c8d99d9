"""Samples read once: the answer in each, what the policy says of it, and the programs to judge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import batched, chain, islice
from pathlib import Path
from typing import NamedTuple, cast

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


class Unread(NamedTuple):
    """A text to be looked into, by its problem and its sha256."""

    task_id: str
    sha256: str
    completion: str


class Found(NamedTuple):
    """What is in a text: all of an `Answer` but the problems, which whoever asks has already.

    `published` is the code of the program as published; `is_published` says that this is the
    program itself.
    """

    task_id: str
    sha256: str
    extraction: Extraction
    findings: tuple[PolicyFinding, ...] = ()
    is_published: bool = False
    published: str | None = None


type Readers = Callable[[Iterable[Sequence[Unread]]], Iterator[Sequence[Found]]]
"""Others who look into texts for somebody: what they find in each piece, in any order."""

# So many texts are looked into sooner than another process is ready.
FEW = 2000
_OF_A_PIECE = 128
_NOT_READ = Answer(Extraction(None, None))


class SampleReader:
    """Reads samples of a problem set's problems, remembering texts that come again."""

    def __init__(self, problem_set: ProblemSet) -> None:
        self._problems = problem_set.by_id
        self._published = problem_set.published_by_id
        self._set_name = problem_set.name
        self._seen: dict[tuple[str, str], Answer] = {}

    def learn(self, paths: Iterable[Path], readers: Readers | None = None) -> int:
        """Read all samples of files into memory, what is not soon done by `readers`; returns how
        many there are. Raises as `read` does."""
        counted = Counter[Path]()
        unread = self._unread(paths, counted)
        for text in islice(unread, FEW) if readers else unread:
            self._remember(self.look_into(text))
        if readers and (more := next(unread, None)):
            for found in readers(batched(chain([more], unread), _OF_A_PIECE)):
                for one in found:
                    self._remember(one)
        return counted.total()

    def answers(self) -> Iterable[Answer]:
        """The answer of each distinct text, as they came first."""
        return self._seen.values()

    def read(self, path: Path) -> Iterator[tuple[SampleRow, Answer]]:
        """Each sample of a file with its answer.

        Raises UsageError with file and line for a row that is no sample.
        """
        for sample in self.rows(path):
            text = _text_of(sample)
            if text[:2] not in self._seen:
                self._remember(self.look_into(text))
            yield sample, self._seen[text[:2]]

    def rows(self, path: Path) -> Iterator[SampleRow]:
        """Each sample of a file, not yet looked into; raises as `read` does."""
        for number, row in read_jsonl(path):
            yield self._checked(f"{path}:{number}", row)

    def look_into(self, text: Unread) -> Found:
        """What is in a text; nothing is remembered."""
        task_id, sha256, completion = text
        problem, published = self._problems[task_id], self._published[task_id]
        # What is remembered is no account of it, which repeats the answer.
        extraction = replace(extract_answer(problem, completion), parts=())
        if extraction.code is None:
            return Found(task_id, sha256, extraction)
        findings = tuple(find_violations(extraction.code, allowed_crates=problem.crates))
        program = Program(problem, extraction.code)
        as_it_was = extraction
        if published.prompt != problem.prompt:
            as_it_was = extract_answer(published, completion)
        twin = as_published(program, published, as_it_was.code)
        code = twin.code if twin else None
        return Found(task_id, sha256, extraction, findings, twin is program, code)

    def _unread(self, paths: Iterable[Path], counted: Counter[Path]) -> Iterator[Unread]:
        """Each text that was not seen before; samples are counted."""
        for path in paths:
            for sample in self.rows(path):
                counted[path] += 1
                text = _text_of(sample)
                if text[:2] not in self._seen:
                    self._seen[text[:2]] = _NOT_READ  # it keeps its place
                    yield text

    def _remember(self, found: Found) -> None:
        task_id, sha256, extraction, findings, is_published, code = found
        program = twin = None
        if extraction.code is not None:
            program = twin = Program(self._problems[task_id], extraction.code)
            if not is_published:
                twin = None if code is None else Program(self._published[task_id], code)
        self._seen[task_id, sha256] = Answer(extraction, findings, program, twin)

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


def _text_of(sample: SampleRow) -> Unread:
    completion = sample["completion"]
    return Unread(sample["task_id"], sha256_text(completion), completion)


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

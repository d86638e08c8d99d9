"""A file or a folder of samples, read into rows of ours, and what there is to say of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sigil_eval.errors import UsageError
from sigil_eval.files import Row, sha256_text, write_jsonl
from sigil_eval.problems import ProblemSet
from sigil_eval.samples.folders import program_in, sample_files
from sigil_eval.samples.formats import BIGCODE, Format, Found, format_of
from sigil_eval.samples.task_names import TaskNames
from sigil_eval.samples.unfit import UnfitError
from sigil_eval.sources import STANDARD_INPUT, shown, values_of

__all__ = ["STANDARD_INPUT", "SampleFile", "read_samples"]

_PROGRAMS = "programs, a file each"


@dataclass(frozen=True)
class SampleFile:
    """A file of samples that was read: what it is called, its formats, how many samples each
    problem has, the ids that were spelled otherwise, and what was passed over."""

    name: str
    formats: tuple[str, ...]
    counts: Mapping[str, int]
    respelled: Mapping[str, str]
    passed_over: Mapping[str, int]

    def lines(self) -> Iterator[str]:
        """For people: what was read, and how it was understood."""
        total = sum(self.counts.values())
        yield (
            f"{self.name}: {total} samples of {len(self.counts)} problems, in the format of "
            f"{' and '.join(self.formats)}"
        )
        if BIGCODE in self.formats:
            yield f"{self.name}: its lists are taken to be in the order of the problem set"
        if self.respelled:
            spelling, meant = next(iter(self.respelled.items()))
            yield f"{self.name}: {spelling!r} is taken as {meant}, and others likewise"
        for what, count in self.passed_over.items():
            yield f"{self.name}: passed over: {count} {what}"
        fewest, most = min(self.counts.values()), max(self.counts.values())
        if fewest < most:
            poorest = min(self.counts, key=lambda task: self.counts[task])
            yield (
                f"{self.name}: not as many samples of each problem: {fewest} of {poorest}, up to "
                f"{most} of others"
            )


def read_samples(source: Path, problem_set: ProblemSet, into: Path) -> SampleFile:
    """Read the samples of a file, a folder or `-`, and write them to `into` as JSONL.

    Raises UsageError with file, place and reason for what is no sample of the problem set;
    nothing is written then.
    """
    reader = _Reader(problem_set)
    write_jsonl(into, reader.rows_of(source))
    return SampleFile(
        shown(source),
        tuple(reader.formats),
        reader.counts,
        reader.names.respelled,
        reader.passed_over,
    )


class _Reader:
    """Reads rows, and remembers what there is to say of them."""

    def __init__(self, problem_set: ProblemSet) -> None:
        self.names = TaskNames(problem_set)
        self.formats: dict[str, None] = {}
        self.counts: Counter[str] = Counter()
        self.passed_over: Counter[str] = Counter()
        self._order = [problem.task_id for problem in problem_set.problems]
        self._drawn: set[int] = set()

    def rows_of(self, source: Path) -> Iterator[Row]:
        """The rows of a source. Raises UsageError where there are none."""
        yield from self._rows(source)
        if not self.counts:
            raise UsageError(f"{shown(source)}: holds no samples")

    def _rows(self, source: Path) -> Iterator[Row]:
        if source == STANDARD_INPUT or not source.is_dir():
            yield from self._rows_of_file(source)
            return
        whence: dict[str, Path] = {}
        for path in sample_files(source):
            if path.suffix == ".rs":
                yield self._program(path)
                continue
            for row in self._rows_of_file(path):
                other = whence.setdefault(row["task_id"], path)
                if other != path:
                    raise UsageError(
                        f"{path}: has samples of {row['task_id']}, as {other} has. If they are of "
                        "two models, name the two files; if of one, put them into one file"
                    )
                yield row

    def _program(self, path: Path) -> Row:
        task, text = program_in(path)
        self.formats[_PROGRAMS] = None
        return self._row(str(path), Found(task, text))

    def _rows_of_file(self, source: Path) -> Iterator[Row]:
        known: Format | None = None
        chosen: Any = None
        for number, (place, value) in enumerate(values_of(source)):
            try:
                if isinstance(value, list):
                    found = self._by_position(number, value)
                else:
                    if known is None:
                        known, chosen = format_of(value), value.get("filter")
                    if value.get("filter") != chosen:  # a log has each answer once for each filter
                        self.passed_over["rows of a second filter"] += 1
                        continue
                    self.formats[known.name] = None
                    found = known.read(value)
                for sample in found:
                    if sample.text is None:
                        self.passed_over["samples that the tool failed to get"] += 1
                    else:
                        yield self._row(place, sample)
            except UnfitError as reason:
                raise UsageError(f"{place}: {reason}") from None

    def _by_position(self, number: int, texts: list[Any]) -> Iterator[Found]:
        """The list of a problem in a list of lists, which are in the problems' order."""
        self.formats[BIGCODE] = None
        if number >= len(self._order):
            raise UnfitError(f"more lists than the problem set has problems ({len(self._order)})")
        for text in texts:
            if not isinstance(text, str):
                raise UnfitError("holds something else than texts")
            yield Found(self._order[number], text)

    def _row(self, place: str, found: Found) -> Row:
        try:
            task = self.names.find(found.task)
        except UnfitError as reason:
            raise UsageError(f"{place}: {reason}") from None
        text, index = found.text or "", found.more.get("sample_index")
        if isinstance(index, int):
            key = int(sha256_text(f"{task} {index} {text}")[:30], 16)  # small: there may be many
            if key in self._drawn:
                raise UsageError(f"{place}: sample {index} of {task} stands twice in the file")
            self._drawn.add(key)
        self.counts[task] += 1
        return {"task_id": task, "completion": text, **found.more}

"""Processes of this machine that read answers, where there are many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sigil_eval.problems import ProblemSet
from sigil_eval.processes import Processes
from sigil_eval.scoring.reading import Found, Readers, SampleReader, Unread

_reader: SampleReader | None = None


def readers_here(problem_set: ProblemSet, count: int) -> Readers | None:
    """As many processes as judge; none where one alone would."""

    def read(pieces: Iterable[Sequence[Unread]]) -> Iterator[Sequence[Found]]:
        with Processes(count, _prepare, problem_set) as processes:
            yield from processes.map(_look_into, pieces)

    return read if count > 1 else None


def _prepare(problem_set: ProblemSet) -> None:
    global _reader
    _reader = SampleReader(problem_set)


def _look_into(texts: Sequence[Unread]) -> list[Found]:
    assert _reader is not None
    return [_reader.look_into(text) for text in texts]

"""Processes of this machine that read answers, where there are many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import batched

from sigil_eval.problems import Problem, ProblemSet
from sigil_eval.processes import Processes
from sigil_eval.scoring.reading import Found, Readers, SampleReader, Unread, extract_answer

# Of known answers, so many are read beside what else this process has to do.
_FEW_BESIDE, _OF_A_PIECE, _MOST = 500, 128, 4

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


def codes_in(answers: Sequence[tuple[Problem, str]], workers: int) -> list[str | None]:
    """The code in each answer to a problem, None where there is none: read by half as many
    processes as judge, where there are many, since this one compiles tests meanwhile."""
    count = min(workers // 2, _MOST)
    if count < 2 or len(answers) <= _FEW_BESIDE:
        return _codes_of(answers)
    with Processes(count) as processes:
        pieces = batched(answers, _OF_A_PIECE)
        return [code for piece in processes.map(_codes_of, pieces) for code in piece]


def _codes_of(answers: Sequence[tuple[Problem, str]]) -> list[str | None]:
    return [extract_answer(problem, completion).code for problem, completion in answers]

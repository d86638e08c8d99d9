"""Judging on a node of a cluster: it is the judge of the run, or it gets no work."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Literal

from sigil_eval import console
from sigil_eval.answers.program import Program
from sigil_eval.documents.metrics import Fingerprint
from sigil_eval.errors import PreflightError
from sigil_eval.judging.judge import Judge, JudgeSettings
from sigil_eval.judging.lint import Lints
from sigil_eval.judging.verdict import Verdict
from sigil_eval.problems import ProblemSet
from sigil_eval.record.software import judge_code_sha256
from sigil_eval.scoring.proved import proved, readers_versions
from sigil_eval.scoring.reading import SampleReader, Unread


@dataclass(frozen=True)
class Standard:
    """What must be the same wherever programs of one run are judged."""

    code: str
    toolchain: str
    fingerprint: Fingerprint
    reads_by: tuple[str, ...]

    @classmethod
    def of(cls, judge: Judge) -> Standard:
        """That of a judge, on its machine."""
        toolchain = judge.toolchain.contents_sha256
        return cls(judge_code_sha256(), toolchain, judge.fingerprint(), readers_versions())

    def compare(self, other: Standard) -> None:
        """Raises PreflightError where the other is not the same, saying in what."""
        mine, theirs = self.fingerprint, other.fingerprint
        for name in mine:
            if mine[name] != theirs[name]:  # type: ignore[literal-required]
                raise PreflightError(
                    f"{name} is {theirs[name]}, the run's is {mine[name]}"  # type: ignore[literal-required]
                )
        if self.toolchain != other.toolchain:
            raise PreflightError("the toolchain's files are not the run's, whatever its version")
        if self.reads_by != other.reads_by:
            there, here = ", ".join(other.reads_by), ", ".join(self.reads_by)
            raise PreflightError(f"answers are read with {there}, in the run with {here}")
        if self.code != other.code:
            raise PreflightError("another version of sigil-eval is installed there")


@dataclass(frozen=True)
class JudgeOrder:
    """What a worker is made of."""

    settings: JudgeSettings
    problem_set: ProblemSet
    standard: Standard


@dataclass(frozen=True)
class Batch:
    """Programs to judge, or to lint."""

    what: Literal["judge", "lint"]
    programs: Sequence[Program]


@dataclass(frozen=True)
class Texts:
    """Texts to read."""

    unread: Sequence[Unread]


@dataclass(frozen=True)
class Judged:
    """What came of some programs of a batch, by their places in it; how many were tried again."""

    verdicts: Sequence[tuple[int, Verdict]] = ()
    lints: Sequence[tuple[int, Lints]] = ()
    retries: int = 0


class JudgeWorker:
    """Judges one program at a time, and batches one after the other; reads, too. See
    `order.Worker`."""

    def __init__(self, what: bytes) -> None:
        console.speak(quiet=True)  # nobody reads what is printed here
        self._order: JudgeOrder = pickle.loads(what)  # noqa: S301 - it is our own
        self._reader = SampleReader(self._order.problem_set)
        self._open = ExitStack()
        self._judge: Judge | None = None

    def prove(self, workers: int) -> str:
        """Compare the node's judge with the run's, have the sandbox try itself, and reference
        answers and wrong ones judged. Raises PreflightError when something is not as it must be.
        """
        order = self._order
        with Judge(replace(order.settings, workers=workers)) as judge:
            order.standard.compare(Standard.of(judge))
            proved(judge, order.problem_set, order.standard.code)
        return ""

    def start(self) -> None:
        """Open the judge that this worker has for itself, whose sandbox tries itself, too."""
        self._judge = self._open.enter_context(Judge(replace(self._order.settings, workers=1)))

    def work(self, task: bytes) -> Iterator[bytes]:
        """A `Judged`, once all of a `Batch` is done; of `Texts`, a list of `Found`."""
        batch: Batch | Texts = pickle.loads(task)  # noqa: S301 - it is our own
        if isinstance(batch, Texts):
            yield pickle.dumps([self._reader.look_into(text) for text in batch.unread])
            return
        judge = self._judge
        assert judge is not None
        places = {program: place for place, program in enumerate(batch.programs)}
        if batch.what == "lint":
            lints = [(places[program], found) for program, found in judge.lint(batch.programs)]
            yield pickle.dumps(Judged(lints=lints))
            return
        before = judge.retries
        verdicts = [(places[program], found) for program, found in judge.judge(batch.programs)]
        yield pickle.dumps(Judged(verdicts, retries=judge.retries - before))

    def close(self) -> None:
        """Remove the judge's folders."""
        self._open.close()

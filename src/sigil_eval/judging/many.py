"""What scoring asks of whoever judges its programs, on this machine or on many."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Protocol

from sigil_eval.answers.program import Program
from sigil_eval.documents.metrics import Fingerprint
from sigil_eval.judging.judge import JudgeSettings
from sigil_eval.judging.lint import Lints
from sigil_eval.judging.verdict import Verdict


class ManyJudge(Protocol):
    """Judges many programs; `Judge` says of each method what it does."""

    @property
    def settings(self) -> JudgeSettings:
        """How programs are judged."""
        ...

    @property
    def retries(self) -> int:
        """How many programs were tried again."""
        ...

    def fingerprint(self) -> Fingerprint:
        """What a verdict depends on besides the program."""
        ...

    def judge(
        self, programs: Sequence[Program], known: Collection[str] = ()
    ) -> Iterator[tuple[Program, Verdict]]:
        """Each program with its verdict, as they are finished."""
        ...

    def lint(self, programs: Sequence[Program]) -> Iterator[tuple[Program, Lints]]:
        """Each program with the names of its lints; None where nothing is known."""
        ...

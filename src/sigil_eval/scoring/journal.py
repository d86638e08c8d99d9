"""The journal of what was judged, so that a run that was killed goes on where it was."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from sigil_eval.answers.program import Program
from sigil_eval.console import say
from sigil_eval.documents.metrics import Fingerprint
from sigil_eval.files import Journal, dump_row
from sigil_eval.judging.verdict import Verdict


class VerdictJournal:
    """Verdicts and lints by the programs' sha256. Use as a context manager.

    It begins anew when its verdicts were given under other conditions.
    """

    def __init__(self, path: Path, fingerprint: Fingerprint) -> None:
        conditions = {"conditions": fingerprint}
        journal = Journal(path)
        first = next(iter(journal.rows()), None)
        if first is not None and dump_row(first) != dump_row(conditions):
            journal.close()
            path.unlink()
            say("scoring: earlier verdicts were given under other conditions and are not reused")
            journal, first = Journal(path), None
        if first is None:
            journal.append(conditions)
        self._journal = journal

    def verdicts(self) -> dict[str, Verdict]:
        """The verdicts so far."""
        rows = self._journal.rows()
        return {r["program"]: Verdict.from_row(r["verdict"]) for r in rows if "verdict" in r}

    def lints(self) -> dict[str, tuple[str, ...]]:
        """Clippy's lints so far."""
        rows = self._journal.rows()
        return {r["program"]: tuple(r["lints"]) for r in rows if "lints" in r}

    def add_verdict(self, program: Program, verdict: Verdict) -> None:
        """Remember a verdict."""
        self._journal.append({"program": program.sha256, "verdict": verdict.to_row()})

    def add_lints(self, program: Program, lints: tuple[str, ...]) -> None:
        """Remember what clippy found."""
        self._journal.append({"program": program.sha256, "lints": list(lints)})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._journal.close()

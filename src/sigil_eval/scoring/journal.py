"""The journal of what was judged, so that a run that was killed goes on where it was."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import NotRequired, Self, TypedDict

from sigil_eval.answers.program import Program
from sigil_eval.console import mention
from sigil_eval.documents.constraints import Sha256
from sigil_eval.documents.metrics import Fingerprint
from sigil_eval.documents.shape import check
from sigil_eval.errors import UsageError
from sigil_eval.files import Journal, Row, dump_row
from sigil_eval.judging.verdict import Verdict


class _Line(TypedDict):
    """What was found of one program: a line after the first, which holds the conditions."""

    program: Sha256
    verdict: NotRequired[Verdict]
    lints: NotRequired[list[str]]


class VerdictJournal:
    """Verdicts and lints by the programs' sha256. Use as a context manager.

    It begins anew, and says why, when its verdicts were given under other conditions, or when a
    line of it is not one that this version writes.
    """

    def __init__(self, path: Path, fingerprint: Fingerprint) -> None:
        self._journal = Journal(path)
        self._verdicts: dict[str, Verdict] = {}
        self._lints: dict[str, tuple[str, ...]] = {}
        conditions = {"conditions": fingerprint}
        unfit = self._read(dump_row(conditions))
        if unfit:
            mention(f"scoring: {unfit}")
            self._journal.close()
            path.unlink()
            self._journal, self._verdicts, self._lints = Journal(path), {}, {}
        if not path.stat().st_size:
            self._journal.append(conditions)

    def _read(self, conditions: str) -> str:
        """Take over what the journal holds; why that cannot be done, or nothing."""
        try:
            for position, (number, row) in enumerate(self._journal.rows()):
                if position:
                    self._take(row, f"{self._journal.path}:{number}")
                elif dump_row(row) != conditions:
                    return "earlier verdicts were given under other conditions and are not reused"
        except UsageError as error:
            return f"{error}; what was judged before is judged anew"
        return ""

    def _take(self, row: Row, place: str) -> None:
        line = check(row, _Line, place)
        if "verdict" in line:
            self._verdicts[line["program"]] = Verdict.from_row(row["verdict"])
        if "lints" in line:
            self._lints[line["program"]] = tuple(line["lints"])

    def verdicts(self) -> dict[str, Verdict]:
        """The verdicts so far."""
        return dict(self._verdicts)

    def lints(self) -> dict[str, tuple[str, ...]]:
        """Clippy's lints so far."""
        return dict(self._lints)

    def add_verdict(self, program: Program, verdict: Verdict) -> None:
        """Remember a verdict."""
        self._verdicts[program.sha256] = verdict
        self._journal.append({"program": program.sha256, "verdict": verdict.to_row()})

    def add_lints(self, program: Program, lints: tuple[str, ...]) -> None:
        """Remember what clippy found."""
        self._lints[program.sha256] = lints
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
